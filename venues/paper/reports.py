"""What the paper exchange tells of its orders: answers to queries and the messages that follow an event."""

from __future__ import annotations

from typing import Final

from protocol.messages import Event, Message
from protocol.orders import OrderReport, OrderState
from protocol.paper import PaperOrderAccepted, PaperOrderCancelled, PaperOrderFilled, PaperOrderRejected
from venues.paper.book import PaperOrder
from venues.paper.state import PaperState, fill_report

__all__ = ["absent", "order_report", "refused", "reports"]


_CODES: Final = {
    **dict.fromkeys(("TickSize", "StepSize", "MinQty", "MinNotional", "PrecisionRejected"), "PrecisionRejected"),
    **{code: code for code in ("InsufficientFunds", "MarketHalted", "ReduceOnly")},
}
"""The rule that an order broke -> the error that every venue gives for it (EX-1104, EX-516)."""


def order_report(order: PaperOrder, at: int, *, reason: str = "") -> OrderReport:
    """Say where an accepted order stands."""
    return OrderReport(
        client_order_id=order.request.client_order_id,
        symbol=order.request.symbol,
        state=order.state,
        venue_order_id=order.venue_order_id,
        filled_qty=order.filled,
        reason=reason or order.reason,
        code="ReduceOnly" if order.reason.startswith("ReduceOnly:") else "",
        at=at,
    )


def refused(event: PaperOrderRejected, at: int) -> OrderReport:
    """Say that an order was refused, and why; the text begins with the broken rule's name."""
    return OrderReport(
        client_order_id=event.request.client_order_id,
        symbol=event.request.symbol,
        state=OrderState.REJECTED,
        reason=f"{event.code}: {event.reason}",
        code=_CODES.get(event.code, "OrderRejected"),
        at=at,
    )


def absent(client_order_id: str, symbol: str, at: int) -> OrderReport:
    """Say that an order was never accepted; proven, because the exchange forgets nothing."""
    return OrderReport(
        client_order_id=client_order_id,
        symbol=symbol,
        state=OrderState.REJECTED,
        reason="no such order",
        absent_proven=True,
        at=at,
    )


def reports(state: PaperState, event: Event) -> tuple[Message, ...]:
    """Return what the account hears after ``event`` was applied: fills first, then the order's new state."""
    memory = state.memory
    match event:
        case PaperOrderRejected():
            return (refused(event, event.at),)
        case PaperOrderAccepted():
            return (order_report(memory.orders[event.request.client_order_id], event.at),)
        case PaperOrderFilled():
            return (fill_report(event), order_report(memory.orders[event.client_order_id], event.at))
        case PaperOrderCancelled():
            return (order_report(memory.orders[event.client_order_id], event.at),)
    return ()

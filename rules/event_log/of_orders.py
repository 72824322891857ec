"""What an operator reads of orders and fills (EX-1401). One function an event type."""

from __future__ import annotations

from typing import Final

from protocol.orders import CancelRequested, FillRecorded, OrderRefused, OrderSent, OrderState, OrderStateChanged
from rules.event_log.line import ERROR, GOOD, INFO, WARNING, Line, LineOf, Source, text

__all__ = ["OF_ORDERS"]


_SEVERITY_OF_STATE: Final = {
    OrderState.FILLED: GOOD,
    OrderState.REJECTED: ERROR,
    OrderState.UNKNOWN: WARNING,
    OrderState.EXPIRED: WARNING,
}


def _sent(e: OrderSent) -> Line:
    request = e.request
    price = "market" if request.price is None else f"at {text(request.price)}"
    said = f"{e.purpose.value} order sent: {request.side.value} {text(request.qty)} {request.symbol} {price}"
    return Line(Source.ORDER, INFO, "OrderSent", said, e.group_id, request.client_order_id)


def _refused(e: OrderRefused) -> Line:
    said = f"{e.purpose.value} order not sent: {e.reason or e.code}"
    return Line(Source.ORDER, WARNING, e.code, said, e.group_id, e.request.client_order_id)


def _cancel(e: CancelRequested) -> Line:
    return Line(Source.ORDER, INFO, "CancelRequested", "cancel requested", client_order_id=e.client_order_id)


def _order_state(e: OrderStateChanged) -> Line:
    said = f"order {e.state.value}" + (f": {e.reason}" if e.reason else "")
    bad = e.state is OrderState.REJECTED
    severity = _SEVERITY_OF_STATE.get(e.state, INFO)
    code = f"Order{e.state.name.title().replace('_', '')}"
    return Line(Source.ORDER, severity, code, said, client_order_id=e.client_order_id, pinned=bad)


def _fill(e: FillRecorded) -> Line:
    said = f"{e.side.value} {text(e.qty)} {e.symbol} at {text(e.price)}, fee {text(e.fee)} {e.fee_currency}"
    return Line(Source.ORDER, GOOD, "FillRecorded", said, client_order_id=e.client_order_id)


OF_ORDERS: Final[dict[str, LineOf]] = {
    "CancelRequested": _cancel,
    "FillRecorded": _fill,
    "OrderRefused": _refused,
    "OrderSent": _sent,
    "OrderStateChanged": _order_state,
}
"""Event type -> its line."""

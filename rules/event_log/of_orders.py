"""What an operator reads of orders and fills (EX-1401). One function an event type."""

from __future__ import annotations

from typing import Final

from protocol.groups.naming import leg_name
from protocol.orders import (
    CancelRequested,
    FillRecorded,
    OrderRefused,
    OrderSent,
    OrderState,
    OrderStateChanged,
    Purpose,
)
from rules.client_ids import parse
from rules.event_log.line import ERROR, GOOD, INFO, WARNING, Line, LineOf, Source
from rules.notation import plain, words

__all__ = ["OF_ORDERS"]


_SEVERITY_OF_STATE: Final = {
    OrderState.FILLED: GOOD,
    OrderState.REJECTED: ERROR,
    OrderState.UNKNOWN: WARNING,
    OrderState.EXPIRED: WARNING,
}


def _sent(e: OrderSent) -> Line:
    request = e.request
    price = "market" if request.price is None else f"at {plain(request.price)}"
    said = f"{_named(request.client_order_id)} sent: {request.side.value} {plain(request.qty)} {request.symbol} {price}"
    return Line(Source.ORDER, INFO, "OrderSent", said, e.group_id, request.client_order_id)


def _refused(e: OrderRefused) -> Line:
    said = f"{_named(e.request.client_order_id)} not sent: {e.reason or e.code}"
    return Line(Source.ORDER, WARNING, e.code, said, e.group_id, e.request.client_order_id)


def _named(client_order_id: str) -> str:
    """Name an order by what it is for, as its id says it: ``entry P0 DCA1``, ``tp P1 DCA0``, ``close``."""
    found = parse(client_order_id)
    if found is None:
        return "order"
    leg = leg_name(f"p{found.pyramid}.l{found.layer}") if found.purpose is not Purpose.CLOSE else ""
    return f"{found.purpose.value} {leg}".strip()


def _cancel(e: CancelRequested) -> Line:
    said = f"{_named(e.client_order_id)}: cancel requested"
    return Line(Source.ORDER, INFO, "CancelRequested", said, client_order_id=e.client_order_id)


def _order_state(e: OrderStateChanged) -> Line:
    said = f"{_named(e.client_order_id)} {words(e.state.value)}" + (f": {e.reason}" if e.reason else "")
    # What becomes of a close that is rejected its group says, which tries it again and pins what keeps failing.
    found = parse(e.client_order_id)
    bad = e.state is OrderState.REJECTED and (found is None or found.purpose is not Purpose.CLOSE)
    severity = _SEVERITY_OF_STATE.get(e.state, INFO)
    code = f"Order{e.state.name.title().replace('_', '')}"
    return Line(Source.ORDER, severity, code, said, client_order_id=e.client_order_id, pinned=bad)


def _fill(e: FillRecorded) -> Line:
    what = f"{_named(e.client_order_id)}: {e.side.value} {plain(e.qty)} {e.symbol}"
    said = f"{what} at {plain(e.price)}, fee {plain(e.fee)} {e.fee_currency}"
    return Line(Source.ORDER, GOOD, "FillRecorded", said, client_order_id=e.client_order_id)


OF_ORDERS: Final[dict[str, LineOf]] = {
    "CancelRequested": _cancel,
    "FillRecorded": _fill,
    "OrderRefused": _refused,
    "OrderSent": _sent,
    "OrderStateChanged": _order_state,
}
"""Event type -> its line."""

"""Take the desk's word on the state of an order."""

from __future__ import annotations

from decimal import Decimal

from protocol.groups import LegState, OrderStateNoted
from protocol.orders import OrderState, OrderUpdate, Purpose
from rules.group.ends import end_if_final
from rules.group.turn import Turn
from rules.group.view import OrderView
from rules.order_life import advance

__all__ = ["on_update"]

_WORKING = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


def on_update(turn: Turn, update: OrderUpdate) -> None:
    """Note where an order stands and draw the consequences of its end; stale and repeated reports change nothing.

    Raises ``IllegalOrderMove`` for what no order can do.
    """
    order = turn.view.orders.get(update.client_order_id)
    if order is None or order.settled:
        return
    # The group is not told of "sent"; whatever else it hears implies it.
    before = OrderState.SENT if order.state is OrderState.INTENDED else order.state
    after = advance(before, update.state)
    reported = _reported(order, after, update.filled_qty)
    if after is before and reported == order.reported:
        return
    if after in _WORKING and before in _WORKING:
        return
    _note(turn, order, after, reported, absent=update.absent_proven)
    end_if_final(turn, turn.view.orders[update.client_order_id], update.reason, update.code)


def _reported(order: OrderView, state: OrderState, filled: Decimal) -> Decimal:
    """Return what the venue says has traded in all; "filled" without a number means everything."""
    if state is OrderState.FILLED and not filled:
        return order.request.qty
    return max(order.reported, filled)


def _note(turn: Turn, order: OrderView, state: OrderState, reported: Decimal, *, absent: bool) -> None:
    """Journal a state that the group must remember: working, unknown, or final with fills still to be told."""
    turn.emit(
        OrderStateNoted(
            group_id=turn.view.group_id,
            client_order_id=order.request.client_order_id,
            state=state,
            filled_qty=reported,
            leg_state=_leg_state(turn, order, state),
            absent_proven=absent,
            at=turn.at,
        )
    )


def _leg_state(turn: Turn, order: OrderView, state: OrderState) -> LegState | None:
    """Return what an operator reads of the leg while its entry is on its way (EX-427)."""
    if order.purpose is not Purpose.ENTRY or turn.view.legs[order.leg_id].closed > 0:
        return None
    if state is OrderState.UNKNOWN:
        return LegState.UNKNOWN
    return LegState.OPEN if state in _WORKING else None

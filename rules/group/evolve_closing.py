"""Apply what became of the closes of a group: assignments only, as in ``evolve``."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from protocol.groups import (
    CloseEnded,
    CloseFinished,
    CloseStarted,
    DustRecorded,
    LegState,
    Superseded,
    TriggerSuperseded,
)
from protocol.messages import Event
from rules.group.changed import with_close, with_order
from rules.group.view import CloseView, GroupView

__all__ = ["EVOLVERS_OF_CLOSING"]

_ZERO = Decimal(0)


def _close_started(view: GroupView, event: CloseStarted) -> GroupView:
    close = CloseView(
        number=event.number,
        scope=event.scope,
        reason=event.reason,
        signal_id=event.signal_id,
        allocation=event.allocation,
        plan_id=event.plan_id,
        reply_to=event.reply_to,
    )
    return replace(view, closes=(*view.closes, close), close_count=event.number)


def _close_ended(view: GroupView, event: CloseEnded) -> GroupView:
    orders = with_order(view, event.client_order_id, state=event.state, reported=event.filled_qty, ended=True)
    changes: dict[str, Any] = {
        "allocation": event.rest,
        "failures": event.failures,
        "caps": event.caps,
        "retry_after_s": event.retry_after_s,
        "code": event.code,
    }
    if event.told:
        told = next(close.told for close in view.closes if close.number == event.number)
        changes["told"] = (*told, event.reason)
    if event.awaits_rules:
        rebuilds = next(close.rebuilds for close in view.closes if close.number == event.number)
        changes |= {"awaits_rules": True, "rebuilds": rebuilds + 1}
    closes = with_close(view, event.number, **changes)
    return replace(view, orders=orders, closes=closes)


def _close_finished(view: GroupView, event: CloseFinished) -> GroupView:
    return replace(view, closes=tuple(close for close in view.closes if close.number != event.number))


def _superseded(view: GroupView, event: TriggerSuperseded) -> GroupView:
    late = Superseded(event.trigger, event.scope, event.signal_id, event.at)
    return replace(view, superseded=(*view.superseded, late))


def _dust(view: GroupView, event: DustRecorded) -> GroupView:
    legs = dict(view.legs)
    for leg_id, qty in event.legs.items():
        leg = legs[leg_id]
        state = leg.state if leg.state is LegState.HIT_TP else LegState.CLOSED
        legs[leg_id] = replace(leg, dust=leg.dust + qty, cost=_ZERO, state=state)
    return replace(view, legs=legs)


EVOLVERS_OF_CLOSING: Final[dict[type[Event], Callable[[GroupView, Any], GroupView]]] = {
    CloseStarted: _close_started,
    CloseEnded: _close_ended,
    CloseFinished: _close_finished,
    TriggerSuperseded: _superseded,
    DustRecorded: _dust,
}
"""Event type -> the function that applies it."""

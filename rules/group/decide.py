"""Decide what a group does about one message: pure, by a table of message types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocol.groups import (
    AddPyramid,
    Batch,
    CloseGroup,
    FreezeGroup,
    GroupState,
    OpenGroup,
    ReduceGroup,
    RetryClose,
    RetryEntry,
    RiskClose,
    RulesOverdue,
    TakeRules,
    UnfreezeGroup,
)
from protocol.groups.editing import EditGroup
from protocol.groups.recovery import AccountCompared, CameBack
from protocol.groups.tolerance import TakeTolerance
from protocol.market import PriceTick
from protocol.messages import Event, Message
from protocol.orders import FillReported, OrderUpdate
from rules.group.adoption import adopt_group
from rules.group.edit_checks import on_edit
from rules.group.fills import on_fill
from rules.group.freezing import on_freeze, on_unfreeze
from rules.group.new_rules import on_rules_overdue, on_take_rules
from rules.group.opening import add_pyramid, open_group
from rules.group.recovery import on_came_back, on_compared
from rules.group.settle import settle
from rules.group.tolerance import on_take_tolerance
from rules.group.triggers import (
    on_batch,
    on_close,
    on_price,
    on_reduce,
    on_retry_close,
    on_retry_entry,
    on_risk_close,
)
from rules.group.turn import Turn
from rules.group.updates import on_update
from rules.group.view import GroupView

__all__ = ["HANDLERS", "decide", "quiet"]

HANDLERS: Final[dict[type[Message], Callable[[Turn, Any], None]]] = {
    AccountCompared: on_compared,
    AddPyramid: add_pyramid,
    Batch: on_batch,
    CameBack: on_came_back,
    CloseGroup: on_close,
    EditGroup: on_edit,
    FillReported: on_fill,
    FreezeGroup: on_freeze,
    OrderUpdate: on_update,
    PriceTick: on_price,
    ReduceGroup: on_reduce,
    RetryClose: on_retry_close,
    RetryEntry: on_retry_entry,
    RiskClose: on_risk_close,
    RulesOverdue: on_rules_overdue,
    TakeRules: on_take_rules,
    TakeTolerance: on_take_tolerance,
    UnfreezeGroup: on_unfreeze,
}
"""Message type -> what it does to an open group."""


def decide(view: GroupView | None, message: Message, at: int, tick: PriceTick | None = None) -> tuple[Event, ...]:
    """Return the events that a message leads to; none when it changes nothing.

    ``at`` is now (ns), ``tick`` the newest price the caller has (a ``PriceTick`` message is its own). Folding the events
    with ``evolve`` gives the next state. Raises ``IllegalTransition`` or ``IllegalOrderMove`` for what cannot happen,
    ``TypeError`` for a message that no group takes.
    """
    if type(message) is PriceTick:
        if view is None or quiet(view, message):
            return ()
        tick = message
    if view is None or type(message) is OpenGroup:
        return _open(view, message, at, tick)
    try:
        handle = HANDLERS[type(message)]
    except KeyError:
        raise TypeError(f"a group takes no {type(message).__name__}") from None
    turn = Turn(view, at, tick)
    handle(turn, message)
    if turn.events:
        settle(turn)
    return tuple(turn.events)


def quiet(view: GroupView, tick: PriceTick) -> bool:
    """Whether a price lies strictly between the watched ones: the hot path."""
    price = view.watched_price(tick)
    low, high = view.watch_low, view.watch_high
    return (low is None or price > low) and (high is None or price < high)


def _open(view: GroupView | None, message: Message, at: int, tick: PriceTick | None) -> tuple[Event, ...]:
    if not isinstance(message, OpenGroup) or view is not None:
        # What comes before the group, or opens it again, was told twice: at-least-once delivery.
        return ()
    adopted = message.adopted
    turn = open_group(message, at, tick) if adopted is None else adopt_group(message, adopted, at, tick)
    if turn.view.state is not GroupState.CLOSED:
        settle(turn)
    return tuple(turn.events)

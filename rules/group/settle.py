"""Bring a group to rest after a message: flat groups close, targets and closes advance, the state follows."""

from __future__ import annotations

from decimal import Decimal

from protocol.groups import CloseFinished, CloseReason, FlatPolicy, GroupClosed, GroupState
from rules.group.closing import advance_closes, close_group, finish_sold
from rules.group.editing import advance_layers
from rules.group.states import Cause, LegFacts, cause_of, derive_state
from rules.group.targets import refresh_targets, refresh_watches, retire_rests
from rules.group.turn import Turn
from rules.group.view import GroupView

__all__ = ["settle"]


def settle(turn: Turn) -> None:
    """Take every step that now follows. Running it twice is the same as running it once."""
    if turn.view.state is GroupState.CLOSED:
        return
    finish_sold(turn)
    if turn.view.frozen:
        advance_closes(turn)
        if not (turn.view.flat and any(leg.filled > 0 for leg in turn.view.legs.values())):
            _derive(turn)
        return
    _close_if_flat(turn)
    if not turn.view.closing:
        advance_layers(turn)
        retire_rests(turn)
        refresh_targets(turn)
    advance_closes(turn)
    if turn.view.state not in (GroupState.CLOSING, GroupState.CLOSED):
        # A close that has just ended leaves its legs to their targets again.
        refresh_targets(turn)
        _close_if_flat(turn)
    refresh_watches(turn)
    _derive(turn)


def _close_if_flat(turn: Turn) -> None:
    """Close a group that has nothing open, unless its unfilled layers are to be kept (EX-615)."""
    view = turn.view
    if view.state in (GroupState.CLOSING, GroupState.CLOSED) or not view.flat or view.closes:
        return
    if not any(leg.filled > 0 for leg in view.legs.values()):
        return
    if view.works and view.config.when_flat_with_pending is FlatPolicy.KEEP:
        return
    close_group(turn, _why_flat(turn), cause=Cause.FLAT)


def _why_flat(turn: Turn) -> CloseReason:
    """Return take_profit, or what an operator, a reduction or the risk engine did in this turn to the last leg."""
    done = [event.reason for event in turn.events if isinstance(event, CloseFinished)]
    last = done[-1] if done else CloseReason.TAKE_PROFIT
    if last is CloseReason.RISK_PARTIAL:
        return CloseReason.RISK_CLOSE
    return last if last in (CloseReason.OPERATOR, CloseReason.REDUCE) else CloseReason.TAKE_PROFIT


def _facts(view: GroupView) -> list[LegFacts]:
    """Return what the legs hold; less than a step each is dust and counts as nothing."""
    flat = view.flat
    return [
        LegFacts(leg.entry, leg.filled, leg.closed, leg.dust + leg.open_qty if flat else leg.dust)
        for leg in view.legs.values()
    ]


def _derive(turn: Turn) -> None:
    view = turn.view
    if view.state in (GroupState.CLOSING, GroupState.CLOSED):
        return
    state, reason = derive_state(
        queued=False, closing=None, legs=_facts(view), when_flat=view.config.when_flat_with_pending
    )
    if state is view.state or state is GroupState.CLOSING or (state is GroupState.CLOSED and view.closes):
        return
    turn.change_state(state, cause_of(view.state, state), reason)
    if state is GroupState.CLOSED:
        _end_unfilled(turn, reason)


def _end_unfilled(turn: Turn, reason: CloseReason | None) -> None:
    turn.emit(
        GroupClosed(
            group_id=turn.view.group_id,
            key=turn.view.key,
            reason=reason or CloseReason.UNFILLED_CANCELLED,
            realized_quote=Decimal(0),
            fees=turn.view.fees,
            dust=Decimal(0),
            releases_slot=not turn.view.released,
            at=turn.at,
        )
    )

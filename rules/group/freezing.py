"""Freeze a group and let it go on: while it is frozen nothing automatic happens, an operator's close does (EX-1204).

What comes meanwhile is held: fills are booked, triggers are kept and acted on once the group goes on, in the order of
EX-702. ``settle``, ``send_entry`` and the closes look at ``frozen`` themselves; here is only what changes it.
"""

from __future__ import annotations

from protocol.groups import (
    CloseGroup,
    CloseReason,
    EntryState,
    FreezeGroup,
    GroupFrozen,
    GroupState,
    GroupUnfrozen,
    ReduceGroup,
    Severity,
    UnfreezeGroup,
)
from rules.group.opening import anchor, send_entry
from rules.group.triggers import RANKS, on_close, on_reduce
from rules.group.turn import Turn

__all__ = ["on_freeze", "on_unfreeze"]


def on_freeze(turn: Turn, message: FreezeGroup) -> None:
    """Stop everything automatic; told again for the same reason it changes nothing."""
    reason = message.reason or "no reason given"
    if turn.view.state is GroupState.CLOSED or turn.view.frozen == reason:
        return
    turn.emit(GroupFrozen(turn.view.group_id, reason, turn.at))
    text = f"{reason}; frozen until an operator resolves it: compare with the venue, then unfreeze or close"
    turn.alert("PositionMismatch", Severity.ERROR, text, pinned=True)


def on_unfreeze(turn: Turn, message: UnfreezeGroup) -> None:
    """Go on: act on the triggers that were held, then send what is missing (``settle`` places the targets)."""
    if not turn.view.frozen:
        return
    held = sorted(turn.view.held, key=_rank)
    turn.emit(GroupUnfrozen(turn.view.group_id, message.reason, turn.at))
    for trigger in held:
        if isinstance(trigger, CloseGroup):
            on_close(turn, trigger)
        else:
            on_reduce(turn, trigger)
    if turn.view.state in (GroupState.CLOSING, GroupState.CLOSED):
        return
    anchor(turn)
    for leg in list(turn.view.legs.values()):
        waits = leg.entry is EntryState.WORKING and not leg.entry_order and not leg.awaits_rules
        if waits and not turn.view.owned(leg):
            send_entry(turn, leg)


def _rank(trigger: CloseGroup | ReduceGroup) -> int:
    return RANKS.index(trigger.reason if isinstance(trigger, CloseGroup) else CloseReason.REDUCE)

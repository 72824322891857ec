"""A group's recovery contract: after an unclean end it goes on, or closes itself once the books were compared."""

from __future__ import annotations

from protocol.groups import CloseGroup, CloseReason, GridConfig, GroupState, RecoveryPolicy
from protocol.groups.recovery import Absence, AccountCompared, CameBack, GroupRecovered
from rules.group.triggers import on_close
from rules.group.turn import Turn

__all__ = ["flattens", "on_came_back", "on_compared"]


def flattens(config: GridConfig, absence: Absence, down_s: int) -> bool:
    """Whether a group closes itself after an absence of this many seconds.

    With ``recovery_max_gap_s`` 0 every unclean end of the daemon counts, and no absence of a group's actor alone: its
    supervisor has it back within moments. With more, either counts when it was longer.
    """
    if config.on_recovery is RecoveryPolicy.RESUME:
        return False
    most_s = config.recovery_max_gap_s
    return down_s > most_s if most_s else absence is Absence.DAEMON


def on_came_back(turn: Turn, message: CameBack) -> None:
    """Journal what the contract says about an absence; one that was dealt with changes nothing."""
    view = turn.view
    if view.state in (GroupState.CLOSING, GroupState.CLOSED) or view.absence_id == message.absence_id:
        return
    turn.emit(
        GroupRecovered(
            group_id=view.group_id,
            absence=message.absence,
            absence_id=message.absence_id,
            down_s=message.down_s,
            flattens=flattens(view.config, message.absence, message.down_s),
            at=turn.at,
        )
    )


def on_compared(turn: Turn, message: AccountCompared) -> None:
    """Close a group whose contract asks for it, now that the account's books are known to be right."""
    view = turn.view
    if view.flatten_due and view.state not in (GroupState.CLOSING, GroupState.CLOSED):
        on_close(turn, CloseGroup(group_id=view.group_id, reason=CloseReason.RECOVERY, at=message.at))

"""What a group's next life knows of the end of the one before: the daemon's, its actor's alone, or one in order."""

from __future__ import annotations

from typing import Final

from protocol.groups import RecoveryPolicy
from protocol.groups.recovery import Absence, CameBack, DaemonStarted, GroupFell
from rules.group import GroupView
from runtime.bus import Bus
from runtime.clock import NANOS

__all__ = ["RUN", "absence_of", "compared_topic", "fell_topic"]

RUN: Final = "run"
"""Bus topic that keeps how the daemon began this run (``DaemonStarted``); nothing is kept where there is no daemon."""


def compared_topic(account: str) -> str:
    """Return the bus topic that keeps when an account's books were last compared with its venue's."""
    return f"compared:{account}"


def fell_topic(group_id: str) -> str:
    """Return the bus topic that keeps when a group's actor last crashed."""
    return f"fell:{group_id}"


def absence_of(bus: Bus, view: GroupView, now: int) -> CameBack | None:
    """Return what the group has to deal with before it goes on, None when its last life ended in order.

    An absence of its actor alone is only told when its contract asks for it.
    """
    run: DaemonStarted | None = bus.kept(RUN)
    this = f"run:{run.run if run is not None else 0}"
    new = not (view.absence_id == this or view.absence_id.startswith(f"{this}/"))
    if run is not None and not run.clean and new and view.opened_at <= run.at:
        return CameBack(group_id=view.group_id, absence=Absence.DAEMON, absence_id=this, down_s=run.down_s)
    fell: GroupFell | None = bus.kept(fell_topic(view.group_id))
    most_s = view.config.recovery_max_gap_s
    if fell is None or view.config.on_recovery is RecoveryPolicy.RESUME or not most_s:
        return None
    down_s = (now - fell.at) // NANOS
    if down_s <= most_s:
        return None
    absence_id = f"{this}/fell:{fell.at}"
    return CameBack(group_id=view.group_id, absence=Absence.ACTOR, absence_id=absence_id, down_s=down_s)

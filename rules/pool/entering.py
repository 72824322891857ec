"""Let an entry in: as a new group or as the next pyramid of a live one."""

from __future__ import annotations

from protocol.groups import AddPyramid, OpenGroup
from protocol.pool import PyramidAdmitted, QueueRemoved, SlotTaken
from rules.identity import opposite_key
from rules.pool.admission import EntryPlan
from rules.pool.state import LiveGroup, QueuedEntry
from rules.pool.turn import Turn

__all__ = ["admit", "pyramid_of", "remove", "supersede"]


def admit(turn: Turn, plan: EntryPlan, signal_id: str) -> str:
    """Take a slot, or add to the group that is live; return ``opened`` or ``pyramid_added:<index>``."""
    group = turn.state.live.get(plan.opening.key)
    if group is None:
        turn.emit(_taken(turn, plan, signal_id))
        return "opened"
    turn.emit(_added(turn, plan, group, signal_id))
    return f"pyramid_added:{group.received}"


def _taken(turn: Turn, plan: EntryPlan, signal_id: str) -> SlotTaken:
    settings = turn.world.settings
    return SlotTaken(
        group_key=plan.opening.key,
        group_id=plan.opening.group_id,
        signal_id=signal_id,
        opening=plan.opening,
        occupied=turn.occupied + 1 + (plan.dca_legs if settings.count_dca else 0),
        maximum=settings.max_open_groups,
        dca_legs=plan.dca_legs,
        funds=plan.funds,
        at=turn.world.now,
    )


def _added(turn: Turn, plan: EntryPlan, group: LiveGroup, signal_id: str) -> PyramidAdmitted:
    settings = turn.world.settings
    more = (1 if settings.count_pyramids else 0) + (plan.dca_legs if settings.count_dca else 0)
    return PyramidAdmitted(
        group_key=group.key,
        group_id=group.group_id,
        signal_id=signal_id,
        pyramid=group.received,
        add=pyramid_of(plan.opening, group.group_id),
        occupied=turn.occupied + more,
        maximum=settings.max_open_groups,
        dca_legs=plan.dca_legs,
        funds=plan.funds,
        at=turn.world.now,
    )


def pyramid_of(opening: OpenGroup, group_id: str) -> AddPyramid:
    """Return the pyramid that a live group is told in place of an opening."""
    return AddPyramid(
        group_id=group_id,
        signal_id=opening.signal_id,
        entry_price=opening.entry_price,
        size=opening.size,
        size_type=opening.size_type,
        config=opening.config,
        instrument=opening.instrument,
        stop_price=opening.stop_price,
        target_price=opening.target_price,
        max_slippage_percent=opening.max_slippage_percent,
        at=opening.at,
    )


def supersede(turn: Turn, key: str, signal_id: str) -> None:
    """Delete what waits for the other side: the strategy has left it (EX-913, D-14)."""
    if not turn.world.settings.cancel_opposite:
        return
    entry = turn.state.queued_of(opposite_key(key))
    if entry is not None:
        reason = f"signal {signal_id} entered the other side"
        remove(turn, entry, "superseded_by_opposite", (reason,), by_signal=signal_id)


def remove(
    turn: Turn,
    entry: QueuedEntry,
    reason: str,
    reasons: tuple[str, ...] = (),
    *,
    by_signal: str = "",
    request_id: str = "",
) -> None:
    """Delete an entry from the queue."""
    removed = QueueRemoved(
        queue_id=entry.queue_id,
        group_key=entry.key,
        signal_id=entry.signal.signal_id,
        reason=reason,
        reasons=reasons,
        by_signal=by_signal,
        request_id=request_id,
        waiting=len(turn.state.queue) - 1,
        at=turn.world.now,
    )
    turn.emit(removed, f"queue_removed:{entry.queue_id}:{reason}")

"""The record of a loss offset's decisions: the first of its kind in full, its repeats as a count (EX-1025)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from actors.offset_state import OffsetState
from protocol.messages import Event
from protocol.offset import OffsetDecided, OffsetPlan, OffsetRepeated, OffsetStatus
from rules.offset import Cycle
from runtime.clock import NANOS

__all__ = ["NOTE_EVERY_NS", "Recorder"]

NOTE_EVERY_NS: Final = 3_600 * NANOS
"""How long repeats of a decision are counted in memory only: a replay of months must not write one line a look."""


class Recorder:
    """Turns cycles into events. Repeats that are not journalled yet are lost in a crash: they are a count, no fact."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._unnoted = 0
        self._last_at = 0

    def record(
        self,
        state: OffsetState,
        cycle: Cycle,
        left_out: Mapping[str, str],
        *,
        trigger: str,
        plan_id: str,
        status: OffsetStatus,
        now: int,
    ) -> list[Event]:
        """Return the events that record a cycle; none for one without a losing group, and for most repeats."""
        if not cycle.losses and not plan_id:
            return []
        last = state.last
        if last is not None and not plan_id and not last.plan_id and _same(last, cycle, left_out):
            self._unnoted += 1
            self._last_at = now
            return self._note(state, now) if now - state.noted_at >= NOTE_EVERY_NS else []
        decided = OffsetDecided(
            account=self._account,
            decision_id=f"d{state.decisions + 1}",
            trigger=trigger,
            reasons=cycle.reasons,
            losses=cycle.losses,
            left_out=dict(left_out),
            ranked=cycle.ranked,
            plan=cycle.plan,
            plan_id=plan_id,
            status=status,
            at=now,
        )
        return [*self._note(state, now), decided]

    def _note(self, state: OffsetState, now: int) -> list[Event]:
        """Return what was counted since the last note."""
        if not self._unnoted or state.last is None:
            return []
        repeats, self._unnoted = state.repeats + self._unnoted, 0
        noted = OffsetRepeated(
            account=self._account,
            decision_id=state.last.decision_id,
            repeats=repeats,
            last_at=self._last_at,
            at=now,
        )
        return [noted]


def _same(last: OffsetDecided, cycle: Cycle, left_out: Mapping[str, str]) -> bool:
    """Tell whether a cycle came out as the last one recorded; a group without a price now is taken as it was then."""
    before = dict(last.reasons)
    known = {group: why for group, why in before.items() if group in left_out and group not in cycle.reasons}
    return {**known, **cycle.reasons} == before and (bool(known) or _outline(last.plan) == _outline(cycle.plan))


def _outline(plan: OffsetPlan | None) -> Any:
    """Return what of a plan that is not carried out counts as the same: who and why, not how much."""
    return None if plan is None else (plan.loser, plan.status, plan.reason)

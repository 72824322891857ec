"""An operator's run for one group (EX-1021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from protocol.offset import OffsetPlan
from rules.offset.eligibility import failures
from rules.offset.figures import LIVE_STATES, Candidate, unrealized_usd
from rules.offset.plan import plan_offset
from rules.offset.settings import OffsetSettings

__all__ = ["Run", "run_now"]

_NEVER_SKIPPED: Final = frozenset({"not_live", "blocked"})


class Run(NamedTuple):
    """What a run for one group does: a plan, or the code that refuses it. ``skipped`` are the conditions passed over."""

    error: str | None
    plan: OffsetPlan | None = None
    skipped: tuple[str, ...] = ()


def run_now(groups: Sequence[Candidate], group_id: str, settings: OffsetSettings, now: int) -> Run:
    """Plan the offset of one group whatever it still waits for; never against its state or a block, never without a loss.

    Codes: ``NotFound``, ``NotLive``, ``GroupBlocked``, ``NotLosing``.
    """
    loser = next((group for group in groups if group.group_id == group_id), None)
    if loser is None:
        return Run("NotFound")
    if loser.state not in LIVE_STATES:
        return Run("NotLive")
    if loser.blocked:
        return Run("GroupBlocked")
    usd = unrealized_usd(loser)
    if usd is None or usd >= 0:
        return Run("NotLosing")
    why = [each for each in failures(loser, now, settings) if each not in _NEVER_SKIPPED]
    if loser.skip_once and "skip_once" not in why:
        why.append("skip_once")
    return Run(None, plan_offset(loser, groups, settings), tuple(why))

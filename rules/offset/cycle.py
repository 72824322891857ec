"""One cycle: who is eligible, who comes first, what is done (EX-1003, EX-1008, EX-1022, EX-1024)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from protocol.offset import OffsetPlan, OffsetStatus
from rules.offset.eligibility import PATIENCE, failures
from rules.offset.figures import Candidate, loss_percent, unrealized_usd
from rules.offset.plan import plan_offset
from rules.offset.ranking import rank_losers
from rules.offset.settings import OffsetSettings

__all__ = ["Cycle", "cycle_status", "risk_cycle"]

_UNTRADEABLE: Final = frozenset({"loser_below_min", "loser_slice_below_min"})
"""Why the next loser is looked at (EX-1008, D-39)."""


class Cycle(NamedTuple):
    """What a cycle came to. ``losses`` are the losing groups' USD, ``ranked`` the eligible ones, worst first."""

    reasons: dict[str, tuple[str, ...]]
    losses: dict[str, Decimal]
    ranked: tuple[str, ...]
    skip_consumed: tuple[str, ...]
    plan: OffsetPlan | None


def risk_cycle(groups: Sequence[Candidate], settings: OffsetSettings, now: int) -> Cycle:
    """Decide a cycle over the groups of one user and mode; those without price or rate take no part (EX-109, EX-1026)."""
    reasons: dict[str, tuple[str, ...]] = {}
    losses: dict[str, Decimal] = {}
    eligible: list[Candidate] = []
    for group in groups:
        usd = unrealized_usd(group)
        if usd is None or usd >= 0:
            continue
        losses[group.group_id] = usd
        reasons[group.group_id] = why = failures(group, now, settings, loss_percent(group))
        if not why:
            eligible.append(group)
    ranked = rank_losers(eligible)
    consumed = tuple(each for each, why in reasons.items() if why == ("skip_once",)) if settings.enabled else ()
    plan = _first_plan(ranked, groups, settings) if settings.enabled else None
    return Cycle(reasons, losses, tuple(each.group_id for each in ranked), consumed, plan)


def _first_plan(
    ranked: Sequence[Candidate], groups: Sequence[Candidate], settings: OffsetSettings
) -> OffsetPlan | None:
    """Return the plan of the worst loser that can be traded; when none can, that of the last one looked at."""
    plan = None
    for loser in ranked:
        plan = plan_offset(loser, groups, settings)
        if plan.reason not in _UNTRADEABLE:
            break
    return plan


def cycle_status(
    cycle: Cycle, settings: OffsetSettings, *, executing: bool, engine_error: bool
) -> tuple[OffsetStatus, str]:
    """Return the engine's status after a cycle, and why (EX-1024)."""
    if executing:
        return OffsetStatus.ACTIVE, "a plan is carried out"
    if not settings.enabled:
        return OffsetStatus.BLOCKED, "switched off (risk_engine.enabled)"
    if engine_error:
        return OffsetStatus.BLOCKED, "the engine is in Error"
    if cycle.plan is not None and not cycle.plan.executable:
        return OffsetStatus.BLOCKED, f"nothing can be closed for {cycle.plan.loser}: {cycle.plan.reason}"
    if cycle.ranked:
        return OffsetStatus.ACTIVE, f"{len(cycle.ranked)} eligible"
    due = [why for why in cycle.reasons.values() if not any(each in PATIENCE for each in why)]
    if due and all("blocked" in why or "skip_once" in why for why in due):
        return OffsetStatus.BLOCKED, "every group that could be offset is blocked or skipped"
    return OffsetStatus.IDLE, "no group is to be offset"

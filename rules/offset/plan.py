"""How much of which winners is closed for a loser, and how much of the loser (EX-1010..1014)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from protocol.offset import OffsetPlan, PlannedWinner, PlanStatus, SkippedWinner
from rules.offset.figures import Candidate, below_minimum, ceil_to, closing_unit_usd
from rules.offset.ranking import Winner, rank_winners
from rules.offset.settings import OffsetSettings, OnShortfall
from rules.precision import floor_to, quotient

__all__ = ["LoserSlice", "loser_slice", "plan_offset", "plan_with"]

_ZERO = Decimal(0)


class _Choice(NamedTuple):
    winners: tuple[PlannedWinner, ...]
    skipped: tuple[SkippedWinner, ...]
    covered: Decimal


class LoserSlice(NamedTuple):
    """What of a loser is closed; ``reason`` says why nothing is."""

    qty: Decimal
    full: bool
    reason: str = ""


def plan_offset(loser: Candidate, groups: Iterable[Candidate], settings: OffsetSettings) -> OffsetPlan:
    """Plan the offset of a loser out of the profit of ``groups``; a plan that cannot be carried out says why.

    Profits and the loss are what closing now brings and costs, the fees of the venue included.
    """
    return plan_with(loser, rank_winners(groups, loser.group_id), settings)


def plan_with(loser: Candidate, winners: Sequence[Winner], settings: OffsetSettings) -> OffsetPlan:
    """Plan as ``plan_offset`` does, out of winners that are ranked already and of which none is the loser."""
    unit = closing_unit_usd(loser)
    assert unit is not None, "the loser has a position, a price and a rate"
    required = abs(unit * loser.open_qty)
    if below_minimum(loser, loser.open_qty):
        return _refused(loser, required, (), "loser_below_min")
    choice = _choose(winners, required, settings)
    if not choice.winners:
        return _refused(loser, required, choice.skipped, "no_winners")
    if choice.covered < required and not (
        settings.partial_close_enabled and settings.on_insufficient_winners is OnShortfall.PARTIAL_LOSER
    ):
        return _refused(loser, required, choice.skipped, "insufficient_winners")
    part = loser_slice(loser, choice.covered, required, settings)
    if part.reason:
        return _refused(loser, required, choice.skipped, part.reason)
    return OffsetPlan(
        loser=loser.group_id,
        required_usd=required,
        winners=choice.winners,
        skipped=choice.skipped,
        covered_usd=choice.covered,
        loser_close_qty=part.qty,
        loser_full=part.full,
        status=PlanStatus.FULL if choice.covered >= required else PlanStatus.PARTIAL,
        reason=None,
        net_usd=choice.covered - abs(unit * part.qty),
    )


def _refused(loser: Candidate, required: Decimal, skipped: tuple[SkippedWinner, ...], reason: str) -> OffsetPlan:
    return OffsetPlan(
        loser=loser.group_id,
        required_usd=required,
        winners=(),
        skipped=skipped,
        covered_usd=_ZERO,
        loser_close_qty=None,
        loser_full=False,
        status=PlanStatus.NOT_EXECUTABLE,
        reason=reason,
        net_usd=None,
    )


# --- winners -----------------------------------------------------------------------------------------------------------


def _choose(ranked: Sequence[Winner], required: Decimal, settings: OffsetSettings) -> _Choice:
    chosen: list[PlannedWinner] = []
    skipped: list[SkippedWinner] = []
    covered = _ZERO
    for winner in ranked:
        if covered >= required or len(chosen) >= settings.max_winners_to_combine:
            break
        if _too_small(winner.group, settings):
            skipped.append(SkippedWinner(winner.group.group_id, "below_min_close"))
            continue
        part = _share(winner, required - covered, settings)
        chosen.append(part)
        covered += part.profit_usd
    return _Choice(tuple(chosen), tuple(skipped), covered)


def _too_small(group: Candidate, settings: OffsetSettings) -> bool:
    """Tell whether not even all of a winner can be closed; both notionals are compared in USD."""
    assert group.mark is not None, "winners have a price"
    assert group.quote_usd is not None, "winners have a rate"
    least = max(settings.min_close_notional, group.min_notional * group.quote_usd)
    return group.open_qty * group.mark * group.quote_usd < least or group.open_qty < group.min_qty


def _share(winner: Winner, remaining: Decimal, settings: OffsetSettings) -> PlannedWinner:
    group = winner.group
    unit = closing_unit_usd(group)
    assert unit is not None, "winners have a price"
    assert group.mark is not None, "winners have a price"
    assert group.quote_usd is not None, "winners have a rate"
    qty = group.open_qty
    if settings.partial_close_enabled and winner.profit > remaining:
        wanted = ceil_to(quotient(remaining * qty, winner.profit), group.step)
        part = max(wanted, _smallest_close(group, settings))
        if part < qty and not below_minimum(group, qty - part):
            qty = part
    return PlannedWinner(
        group_id=group.group_id,
        qty=qty,
        full=qty == group.open_qty,
        profit_usd=unit * qty,
        notional_usd=qty * group.mark * group.quote_usd,
    )


def _smallest_close(group: Candidate, settings: OffsetSettings) -> Decimal:
    """Return the smallest multiple of the step that may be closed (EX-1011)."""
    assert group.mark is not None, "only priced groups are closed"
    assert group.quote_usd is not None, "only groups with a rate are closed"
    by_worth = quotient(settings.min_close_notional, group.mark * group.quote_usd)
    by_venue = quotient(group.min_notional, group.mark)
    return ceil_to(max(by_worth, by_venue, group.min_qty), group.step)


# --- the loser ---------------------------------------------------------------------------------------------------------


def loser_slice(loser: Candidate, covered: Decimal, required: Decimal, settings: OffsetSettings) -> LoserSlice:
    """Return what of a loser ``covered`` USD of profit pay for, of a loss of ``required`` USD (EX-1012, EX-1013)."""
    if covered >= required:
        return LoserSlice(loser.open_qty, full=True)
    qty = floor_to(quotient(loser.open_qty * covered, required), loser.step) if covered > 0 else _ZERO
    if qty < _smallest_close(loser, settings):
        return LoserSlice(_ZERO, full=False, reason="loser_slice_below_min")
    rest = loser.open_qty - qty
    if rest <= 0 or below_minimum(loser, rest):
        return LoserSlice(loser.open_qty, full=True)
    return LoserSlice(qty, full=False)

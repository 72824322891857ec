"""When a cycle could come out otherwise: the prices and the instants that matter after one.

A cycle decides from prices, time and what groups say. Between two cycles nobody need look at a price that cannot change
what the last one decided: every group gets a *band*, and while its price stays strictly inside nothing is done that was
not done before. The bands are cautious: they may end too early, never too late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from rules.offset.cycle import Cycle
from rules.offset.eligibility import ripe
from rules.offset.figures import LIVE_STATES, Candidate, unrealized_usd
from rules.offset.settings import OffsetSettings
from rules.offset.timer import age_ok, age_passes_at, timer_expired

__all__ = ["ANY_PRICE", "Band", "bands", "next_instant"]

_LOW: Final = Decimal("-Infinity")
_HIGH: Final = Decimal("Infinity")


class Band(NamedTuple):
    """Prices strictly between ``low`` and ``high`` change nothing."""

    low: Decimal
    high: Decimal

    def within(self, other: Band) -> Band:
        """Return the prices that are inside both."""
        return Band(max(self.low, other.low), min(self.high, other.high))


ANY_PRICE: Final = Band(_HIGH, _LOW)
"""No price is inside: the next one counts, whatever it is."""

_NO_PRICE: Final = Band(_LOW, _HIGH)


def bands(groups: Sequence[Candidate], cycle: Cycle, settings: OffsetSettings, now: int) -> dict[str, Band]:
    """Return by group the prices that change nothing; a group that is not named can change nothing at any price."""
    if not settings.enabled:
        return {}
    live = [group for group in groups if group.state in LIVE_STATES and group.open_qty > 0]
    found: dict[str, Band] = {}
    for group in live:
        if ripe(group, now, settings):
            found[group.group_id] = _of_threshold(group, settings)
    if not cycle.ranked:
        return found
    for group_id, band in _of_stake(live, cycle, settings).items():
        found[group_id] = band.within(found.get(group_id, _NO_PRICE))
    return found


def _of_threshold(group: Candidate, settings: OffsetSettings) -> Band:
    """Return the side of the price of ``loss_threshold_percent`` on which the group is."""
    if group.mark is None or group.avg_entry is None:
        return ANY_PRICE
    edge = group.avg_entry + group.side.sign * group.avg_entry * settings.loss_threshold_percent / 100
    return _side_of(group.mark, edge)


def _of_stake(live: Sequence[Candidate], cycle: Cycle, settings: OffsetSettings) -> dict[str, Band]:
    """Return what matters while an eligible loser waits for winners."""
    payers = [group for group in live if not group.blocked and not group.skip_once]
    reason = cycle.plan.reason if cycle.plan is not None else None
    if reason == "no_winners" and not any((unrealized_usd(group) or 0) > 0 for group in payers):
        return {group.group_id: _of_profit(group) for group in payers}
    if reason == "insufficient_winners":
        return _of_gap(payers, set(cycle.ranked), settings)
    return {group.group_id: ANY_PRICE for group in payers}


def _of_profit(group: Candidate) -> Band:
    """Return the side of its average entry on which the group is."""
    if group.mark is None or group.avg_entry is None or group.quote_usd is None:
        return ANY_PRICE
    return _side_of(group.mark, group.avg_entry)


def _of_gap(payers: Sequence[Candidate], losers: set[str], settings: OffsetSettings) -> dict[str, Band]:
    """Return how far each price may move while what is missing cannot be made up.

    What the best winners have moves by at most the sum of what all groups gain, a loss by what its loser gains: while every
    group moves by less than its share of the gap, the gap stays.
    """
    usd = {group.group_id: unrealized_usd(group) for group in payers}
    profits = sorted((each for each in usd.values() if each is not None and each > 0), reverse=True)
    most = sum(profits[: settings.max_winners_to_combine], Decimal(0))
    losses = [-each for group_id, each in usd.items() if group_id in losers and each is not None]
    gap = min(losses, default=Decimal(0)) - most
    if gap <= 0:
        return {group.group_id: ANY_PRICE for group in payers}
    share = gap / len(payers)
    return {group.group_id: _around(group, share) for group in payers}


def _around(group: Candidate, usd: Decimal) -> Band:
    if group.mark is None or group.quote_usd is None:
        return ANY_PRICE
    reach = usd / (group.open_qty * group.quote_usd)
    return Band(group.mark - reach, group.mark + reach)


def _side_of(mark: Decimal, edge: Decimal) -> Band:
    """Return everything on the mark's side of an edge; the edge itself belongs to neither, which only looks once more."""
    return Band(_LOW, edge) if mark <= edge else Band(edge, _HIGH)


def next_instant(groups: Iterable[Candidate], settings: OffsetSettings, now: int) -> int | None:
    """Return the first instant after ``now`` at which time alone changes a condition: a timer is over, an age reached."""
    found: list[int] = []
    for group in groups:
        if group.state not in LIVE_STATES or not settings.enabled:
            continue
        if group.expires_at is not None and not timer_expired(group.expires_at, now):
            found.append(group.expires_at + 1)
        if group.first_fill_at is not None and not age_ok(group.first_fill_at, now, settings):
            found.append(age_passes_at(group.first_fill_at, settings))
    return min(found, default=None)

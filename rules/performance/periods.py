"""Results by calendar day, ISO week and month of a zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from protocol.messages import Value
from protocol.values import Instant
from rules.performance.closed import ClosedTrades
from rules.performance.realized import Realized
from rules.performance.trades import Tally, TradeStats
from rules.performance.windows import day_start

__all__ = ["Period", "PeriodUnit", "periods"]


class PeriodUnit(StrEnum):
    """Calendar units; weeks begin on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Period(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What one period came to: realized result in USD, and the trades that closed in it.

    ``key`` is ``2026-02-10``, ``2026-W07`` or ``2026-02``; ``start`` its first instant.
    """

    key: str
    start: Instant
    realized: float
    stats: TradeStats


_FIRST: Final[dict[PeriodUnit, Callable[[date], date]]] = {
    PeriodUnit.DAY: lambda day: day,
    PeriodUnit.WEEK: lambda day: day - timedelta(days=day.weekday()),
    PeriodUnit.MONTH: lambda day: day.replace(day=1),
}
_FORM: Final = {PeriodUnit.DAY: "%Y-%m-%d", PeriodUnit.WEEK: "%G-W%V", PeriodUnit.MONTH: "%Y-%m"}


def periods(closed: ClosedTrades, realized: Realized, zone: tzinfo, unit: PeriodUnit) -> list[Period]:
    """Return every period in which something was realized or a trade closed, oldest first (EX-1702)."""
    first = _FIRST[unit]
    sums: dict[date, float] = defaultdict(float)
    for day in sorted(realized.days):
        sums[first(day)] += realized.days[day]
    tallies: dict[date, Tally] = defaultdict(Tally)
    for day in sorted(closed.days):
        tallies[first(day)].merge(closed.days[day])
    return [
        Period(
            key=begin.strftime(_FORM[unit]),
            start=day_start(begin, zone),
            realized=sums.get(begin, 0.0),
            stats=tallies[begin].stats(),
        )
        for begin in sorted(sums.keys() | tallies.keys())
    ]

"""Results by calendar day, ISO week and month of a zone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from operator import attrgetter
from typing import Final

from protocol.messages import Value
from protocol.values import Instant
from rules.performance.days import by_day
from rules.performance.trades import TradeStats, trade_stats
from rules.performance.values import Realization, Trade
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


def periods(
    trades: Sequence[Trade], realizations: Sequence[Realization], zone: tzinfo, unit: PeriodUnit
) -> list[Period]:
    """Return every period in which something was realized or a trade closed, oldest first (EX-1702)."""
    first = _FIRST[unit]
    sums: dict[date, float] = {}
    for day, lines in by_day(realizations, zone, attrgetter("at")):
        sums[first(day)] = sums.get(first(day), 0.0) + sum([line.pnl for line in lines], 0.0)
    closed: dict[date, list[Trade]] = {}
    for day, some in by_day(trades, zone, attrgetter("closed_at")):
        closed.setdefault(first(day), []).extend(some)
    return [
        Period(
            key=begin.strftime(_FORM[unit]),
            start=day_start(begin, zone),
            realized=sums.get(begin, 0.0),
            stats=trade_stats(closed.get(begin, ())),
        )
        for begin in sorted(sums.keys() | closed.keys())
    ]

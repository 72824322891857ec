"""The summary of one calendar day (EX-1716)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, tzinfo
from operator import attrgetter

from protocol.messages import Value
from rules.performance.days import by_day
from rules.performance.values import FillLine, Realization, Trade
from rules.performance.windows import day_of

__all__ = ["DailySummary", "daily_summaries", "daily_summary"]


class DailySummary(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What happened on one day, in USD; best and worst symbol are None when nothing was realized."""

    day: date
    groups_closed: int
    fills: int
    volume_usd: float
    net_pnl: float
    best_symbol: str | None
    worst_symbol: str | None


def daily_summary(
    day: date, zone: tzinfo, trades: Iterable[Trade], fills: Iterable[FillLine], realizations: Iterable[Realization]
) -> DailySummary:
    """Count and add up a local calendar day; of symbols with equal results the first by name is meant."""
    return _summed(
        day,
        [trade for trade in trades if day_of(trade.closed_at, zone) == day],
        [each for each in fills if day_of(each.at, zone) == day],
        [each for each in realizations if day_of(each.at, zone) == day],
    )


def daily_summaries(
    zone: tzinfo, trades: Iterable[Trade], fills: Iterable[FillLine], realizations: Iterable[Realization]
) -> list[DailySummary]:
    """Return the summary of each day on which anything happened, the newest first."""
    closed = dict(by_day(trades, zone, attrgetter("closed_at")))
    filled = dict(by_day(fills, zone, attrgetter("at")))
    realized = dict(by_day(realizations, zone, attrgetter("at")))
    days = sorted(closed.keys() | filled.keys() | realized.keys(), reverse=True)
    return [_summed(day, closed.get(day, []), filled.get(day, []), realized.get(day, [])) for day in days]


def _summed(
    day: date, trades: Sequence[Trade], fills: Sequence[FillLine], realizations: Sequence[Realization]
) -> DailySummary:
    sums: dict[str, float] = {}
    for each in realizations:
        sums[each.symbol] = sums.get(each.symbol, 0.0) + each.pnl
    return DailySummary(
        day=day,
        groups_closed=len(trades),
        fills=len(fills),
        volume_usd=sum((each.qty * each.price * each.quote_usd for each in fills), 0.0),
        net_pnl=sum((each.pnl for each in realizations), 0.0),
        best_symbol=min(sums, key=lambda symbol: (-sums[symbol], symbol), default=None),
        worst_symbol=min(sums, key=lambda symbol: (sums[symbol], symbol), default=None),
    )

"""The summary of one calendar day (EX-1716)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, tzinfo

from protocol.messages import Value
from rules.performance.values import FillLine, Realization, Trade
from rules.performance.windows import day_of

__all__ = ["DailySummary", "daily_summary"]


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
    filled = [each for each in fills if day_of(each.at, zone) == day]
    sums: dict[str, float] = {}
    net = 0.0
    for each in realizations:
        if day_of(each.at, zone) == day:
            sums[each.symbol] = sums.get(each.symbol, 0.0) + each.pnl
            net += each.pnl
    return DailySummary(
        day=day,
        groups_closed=sum(day_of(trade.closed_at, zone) == day for trade in trades),
        fills=len(filled),
        volume_usd=sum((each.qty * each.price * each.quote_usd for each in filled), 0.0),
        net_pnl=net,
        best_symbol=min(sums, key=lambda symbol: (-sums[symbol], symbol), default=None),
        worst_symbol=min(sums, key=lambda symbol: (sums[symbol], symbol), default=None),
    )

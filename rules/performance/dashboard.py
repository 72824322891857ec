"""All figures of the dashboard at once (EX-1701 to EX-1714, EX-1720)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo

from protocol.messages import Value
from protocol.values import Instant, Side
from rules.performance.equity import Drawdown, drawdown, in_order, realized_curve
from rules.performance.returns import daily_returns, ratios
from rules.performance.trades import (
    BestWorst,
    Cell,
    Histogram,
    TradeStats,
    best_worst,
    heatmap,
    histogram,
    trade_stats,
)
from rules.performance.values import Point, Realization, Snapshot, Trade
from rules.performance.windows import WindowPnl, window_pnl

__all__ = ["Dashboard", "dashboard", "total_pnl_percent"]


class Dashboard(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The figures of one scope over one range; in USD, percent points and float64."""

    pnl: WindowPnl
    by_symbol: dict[str, float]
    by_timeframe: dict[str, float]
    by_strategy: dict[str, float]
    stats: TradeStats
    long: TradeStats
    short: TradeStats
    histogram: Histogram
    heatmap: dict[str, dict[str, Cell]]
    best_worst: BestWorst
    realized_curve: tuple[Point, ...]
    drawdown: Drawdown
    daily_returns: tuple[float, ...]
    sharpe: float | None
    sortino: float | None


def dashboard(
    *,
    now: Instant,
    zone: tzinfo,
    trades: Sequence[Trade],
    realizations: Sequence[Realization],
    snapshots: Sequence[Snapshot],
    starting_equity: float | None = None,
    histogram_bins: int = 20,
    risk_free_annual_percent: float = 0.0,
    annualization_days: int = 365,
    index: Sequence[float] | None = None,
) -> Dashboard:
    """Return every figure; ``starting_equity`` is the first snapshot's where none is given (EX-1302).

    ``index`` is the flow-adjusted index of the snapshots in order of time, where it is known already.
    """
    ordered = in_order(snapshots)
    start = starting_equity if starting_equity is not None else ordered[0].total_equity if ordered else 0.0
    returns = daily_returns(ordered, now, zone)
    found = ratios(returns, risk_free_annual_percent=risk_free_annual_percent, days=annualization_days)
    return Dashboard(
        pnl=window_pnl(realizations, now, zone),
        by_symbol=_sums(realizations, lambda each: each.symbol),
        by_timeframe=_sums(realizations, lambda each: each.timeframe),
        by_strategy=_sums(realizations, lambda each: each.strategy),
        stats=trade_stats(trades),
        long=trade_stats(trade for trade in trades if trade.side is Side.LONG),
        short=trade_stats(trade for trade in trades if trade.side is Side.SHORT),
        histogram=histogram(trades, histogram_bins),
        heatmap=heatmap(trades),
        best_worst=best_worst(trades),
        realized_curve=tuple(realized_curve(realizations, start)),
        drawdown=drawdown(ordered, index),
        daily_returns=tuple(returns),
        sharpe=found.sharpe,
        sortino=found.sortino,
    )


def _sums(realizations: Iterable[Realization], key: Callable[[Realization], str]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for each in realizations:
        sums[key(each)] = sums.get(key(each), 0.0) + each.pnl
    return dict(sorted(sums.items()))


def total_pnl_percent(
    *, realized: float, unrealized: float, starting_equity: float, net_flows: float = 0.0
) -> float | None:
    """Return realized and unrealized result in percent of what was put in; None when that is nothing (EX-1720)."""
    put_in = starting_equity + net_flows
    return 100 * (realized + unrealized) / put_in if put_in > 0 else None

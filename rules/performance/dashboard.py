"""All figures of the dashboard at once (EX-1701 to EX-1714, EX-1720)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from msgspec.structs import replace

from protocol.messages import Value
from protocol.values import Instant, Side
from rules.performance.closed import ClosedTrades
from rules.performance.course import EquityCourse
from rules.performance.equity import Drawdown, in_order
from rules.performance.keys import BreakdownKey
from rules.performance.realized import Realized
from rules.performance.returns import ratios
from rules.performance.trades import BestWorst, Cell, Histogram, TradeStats
from rules.performance.values import Point, Realization, Snapshot, Trade
from rules.performance.windows import WindowPnl

__all__ = ["Dashboard", "dashboard", "dashboard_of", "total_pnl_percent"]


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
    trades: Iterable[Trade],
    realizations: Iterable[Realization],
    snapshots: Iterable[Snapshot],
    starting_equity: float | None = None,
    histogram_bins: int = 20,
    risk_free_annual_percent: float = 0.0,
    annualization_days: int = 365,
) -> Dashboard:
    """Return every figure; ``starting_equity`` is the first snapshot's where none is given (EX-1302)."""
    course = EquityCourse(zone, in_order(snapshots))
    realized = Realized(zone, realizations)
    start = starting_equity if starting_equity is not None else course.begun or 0.0
    found = dashboard_of(
        ClosedTrades(zone, trades),
        realized,
        course,
        now=now,
        histogram_bins=histogram_bins,
        risk_free_annual_percent=risk_free_annual_percent,
        annualization_days=annualization_days,
    )
    return replace(found, realized_curve=tuple(realized.steps.curve.lifted(start)))


def dashboard_of(
    closed: ClosedTrades,
    realized: Realized,
    course: EquityCourse,
    *,
    now: Instant,
    histogram_bins: int,
    risk_free_annual_percent: float,
    annualization_days: int,
) -> Dashboard:
    """Return every figure of what was added up; the realized curve is left out: it may have very many points."""
    returns = [each for _, each in course.returns(now)]
    found = ratios(returns, risk_free_annual_percent=risk_free_annual_percent, days=annualization_days)
    sums = {key: dict(sorted(realized.by[key].items())) for key in BreakdownKey}
    return Dashboard(
        pnl=realized.windows(now),
        by_symbol=sums[BreakdownKey.SYMBOL],
        by_timeframe=sums[BreakdownKey.TIMEFRAME],
        by_strategy=sums[BreakdownKey.STRATEGY],
        stats=closed.all.stats(),
        long=closed.side(Side.LONG),
        short=closed.side(Side.SHORT),
        histogram=closed.histogram(histogram_bins),
        heatmap=closed.heatmap(),
        best_worst=closed.extremes.names(),
        realized_curve=(),
        drawdown=course.drawdown,
        daily_returns=tuple(returns),
        sharpe=found.sharpe,
        sortino=found.sortino,
    )


def total_pnl_percent(
    *, realized: float, unrealized: float, starting_equity: float, net_flows: float = 0.0
) -> float | None:
    """Return realized and unrealized result in percent of what was put in; None when that is nothing (EX-1720)."""
    put_in = starting_equity + net_flows
    return 100 * (realized + unrealized) / put_in if put_in > 0 else None

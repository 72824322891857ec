"""Performance figures: pure functions of trades, realizations, equity snapshots and fills (EX-1701 to EX-1720).

Numbers are float64 US dollars, percentages percent points, instants nanoseconds UTC; calendar days are those of the zone
that is passed in. What is undefined is None, never zero or infinite (EX-1714).

What must not live here: reading the figures' inputs from anywhere, drawing them.
"""

from __future__ import annotations

from rules.performance.allocation import Allocation, Exposure, OpenPosition, PendingEntry, allocation
from rules.performance.daily import DailySummary, daily_summary
from rules.performance.dashboard import Dashboard, dashboard, total_pnl_percent
from rules.performance.equity import Drawdown, drawdown
from rules.performance.returns import Ratios, daily_returns, ratios
from rules.performance.trades import BestWorst, Cell, Histogram, TradeStats, best_worst, heatmap, histogram, trade_stats
from rules.performance.values import FillLine, Point, Realization, Snapshot, Trade
from rules.performance.windows import WindowPnl, day_of, day_start, window_pnl

__all__ = [
    "Allocation",
    "BestWorst",
    "Cell",
    "DailySummary",
    "Dashboard",
    "Drawdown",
    "Exposure",
    "FillLine",
    "Histogram",
    "OpenPosition",
    "PendingEntry",
    "Point",
    "Ratios",
    "Realization",
    "Snapshot",
    "Trade",
    "TradeStats",
    "WindowPnl",
    "allocation",
    "best_worst",
    "daily_returns",
    "daily_summary",
    "dashboard",
    "day_of",
    "day_start",
    "drawdown",
    "heatmap",
    "histogram",
    "ratios",
    "total_pnl_percent",
    "trade_stats",
    "window_pnl",
]

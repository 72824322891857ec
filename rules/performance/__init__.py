"""Performance figures: pure functions of trades, realizations, equity snapshots and fills (EX-1701 to EX-1720).

Numbers are float64 US dollars, percentages percent points, instants nanoseconds UTC; calendar days are those of the zone
that is passed in. What is undefined is None, never zero or infinite (EX-1714).

What must not live here: reading the figures' inputs from anywhere, drawing them.
"""

from __future__ import annotations

from rules.performance.allocation import Allocation, Exposure, OpenPosition, PendingEntry, allocation
from rules.performance.breakdown import BreakdownKey, BreakdownRow, Open, breakdown, with_open
from rules.performance.curves import Fall, closed_curve, drawdown_curve, falls, thinned, with_flows
from rules.performance.daily import DailySummary, daily_summaries, daily_summary
from rules.performance.dashboard import Dashboard, dashboard, total_pnl_percent
from rules.performance.equity import Drawdown, drawdown, flow_index, in_order, realized_curve
from rules.performance.periods import Period, PeriodUnit, periods
from rules.performance.ranges import RangeName, Span, custom_span, span_of
from rules.performance.returns import Ratios, daily_returns, dated_returns, monthly_returns, ratios
from rules.performance.trades import BestWorst, Cell, Histogram, TradeStats, best_worst, heatmap, histogram, trade_stats
from rules.performance.values import FillLine, Point, Realization, Snapshot, Trade
from rules.performance.windows import WindowPnl, day_of, day_start, next_day, window_pnl

__all__ = [
    "Allocation",
    "BestWorst",
    "BreakdownKey",
    "BreakdownRow",
    "Cell",
    "DailySummary",
    "Dashboard",
    "Drawdown",
    "Exposure",
    "Fall",
    "FillLine",
    "Histogram",
    "Open",
    "OpenPosition",
    "PendingEntry",
    "Period",
    "PeriodUnit",
    "Point",
    "RangeName",
    "Ratios",
    "Realization",
    "Snapshot",
    "Span",
    "Trade",
    "TradeStats",
    "WindowPnl",
    "allocation",
    "best_worst",
    "breakdown",
    "closed_curve",
    "custom_span",
    "daily_returns",
    "daily_summaries",
    "daily_summary",
    "dashboard",
    "dated_returns",
    "day_of",
    "day_start",
    "drawdown",
    "drawdown_curve",
    "falls",
    "flow_index",
    "heatmap",
    "histogram",
    "in_order",
    "monthly_returns",
    "next_day",
    "periods",
    "ratios",
    "realized_curve",
    "span_of",
    "thinned",
    "total_pnl_percent",
    "trade_stats",
    "window_pnl",
    "with_flows",
    "with_open",
]

"""Performance figures: pure functions of trades, realizations, equity snapshots and fills (EX-1701 to EX-1720).

Numbers are float64 US dollars, percentages percent points, instants nanoseconds UTC; calendar days are those of the zone
that is passed in. What is undefined is None, never zero or infinite (EX-1714).

What must not live here: reading the figures' inputs from anywhere, drawing them.
"""

from __future__ import annotations

from rules.performance.allocation import Allocation, Exposure, OpenPosition, PendingEntry, allocation
from rules.performance.breakdown import BreakdownRow, Open, breakdown, with_open
from rules.performance.closed import ClosedTrades
from rules.performance.course import EquityCourse
from rules.performance.curve import Curve, Stepped
from rules.performance.curves import Fall, drawdown_curve, falls, thinned
from rules.performance.daily import DailySummary, daily_summaries, daily_summary
from rules.performance.dashboard import Dashboard, dashboard, dashboard_of, total_pnl_percent
from rules.performance.equity import Drawdown, drawdown, flow_index, in_order
from rules.performance.keys import BreakdownKey
from rules.performance.periods import Period, PeriodUnit, periods
from rules.performance.ranges import RangeName, Span, custom_span, span_of
from rules.performance.realized import Realized
from rules.performance.returns import Ratios, daily_returns, dated_returns, monthly_returns, ratios
from rules.performance.trades import (
    BestWorst,
    Cell,
    Extremes,
    Histogram,
    TradeStats,
    best_worst,
    heatmap,
    histogram,
    trade_stats,
)
from rules.performance.values import FillLine, Point, Realization, Snapshot, Trade
from rules.performance.windows import Calendar, WindowPnl, day_of, day_start, next_day

__all__ = [
    "Allocation",
    "BestWorst",
    "BreakdownKey",
    "BreakdownRow",
    "Calendar",
    "Cell",
    "ClosedTrades",
    "Curve",
    "DailySummary",
    "Dashboard",
    "Drawdown",
    "EquityCourse",
    "Exposure",
    "Extremes",
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
    "Realized",
    "Snapshot",
    "Span",
    "Stepped",
    "Trade",
    "TradeStats",
    "WindowPnl",
    "allocation",
    "best_worst",
    "breakdown",
    "custom_span",
    "daily_returns",
    "daily_summaries",
    "daily_summary",
    "dashboard",
    "dashboard_of",
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
    "span_of",
    "thinned",
    "total_pnl_percent",
    "trade_stats",
    "with_open",
]

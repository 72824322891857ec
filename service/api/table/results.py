"""What addresses of results answer with: figures and curves of performance, decisions of the loss offset, option chains."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType, field

from rules.performance import Allocation, BreakdownRow, Dashboard, Fall, Period, Trade
from service.api.table.routes import shape
from service.report.days import DayRow
from store.trades import TradeRow
from store.views.risk_decisions import DecisionRow
from store.views.rows import EquityRow

__all__ = [
    "CHAIN",
    "CONTRACT",
    "CURVES",
    "DAYS",
    "DECISIONS",
    "EQUITY",
    "EXPIRY",
    "EXPORT",
    "EXPORTS",
    "FLOW",
    "FLOWS",
    "MONTH",
    "RANKED",
    "TRADES",
    "Performance",
    "PerformanceRange",
    "RankedTrade",
]

# --- performance ------------------------------------------------------------------------------------------------------


class PerformanceRange(Struct, frozen=True, gc=False, kw_only=True):
    """A range of days, both included; instants are nanoseconds UTC, ``until`` is the first after it."""

    name: str
    since: int | None
    until: int | None
    first: str | None = field(name="from")
    last: str = field(name="to")
    timezone: str


_Curve = list[tuple[int, float]]
CURVES: Final = shape(
    "Performance curves",
    "Points of [instant, USD], drawdown in percent; `flows` are deposits above zero and withdrawals below.",
    total=_Curve,
    realized=_Curve,
    closed=_Curve,
    drawdown=_Curve,
    flows=_Curve,
)
MONTH: Final = shape(
    "Performance month",
    "What was realized in USD, and the compound return of the completed days, null without any.",
    year=int,
    month=int,
    realized=float,
    return_percent=float | None,
)


class RankedTrade(Trade, frozen=True, gc=False, kw_only=True):
    """A closed trade among the best or the worst."""

    return_percent: float | None


RANKED: Final = shape("Performance trades", "The ten best and worst.", best=list[RankedTrade], worst=list[RankedTrade])


class Performance(Struct, frozen=True, gc=False, kw_only=True):
    """Every figure of one scope over one range, in USD and percent; the last six are the parts that were asked for.

    ``equity_basis`` is ``total`` for whole accounts, ``realized`` with a filter that splits them: of these trades alone.
    ``unvalued_fees`` are in no result: by currency what was paid in one that is neither base nor quote of its pair.
    """

    at: int
    scope: str
    range: PerformanceRange
    filters: dict[str, str]
    dashboard: Dashboard
    equity_basis: Literal["total", "realized"]
    starting_equity: float
    equity: float
    net_flows: float
    unvalued_fees: dict[str, str]
    unrealized: float
    unrealized_complete: bool
    total_pnl: float
    total_pnl_percent: float | None
    open_groups: int
    allocation: Allocation
    breakdown: dict[str, list[BreakdownRow]] | UnsetType = UNSET
    periods: dict[str, list[Period]] | UnsetType = UNSET
    curves: CURVES | UnsetType = UNSET  # type: ignore[valid-type]
    falls: list[Fall] | UnsetType = UNSET
    months: list[MONTH] | UnsetType = UNSET  # type: ignore[valid-type]
    trades: RANKED | UnsetType = UNSET  # type: ignore[valid-type]


DAYS: Final = shape("Days", "Days on which anything happened, newest first.", days=list[DayRow])
FLOW: Final = shape("Flow", "A deposit, or a withdrawal below zero, in USD.", at=int, account=str, amount=str, note=str)
FLOWS: Final = shape("Flows", "Deposits and withdrawals, newest first.", scope=str, flows=list[FLOW])  # type: ignore[valid-type]
EQUITY: Final = shape("Equity", "What accounts were worth, oldest first.", equity=list[EquityRow])
TRADES: Final = shape(
    "Trades",
    "Closed trades, newest first; `before` is where the next page goes on.",
    scope=str,
    trades=list[TradeRow],
    before=str,
)
EXPORT: Final = shape("Export", "A table, and the types of its columns.", says=str, columns=dict[str, str])
EXPORTS: Final = shape(
    "Exports",
    "What can be taken away, and in which forms.",
    tables=dict[str, EXPORT],  # type: ignore[valid-type]
    formats=list[str],
    charts=list[str],
)

# --- risk, options ----------------------------------------------------------------------------------------------------

DECISIONS: Final = shape(
    "Decisions",
    "Decision records, newest first; `before` is where the next page goes on, empty when this was the last.",
    decisions=list[DecisionRow],
    before=int | Literal[""],
)
EXPIRY: Final = shape(
    "Option expiry",
    "What there is of one expiration, and what is wrong with it.",
    expiration=str,
    dte=int,
    target=bool,
    fault=str,
    contracts=int,
    missing_greeks=int,
    missing_quotes=int,
    crossed=int,
    clean=int,
)
CONTRACT: Final = shape(
    "Option contract",
    "One contract; prices are decimals as text, null where the venue says none.",
    symbol=str,
    expiration=str,
    dte=int,
    strike=str,
    right=str,
    bid=str | None,
    ask=str | None,
    mid=str | None,
    delta=float | None,
    gamma=float | None,
    theta=float | None,
    vega=float | None,
    implied_vol=float | None,
    open_interest=int,
    volume=int,
    spread_quality=str | None,
    wide=bool,
    clean=bool,
)
CHAIN: Final = shape(
    "Option chain",
    "A chain, its expirations, and whether it may be traded by; `retry_at` and `at` are nanoseconds UTC.",
    account=str,
    underlying=str,
    dte=tuple[int, int],
    valid=bool,
    fault=str,
    reason=str,
    retry_at=int | None,
    underlying_price=str | None,
    at=int,
    age_s=float,
    cached=bool,
    listed=list[str],
    expiries=list[EXPIRY],  # type: ignore[valid-type]
    contracts=list[CONTRACT],  # type: ignore[valid-type]
)

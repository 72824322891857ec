"""Columns of the tables of results and of the history of closed groups (EX-1624, EX-1704)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tui import cells
from tui.cells import DASH, Cell
from tui.grid import Align, Column, Row
from tui.panels.columns import PAIR, TIMEFRAME, account, column, instant, number, side, text

__all__ = ["HISTORY", "RESULTS", "flattened"]

_RIGHT: Final = Align.RIGHT
_NANOS: Final = 1_000_000_000


def _number(name: str) -> Callable[[Row], Any]:
    return lambda row: cells.number(row.get(name))


def _money(name: str, title: str, width: int, *, need: int, optional: bool = False, stretch: int = 0) -> Column:
    return Column(
        name=name,
        title=title,
        width=width,
        cell=lambda row: cells.signed(row.get(name)),
        value=_number(name),
        align=_RIGHT,
        need=need,
        optional=optional,
        stretch=stretch,
    )


def _count(name: str, title: str, width: int, *, need: int) -> Column:
    def cell(row: Row) -> Cell:
        return Cell(str(row[name]), "" if row[name] else "dim")

    return Column(name=name, title=title, width=width, cell=cell, value=_number(name), align=_RIGHT, need=need)


def _plain(name: str, title: str, width: int, *, need: int, unit: str = "") -> Column:
    def cell(row: Row) -> Cell:
        value = row.get(name)
        if value is None and name == "profit_factor" and row["wins"]:
            return Cell("∞")
        return Cell(DASH, "dim") if value is None else Cell(f"{value:,.2f}{unit}")

    return Column(name=name, title=title, width=width, cell=cell, value=_number(name), align=_RIGHT, need=need)


def flattened(row: Row) -> dict[str, Any]:
    """Return a row of a table of results with its figures of trades beside it."""
    return {**row["stats"], "unrealized": None, "open": 0, **row}


RESULTS: Final = (
    Column(
        name="key",
        title="",
        width=14,
        cell=lambda row: Cell(row["key"] or "(none)", "strong"),
        value=lambda row: row["key"],
        fixed=True,
        stretch=10,
    ),
    _money("realized", "Realized", 12, need=0),
    _money("unrealized", "Open", 11, need=2),
    _count("open", "Groups", 7, need=5),
    _count("trades", "Trades", 7, need=0),
    _plain("win_rate_percent", "Won %", 7, need=1),
    _money("average_win", "Avg win", 10, need=3),
    _money("average_loss", "Avg loss", 10, need=3),
    _plain("profit_factor", "Profit f.", 9, need=4),
    _plain("rr_ratio", "RR", 7, need=6),
    _money("expectancy", "Expect.", 9, need=4),
    _money("net_pnl", "Net of closed", 13, need=7),
)
"""Columns of a table by pair, timeframe, strategy, side, account, venue, day, week or month."""


def _lasted(row: Row) -> float:
    return float(row["closed_at"] - row["opened_at"]) / _NANOS


HISTORY: Final = (
    instant("closed", "Closed", field="closed_at", need=2),
    PAIR,
    TIMEFRAME,
    side(need=1),
    number("entry_price", "Entry", 11, cells.price, need=4),
    number("exit_price", "Exit", 11, cells.price, need=4),
    text("reason", "Reason", 12, shown=cells.words, need=2, stretch=7),
    column(
        "lasted",
        "Lasted",
        6,
        lambda row: Cell(cells.span(_lasted(row))),
        _lasted,
        align=_RIGHT,
        need=5,
        help="from opening to close",
    ),
    number("net_quote", "PnL", 10, cells.signed, help="in the quote currency, fees taken off"),
    number("return_percent", "PnL %", 7, cells.percent),
    number("fees", "Fees", 7, cells.money, field="fees_quote", need=5),
    number("worst_percent", "Worst %", 7, cells.percent, need=6, help="worst unrealized while it was open"),
    number("best_percent", "Best %", 7, cells.percent, need=6, help="best unrealized while it was open"),
    text("strategy", "Strategy", 12, need=8, stretch=8),
    account(optional=True),
    text("venue", "Venue", 10, optional=True),
    instant("opened", "Opened", field="opened_at", optional=True),
    text("group_id", "Group", 14, optional=True),
)
"""Columns of the history; PnL in the quote currency, fees taken off."""

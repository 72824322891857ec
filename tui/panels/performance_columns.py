"""Columns of the tables of results and of the history of closed groups (EX-1624, EX-1704)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tui import cells
from tui.cells import DASH, Cell
from tui.grid import Align, Column, Row

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


def _side(row: Row) -> Cell:
    return Cell("▲ long", "") if row["side"] == "long" else Cell("▼ short", "")


def _price(name: str, title: str, *, need: int) -> Column:
    return Column(
        name=name,
        title=title,
        width=11,
        cell=lambda row: cells.price(row[name]),
        value=_number(name),
        align=_RIGHT,
        need=need,
    )


def _percent(name: str, title: str, width: int, *, need: int) -> Column:
    return Column(
        name=name,
        title=title,
        width=width,
        cell=lambda row: cells.percent(row[name]),
        value=_number(name),
        align=_RIGHT,
        need=need,
    )


def _lasted(row: Row) -> float:
    return float(row["closed_at"] - row["opened_at"]) / _NANOS


def _text(name: str, title: str, width: int, *, need: int, optional: bool = False) -> Column:
    return Column(
        name=name,
        title=title,
        width=width,
        cell=lambda row: Cell(cells.words(row[name]), "" if row[name] else "dim"),
        value=lambda row: row[name],
        need=need,
        optional=optional,
    )


HISTORY: Final = (
    Column(
        name="closed",
        title="Closed",
        width=14,
        cell=lambda row: Cell(cells.day_time(row["closed_at"]), "dim"),
        value=lambda row: row["closed_at"],
        need=2,
    ),
    Column(
        name="pair",
        title="Pair",
        width=11,
        cell=lambda row: Cell(row["symbol"], "strong"),
        value=lambda row: row["symbol"],
        fixed=True,
    ),
    _text("timeframe", "TF", 4, need=3),
    Column(name="side", title="Side", width=7, cell=_side, value=lambda row: row["side"], need=1),
    _price("entry_price", "Entry", need=4),
    _price("exit_price", "Exit", need=4),
    _text("reason", "Reason", 16, need=2),
    Column(
        name="lasted",
        title="Lasted",
        width=7,
        cell=lambda row: Cell(cells.span(_lasted(row))),
        value=_lasted,
        align=_RIGHT,
        need=5,
    ),
    _money("net_quote", "PnL", 11, need=0),
    _percent("return_percent", "PnL %", 8, need=0),
    Column(
        name="fees",
        title="Fees",
        width=8,
        cell=lambda row: cells.money(row["fees_quote"]),
        value=_number("fees_quote"),
        align=_RIGHT,
        need=6,
    ),
    _percent("worst_percent", "Worst %", 8, need=7),
    _percent("best_percent", "Best %", 8, need=7),
    _text("strategy", "Strategy", 12, need=8, optional=True),
    _text("account", "Account", 10, need=8, optional=True),
    _text("venue", "Venue", 10, need=8, optional=True),
    Column(
        name="opened",
        title="Opened",
        width=14,
        cell=lambda row: Cell(cells.day_time(row["opened_at"]), "dim"),
        value=lambda row: row["opened_at"],
        need=8,
        optional=True,
    ),
    _text("group_id", "Group", 14, need=9, optional=True),
)
"""Columns of the history; PnL in the quote currency, fees taken off."""

"""The columns of the open groups (EX-1612)."""

from __future__ import annotations

from typing import Final

from tui import cells
from tui.cells import Cell
from tui.grid import Align, Row
from tui.panels.columns import PAIR, TIMEFRAME, account, column, instant, number, side, text

__all__ = ["COLUMNS", "percent_of", "state_cell", "usd_of"]

_STATES: Final = {
    "waiting": "dim",
    "live": "accent",
    "partially_filled": "",
    "active": "strong",
    "closing": "warn",
    "closed": "dim",
}

_NANOS: Final = 1_000_000_000
_PLAIN_MODES: Final = {"per_leg": "leg", "aggregate": "group", "hybrid": "hybrid", "pyramid_aggregate": "pyramid"}


def percent_of(row: Row) -> float | None:
    """Return the unrealized result in percent of what was paid, None while nothing is held or no price is known."""
    result, cost = cells.number(row["unrealized_quote"]), cells.number(row["open_cost_quote"])
    return None if result is None or not cost else 100 * result / cost


def usd_of(row: Row, name: str) -> float | None:
    """Return an amount of a group in USD, None while the amount or the rate of its quote currency is unknown."""
    amount, rate = cells.number(row[name]), cells.number(row["quote_usd"])
    return None if amount is None or rate is None else amount * rate


def state_cell(row: Row) -> Cell:
    """Return a group's state; what keeps it from acting comes first."""
    if row["venue_trouble"]:
        return Cell(f"✖ {row['venue_trouble']}", "alarm")
    if row["frozen"]:
        return Cell("✖ frozen", "alarm")
    text = cells.words(row["state"]).replace("partially", "part")
    return Cell(text, _STATES.get(row["state"], ""))


def _flags(row: Row) -> Cell:
    found = ("B" if row["blocked"] else "") + ("S" if row["skip_once"] else "") + ("!" if row["superseded"] else "")
    return Cell(found, "warn")


def _age(row: Row) -> Cell:
    return cells.age(row["opened_at"], row["now"] * _NANOS)


def _timer(row: Row) -> Cell:
    expires = cells.number(row["risk_timer_expires"])
    if expires is None:
        return Cell("not started", "dim")
    left = expires / _NANOS - row["now"]
    return Cell(cells.timer(left), "") if left > 0 else Cell("expired", "warn")


COLUMNS: Final = (
    PAIR,
    TIMEFRAME,
    side(need=1),
    account(need=5, stretch=8),
    column(
        "pyramids",
        "Pyr",
        4,
        lambda row: Cell(f"{row['pyramids']}/{row['max_pyramids']}"),
        lambda row: row["pyramids"],
        align=Align.RIGHT,
        help="pyramids received / most",
    ),
    column(
        "dca",
        "DCA",
        5,
        lambda row: Cell(f"{row['legs_filled']}/{row['legs']}"),
        lambda row: row["legs_filled"] / max(1, row["legs"]),
        align=Align.RIGHT,
        help="legs filled / placed",
    ),
    number("qty", "Open", 11, field="open_qty", need=6),
    number("cost", "Cost", 10, cells.money, field="open_cost_quote", need=5, help="paid, in the quote currency"),
    column(
        "average",
        "Average",
        11,
        lambda row: cells.price(_rounded(row)),
        lambda row: cells.number(row["avg_entry"]),
        align=Align.RIGHT,
        help="average entry",
    ),
    number("mark", "Mark", 11, cells.price, need=2, help="price it could be closed at"),
    column(
        "percent",
        "PnL %",
        7,
        lambda row: cells.percent(percent_of(row)),
        percent_of,
        align=Align.RIGHT,
        help="unrealized percent",
    ),
    column(
        "pnl",
        "PnL USD",
        10,
        lambda row: cells.signed(usd_of(row, "unrealized_quote")),
        lambda row: usd_of(row, "unrealized_quote"),
        align=Align.RIGHT,
        help="unrealized",
    ),
    column(
        "tp",
        "TP",
        7,
        lambda row: Cell(_PLAIN_MODES.get(row["tp_mode"], str(row["tp_mode"]))),
        lambda row: row["tp_mode"],
        need=3,
        help="how profit is taken",
    ),
    column("status", "Status", 12, state_cell, lambda row: row["state"], stretch=5, need=1),
    column("flags", "!", 3, _flags, need=4, help="B blocked, S skip once, ! late triggers"),
    column("age", "Age", 6, _age, lambda row: -row["opened_at"], align=Align.RIGHT, need=6, help="since it was opened"),
    number("realized", "Realized", 10, cells.signed, field="realized_quote", need=7),
    text("venue", "Venue", 9, optional=True),
    text("scope", "Scope", 10, optional=True),
    instant("opened", "Opened", field="opened_at", optional=True),
    column(
        "timer",
        "Timer",
        11,
        _timer,
        lambda row: cells.number(row["risk_timer_expires"]),
        align=Align.RIGHT,
        optional=True,
        help="risk timer",
    ),
    text("strategy", "Strategy", 16, need=8, stretch=8),
    number("fees", "Fees", 8, cells.money, field="fees_quote", optional=True),
    number("worst", "Worst %", 8, cells.percent, field="worst_percent", optional=True),
    number("best", "Best %", 8, cells.percent, field="best_percent", optional=True),
    number("stop", "Stop", 11, cells.price, field="stop_price", optional=True),
    number("target", "Target", 11, cells.price, field="target_price", optional=True),
    text("id", "Id", 14, field="group_id", optional=True),
)
"""Every column; what is not optional is shown when there is room, the most needed first."""


def _rounded(row: Row) -> str | None:
    """Return the average entry with as many places as the market's price has, and one more."""
    average = cells.number(row["avg_entry"])
    if average is None or not cells.number(row["open_qty"]):
        return None
    places = len(str(row["base_entry_price"]).partition(".")[2])
    return f"{average:.{min(8, places)}f}"

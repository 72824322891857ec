"""The columns of the open groups (EX-1612)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tui import cells
from tui.cells import Cell
from tui.grid import Align, Column, Row

__all__ = ["COLUMNS", "STATES", "percent_of", "side_cell", "state_cell"]

STATES: Final = {
    "waiting": "dim",
    "live": "accent",
    "partially_filled": "",
    "active": "strong",
    "closing": "warn",
    "closed": "dim",
}
"""Style of each state of a group."""

_NANOS: Final = 1_000_000_000
_PLAIN_MODES: Final = {"per_leg": "leg", "aggregate": "group", "hybrid": "hybrid", "pyramid_aggregate": "pyramid"}


def percent_of(row: Row) -> float | None:
    """Return the unrealized result in percent of what was paid, None while nothing is held or no price is known."""
    result, cost = cells.number(row["unrealized_quote"]), cells.number(row["open_cost_quote"])
    return None if result is None or not cost else 100 * result / cost


def side_cell(side: Any) -> Cell:
    """Return a side: an arrow and the word."""
    return Cell(f"▲ {side}" if side == "long" else f"▼ {side}", "")


def state_cell(row: Row) -> Cell:
    """Return a group's state; what keeps it from acting comes first."""
    if row["venue_trouble"]:
        return Cell(f"✖ {row['venue_trouble']}", "alarm")
    if row["frozen"]:
        return Cell("✖ frozen", "alarm")
    text = cells.words(row["state"]).replace("partially", "part")
    return Cell(text, STATES.get(row["state"], ""))


def _flags(row: Row) -> Cell:
    found = ("B" if row["blocked"] else "") + ("S" if row["skip_once"] else "") + ("!" if row["superseded"] else "")
    return Cell(found, "warn")


def _plain(name: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(cells.words(row[name]))


def _number(name: str) -> Callable[[Row], float | None]:
    return lambda row: cells.number(row[name])


def _text(name: str) -> Callable[[Row], Any]:
    return lambda row: row[name]


def _age(row: Row) -> Cell:
    return cells.age(row["opened_at"], row["now"] * _NANOS)


def _timer(row: Row) -> Cell:
    expires = cells.number(row["risk_timer_expires"])
    if expires is None:
        return Cell("not started", "dim")
    left = expires / _NANOS - row["now"]
    return Cell(cells.timer(left), "") if left > 0 else Cell("expired", "warn")


_RIGHT: Final = Align.RIGHT

COLUMNS: Final = (
    Column(
        name="pair",
        title="Pair",
        width=10,
        stretch=6,
        fixed=True,
        cell=lambda r: Cell(r["symbol"], "strong"),
        value=_text("symbol"),
    ),
    Column(
        name="tf", title="TF", width=3, fixed=True, cell=_plain("timeframe"), value=_text("timeframe"), help="timeframe"
    ),
    Column(name="side", title="Side", width=7, need=1, cell=lambda r: side_cell(r["side"]), value=_text("side")),
    Column(name="account", title="Account", width=8, stretch=8, need=5, cell=_plain("account"), value=_text("account")),
    Column(
        name="pyramids",
        title="Pyr",
        width=4,
        align=_RIGHT,
        cell=lambda r: Cell(f"{r['pyramids']}/{r['max_pyramids']}"),
        value=_text("pyramids"),
        help="pyramids received / most",
    ),
    Column(
        name="dca",
        title="DCA",
        width=5,
        align=_RIGHT,
        cell=lambda r: Cell(f"{r['legs_filled']}/{r['legs']}"),
        value=lambda r: r["legs_filled"] / max(1, r["legs"]),
        help="legs filled / placed",
    ),
    Column(
        name="qty",
        title="Open",
        width=11,
        need=6,
        align=_RIGHT,
        cell=lambda r: cells.amount(r["open_qty"]),
        value=_number("open_qty"),
    ),
    Column(
        name="cost",
        title="Cost",
        width=10,
        need=5,
        align=_RIGHT,
        cell=lambda r: cells.money(r["open_cost_quote"]),
        value=_number("open_cost_quote"),
    ),
    Column(
        name="average",
        title="Average",
        width=11,
        align=_RIGHT,
        cell=lambda r: cells.price(_rounded(r)),
        value=_number("avg_entry"),
        help="average entry",
    ),
    Column(
        name="mark",
        title="Mark",
        width=11,
        need=2,
        align=_RIGHT,
        cell=lambda r: cells.price(r["mark"]),
        value=_number("mark"),
        help="price it could be closed at",
    ),
    Column(
        name="percent",
        title="PnL %",
        width=7,
        align=_RIGHT,
        cell=lambda r: cells.percent(percent_of(r)),
        value=percent_of,
        help="unrealized percent",
    ),
    Column(
        name="pnl",
        title="PnL USD",
        width=10,
        align=_RIGHT,
        cell=lambda r: cells.signed(r["unrealized_quote"]),
        value=_number("unrealized_quote"),
        help="unrealized",
    ),
    Column(
        name="tp",
        title="TP",
        width=7,
        need=3,
        cell=lambda r: Cell(_PLAIN_MODES.get(r["tp_mode"], str(r["tp_mode"]))),
        value=_text("tp_mode"),
        help="how profit is taken",
    ),
    Column(name="status", title="Status", width=12, stretch=5, need=1, cell=state_cell, value=_text("state")),
    Column(
        name="flags",
        title="!",
        width=3,
        need=4,
        cell=_flags,
        value=lambda r: _flags(r).text,
        help="B blocked, S skip once, ! late triggers",
    ),
    Column(
        name="age",
        title="Age",
        width=6,
        need=6,
        align=_RIGHT,
        cell=_age,
        value=lambda r: -r["opened_at"],
        help="since it was opened",
    ),
    Column(
        name="realized",
        title="Realized",
        width=10,
        need=7,
        align=_RIGHT,
        cell=lambda r: cells.signed(r["realized_quote"]),
        value=_number("realized_quote"),
    ),
    Column(name="venue", title="Venue", width=9, optional=True, cell=_plain("venue"), value=_text("venue")),
    Column(name="scope", title="Scope", width=10, optional=True, cell=_plain("scope"), value=_text("scope")),
    Column(
        name="opened",
        title="Opened",
        width=14,
        optional=True,
        cell=lambda r: Cell(cells.day_time(r["opened_at"])),
        value=_text("opened_at"),
    ),
    Column(
        name="timer",
        title="Timer",
        width=11,
        optional=True,
        align=_RIGHT,
        cell=_timer,
        value=_number("risk_timer_expires"),
        help="risk timer",
    ),
    Column(
        name="strategy", title="Strategy", width=16, need=8, stretch=8, cell=_plain("strategy"), value=_text("strategy")
    ),
    Column(
        name="fees",
        title="Fees",
        width=8,
        optional=True,
        align=_RIGHT,
        cell=lambda r: cells.money(r["fees_quote"]),
        value=_number("fees_quote"),
    ),
    Column(
        name="worst",
        title="Worst %",
        width=8,
        optional=True,
        align=_RIGHT,
        cell=lambda r: cells.percent(r["worst_percent"]),
        value=_number("worst_percent"),
    ),
    Column(
        name="best",
        title="Best %",
        width=8,
        optional=True,
        align=_RIGHT,
        cell=lambda r: cells.percent(r["best_percent"]),
        value=_number("best_percent"),
    ),
    Column(
        name="stop",
        title="Stop",
        width=11,
        optional=True,
        align=_RIGHT,
        cell=lambda r: cells.price(r["stop_price"]),
        value=_number("stop_price"),
    ),
    Column(
        name="target",
        title="Target",
        width=11,
        optional=True,
        align=_RIGHT,
        cell=lambda r: cells.price(r["target_price"]),
        value=_number("target_price"),
    ),
    Column(name="id", title="Id", width=14, optional=True, cell=_plain("group_id"), value=_text("group_id")),
)
"""Every column; what is not optional is shown when there is room, the most needed first."""


def _rounded(row: Row) -> str | None:
    """Return the average entry with as many places as the market's price has, and one more."""
    average = cells.number(row["avg_entry"])
    if average is None or not cells.number(row["open_qty"]):
        return None
    places = len(str(row["base_entry_price"]).partition(".")[2])
    return f"{average:.{min(8, places)}f}"

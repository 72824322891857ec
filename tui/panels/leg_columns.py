"""The columns of a group's legs (EX-1613)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from protocol.groups.naming import leg_name
from tui import cells
from tui.cells import Cell
from tui.grid import Align, Column, Row

__all__ = ["COLUMNS", "leg_rows", "progress"]

_STATES: Final = {
    "pending": "dim",
    "open": "accent",
    "filled": "strong",
    "hit_tp": "gain",
    "closed": "dim",
    "cancelled": "dim",
    "blocked": "warn",
    "rejected": "alarm",
    "unknown": "alarm",
}
_WORDS: Final = {"hit_tp": "Hit TP"}
_BAR: Final = 6


def leg_rows(group: Mapping[str, Any], mark: Any) -> Iterator[dict[str, Any]]:
    """Yield the legs with what else a row shows: the target's price, how far the price has come, whose quote currency."""
    targets = {order["request"]["client_order_id"]: order["request"]["price"] for order in group["orders"]}
    by_leg = group["config"]["tp_mode"] in ("per_leg", "hybrid")
    for leg in group["legs"]:
        target = targets.get(leg["target_order"]) or _target(leg, group["side"]) if by_leg else group["target_price"]
        yield {
            **leg,
            "target": target,
            "by_leg": by_leg,
            "progress": progress(leg["avg_fill"], target, mark, group["side"]),
            "quote": group["instrument"]["quote"],
        }


def _target(leg: Mapping[str, Any], side: str) -> str | None:
    """Return where a leg's target will be: at its fill, else at its planned price, moved by its percent."""
    start, percent = leg["avg_fill"] or leg["price"], cells.number(leg["tp_percent"])
    if start is None or percent is None:
        return None
    moved = float(start) * (1 + (percent if side == "long" else -percent) / 100)
    return f"{moved:.{len(str(leg['price']).partition('.')[2])}f}"


def progress(fill: Any, target: Any, mark: Any, side: str) -> float | None:
    """Return how far the price has come from fill to target, percent from 0 to 100 (EX-612); None while unknown."""
    begin, end, now = cells.number(fill), cells.number(target), cells.number(mark)
    sign = 1 if side == "long" else -1
    if begin is None or end is None or now is None or sign * (end - begin) <= 0:
        return None
    return min(100.0, max(0.0, (now - begin) / (end - begin) * 100))


def _name(row: Row) -> Cell:
    return Cell(leg_name(row["leg_id"]), "strong")


def _target_cell(row: Row) -> Cell:
    if not row["by_leg"]:
        return Cell("group" if row["target"] is None else f"{cells.price(row['target']).text} group", "dim")
    return cells.price(row["target"])


def _progress_cell(row: Row) -> Cell:
    if row["state"] == "hit_tp":
        return Cell(f"{cells.bar(1.0, _BAR)} 100%", "gain")
    if row["progress"] is None:
        return Cell(cells.DASH, "dim")
    return Cell(f"{cells.bar(row['progress'] / 100, _BAR)} {row['progress']:3.0f}%", "gain")


def _filled(row: Row) -> Cell:
    value = cells.number(row["cost"])
    return Cell(cells.DASH, "dim") if not value else Cell(f"{value:,.2f} {row['quote']}")


def _state(row: Row) -> Cell:
    return Cell(_WORDS.get(row["state"], str(row["state"]).capitalize()), _STATES.get(row["state"], ""))


_RIGHT: Final = Align.RIGHT

COLUMNS: Final = (
    Column(name="leg", title="Leg", width=8, fixed=True, cell=_name, value=lambda r: (r["pyramid"], r["layer"])),
    Column(name="state", title="State", width=9, cell=_state, value=lambda r: r["state"]),
    Column(
        name="price",
        title="Planned",
        width=10,
        need=4,
        align=_RIGHT,
        cell=lambda r: cells.price(r["price"]),
        value=lambda r: cells.number(r["price"]),
    ),
    Column(
        name="fill",
        title="Fill",
        width=10,
        align=_RIGHT,
        cell=lambda r: cells.price(_like(r)),
        value=lambda r: cells.number(r["avg_fill"]),
    ),
    Column(
        name="weight",
        title="Wgt %",
        width=5,
        align=_RIGHT,
        cell=lambda r: cells.amount(r["weight_percent"], 1),
        value=lambda r: cells.number(r["weight_percent"]),
        help="share of the pyramid's capital",
    ),
    Column(
        name="target",
        title="Target",
        width=10,
        align=_RIGHT,
        cell=_target_cell,
        value=lambda r: cells.number(r["target"]),
    ),
    Column(
        name="tp",
        title="TP %",
        width=5,
        need=1,
        align=_RIGHT,
        cell=lambda r: cells.amount(r["tp_percent"], 2),
        value=lambda r: cells.number(r["tp_percent"]),
    ),
    Column(
        name="progress", title="Progress", width=11, align=_RIGHT, cell=_progress_cell, value=lambda r: r["progress"]
    ),
    Column(
        name="filled", title="Filled", width=13, align=_RIGHT, cell=_filled, value=lambda r: cells.number(r["cost"])
    ),
    Column(
        name="realized",
        title="Realized",
        width=9,
        need=3,
        align=_RIGHT,
        cell=lambda r: cells.signed(r["realized"]),
        value=lambda r: cells.number(r["realized"]),
    ),
    Column(
        name="id", title="Id", width=7, optional=True, cell=lambda r: Cell(r["leg_id"]), value=lambda r: r["leg_id"]
    ),
)
"""Every column of a leg."""


def _like(row: Row) -> str | None:
    fill = cells.number(row["avg_fill"])
    return None if fill is None else f"{fill:.{len(str(row['price']).partition('.')[2])}f}"

"""The columns of a group's legs (EX-1613)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from protocol.groups.naming import leg_name
from tui import cells
from tui.cells import Cell
from tui.grid import Align, Row
from tui.panels.columns import column, number, text

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
_RIGHT: Final = Align.RIGHT


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


def _one_place(value: Any) -> Cell:
    return cells.money(value, 1)


def _two_places(value: Any) -> Cell:
    return cells.money(value, 2)


def _state(row: Row) -> Cell:
    return Cell(_WORDS.get(row["state"], str(row["state"]).capitalize()), _STATES.get(row["state"], ""))


COLUMNS: Final = (
    column("leg", "Leg", 8, _name, lambda row: (row["pyramid"], row["layer"]), fixed=True),
    column("state", "State", 9, _state, lambda row: row["state"]),
    number("price", "Planned", 10, cells.price, need=4),
    column(
        "fill", "Fill", 10, lambda row: cells.price(_like(row)), lambda row: cells.number(row["avg_fill"]), align=_RIGHT
    ),
    number("weight", "Wgt %", 5, _one_place, field="weight_percent", help="share of the pyramid's capital"),
    column("target", "Target", 10, _target_cell, lambda row: cells.number(row["target"]), align=_RIGHT),
    number("tp", "TP %", 5, _two_places, field="tp_percent", need=1),
    column("progress", "Progress", 11, _progress_cell, lambda row: row["progress"], align=_RIGHT),
    column("filled", "Filled", 13, _filled, lambda row: cells.number(row["cost"]), align=_RIGHT),
    number("realized", "Realized", 9, cells.signed, need=3),
    text("id", "Id", 7, field="leg_id", optional=True),
)
"""Every column of a leg."""


def _like(row: Row) -> str | None:
    fill = cells.number(row["avg_fill"])
    return None if fill is None else f"{fill:.{len(str(row['price']).partition('.')[2])}f}"

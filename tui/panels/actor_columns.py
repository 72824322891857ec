"""Columns of the actor tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tui import cells
from tui.cells import Cell
from tui.grid import Align, Column, Row

__all__ = ["COLUMNS", "STATES", "tree_rows", "unwell"]

STATES: Final = {
    "running": ("● running", "gain"),
    "starting": ("◌ starting", "accent"),
    "recovering": ("◌ recovering", "accent"),
    "stopping": ("◌ stopping", "warn"),
    "waiting": ("◍ waiting", "warn"),
    "down": ("○ down", "alarm"),
    "quarantined": ("✖ quarantined", "alarm"),
}
"""How a state is said: a sign, a word, a colour."""

_BUSY: Final = 100
_OLD_MS: Final = 1_000.0
_SLOW_MS: Final = 250.0


def tree_rows(actors: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return actors with their name drawn as a tree; parents come before children, as the daemon lists them."""
    rows = [dict(each) for each in actors]
    parents = [str(row["path"]).rpartition("/")[0] or "/" for row in rows]
    last = {parent: place for place, parent in enumerate(parents) if rows[place]["path"] != "/"}
    stems: dict[str, str] = {"/": ""}
    for place, row in enumerate(rows):
        path = str(row["path"])
        if path == "/":
            row["tree"] = "bulkhead"
            continue
        final = last[parents[place]] == place
        stem = stems.get(parents[place], "")
        row["tree"] = f"{stem}{'└ ' if final else '├ '}{path.rpartition('/')[2]}"
        stems[path] = stem + ("  " if final else "│ ")
    return rows


def _is_unwell(row: Mapping[str, Any]) -> bool:
    """Tell whether an actor does not run, or does not get its mail done."""
    return row["state"] != "running" or int(row["mailbox"]) >= _BUSY or float(row["oldest_ms"]) >= _OLD_MS


def unwell(actors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the actors that are not well, with those above them: the tree stays one."""
    ill = {str(each["path"]) for each in actors if _is_unwell(each)}
    above = {path[:end] or "/" for path in ill for end in range(len(path)) if path[end] == "/"}
    return [each for each in actors if each["path"] in ill | above]


def _state(row: Row) -> Cell:
    return Cell(*STATES.get(str(row["state"]), (str(row["state"]), "warn")))


def _number(name: str, limit: float, style: str = "warn") -> Any:
    def cell(row: Row) -> Cell:
        value = row[name]
        return Cell("·" if not value else f"{value:,}", "dim" if not value else style if value >= limit else "")

    return cell


def _age(row: Row) -> Cell:
    value = float(row["oldest_ms"])
    if not value:
        return Cell("·", "dim")
    return Cell(f"{value:,.0f} ms" if value < 10_000 else cells.span(value / 1_000), "warn" if value >= _OLD_MS else "")


def _handled(row: Row) -> Cell:
    value = float(row["handle_p99_ms"])
    return Cell("·" if not value else f"{value:,.2f}", "warn" if value >= _SLOW_MS else "dim" if not value else "")


_RIGHT: Final = Align.RIGHT

COLUMNS: Final = (
    Column(
        name="actor",
        title="Actor",
        width=26,
        stretch=26,
        fixed=True,
        cell=lambda row: Cell(row["tree"], "strong" if row["kind"] == "Supervisor" else ""),
        value=lambda row: row["path"],
    ),
    Column(name="state", title="State", width=13, cell=_state, value=lambda row: row["state"]),
    Column(
        name="mailbox",
        title="Mail",
        width=6,
        align=_RIGHT,
        cell=_number("mailbox", _BUSY),
        value=lambda row: row["mailbox"],
        help="messages that wait",
    ),
    Column(
        name="age",
        title="Oldest",
        width=9,
        need=2,
        align=_RIGHT,
        cell=_age,
        value=lambda row: row["oldest_ms"],
        help="how long the oldest message waits",
    ),
    Column(
        name="restarts",
        title="Restarts",
        width=8,
        align=_RIGHT,
        cell=_number("restarts", 1),
        value=lambda row: row["restarts"],
    ),
    Column(
        name="failed",
        title="Failed",
        width=6,
        need=4,
        align=_RIGHT,
        cell=_number("failed", 1, "alarm"),
        value=lambda row: row["failed"],
    ),
    Column(
        name="handled",
        title="Handled",
        width=10,
        need=3,
        align=_RIGHT,
        cell=_number("handled", 1 << 62),
        value=lambda row: row["handled"],
    ),
    Column(
        name="p99",
        title="p99 ms",
        width=8,
        need=1,
        align=_RIGHT,
        cell=_handled,
        value=lambda row: row["handle_p99_ms"],
        help="99th percentile of handling a message, milliseconds",
    ),
    Column(
        name="kind",
        title="Kind",
        width=16,
        need=6,
        cell=lambda row: Cell(row["kind"], "dim"),
        value=lambda row: row["kind"],
    ),
    Column(
        name="detail",
        title="Says",
        width=20,
        need=5,
        stretch=80,
        cell=lambda row: Cell(row["detail"], "dim"),
        value=lambda row: row["detail"],
    ),
    Column(
        name="path",
        title="Path",
        width=30,
        optional=True,
        cell=lambda row: Cell(row["path"]),
        value=lambda row: row["path"],
    ),
)
"""Every column of an actor."""

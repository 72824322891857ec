"""Columns of the log, and how its severities are shown (EX-1402)."""

from __future__ import annotations

from typing import Any, Final

from tui import cells
from tui.cells import Cell
from tui.grid import Column, Row

__all__ = ["CATEGORIES", "COLUMNS", "SEVERITIES", "TAGS", "letter"]

SEVERITIES: Final = {
    "error": ("E", "alarm"),
    "warning": ("W", "warn"),
    "info": ("I", "accent"),
    "risk": ("R", "risk"),
    "order": ("O", "gain"),
}
"""Letter and colour of each: red, orange, blue, violet, green."""

CATEGORIES: Final = ("error", "warning", "info", "webhook", "order", "risk_engine", "precision", "system")
"""The filters of EX-1403."""

TAGS: Final = (
    *("entry", "exit", "dca", "tp", "reduce", "risk_close", "queue", "config", "api_reject", "rate_limit"),
    *("recovery", "operator"),
)
"""What a line can be about (EX-1403)."""


def letter(row: Row) -> Cell:
    """Return the letter of a line's severity; one that still waits to be acknowledged is highlighted."""
    sign, style = SEVERITIES.get(str(row["severity"]), ("?", "dim"))
    return Cell(f" {sign} ", "critical" if _waits(row) else style)


def _waits(row: Row) -> bool:
    return bool(row["pinned"]) and not row["acknowledged_at"]


def _text(row: Row) -> Cell:
    style = SEVERITIES.get(str(row["severity"]), ("", ""))[1]
    return Cell(str(row["text"]), style if _waits(row) or row["severity"] in ("error", "warning") else "")


def _plain(name: str, style: str = "") -> Any:
    return lambda row: Cell(str(row[name] or ""), style)


def _of(name: str) -> Any:
    return lambda row: row[name]


def _column(name: str, title: str, width: int, field: str, style: str = "", **more: Any) -> Column:
    return Column(name=name, title=title, width=width, cell=_plain(field, style), value=_of(field), **more)


COLUMNS: Final = (
    Column(
        name="time",
        title="Time",
        width=8,
        fixed=True,
        cell=lambda row: Cell(cells.clock_time(row["at"]), "dim"),
        value=_of("at"),
    ),
    Column(
        name="day",
        title="Day and time",
        width=14,
        optional=True,
        cell=lambda row: Cell(cells.day_time(row["at"]), "dim"),
        value=_of("at"),
    ),
    Column(name="severity", title=" S", width=3, fixed=True, cell=letter, value=_of("severity"), help="severity"),
    Column(
        name="source",
        title="From",
        width=9,
        need=3,
        cell=lambda row: Cell(cells.words(row["source"]).removesuffix(" engine"), "dim"),
        value=_of("source"),
    ),
    _column("pair", "Pair", 10, "symbol", "strong", need=1),
    _column("tf", "TF", 3, "timeframe", need=4),
    Column(name="text", title="What happened", width=46, stretch=120, cell=_text, value=_of("text")),
    _column("code", "Code", 16, "code", "dim", need=5),
    _column("group", "Group", 13, "group_id", "dim", need=6),
    Column(
        name="tags",
        title="Tags",
        width=12,
        need=7,
        cell=lambda row: Cell(" ".join(row["tags"]), "dim"),
        value=lambda row: " ".join(row["tags"]),
    ),
    Column(
        name="chain",
        title="Chain",
        width=10,
        need=8,
        cell=lambda row: Cell(str(row["correlation_id"] or ""), "dim"),
        value=_of("correlation_id"),
        help="correlation id",
    ),
    _column("signal", "Signal", 12, "signal_id", "dim", optional=True),
    _column("order", "Order", 24, "client_order_id", "dim", optional=True),
)
"""Every column of a line."""

"""Columns of the log, and how its severities are shown (EX-1402)."""

from __future__ import annotations

from typing import Any, Final

from tui import cells
from tui.cells import Cell
from tui.grid import Column, Row
from tui.panels.columns import column, instant

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


def _plain(name: str, title: str, width: int, style: str = "", *, field: str = "", **more: Any) -> Column:
    """Return a column of a text; there is none for most lines, and a dash in each would only be noise."""
    of = field or name
    return column(name, title, width, lambda row: Cell(str(row[of] or ""), style), lambda row: row[of], **more)


COLUMNS: Final = (
    instant("day", "Day", shown=cells.day, width=5, field="at", need=2, fixed=True),
    instant("time", "Time", shown=cells.clock_time, width=8, field="at", fixed=True),
    column("severity", " S", 3, letter, lambda row: row["severity"], fixed=True, help="severity"),
    column(
        "source",
        "From",
        9,
        lambda row: Cell(cells.words(row["source"]).removesuffix(" engine"), "dim"),
        lambda row: row["source"],
        need=3,
    ),
    _plain("pair", "Pair", 10, "strong", field="symbol", need=1),
    _plain("tf", "TF", 3, field="timeframe", need=4),
    column("text", "What happened", 40, _text, lambda row: row["text"], stretch=126),
    _plain("code", "Code", 16, "dim", need=5),
    _plain("group", "Group", 13, "dim", field="group_id", need=6),
    column("tags", "Tags", 12, lambda row: Cell(" ".join(row["tags"]), "dim"), need=7),
    _plain("chain", "Chain", 13, "dim", field="correlation_id", need=8, help="correlation id"),
    _plain("signal", "Signal", 12, "dim", field="signal_id", optional=True),
    _plain("order", "Order", 28, "dim", field="client_order_id", optional=True),
)
"""Every column of a line."""

"""The columns of waiting entries (EX-1617)."""

from __future__ import annotations

from typing import Final

from tui import cells
from tui.cells import Cell
from tui.grid import Align, Row
from tui.panels.columns import PAIR, TIMEFRAME, account, column, instant, number, side, text

__all__ = ["COLUMNS"]

_MINUTE_S: Final = 60


def _key(row: Row, rule: str) -> str:
    return next((str(key["value"]) for key in row["keys"] if key["rule"] == rule), "")


def _reason(row: Row) -> Cell:
    if row["hold"]:
        return Cell(f"Ⅱ {cells.words(row['hold'])}", "warn")
    text = cells.words(row["reason"])
    return Cell(f"{text}, pyramid" if row["continuation"] else text)


def _waited(row: Row) -> Cell:
    return Cell(f"{max(0, row['waited_s']) / _MINUTE_S:,.0f}")


COLUMNS: Final = (
    column(
        "rank",
        "#",
        3,
        lambda row: Cell(str(row["rank"]), "strong"),
        lambda row: row["rank"],
        fixed=True,
        align=Align.RIGHT,
    ),
    PAIR,
    TIMEFRAME,
    side(need=0),
    account(),
    column("reason", "Waits for", 19, _reason, stretch=4, help="reason, or what holds it"),
    number("loss", "Loss %", 7, cells.signed, field="loss_percent", need=1, help="first key: the deeper the earlier"),
    number("replaced", "Repl", 4, field="replacements", need=2, help="times a newer signal replaced it"),
    number("profit", "Expect", 9, cells.signed, field="expected_profit", need=3, help="expected profit USD"),
    column("waited", "Min", 5, _waited, lambda row: row["waited_s"], align=Align.RIGHT, help="minutes in the queue"),
    instant("queued", "Queued", shown=cells.clock_time, width=8, field="queued_at", need=5),
    number("entry", "Entry", 10, cells.price, field="entry_price", need=4),
    number("now", "Now", 10, cells.price, field="current_price", need=1, help="current price"),
    column(
        "pyramid",
        "Cont",
        4,
        lambda row: Cell(_key(row, "pyramid_continuation") or cells.DASH, "dim"),
        need=7,
        help="continues a live group",
    ),
    column("why", "Why here", 24, lambda row: Cell(row["why"], "dim"), need=8, stretch=60),
    text("id", "Id", 6, field="queue_id", optional=True),
    text("signal", "Signal", 12, field="signal_id", optional=True),
    instant("expires", "Expires", field="expires_at", optional=True),
)
"""Every column of a waiting entry."""

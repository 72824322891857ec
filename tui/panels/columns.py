"""Columns that most tables have: who a row is about, a field as a text, a number, an instant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tui import cells
from tui.cells import Cell
from tui.grid import Align, Column, Row

__all__ = ["PAIR", "TIMEFRAME", "account", "column", "instant", "number", "side", "side_cell", "text"]


_NOTHING: Final = Cell(cells.DASH, "dim")


def column(
    name: str,
    title: str,
    width: int,
    cell: Callable[[Row], Cell],
    value: Callable[[Row], Any] | None = None,
    **more: Any,
) -> Column:
    """Return a column; without ``value`` it is sorted by what it shows."""
    return Column(name=name, title=title, width=width, cell=cell, value=value or (lambda row: cell(row).text), **more)


def text(
    name: str,
    title: str,
    width: int,
    style: str = "",
    *,
    shown: Callable[[Any], str] = str,
    field: str = "",
    **more: Any,
) -> Column:
    """Return a column of a text as it is; names of the protocol are ``shown`` as words."""
    of = field or name

    def cell(row: Row) -> Cell:
        value = row[of]
        return Cell(shown(value), style) if value not in (None, "") else _NOTHING

    return column(name, title, width, cell, lambda row: row[of], **more)


def number(
    name: str, title: str, width: int, shown: Callable[[Any], Cell] = cells.amount, *, field: str = "", **more: Any
) -> Column:
    """Return a column of a number, shown by one of ``cells``; numbers stand right."""
    of = field or name
    more = {"align": Align.RIGHT, **more}
    return column(name, title, width, lambda row: shown(row[of]), lambda row: cells.number(row[of]), **more)


def instant(
    name: str,
    title: str,
    *,
    shown: Callable[[Any], str] = cells.day_time,
    width: int = 14,
    field: str = "",
    **more: Any,
) -> Column:
    """Return a column of an instant, dimmed: it is what everything else is about."""
    of = field or name
    return column(name, title, width, lambda row: Cell(shown(row[of]), "dim"), lambda row: row[of], **more)


def side_cell(value: Any) -> Cell:
    """Return a side: an arrow and the word."""
    return Cell(f"▲ {value}" if value == "long" else f"▼ {value}")


def side(need: int) -> Column:
    """Return the column of the side."""
    return column("side", "Side", 7, lambda row: side_cell(row["side"]), lambda row: row["side"], need=need)


def account(need: int = 6, **more: Any) -> Column:
    """Return the column of the account."""
    return text("account", "Account", 8, need=need, **more)


PAIR: Final = text("pair", "Pair", 10, "strong", field="symbol", stretch=6, fixed=True)
TIMEFRAME: Final = text("tf", "TF", 3, field="timeframe", fixed=True, help="timeframe")

"""Columns of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tui.cells import Cell
from tui.grid import Column, Row

__all__ = ["COLUMNS"]

_HOLDS: Final = {"now": "now", "group": "new groups", "restart": "restart"}


def _name(row: Row) -> Cell:
    indent = "  " * row["level"]
    if row["kind"] in ("group", "part"):
        return Cell(f"{indent}{'▾' if row['opened'] else '▸'} {row['title']}", "alarm" if row["wrong"] else "strong")
    style = "warn" if row["wrong"] else "accent" if row["kind"] in ("task", "account") else ""
    return Cell(f"{indent}  {row['title']}", style)


def _value(row: Row) -> Cell:
    return Cell(row["value"], row["style"])


def _changed(row: Row) -> Cell:
    if row["wrong"]:
        return Cell(f"✖ {row['changed'] or row['wrong']}", "alarm")
    return Cell(row["changed"], "accent")


def _holds(row: Row) -> Cell:
    text = str(_HOLDS.get(row["applies"], row["applies"]))
    return Cell(text, "warn" if text == "restart" and row["changed"] else "dim")


def _columns() -> Iterator[Column]:
    yield Column(
        name="name", title="Setting", width=32, cell=_name, value=lambda row: row["key"], fixed=True, stretch=12
    )
    yield Column(name="value", title="In force", width=16, cell=_value, value=lambda row: row["value"], stretch=24)
    yield Column(name="draft", title="Draft", width=14, cell=_changed, value=lambda row: row["changed"], stretch=20)
    yield Column(name="holds", title="Holds from", width=10, cell=_holds, value=lambda row: row["applies"], need=2)


COLUMNS: Final = tuple(_columns())
"""Columns of the settings."""

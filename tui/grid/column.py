"""How one field of a row is shown, sorted and searched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tui.cells import Cell

__all__ = ["Align", "Column", "Row"]

Row = Mapping[str, Any]
"""One row of a grid: a row of the daemon's answer as it came, perhaps with more fields."""

_LAST: Final = (1, "")


class Align(StrEnum):
    """Where a text stands in its column; numbers stand right, so that their places line up."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    ``cell`` draws a row's value; ``value`` is what is sorted by (numbers as numbers, None always last). ``need`` says how
    early it goes when the screen is narrow: 0 stays always, the highest goes first. ``optional`` is shown only when the
    operator asks for it. ``stretch`` gives it room that is left over, up to so many cells.
    """

    name: str
    title: str
    width: int
    cell: Callable[[Row], Cell]
    value: Callable[[Row], Any]
    align: Align = Align.LEFT
    fixed: bool = False
    need: int = 0
    optional: bool = False
    stretch: int = 0
    help: str = ""

    def sort_key(self, row: Row) -> tuple[int, Any]:
        """Return what a row is sorted by; texts without regard to case, what is unknown comes last."""
        value = self.value(row)
        if value is None or value == "":
            return _LAST
        return 0, value.casefold() if isinstance(value, str) else value

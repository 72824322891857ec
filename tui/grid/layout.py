"""Which columns fit into a width and how wide each is: no drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from tui.grid.column import Column

__all__ = ["EDGE", "GAPS", "Layout", "Place"]

EDGE: Final = 1
"""Cells free at the left edge, where the selected row is marked, and at the right one."""

GAPS: Final = {"compact": 1, "normal": 2, "wide": 3}
"""Cells between two columns, by density."""


class Place(NamedTuple):
    """A column, the first cell it takes and how many (its gap to the right not counted)."""

    column: Column
    start: int
    width: int


class Layout(NamedTuple):
    """Columns from left to right; the first ``fixed`` ones do not scroll. ``width`` counts all cells.

    ``left_out``: some were left out for want of room.
    """

    places: tuple[Place, ...]
    fixed: int
    width: int
    gap: int
    left_out: bool = False

    @property
    def fixed_width(self) -> int:
        """Return the cells that the fixed columns take, their gaps counted."""
        return EDGE + sum(place.width + self.gap for place in self.places[: self.fixed])

    @classmethod
    def fit(
        cls,
        columns: Sequence[Column],
        width: int,
        *,
        gap: int = 2,
        chosen: Sequence[str] = (),
        whole: bool = False,
    ) -> Layout:
        """Lay out columns: those an operator chose in that order, else what fits by need, else (``whole``) all.

        What is too wide scrolls.
        """
        by_name = {column.name: column for column in columns}
        width -= 2 * EDGE
        picked = [by_name[name] for name in chosen if name in by_name]
        usual = [column for column in columns if not column.optional]
        kept = picked or (list(usual) if whole else _fitting(usual, width, gap))
        left_out = not picked and len(kept) < len(usual)
        kept.sort(key=lambda column: not column.fixed)  # stable: fixed ones lead, the rest as chosen
        widths = _stretched(kept, width, gap)
        places, start = [], EDGE
        for column in kept:
            places.append(Place(column, start, widths[column.name]))
            start += widths[column.name] + gap
        fixed = sum(column.fixed for column in kept)
        return cls(tuple(places), fixed, max(0, start - gap) + EDGE, gap, left_out)


def _taken(columns: Sequence[Column], gap: int) -> int:
    return sum(column.width + gap for column in columns) - gap if columns else 0


def _fitting(columns: list[Column], width: int, gap: int) -> list[Column]:
    """Leave out the least needed columns, the rightmost first among equals, until the rest fits."""
    kept = list(columns)
    while _taken(kept, gap) > width:
        most = max((column.need for column in kept), default=0)
        if most == 0:
            break
        kept.remove(next(column for column in reversed(kept) if column.need == most))
    return kept


def _stretched(columns: Sequence[Column], width: int, gap: int) -> dict[str, int]:
    """Share out what is left over among columns that can use it, a cell at a time."""
    widths = {column.name: column.width for column in columns}
    left = width - _taken(columns, gap)
    while left > 0:
        hungry = [column for column in columns if widths[column.name] < column.width + column.stretch]
        if not hungry:
            break
        for column in hungry[:left]:
            widths[column.name] += 1
            left -= 1
    return widths

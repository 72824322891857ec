"""A line drawn in Braille dots: two by four in each cell, so a small card shows a real curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["braille", "resampled"]

_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_EMPTY: Final = 0x2800


def resampled(values: Sequence[float], count: int) -> list[float]:
    """Return ``count`` values over the same stretch: the last of each part when there are more, drawn out when fewer."""
    if not values or count <= 0:
        return []
    size = len(values)
    return [
        values[min(size - 1, (place + 1) * size // count - 1 if size >= count else place * size // count)]
        for place in range(count)
    ]


def braille(values: Sequence[float], width: int, height: int) -> list[str]:
    """Return a curve as lines of Braille, the newest value right; steps between two values are drawn as uprights."""
    if not values or width <= 0 or height <= 0:
        return [" " * max(0, width)] * max(0, height)
    points = resampled(values, width * 2)
    low, high = min(points), max(points)
    most = height * 4 - 1
    rows = [most - (round((value - low) / (high - low) * most) if high > low else most // 2) for value in points]
    field = [[0] * width for _ in range(height)]
    before = rows[0]
    for x, row in enumerate(rows):
        first, last = sorted((before, row))
        for y in range(first if first == row else first + 1, (last if last == row else last - 1) + 1):
            field[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        before = row
    return ["".join(chr(_EMPTY + dots) for dots in line) for line in field]

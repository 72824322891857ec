"""The stated way a price takes inside a bar: open, one extreme, the other extreme, close (EX-1107).

A bar [t, t+d) becomes four points at t, t+d/3, t+2d/3 and t+d-1 ns. The price moves monotonically from point to point; the
first point is a jump from wherever the price was. So that several symbols walked together never share an instant, the
``index``-th symbol's points are moved by ``index`` nanoseconds (the last one backwards, to stay inside its bar).
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from protocol.market import Bar

__all__ = ["PathPoint", "low_comes_first", "path"]


class PathPoint(NamedTuple):
    """The price moves from ``price_from`` to ``price_to`` and is there at ``at``; ``volume`` is this segment's share."""

    at: int
    price_from: Decimal
    price_to: Decimal
    volume: Decimal


def low_comes_first(bar: Bar) -> bool:
    """Return the ``up_down`` rule: a rising or flat bar visits its low first, a falling one its high."""
    return bar.close >= bar.open


def path(bar: Bar, *, low_first: bool, index: int = 0) -> tuple[PathPoint, PathPoint, PathPoint, PathPoint]:
    """Return the four points of a bar in time order; each has a quarter of the bar's volume."""
    third = bar.duration_s * 1_000_000_000 // 3
    start = bar.at + index
    volume = bar.volume / 4
    first, second = (bar.low, bar.high) if low_first else (bar.high, bar.low)
    return (
        PathPoint(start, bar.open, bar.open, volume),
        PathPoint(start + third, bar.open, first, volume),
        PathPoint(start + 2 * third, first, second, volume),
        PathPoint(bar.at + bar.duration_s * 1_000_000_000 - 1 - index, second, bar.close, volume),
    )

"""Curves that grow: two columns of numbers, sixteen bytes a point."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from protocol.values import Instant
from rules.performance.values import Point

__all__ = ["Curve", "Stepped"]


class Curve:
    """Points in order of time."""

    __slots__ = ("at", "value")

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self.at = array("q")
        self.value = array("d")
        for point in points:
            self.at.append(point.at)
            self.value.append(point.value)

    def __len__(self) -> int:
        return len(self.at)

    def __iter__(self) -> Iterator[Point]:
        return map(Point, self.at, self.value)

    def __getitem__(self, number: int) -> Point:
        return Point(self.at[number], self.value[number])

    def pairs(self) -> Iterator[tuple[Instant, float]]:
        """Yield instants and values."""
        return zip(self.at, self.value, strict=True)

    def lifted(self, by: float) -> Iterator[Point]:
        """Yield the points, each so much higher."""
        return (Point(at, value + by) for at, value in self.pairs())

    def thinned(self, most: int) -> list[Point]:
        """Return at most ``most`` points (at least 4): first and last, and the extremes of equal parts of its time.

        What a screen of that many columns would show stays the same: no peak and no trough is lost.
        """
        if len(self) <= most:
            return list(self)
        parts = max((most - 2) // 2, 1)
        begin, last = self.at[0], len(self) - 1
        width = (self.at[-1] - begin) / parts or 1.0
        kept, left = [self[0]], 1
        for part in range(1, parts + 1):
            right = last if part == parts else bisect_left(self.at, begin + part * width, left, last)
            kept += map(self.__getitem__, self._extremes(left, right))
            left = right
        return [*kept, self[last]]

    def _extremes(self, left: int, right: int) -> list[int]:
        """Return where the lowest and the highest of some points are, the first of equal ones, in order of time."""
        if left == right:
            return []
        some = self.value[left:right]
        return sorted({left + some.index(min(some)), left + some.index(max(some))})


class Stepped:
    """A curve from zero that each amount lifts at its instant: one point a distinct time, in whatever order they come."""

    __slots__ = ("curve",)

    def __init__(self) -> None:
        self.curve = Curve()

    def add(self, at: Instant, amount: float) -> None:
        """Lift the curve from an instant on; one of the past lifts all that came after it."""
        known, values = self.curve.at, self.curve.value
        if not known or at > known[-1]:
            values.append(values[-1] + amount if known else amount)
            known.append(at)
            return
        place = bisect_left(known, at)
        if known[place] != at:
            known.insert(place, at)
            values.insert(place, values[place - 1] if place else 0.0)
        for number in range(place, len(values)):
            values[number] += amount

    def until(self, at: Instant) -> float:
        """Return how high it is at an instant."""
        place = bisect_left(self.curve.at, at + 1)
        return self.curve.value[place - 1] if place else 0.0

"""Rows by calendar day."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import date, tzinfo
from typing import TypeVar

from protocol.values import Instant
from rules.performance.windows import day_of, next_day

__all__ = ["by_day"]

T = TypeVar("T")


def by_day(rows: Iterable[T], zone: tzinfo, at_of: Callable[[T], Instant]) -> Iterator[tuple[date, list[T]]]:
    """Yield days with their rows, oldest first; the calendar is asked once a day and not once a row."""
    ordered = sorted(rows, key=at_of)
    begin = 0
    while begin < len(ordered):
        day = day_of(at_of(ordered[begin]), zone)
        end = bisect_left(ordered, next_day(day, zone), lo=begin + 1, key=at_of)
        yield day, ordered[begin:end]
        begin = end

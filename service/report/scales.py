"""What page and pictures draw by: round numbers and calendar dates for axes, curves that jump at deposits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import ceil, floor, log10
from typing import Final, NamedTuple

from protocol.values import Instant
from rules.performance import day_start

__all__ = ["Tick", "jumping", "time_ticks", "value_ticks"]

_NANOS: Final = 1_000_000_000
_MINUTE: Final = 60 * _NANOS
_DAY: Final = 1_440 * _MINUTE
_MINUTES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)


class Tick(NamedTuple):
    """A place on an axis and what stands there."""

    at: float
    text: str


def jumping(curve: Sequence[Sequence[float]], flows: Iterable[Sequence[float]]) -> list[Sequence[float]]:
    """Return a curve that jumps where something was deposited or withdrawn, and does not climb there from mark to mark."""
    jumps, found = {at for at, _ in flows}, list[Sequence[float]]()
    for point in curve:
        if found and point[0] in jumps:
            found.append([point[0], found[-1][1]])
        found.append(point)
    return found


def value_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers from at most ``low`` to at least ``high``, about so many."""
    if high <= low:
        spread = abs(low) * 0.01 or 1.0
        low, high = low - spread, high + spread
    raw = (high - low) / about
    size = 10.0 ** floor(log10(raw))
    step = next((size * each for each in (1, 2, 2.5, 5, 10) if size * each >= raw), size * 10)
    first, last = floor(low / step), ceil(high / step)
    return [round(step * number, 10) for number in range(first, last + 1)]


def time_ticks(first: Instant, last: Instant, zone: tzinfo = UTC, most: int = 9) -> list[Tick]:
    """Return places on a calendar axis: seconds, minutes, hours, days, months or years, at most so many."""
    span = max(last - first, 1)
    if span <= 2 * _DAY:
        return _hours(first, last, zone, most)
    days = span / _DAY
    if days <= 75:
        return _days(first, last, zone, ceil(days / most))
    return _months(first, last, zone, most)


def _hours(first: Instant, last: Instant, zone: tzinfo, most: int) -> list[Tick]:
    minutes = next((each for each in _MINUTES if (last - first) / (each * _MINUTE) <= most), _MINUTES[-1])
    begin = datetime.fromtimestamp(first // _NANOS, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (first - int(begin.timestamp()) * _NANOS) // (minutes * _MINUTE)
    at, found = begin + timedelta(minutes=minutes * passed), []
    while (instant := int(at.timestamp()) * _NANOS) <= last:
        if instant >= first:
            found.append(
                Tick(instant, at.strftime("%d %b") if (at.hour, at.minute) == (0, 0) else at.strftime("%H:%M"))
            )
        at += timedelta(minutes=minutes)
    return found or [Tick(each, f"{datetime.fromtimestamp(each // _NANOS, zone):%H:%M:%S}") for each in (first, last)]


def _days(first: Instant, last: Instant, zone: tzinfo, every: int) -> list[Tick]:
    every = next((each for each in (1, 2, 7, 14) if each >= every), 14)
    day = datetime.fromtimestamp(first // _NANOS, zone).date()
    if every >= 7:
        day -= timedelta(days=day.weekday())
    found = []
    while (instant := day_start(day, zone)) <= last:
        if instant >= first:
            found.append(Tick(instant, f"{day.day} {day:%b}"))
        day += timedelta(days=every)
    return found


def _months(first: Instant, last: Instant, zone: tzinfo, most: int) -> list[Tick]:
    months = (last - first) / (30.44 * _DAY)
    every = next((each for each in (1, 2, 3, 6, 12, 24, 60) if months / each <= most), 120)
    begin = datetime.fromtimestamp(first // _NANOS, zone).date()
    number = (begin.year * 12 + begin.month - 1) // every * every
    found = []
    while (instant := day_start(day := date(number // 12, number % 12 + 1, 1), zone)) <= last:
        if instant >= first:
            found.append(Tick(instant, str(day.year) if day.month == 1 else f"{day:%b}"))
        number += every
    return found

"""The ranges of time that figures are asked for (EX-1719)."""

from __future__ import annotations

from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from protocol.values import Instant
from rules.performance.windows import day_of, day_start, next_day

__all__ = ["RangeName", "Span", "custom_span", "span_of"]


class RangeName(StrEnum):
    """What an operator selects; ``month`` and ``year`` are those of the calendar."""

    TODAY = "today"
    WEEK = "7d"
    THIRTY_DAYS = "30d"
    MONTH = "month"
    YEAR = "year"
    ALL = "all"
    CUSTOM = "custom"


class Span(NamedTuple):
    """From ``since`` to before ``until``; None is without an end."""

    since: Instant | None = None
    until: Instant | None = None


def span_of(name: RangeName, now: Instant, zone: tzinfo) -> Span:
    """Return the instants of a range: whole calendar days of the zone, the present one included."""
    today = day_of(now, zone)
    first = {
        RangeName.TODAY: today,
        RangeName.WEEK: today - timedelta(days=6),
        RangeName.THIRTY_DAYS: today - timedelta(days=29),
        RangeName.MONTH: today.replace(day=1),
        RangeName.YEAR: today.replace(month=1, day=1),
    }.get(name)
    return Span(None if first is None else day_start(first, zone))


def custom_span(first: date | None, last: date | None, zone: tzinfo) -> Span:
    """Return the instants from the first of one day to the last of another, both days included."""
    since = None if first is None else day_start(first, zone)
    return Span(since, None if last is None else next_day(last, zone))

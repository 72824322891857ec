"""Calendar days, weeks and months of a zone (EX-1702)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from protocol.messages import Value
from protocol.values import Instant

__all__ = ["Calendar", "WindowPnl", "day_of", "day_start", "next_day"]

_NANOS: Final = 1_000_000_000


class WindowPnl(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Realized result of the present day, ISO week and month, and of all time, in USD."""

    day: float
    week: float
    month: float
    all: float


def day_of(at: Instant, zone: tzinfo) -> date:
    """Return the calendar day of an instant."""
    return datetime.fromtimestamp(at // _NANOS, zone).date()


def day_start(day: date, zone: tzinfo) -> Instant:
    """Return the first instant of a calendar day; where its midnight does not exist, the first after it."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    if midnight.astimezone(zone).date() < day:  # the clocks were put forward at midnight
        midnight += timedelta(hours=1)
    return int(midnight.timestamp()) * _NANOS


def next_day(day: date, zone: tzinfo) -> Instant:
    """Return the first instant after a calendar day."""
    return day_start(day + timedelta(days=1), zone)


class Calendar:
    """Says the day of instants; those that come in order cost nothing but where a day begins."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._day = date.min
        self._begins = self._ends = 0

    def day(self, at: Instant) -> date:
        """Return the calendar day of an instant."""
        if not self._begins <= at < self._ends:
            self._day = day_of(at, self._zone)
            self._begins, self._ends = day_start(self._day, self._zone), next_day(self._day, self._zone)
        return self._day

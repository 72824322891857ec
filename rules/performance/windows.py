"""Calendar days, weeks and months of a zone, and what was realized in each (EX-1702)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from protocol.messages import Value
from protocol.values import Instant
from rules.performance.values import Realization

__all__ = ["WindowPnl", "day_of", "day_start", "next_day", "window_pnl"]

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


def window_pnl(realizations: Iterable[Realization], now: Instant, zone: tzinfo) -> WindowPnl:
    """Add up what was realized from the start of each window until now, both included."""
    today = day_of(now, zone)
    monday = today - timedelta(days=today.weekday())
    starts = [day_start(day, zone) for day in (today, monday, today.replace(day=1))]
    known = [(each.at, each.pnl) for each in realizations if each.at <= now]
    day, week, month = (sum((pnl for at, pnl in known if at >= start), 0.0) for start in starts)
    return WindowPnl(day, week, month, sum((pnl for _, pnl in known), 0.0))

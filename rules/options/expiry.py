"""Days to expiry, and the order in which the expiries of a range are looked at (DK-6, DK-60)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from protocol.errors import ValidationError
from protocol.values import Instant

__all__ = ["DteRange", "days_to_expiry", "in_order", "session_date"]

_NEW_YORK: Final = ZoneInfo("America/New_York")
_NS: Final = 1_000_000_000


class DteRange(NamedTuple):
    """Days to expiry that are wanted; both ends belong to it."""

    least: int
    most: int

    def holds(self, days: int) -> bool:
        """Whether an expiry that is ``days`` away lies in the range."""
        return self.least <= days <= self.most


def session_date(now: Instant) -> date:
    """Return the date in New York, from which days to an expiry of equity options are counted (DK-6)."""
    return datetime.fromtimestamp(now // _NS, UTC).astimezone(_NEW_YORK).date()


def days_to_expiry(expiration: str, today: date) -> int:
    """Return the calendar days from the session date ``today`` to an ISO date, below 0 when it is past.

    Raises ValidationError (InvalidExpiration) for what is not written YYYY-MM-DD: two spellings would be two expiries.
    """
    try:
        day = date.fromisoformat(expiration)
    except ValueError:
        day = None
    if day is None or day.isoformat() != expiration:
        raise ValidationError("$.expiration", "must be YYYY-MM-DD", code="InvalidExpiration", value=expiration)
    return (day - today).days


def in_order(expirations: Iterable[str], wanted: DteRange, today: date) -> tuple[str, ...]:
    """Return the expiries in range, nearest to the middle of the range first, ties to the nearer date (DK-60)."""
    days = {each: days_to_expiry(each, today) for each in expirations}
    twice_middle = wanted.least + wanted.most
    found = [each for each in days if wanted.holds(days[each])]
    return tuple(sorted(found, key=lambda each: (abs(2 * days[each] - twice_middle), days[each])))

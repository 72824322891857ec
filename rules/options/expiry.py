"""Days to expiry, and the order in which the expiries of a range are looked at (DK-6, DK-60)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from protocol.errors import ValidationError

__all__ = ["DteRange", "days_to_expiry", "in_order"]


class DteRange(NamedTuple):
    """Days to expiry that are wanted; both ends belong to it."""

    least: int
    most: int

    def holds(self, days: int) -> bool:
        """Whether an expiry that is ``days`` away lies in the range."""
        return self.least <= days <= self.most


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

"""Spans of time that come back each day or week: when a venue is away for maintenance, when a market is closed.

Pure: instants are arguments, nanoseconds UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["Window", "inside"]

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE_NS: Final = 60 * 10**9
_DAY_MINUTES: Final = 1_440
_WEEK_MINUTES: Final = 7 * _DAY_MINUTES
_EPOCH_WEEKDAY: Final = 3
"""1 January 1970 was a Thursday."""

_FORM: Final = re.compile(r"(?:([a-z]{3}(?:,[a-z]{3})*) )?([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Window(NamedTuple):
    """A span that begins at minute ``start`` of each of ``days`` (0 is Monday) and lasts ``minutes``, past midnight too."""

    days: tuple[int, ...]
    start: int
    minutes: int

    @classmethod
    def of(cls, text: str) -> Window:
        """Read ``23:45-00:45`` (each day) or ``sat,sun 22:00-23:30``; raise ValueError with the form that is wanted."""
        found = _FORM.fullmatch(text.strip().lower())
        if found is None:
            raise ValueError("must be a span such as 23:45-00:45, or sat,sun 22:00-23:30 (UTC)")
        named, from_hour, from_minute, to_hour, to_minute = found.groups()
        names = named.split(",") if named else list(_DAYS)
        if wrong := [each for each in names if each not in _DAYS]:
            raise ValueError(f"{wrong[0]} is no day: {', '.join(_DAYS)}")
        start = 60 * int(from_hour) + int(from_minute)
        # From a minute to the same one is a whole day, not nothing.
        minutes = (60 * int(to_hour) + int(to_minute) - start) % _DAY_MINUTES or _DAY_MINUTES
        return cls(tuple(sorted({_DAYS.index(each) for each in names})), start, minutes)

    def holds(self, at: int) -> bool:
        """Whether an instant lies in the span; its first minute does, its end does not."""
        minute = at // _MINUTE_NS + _EPOCH_WEEKDAY * _DAY_MINUTES
        return any((minute - day * _DAY_MINUTES - self.start) % _WEEK_MINUTES < self.minutes for day in self.days)

    def ends(self, at: int) -> int:
        """Return the instant at which the span around ``at`` ends."""
        minute = at // _MINUTE_NS + _EPOCH_WEEKDAY * _DAY_MINUTES
        passed = [(minute - day * _DAY_MINUTES - self.start) % _WEEK_MINUTES for day in self.days]
        left = max(self.minutes - each for each in passed if each < self.minutes)
        return (at // _MINUTE_NS + left) * _MINUTE_NS


def inside(windows: Iterable[Window], at: int) -> int | None:
    """Return when the last of the spans around an instant ends, None when it lies in none."""
    return max((each.ends(at) for each in windows if each.holds(at)), default=None)

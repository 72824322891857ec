"""The FX week: Sunday 17:00 to Friday 17:00 in New York, where its day ends. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from runtime.clock import NANOS

__all__ = ["SESSION", "is_open"]

SESSION: Final = "Sunday 17:05 to Friday 16:59 New York"
"""OANDA's hours in words; single instruments have shorter ones."""

_NEW_YORK: Final = ZoneInfo("America/New_York")
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_OPENS: Final = 17 * 60 + 5
_CLOSES: Final = 16 * 60 + 59


def is_open(at: int) -> bool:
    """Whether FX trades at an instant: then a feed that says nothing is mute, else it rests."""
    there = datetime.fromtimestamp(at // NANOS, UTC).astimezone(_NEW_YORK)
    day, minute = there.weekday(), there.hour * 60 + there.minute
    if day == _SATURDAY:
        return False
    if day == _SUNDAY:
        return minute >= _OPENS
    return not (day == _FRIDAY and minute >= _CLOSES)

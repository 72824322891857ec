"""Canonical chart intervals (EX-304)."""

from __future__ import annotations

import re
from typing import Final

from rules.identity.errors import InvalidTimeframe

__all__ = ["MAX_COUNT", "canonical_timeframe", "timeframe_seconds"]

MAX_COUNT: Final = 525_600
"""Largest number before a unit: a year of minutes."""

_FORM = re.compile(r"0*(?P<count>[0-9]{1,6})(?P<unit>[A-Za-z]?)|(?P<bare>[A-Za-z])", re.ASCII)
_FOLDS: Final = (("s", 60, "m"), ("m", 60, "h"), ("h", 24, "d"))
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_UNITS: Final = frozenset("smhdwM")


def _unit(letter: str) -> str:
    """Return the unit of a letter: capital M is month, small m minute, the others in either case."""
    unit = letter if letter in ("m", "M") else letter.lower()
    if unit not in _UNITS:
        raise InvalidTimeframe("the unit is one of s, m, h, d, w, M", value=letter)
    return unit


def canonical_timeframe(value: str | int) -> str:
    """Return ``<n><unit>``; raise ``InvalidTimeframe`` (EX-304).

    A bare number is minutes, a bare letter means one of it. Seconds, minutes and hours fold upwards when exact; days
    and months never fold.
    """
    text = value.strip() if isinstance(value, str) else f"{value:d}" if 0 < value <= MAX_COUNT else ""
    form = _FORM.fullmatch(text)
    if form is None:
        raise InvalidTimeframe("an interval is a number of minutes, or a number and a unit (15, 4h, D)", value=text)
    count, unit = (1, form["bare"]) if form["bare"] else (int(form["count"]), form["unit"] or "m")
    unit = _unit(unit)
    if not 1 <= count <= MAX_COUNT:
        raise InvalidTimeframe(f"the number is between 1 and {MAX_COUNT}", value=text)
    for small, ratio, large in _FOLDS:
        if unit == small and count % ratio == 0:
            count, unit = count // ratio, large
    return f"{count}{unit}"


def timeframe_seconds(value: str | int) -> int:
    """Return the length of an interval in seconds; raise ``InvalidTimeframe``, also for months, which have no length."""
    canonical = canonical_timeframe(value)
    if canonical[-1] not in _SECONDS:
        raise InvalidTimeframe("a month has no fixed length", value=canonical)
    return int(canonical[:-1]) * _SECONDS[canonical[-1]]

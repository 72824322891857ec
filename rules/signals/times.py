"""The moment an alert fired (EX-207), and instants as text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Final

from rules.signals.numbers import exact

__all__ = ["instant_of", "parse_timestamp"]

_MS: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = 2**63 - 1
_ISO = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,18}))?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_UNIX = re.compile(r"[0-9]{10}(?:[0-9]{3})?")


def parse_timestamp(value: object) -> int | None:
    """Return the instant a payload's ``timestamp`` names, in nanoseconds cut to the millisecond; None when it is none.

    ISO 8601 date and time (without a zone: UTC), or Unix seconds (10 digits) or milliseconds (13 digits) as number or
    text. Instants outside 1970 to 2262 are none (EX-207).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float | Decimal):
        value = _whole(value)
    if isinstance(value, int):
        value = str(value) if 0 <= value < 10**13 else ""
    if not isinstance(value, str):
        return None
    text = value.strip()
    instant = _unix(text) if _UNIX.fullmatch(text) else _iso(text)
    return instant if instant is not None and 0 <= instant <= _LAST else None


def _whole(value: float | Decimal) -> int | None:
    found = exact(Decimal(repr(value)) if isinstance(value, float) else value)
    return int(found) if found is not None and found.as_tuple().exponent == 0 else None


def _unix(text: str) -> int:
    return int(text) * (1_000_000_000 if len(text) == 10 else _MS)


@lru_cache(maxsize=64)  # a signal's one instant is read for its check, its age and its fingerprint
def _iso(text: str) -> int | None:
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    try:
        year, month, day = map(int, found["day"].split("-"))
        local = datetime(
            year, month, day, int(found["hour"]), int(found["minute"]), int(found["second"] or 0), tzinfo=_zone(found)
        )
        since = local - _EPOCH
    except (ValueError, OverflowError):
        return None
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int(
        (found["fraction"] or "0").ljust(3, "0")[:3]
    ) * _MS


def _zone(found: re.Match[str]) -> timezone:
    zone = found["zone"]
    if not zone or zone in "Zz":
        return UTC
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[2:])
    if minutes > 59:
        raise ValueError("an offset has at most 59 minutes")
    offset = timedelta(hours=int(digits[:2]), minutes=minutes)
    return timezone(-offset if zone[0] == "-" else offset)


def instant_of(text: str) -> int:
    """Return the instant of a canonical timestamp; raise ``ValueError`` for anything else."""
    instant = parse_timestamp(text)
    if instant is None:
        raise ValueError("not a canonical timestamp")
    return instant

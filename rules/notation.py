"""How numbers and instants are written, in records, logs and words alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

__all__ = ["iso_exact", "iso_ms", "plain", "words"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = 1_000_000


@lru_cache(maxsize=64)
def iso_ms(instant: int) -> str:
    """Return an instant as ``YYYY-MM-DDTHH:MM:SS.mmmZ``, cut to the millisecond."""
    at = _EPOCH + timedelta(milliseconds=instant // _MS)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def iso_exact(instant: int) -> str:
    """Return an instant in UTC with all that is known of its second: ``2026-02-10T12:00:00.25Z``."""
    seconds, nanos = divmod(instant, 1_000_000_000)
    at = _EPOCH + timedelta(seconds=seconds)
    part = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{at:%Y-%m-%dT%H:%M:%S}{part}Z"


def words(name: str) -> str:
    """Return a name of the protocol, or an outcome with what it is about, as words: ``queued: q3: pool full``."""
    return name.replace("_", " ").replace(":", ": ")


def plain(value: Decimal) -> str:
    """Return the plain notation of a number: no exponent, no needless zeros, no negative zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text

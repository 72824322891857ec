"""How numbers, instants and texts are written, in records, logs and words alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from protocol.legible import seen

__all__ = ["iso_exact", "iso_ms", "legible_json", "plain", "whole_number", "words"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = 1_000_000
_LONGEST_NUMBER: Final = 20


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


def whole_number(text: str, most: int = 2**63 - 1) -> int | None:
    """Return the number that a text of plain digits is; None for any other, and for one that no database holds."""
    if not (text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER):
        return None  # before it is read: digits by the thousand are slow to read, and refused with an error of Python's own
    return number if (number := int(text)) <= most else None


def plain(value: Decimal) -> str:
    """Return the plain notation of a number: no exponent, no needless zeros, no negative zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def legible_json(document: str) -> str:
    """Return a JSON document that means the same and is legible: what is not to be obeyed is escaped."""
    if document.isascii() and "\x7f" not in document:
        return document
    return "".join(each if each == "\n" or seen(each) == each else json.dumps(each)[1:-1] for each in document)

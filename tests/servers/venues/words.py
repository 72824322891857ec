"""Numbers and instants as the servers of several venues write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

__all__ = ["ANONYMOUS", "MS", "ms", "plain"]

MS: Final = 1_000_000
"""Nanoseconds of a millisecond."""
ANONYMOUS: Final = "anonymous"
"""What begins the hall's id of an order that came without a client id."""


def ms(at: int) -> str:
    """Return an instant in milliseconds, as text."""
    return str(at // MS)


def plain(value: Decimal) -> str:
    """Return a number without exponent or trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

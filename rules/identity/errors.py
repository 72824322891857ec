"""Refusals of identity parts.

::

    ValidationError
    └─ IdentityError            base; ``code`` is the class name, ``path`` the part's name
       ├─ UnsupportedVenue
       ├─ UnknownSymbol
       ├─ InvalidTimeframe
       ├─ InvalidSide
       └─ InvalidUser
"""

from __future__ import annotations

from typing import ClassVar

from protocol.errors import ValidationError

__all__ = [
    "IdentityError",
    "InvalidSide",
    "InvalidTimeframe",
    "InvalidUser",
    "UnknownSymbol",
    "UnsupportedVenue",
    "shown",
]


def shown(text: str) -> str:
    """Return text that any log, screen or encoder can take: lone surrogates replaced, at most 80 characters."""
    return text[:80].encode("utf-8", "replace").decode("utf-8")


class IdentityError(ValidationError):
    """A part of an identity is refused."""

    PART: ClassVar[str] = ""

    def __init__(self, message: str, *, value: str = "") -> None:
        super().__init__(self.PART, message, code=type(self).__name__, value=shown(value))


class UnsupportedVenue(IdentityError):
    """No venue goes by this name."""

    PART = "exchange"


class UnknownSymbol(IdentityError):
    """The text names no market that can be told for certain."""

    PART = "symbol"


class InvalidTimeframe(IdentityError):
    """The text is no chart interval."""

    PART = "timeframe"


class InvalidSide(IdentityError):
    """Neither long nor short."""

    PART = "side"


class InvalidUser(IdentityError):
    """The user name is empty or would make keys ambiguous."""

    PART = "user"

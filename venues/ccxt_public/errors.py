"""Say ccxt's errors in the words of ``venues.errors`` (EX-1104).

::

    VenueError
    └─ UnknownSymbol       no such market at the venue; names the nearest ones
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Final

from venues.errors import (
    AuthFailed,
    InsufficientFunds,
    NetworkTimeout,
    OrderNotFound,
    OrderRejected,
    PermissionDenied,
    RateLimited,
    VenueDown,
    VenueError,
)

__all__ = ["UNREADABLE", "UnknownSymbol", "as_venue_error"]

UNREADABLE: Final = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
"""What reading an answer raises that is not what the venue documents."""

_MAX_TEXT: Final = 300


class UnknownSymbol(VenueError):
    """The venue has no market ``symbol``; ``near`` are the closest ones it has."""

    def __init__(self, venue: str, symbol: str, known: Iterable[str] = ()) -> None:
        wanted = symbol.upper()
        by_bare = {name.replace("/", ""): name for name in known}
        bare = difflib.get_close_matches(wanted.replace("/", "").replace("-", ""), by_bare, n=3, cutoff=0.6)
        self.symbol = symbol
        self.near = tuple(by_bare[name] for name in bare)
        hint = f"; did you mean {', '.join(self.near)}?" if self.near else ""
        super().__init__(venue, f"unknown symbol {symbol[:40]!r}{hint}")


def _rate_limited(venue: str, text: str, error: BaseException) -> VenueError:
    return RateLimited(venue, text, retry_after_s=getattr(error, "retry_after_s", None))


def _plain(kind: Callable[[str, str], VenueError]) -> Callable[[str, str, BaseException], VenueError]:
    return lambda venue, text, _: kind(venue, text)


_BY_NAME: Final[dict[str, Callable[[str, str, BaseException], VenueError]]] = {
    "PermissionDenied": _plain(PermissionDenied),
    "RestrictedLocation": _plain(PermissionDenied),
    "AuthenticationError": _plain(AuthFailed),
    "InsufficientFunds": _plain(InsufficientFunds),
    "OrderNotFound": _plain(OrderNotFound),
    "InvalidOrder": _plain(OrderRejected),
    "DDoSProtection": _rate_limited,
    "RateLimitExceeded": _rate_limited,
    "RequestTimeout": _plain(NetworkTimeout),
    "OperationFailed": _plain(VenueDown),
    "BaseError": _plain(VenueError),
}
"""ccxt's class name -> ours. The nearest base class of an error that is named here decides."""


def as_venue_error(venue: str, error: BaseException) -> VenueError:
    """Return our error for one of ccxt's; anything else means that the answer could not be read.

    ``error.retry_after_s``, where set, becomes the wait of ``RateLimited``.
    """
    text = " ".join(str(error).split())[:_MAX_TEXT] or type(error).__name__
    for base in type(error).__mro__:
        if base.__name__ in _BY_NAME:
            return _BY_NAME[base.__name__](venue, text, error)
    return VenueDown(venue, f"unreadable answer: {type(error).__name__}: {text}")

"""What a venue can answer instead of what was asked (EX-1104).

::

    BulkheadError
    └─ VenueError                      base; ``stops`` = the connection ends and is not retried
       ├─ AuthFailed                   key, secret or passphrase refused            stops
       ├─ PermissionDenied             the key may not do this                      stops
       ├─ VenueCapabilityMissing       the adapter lacks something required         stops
       ├─ TestnetUnsupported           the venue has no test network                stops
       ├─ InsufficientFunds            the account cannot pay for the order
       ├─ OrderRejected                the venue understood the order and refused it
       ├─ OrderNotFound                no such order; proves nothing unless the venue's memory is complete
       ├─ RateLimited                  told to wait ``retry_after_s``
       ├─ VenueDown                    unreachable, in maintenance, or a 5xx
       └─ NetworkTimeout               no answer in time: what happened is UNKNOWN (EX-426)

Messages never contain credentials. ``NetworkTimeout`` on an order must not be read as "did not happen".
"""

from __future__ import annotations

from typing import ClassVar

from protocol.errors import BulkheadError

__all__ = [
    "AuthFailed",
    "InsufficientFunds",
    "NetworkTimeout",
    "OrderNotFound",
    "OrderRejected",
    "PermissionDenied",
    "RateLimited",
    "TestnetUnsupported",
    "VenueCapabilityMissing",
    "VenueDown",
    "VenueError",
]


class VenueError(BulkheadError):
    """Base of everything a venue adapter raises; ``venue`` names the venue."""

    stops: ClassVar[bool] = False
    """Whether the connection ends with a pinned Error and is not retried."""

    def __init__(self, venue: str, message: str) -> None:
        super().__init__(f"{venue}: {message}")
        self.venue = venue
        self.message = message

    @property
    def code(self) -> str:
        """The error's name in the one error shape (EX-110)."""
        return type(self).__name__


class AuthFailed(VenueError):
    """The venue refused key, secret or passphrase."""

    stops = True


class PermissionDenied(VenueError):
    """The key is valid but may not do this (trading not enabled, address not allowed)."""

    stops = True


class VenueCapabilityMissing(VenueError):
    """The adapter lacks the capability ``name`` that every connection must provide (EX-1103)."""

    stops = True

    def __init__(self, venue: str, name: str) -> None:
        super().__init__(venue, f"the connection cannot provide {name!r}")
        self.name = name


class TestnetUnsupported(VenueError):
    """A test network was configured on a venue that has none (EX-1102)."""

    __test__ = False  # pytest collects classes by the prefix "Test"
    stops = True


class InsufficientFunds(VenueError):
    """The account cannot pay for, or margin, the order; nothing was accepted."""


class OrderRejected(VenueError):
    """The venue refused the order; ``reason`` is its own text, ``precision`` whether format rules were broken (EX-516)."""

    def __init__(self, venue: str, reason: str, *, precision: bool = False) -> None:
        super().__init__(venue, reason)
        self.reason = reason
        self.precision = precision


class OrderNotFound(VenueError):
    """The venue shows no such order now; on cancel this counts as cancelled after checking fills."""


class RateLimited(VenueError):
    """Too many requests. ``retry_after_s`` is the venue's own wait in seconds, None when it did not say."""

    def __init__(self, venue: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(venue, message)
        self.retry_after_s = retry_after_s


class VenueDown(VenueError):
    """The venue cannot be reached or says that it is not working."""


class NetworkTimeout(VenueError):
    """No answer in time; an order sent with this request is in state unknown."""

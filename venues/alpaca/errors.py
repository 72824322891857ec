"""What goes wrong on the way to Alpaca, in the house's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from venues.alpaca.library import APIError
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
from venues.waits import retry_after_s

__all__ = ["DUPLICATE", "MARKET_HALTED", "is_duplicate", "refusal_code", "translated"]

DUPLICATE: Final = "client_order_id must be unique"
MARKET_HALTED: Final = "MarketHalted"

_FUNDS: Final = ("insufficient",)
_FORMAT: Final = ("increment", "sub-penny", "fractional", "cost basis", "minimal", "must be >", "notional", "decimal")
_HALTED: Final = ("halted", "not tradable", "market is closed", "not active")
_TEXT: Final = 300
"""Characters of a venue's own text that are kept."""


def translated(venue: str, error: Exception, *, sends: bool) -> VenueError:
    """Return what an exception of the library means. ``sends``: the request may have changed something at the venue."""
    if isinstance(error, APIError):
        return _answered(venue, error, sends)
    if isinstance(error, requests.ConnectionError) and _never_left(error):
        return VenueDown(venue, "not reached")
    return NetworkTimeout(venue, f"no usable answer ({type(error).__name__})")


def _never_left(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectTimeout) or (
        isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError | ConnectTimeoutError)
    )


def _answered(venue: str, error: APIError, sends: bool) -> VenueError:
    status = error.status_code or 0
    code, text = _said(error)
    said = f"{text} (code {code})" if code else text
    if status == 429:
        headers = getattr(error.response, "headers", None) or {}
        return RateLimited(venue, said, retry_after_s=retry_after_s(headers.get("Retry-After")))
    if status >= 500 or status == 408:
        kind: Callable[[str, str], VenueError] = NetworkTimeout if sends else VenueDown
        return kind(venue, f"status {status}: {said}")
    if status == 404:
        return OrderNotFound(venue, said)
    if status == 401 or (status == 403 and not 40310000 <= code < 40320000):
        return PermissionDenied(venue, said) if "not authorized to" in text else AuthFailed(venue, said)
    if any(word in text.lower() for word in _FUNDS):
        return InsufficientFunds(venue, said)
    return OrderRejected(venue, said, precision=any(word in text.lower() for word in _FORMAT))


def _said(error: APIError) -> tuple[int, str]:
    """Return code and text of an error's body; a body that is none of theirs is its own text."""
    try:
        return int(error.code), str(error.message)[:_TEXT]
    except (ValueError, KeyError, TypeError):
        try:
            return 0, str(error.message)[:_TEXT]
        except (ValueError, KeyError, TypeError):
            return 0, f"status {error.status_code}"


def is_duplicate(error: VenueError) -> bool:
    """Whether the venue refused an order because it has one of this id."""
    return isinstance(error, OrderRejected) and DUPLICATE in error.message


def refusal_code(error: VenueError) -> str:
    """Return the code of a refused order."""
    if isinstance(error, OrderRejected):
        if error.precision:
            return "PrecisionRejected"
        if any(word in error.message.lower() for word in _HALTED):
            return MARKET_HALTED
    return error.code

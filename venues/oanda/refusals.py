"""What OANDA's errors and reasons mean in the house's words (EX-1104)."""

from __future__ import annotations

import json
from typing import Any, Final

import requests
from oandapyV20 import V20Error

from venues.errors import (
    AuthFailed,
    NetworkTimeout,
    OrderNotFound,
    OrderRejected,
    PermissionDenied,
    RateLimited,
    VenueDown,
    VenueError,
)
from venues.oanda.hands import TookTooLong
from venues.oanda.wire import NotSent, Wire, WrongStatus
from venues.waits import retry_after_s

__all__ = ["AsErrors", "Refused", "code_of", "refuses"]

_PRECISION: Final = (
    "UNITS_PRECISION_EXCEEDED",
    "UNITS_INVALID",
    "UNITS_MIMIMUM_NOT_MET",  # the venue spells it so
    "UNITS_MINIMUM_NOT_MET",
    "UNITS_LIMIT_EXCEEDED",
    "PRICE_PRECISION_EXCEEDED",
    "PRICE_INVALID",
    "PRICE_BOUND_INVALID",
    "PRICE_BOUND_PRECISION_EXCEEDED",
    "PRICE_DISTANCE_PRECISION_EXCEEDED",
    "PRICE_DISTANCE_MINIMUM_NOT_MET",
)
_CODES: Final = {
    **dict.fromkeys(_PRECISION, "PrecisionRejected"),
    **dict.fromkeys(("INSUFFICIENT_MARGIN", "INSUFFICIENT_FUNDS"), "InsufficientFunds"),
    **dict.fromkeys(("MARKET_HALTED", "INSTRUMENT_HALTED", "INSTRUMENT_PRICE_UNKNOWN"), "MarketHalted"),
    **dict.fromkeys(
        ("CLOSEOUT_POSITION_DOESNT_EXIST", "CLOSEOUT_POSITION_UNITS_EXCEED_POSITION_SIZE", "POSITION_CLOSEOUT_FAILED"),
        "ReduceOnly",
    ),
}
_ENDINGS: Final = {
    "CLIENT_REQUEST",
    "CLIENT_REQUEST_REPLACED",
    "TIME_IN_FORCE_EXPIRED",
    "LINKED_TRADE_CLOSED",
    "BOUNDS_VIOLATION",
    "INSUFFICIENT_LIQUIDITY",
    "MIGRATION",
}
"""Reasons with which an order ends as cancelled: it was taken, and could or should not trade."""


def code_of(reason: str) -> str:
    """Return the error's code for a reject or cancel reason of the venue."""
    return _CODES.get(reason, "OrderRejected")


def refuses(reason: str) -> bool:
    """Whether a cancel reason says that the venue would not have the order at all."""
    return reason not in _ENDINGS


class Refused(OrderRejected):
    """The venue answered 400 or 404: ``body`` is what it said, with a reject transaction for orders."""

    def __init__(self, venue: str, body: dict[str, Any]) -> None:
        super().__init__(venue, str(body.get("errorMessage") or body.get("errorCode") or "refused"))
        self.body = body


class AsErrors:
    """Turns what a call raised into the house's errors. ``acts``: the call changes something at the venue.

    A call that acts and got no readable word from the venue is unknown, unless not one byte of it had left.
    """

    def __init__(self, venue: str, *, acts: bool) -> None:
        self._venue = venue
        self._acts = acts

    def of(self, error: BaseException, wire: Wire | None = None) -> BaseException:
        """Return the error to be raised in place of ``error``."""
        venue = self._venue
        sent = error.sent if isinstance(error, TookTooLong) else wire is None or wire.sent
        if isinstance(error, VenueError):
            return error
        if isinstance(error, V20Error):
            return self._said(error.code, str(error.msg), {} if wire is None else wire.headers)
        if isinstance(error, NotSent) or not sent:
            return VenueDown(venue, f"not sent: {_words(error)}")
        if isinstance(error, requests.RequestException | WrongStatus | OSError | ValueError):
            # ValueError: JSON that breaks off. A question that was not understood may be asked again.
            return NetworkTimeout(venue, f"no usable answer: {_words(error)}")
        return error

    def _said(self, status: int, text: str, headers: dict[str, str]) -> VenueError:
        venue, body = self._venue, _body(text)
        said = str(body.get("errorMessage") or f"status {status}")
        if status == 401:
            return AuthFailed(venue, said)
        if status == 403 and "orderRejectTransaction" not in body:
            return PermissionDenied(venue, said)
        if status == 429:
            return RateLimited(venue, said, retry_after_s=retry_after_s(headers.get("retry-after")))
        if status >= 500:
            # A gateway's 502 or 504 says nothing about what became of the order behind it.
            return NetworkTimeout(venue, said) if self._acts else VenueDown(venue, said)
        if str(body.get("errorCode", "")).startswith(("NO_SUCH_ORDER", "ORDER_DOESNT_EXIST", "NO_SUCH_TRADE")):
            return OrderNotFound(venue, said)
        if not body and self._acts:
            return NetworkTimeout(venue, said)
        return Refused(venue, body)


def _body(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:300]

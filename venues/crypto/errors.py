"""Say ccxt's errors in the words of ``venues.errors``, and tell what certainly did not happen from what may have.

Addresses carry signatures, so ccxt's texts are cleaned of them before anybody sees one.
"""

from __future__ import annotations

import re
from typing import Final

import aiohttp

from venues.ccxt_public.errors import UNREADABLE
from venues.crypto.dialect import Dialect
from venues.crypto.exchange import TooLateToSend
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

__all__ = ["UNREADABLE", "Blame", "kind_of"]

_MAX_TEXT: Final = 300
_QUERY: Final = re.compile(r"(https?|wss?)://\S+")
_SIGNATURE: Final = re.compile(r"(?i)(signature|apikey|api-key|sign|listenkey)(\"?\s*[=:]\s*\"?)[^\s&\",}]+")
_STATUS_5XX: Final = 500
_FORBIDDEN_HERE: Final = 451


def kind_of(error: BaseException, *names: str) -> bool:
    """Whether an error is one of ccxt's classes of these names, or of their children."""
    return any(base.__name__ in names for base in type(error).__mro__)


class Blame:
    """Names errors for one connection."""

    def __init__(self, venue: str, dialect: Dialect) -> None:
        self._venue = venue
        self._dialect = dialect

    def text(self, error: BaseException) -> str:
        """Return what an error says, without addresses, signatures and credentials."""
        text = _SIGNATURE.sub(r"\1\2***", _QUERY.sub("(address)", " ".join(str(error).split())))
        for secret in self._dialect.credentials().values():
            text = text.replace(secret, "***")
        return text[:_MAX_TEXT] or type(error).__name__

    def of_read(self, error: BaseException) -> VenueError:
        """Return our error for a failed question: whatever became of it, nothing was changed."""
        if isinstance(error, VenueError):
            return error
        known = self._known(error)
        if known is not None:
            return known
        if kind_of(error, "RequestTimeout") or isinstance(error, TimeoutError):
            return NetworkTimeout(self._venue, "no answer in time")
        if self._dialect.is_missing(error):
            return OrderNotFound(self._venue, self.text(error))
        if kind_of(error, "OperationFailed"):
            return VenueDown(self._venue, self.text(error))
        if kind_of(error, "BaseError"):
            return VenueError(self._venue, self.text(error))
        return VenueDown(self._venue, f"unreadable answer: {type(error).__name__}: {self.text(error)}")

    def of_change(self, error: BaseException, *, left: bool) -> VenueError:
        """Return our error for a failed order, cancel or change. ``left``: the request may have gone out.

        NetworkTimeout for all that may have been carried out; VenueDown and RateLimited only for what certainly was not;
        OrderRejected, InsufficientFunds and OrderNotFound are the venue's own answers.
        """
        if isinstance(error, VenueError):
            return error
        if isinstance(error, TooLateToSend):
            return VenueDown(self._venue, "this process may send nothing any more")
        if self._dialect.leaves_open(error):
            return self._unknown(error, left)
        if self._dialect.refuses_order_only(error):
            return self._refused(error)
        known = self._known(error)
        if known is not None:
            return known
        if self._dialect.did_nothing(error):
            return VenueDown(self._venue, self.text(error))
        if isinstance(error.__cause__, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return VenueDown(self._venue, "not reached")
        if isinstance(error.__cause__, aiohttp.ClientError) or isinstance(error, TimeoutError):
            return self._unknown(error, left)
        if self._dialect.is_missing(error):
            return OrderNotFound(self._venue, self.text(error))
        if kind_of(error, "ExchangeError") and getattr(error, "status", 0) < _STATUS_5XX:
            return self._refused(error)
        return self._unknown(error, left)

    def _unknown(self, error: BaseException, left: bool) -> VenueError:
        if not left:
            return VenueDown(self._venue, f"not sent: {type(error).__name__}: {self.text(error)}")
        return NetworkTimeout(self._venue, f"no answer that can be read: {type(error).__name__}: {self.text(error)}")

    def _refused(self, error: BaseException) -> VenueError:
        text = self.text(error)
        if kind_of(error, "InsufficientFunds"):
            return InsufficientFunds(self._venue, text)
        return OrderRejected(self._venue, text, precision=self._dialect.refusal_code(error) == "PrecisionRejected")

    def _known(self, error: BaseException) -> VenueError | None:
        """Return our error for what means the same whatever was asked."""
        if kind_of(error, "DDoSProtection", "RateLimitExceeded"):
            return RateLimited(self._venue, self.text(error), retry_after_s=getattr(error, "retry_after_s", None))
        if getattr(error, "status", 0) == _FORBIDDEN_HERE:
            return PermissionDenied(
                self._venue, f"refused for legal reasons, as it does in some countries: {self.text(error)}"
            )
        if kind_of(error, "PermissionDenied", "RestrictedLocation", "AccountSuspended", "AccountNotEnabled"):
            return PermissionDenied(self._venue, self.text(error))
        if kind_of(error, "AuthenticationError"):
            return AuthFailed(self._venue, self.text(error))
        return None

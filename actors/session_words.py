"""What a failed call about an order means, in the desk's words (EX-1104, EX-426)."""

from __future__ import annotations

from actors.session_calls import Withdrawn
from protocol.orders import OrderReport, OrderState
from venues.errors import NetworkTimeout, OrderNotFound, OrderRejected, RateLimited, VenueDown, VenueError

__all__ = ["failure", "foreseen", "kept_back"]


def foreseen(error: Exception) -> bool:
    """Whether a venue may answer so; anything else is a mistake of ours."""
    return isinstance(error, VenueError | TimeoutError)


def kept_back(key: str, symbol: str, code: str, reason: str, *, at: int) -> OrderReport:
    """Return the word on an entry that was not sent: it provably never left, and may leave later under its id."""
    return OrderReport(
        client_order_id=key,
        symbol=symbol,
        state=OrderState.REJECTED,
        reason=reason,
        code=code,
        absent_proven=True,
        at=at,
    )


def failure(key: str, symbol: str, error: Exception, *, sends: bool, at: int) -> OrderReport:
    """Return what is known of an order after a failed call: unknown, unless the error proves that nothing was sent."""
    state, absent = OrderState.UNKNOWN, False
    if isinstance(error, Withdrawn) or (sends and _kept_out(error)):
        state, absent = OrderState.REJECTED, True
    elif sends and isinstance(error, VenueError) and not isinstance(error, NetworkTimeout | OrderNotFound):
        state = OrderState.REJECTED
    return OrderReport(
        client_order_id=key,
        symbol=symbol,
        state=state,
        reason=(str(error) if foreseen(error) else repr(error)) or type(error).__name__,
        code=_code(error),
        absent_proven=absent,
        at=at,
    )


def _kept_out(error: Exception) -> bool:
    """Whether the order certainly did not get in: the venue was not reached, or refused the account before looking at it."""
    return isinstance(error, RateLimited | VenueDown) or (isinstance(error, VenueError) and error.stops)


def _code(error: Exception) -> str:
    if isinstance(error, Withdrawn):
        return "CancelledUnsent"
    if isinstance(error, OrderRejected) and error.precision:
        return "PrecisionRejected"
    if isinstance(error, TimeoutError):
        return NetworkTimeout.__name__
    return error.code if isinstance(error, VenueError) else ""

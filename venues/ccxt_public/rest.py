"""Ask over REST: errors in our words, and when the venue says wait, everybody waits (EX-1104)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from venues.ccxt_public.errors import UNREADABLE, as_venue_error
from venues.ccxt_public.policy import FeedPolicy
from venues.errors import RateLimited

__all__ = ["RestCaller"]

T = TypeVar("T")


class RestCaller:
    """Call the venue; ``errors`` is ccxt's base error class. One wait holds back all calls of this object."""

    def __init__(
        self,
        venue: str,
        errors: type[Exception],
        policy: FeedPolicy,
        sleep: Callable[[float], Awaitable[None]],
        now_ns: Callable[[], int],
    ) -> None:
        self._venue = venue
        self._errors = errors
        self._policy = policy
        self._sleep = sleep
        self._now_ns = now_ns
        self._not_before_ns = 0

    async def __call__(self, request: Callable[[], Awaitable[T]]) -> T:
        """Return the answer of ``request``, sent again after each wait the venue asks for.

        Raises ``VenueError``: ``RateLimited`` once the waits are used up or the venue asks for more than
        ``rate_limit_max_wait_s`` seconds (a ban).
        """
        for default_wait_s in (*self._policy.rate_limit_waits_s, None):
            await self._gate()
            try:
                return await request()
            except (self._errors, *UNREADABLE) as error:
                refusal = as_venue_error(self._venue, error)
                if not isinstance(refusal, RateLimited):
                    raise refusal from error
                wait_s = refusal.retry_after_s if refusal.retry_after_s is not None else default_wait_s or 0.0
                self._not_before_ns = max(self._not_before_ns, self._now_ns() + round(wait_s * 1e9))
                if default_wait_s is None or wait_s > self._policy.rate_limit_max_wait_s:
                    raise refusal from error
        raise AssertionError("the last round returns or raises")

    async def _gate(self) -> None:
        """Wait until the venue allows the next request; a ban is not waited for but answered."""
        wait_s = (self._not_before_ns - self._now_ns()) / 1e9
        if wait_s > self._policy.rate_limit_max_wait_s:
            raise RateLimited(self._venue, "still banned from an earlier request", retry_after_s=wait_s)
        if wait_s > 0:
            await self._sleep(wait_s)

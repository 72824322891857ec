"""Every request goes out here: questions, and what changes something. Errors come back in our words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import aiohttp

from runtime.clock import NANOS
from venues.crypto.dialect import Dialect, Exchange
from venues.crypto.errors import UNREADABLE, Blame
from venues.crypto.exchange import SENDING, Clock, Sending, TooLateToSend
from venues.errors import VenueDown, VenueError

__all__ = ["Calls", "Failed"]

T = TypeVar("T")

_FOLLOW_NS: Final = NANOS
"""A clock further away than this is followed at once; the session does the same (EX-1106)."""


class Calls:
    """The ways to one account. ``errors`` is ccxt's base error class; ``send_by`` is asked before each change."""

    def __init__(
        self,
        exchange: Exchange,
        dialect: Dialect,
        errors: type[Exception],
        clock: Clock,
        send_by: Callable[[], int | None],
    ) -> None:
        self.exchange = exchange
        self.dialect = dialect
        self.clock = clock
        self.blame = Blame(dialect.venue, dialect)
        self._send_by = send_by
        self._foreseen = (errors, TooLateToSend, aiohttp.ClientError, OSError, *UNREADABLE)

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to a question; asked once more when the venue finds that our clock is wrong."""
        try:
            return await question()
        except self._foreseen as error:
            if not self.dialect.is_late(error):
                raise self.blame.of_read(error) from None
        await self.follow_clock()
        try:
            return await question()
        except self._foreseen as error:
            raise self.blame.of_read(error) from None

    def read(self, make: Callable[[], T]) -> T:
        """Return what an answer means; one that cannot be right is a venue's failure, not ours."""
        try:
            return make()
        except UNREADABLE as error:
            raise self.blame.of_read(error) from None

    async def change(self, request: Callable[[int, int], Awaitable[T]]) -> T:
        """Send a change, at most once, not after ``send_by``.

        ``request`` gets when it may arrive at the latest and the present (ms, the venue's clock). Errors as
        ``Blame.of_change`` says, inside ``Failed``.
        """
        if self.exchange.enableRateLimit:
            await self.exchange.throttle(self.dialect.order_weight)
        now, until = self.clock.ours(), self._send_by()
        if until is not None and now > until:
            raise VenueDown(self.dialect.venue, "this process may send nothing any more")
        sending = Sending(until)
        token = SENDING.set(sending)
        try:
            return await request(self.latest(now, until) // 1_000_000, self.clock() // 1_000_000)
        except self._foreseen as error:
            if self.dialect.is_late(error):
                SENDING.set(None)
                await self._quietly_follow_clock()
            raise Failed(self.blame.of_change(error, left=sending.left), error) from None
        finally:
            SENDING.reset(token)

    def latest(self, now: int, until: int | None) -> int:
        """Return the venue's instant after which a request of ``now`` (our clock) is to be refused."""
        patience = self.dialect.late_refusal_s
        limit = now + round((patience if patience is not None else 3600.0) * NANOS)
        return (limit if until is None else min(limit, until)) + self.clock.offset

    async def server_time(self) -> int:
        """Return the venue's clock in ns."""
        told = await self.ask(self.exchange.fetch_time)
        if not isinstance(told, int):
            raise VenueDown(self.dialect.venue, f"no time: {told!r:.40}")
        return told * 1_000_000

    async def follow_clock(self) -> None:
        """Measure how far the venue's clock is from ours, and sign with its time where that is more than a second."""
        asked = self.clock.ours()
        try:
            told: Any = await self.exchange.fetch_time()
        except self._foreseen as error:
            raise self.blame.of_read(error) from None
        distance = int(told) * 1_000_000 - (asked + self.clock.ours()) // 2
        self.clock.offset = distance if abs(distance) > _FOLLOW_NS else 0

    async def _quietly_follow_clock(self) -> None:
        try:
            await self.follow_clock()
        except VenueError:
            return  # the refusal of the order is what counts; the session measures the clock too


class Failed(Exception):
    """A change that failed: our error, and ccxt's for the dialect to read. Never leaves the adapter."""

    def __init__(self, error: VenueError, cause: BaseException) -> None:
        super().__init__()
        self.error = error
        self.cause = cause

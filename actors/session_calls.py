"""Calls of a session to its venue: in order for each order, within the limits, through the breaker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from actors.call_log import CallLog
from actors.session_limit import Limiter, Urgency
from actors.session_watch import Watch
from protocol.orders import OrderReport
from runtime.clock import NANOS
from supervision.breaker import Breaker, BreakerPhase
from venues.contract import Venue
from venues.errors import NetworkTimeout, RateLimited, VenueDown, VenueError

__all__ = ["CALL_TIMEOUT_S", "PROBE_AGAIN_NS", "Calls", "Withdrawn"]

T = TypeVar("T")

CALL_TIMEOUT_S = 10.0
"""Seconds after which a call to the venue has no known outcome."""

PROBE_AGAIN_NS = NANOS // 4
"""Nanoseconds between two probes of a venue that may be well again."""


class Withdrawn(VenueError):
    """The order was cancelled while it waited for its turn: it was never sent."""


class Calls:
    """The ways to one venue. ``venue`` is None while there is no connection; calls then fail at once.

    ``limited`` is called with the seconds of a wait that the venue imposes, ``tripped`` when the breaker opens, ``stopped``
    with an error after which no call may follow, ``faltered`` when so many failed in a row that entries wait (``watch``
    counts them), ``answered`` when an answer ends such a time, or one of too many requests. Nothing leaves after the
    instant that ``send_by`` gives (None: no limit).
    """

    def __init__(
        self,
        account: str,
        breaker: Breaker,
        limiter: Limiter,
        now: Callable[[], int],
        *,
        limited: Callable[[float, RateLimited], None],
        answered: Callable[[], None],
        tripped: Callable[[str], None],
        stopped: Callable[[VenueError], None],
        watch: Watch,
        faltered: Callable[[], None],
        log: CallLog,
        send_by: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._account = account
        self._log = log
        self._send_by = send_by
        self.breaker = breaker
        self.limiter = limiter
        self._now = now
        self._limited = limited
        self._answered = answered
        self._tripped = tripped
        self._stopped = stopped
        self._watch = watch
        self._faltered = faltered
        self.venue: Venue | None = None
        self.lines: dict[str, asyncio.Event] = {}
        self._unsent: set[str] = set()
        self._withdrawn: set[str] = set()
        """Of ``_unsent``, those nobody wants any more; of the others in line, those that never left."""

    # --- one order's calls ---------------------------------------------------------------------------------------------

    def in_line(
        self,
        key: str,
        urgency: Urgency,
        call: Callable[[Venue], Coroutine[Any, Any, OrderReport]],
        *,
        sends: bool = False,
        costs: Iterable[str] = (),
    ) -> Coroutine[Any, Any, OrderReport]:
        """Take the next place among the calls about an order and return what makes the call in its turn."""
        # The place in the line is taken here, in the order of the messages: were it taken inside the tasks, a query could
        # overtake the order it asks about, be told that it never came, and so have it sent a second time.
        before = self.lines.get(key)
        done = self.lines[key] = asyncio.Event()
        return self._in_turn(key, before, done, urgency, call, sends=sends, costs=costs)

    def withdraw(self, key: str) -> None:
        """Have an order that still waits for its turn not be sent at all."""
        if key in self._unsent:
            self._withdrawn.add(key)

    def together(
        self,
        keys: Iterable[str],
        call: Callable[[Venue], Coroutine[Any, Any, T]],
        leaves: Callable[[], None],
        costs: Iterable[str] = (),
    ) -> Coroutine[Any, Any, T]:
        """Take the next place among the calls about each of several orders; return what makes one call for all of them.

        ``leaves`` is called right before and may raise: nothing is sent then.
        """
        places = [(key, self.lines.get(key), asyncio.Event()) for key in keys]
        self.lines.update((key, done) for key, _, done in places)
        return self._all_in_turn(places, call, leaves, costs)

    async def _all_in_turn(
        self,
        places: list[tuple[str, asyncio.Event | None, asyncio.Event]],
        call: Callable[[Venue], Coroutine[Any, Any, T]],
        leaves: Callable[[], None],
        costs: Iterable[str],
    ) -> T:
        try:
            for _, before, _ in places:
                if before is not None:
                    await before.wait()
            return await self.guarded(call, CALL_TIMEOUT_S, Urgency.ENTRY, leaves=leaves, costs=costs)
        finally:
            for key, _, done in places:
                done.set()
                if self.lines.get(key) is done:
                    del self.lines[key]

    async def _in_turn(
        self,
        key: str,
        before: asyncio.Event | None,
        done: asyncio.Event,
        urgency: Urgency,
        call: Callable[[Venue], Coroutine[Any, Any, OrderReport]],
        *,
        sends: bool,
        costs: Iterable[str],
    ) -> OrderReport:
        def waits() -> None:
            if sends:
                self._unsent.add(key)

        def leaves() -> None:
            if key in self._withdrawn:
                raise Withdrawn(self._account, "cancelled before it was sent")

        try:
            if before is not None:
                await before.wait()
            report = await self.guarded(call, CALL_TIMEOUT_S, urgency, waits, leaves, costs)
            self._withdrawn.discard(key)
            return report
        except Withdrawn:
            raise
        except BaseException:
            self._withdrawn.discard(key)  # it left after all: what follows in line is about an order that may exist
            raise
        finally:
            done.set()
            if sends:
                self._unsent.discard(key)
            if self.lines.get(key) is done:
                del self.lines[key]
                self._withdrawn.discard(key)

    # --- any call ------------------------------------------------------------------------------------------------------

    async def guarded(
        self,
        call: Callable[[Venue], Coroutine[Any, Any, T]],
        timeout_s: float,
        urgency: Urgency = Urgency.QUESTION,
        waits: Callable[[], None] = lambda: None,
        leaves: Callable[[], None] = lambda: None,
        costs: Iterable[str] = (),
    ) -> T:
        """Call the venue when the limits allow it; a refusal for "too many requests" is waited for and tried again.

        ``costs`` names the methods that are called, whose weights count.
        """
        while True:
            weight = self._weight(costs)
            if not self.limiter.free(self._now(), weight):
                waits()
                await self.limiter.turn(urgency, self._now(), weight)
            leaves()
            try:
                return await self._once(call, timeout_s)
            except RateLimited as error:
                self._limited(self.limiter.refused(self._now(), error.retry_after_s), error)

    async def data(
        self, call: Callable[[Any], Coroutine[Any, Any, T]], timeout_s: float, costs: Iterable[str] = ()
    ) -> T:
        """Ask for market data when nothing else waits; NetworkTimeout when no answer comes in time.

        What fails here, or works, tells nothing of orders: it neither trips the breaker nor holds entries, an error after
        which no order may follow is raised and stops nothing, and a breaker that is not closed is no time to ask.
        """
        while True:
            weight = self._weight(costs)
            if not self.limiter.free(self._now(), weight):
                await self.limiter.turn(Urgency.DATA, self._now(), weight)
            venue = self._sendable()
            if self.open:
                raise VenueDown(self._account, "too many calls failed: waiting before the next try")
            try:
                async with asyncio.timeout(timeout_s):
                    return await call(self._log.seen(venue))
            except RateLimited as error:
                self._limited(self.limiter.refused(self._now(), error.retry_after_s), error)
            except TimeoutError as error:
                raise NetworkTimeout(self._account, f"no answer within {timeout_s:g} s") from error

    def _weight(self, costs: Iterable[str]) -> int:
        known = self.venue.weights if self.venue is not None else {}
        return max(1, sum(known.get(each, 1) for each in costs))

    def _sendable(self) -> Venue:
        venue = self.venue
        if venue is None:
            raise VenueDown(self._account, "the session is not connected")
        until = self._send_by()
        if until is not None and self._now() > until:
            raise VenueDown(self._account, "this process no longer holds the account's lease: nothing is sent")
        return venue

    async def _once(self, call: Callable[[Venue], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        venue = self._sendable()
        if not self.breaker.allow(self._now()):
            raise VenueDown(self._account, "too many calls failed: waiting before the next try")
        try:
            async with asyncio.timeout(timeout_s):
                answer = await call(self._log.seen(venue))
        except (VenueDown, NetworkTimeout, TimeoutError) as error:
            if self._watch.failed(str(error) or type(error).__name__):
                self._faltered()
            if self.breaker.failure(self._now()):
                self._tripped(str(error) or type(error).__name__)
            raise
        except BaseException as error:
            # The venue answered, or the call was cut off by our own end: neither speaks against the venue.
            self.breaker.success(self._now())
            if isinstance(error, VenueError) and self._watch.answered():
                self._answered()
            if isinstance(error, VenueError) and error.stops:
                self._stopped(error)
            raise
        self.breaker.success(self._now())
        waited = self._watch.answered()
        if self.limiter.answered() or waited:
            self._answered()
        return answer

    async def probe(self) -> None:
        """Ask the venue for its time, which tells the breaker whether it answers; an error is no news here."""
        try:
            await self.guarded(lambda venue: venue.server_time(), CALL_TIMEOUT_S, costs=("server_time",))
        except (VenueError, TimeoutError, OSError):
            return

    def next_probe(self) -> int:
        """Return when a probe may be tried next: at once would be a circle while another call is the probe."""
        return self.breaker.stats().retry_at or self._now() + PROBE_AGAIN_NS

    @property
    def open(self) -> bool:
        """Whether the breaker lets nothing through at present."""
        return self.breaker.state.phase is not BreakerPhase.CLOSED

"""The session of one venue account: speaks the venue's language through its adapter and decides nothing.

An *edge* actor: whatever it is told has been held until the journal knows why. Calls to the adapter run beside the actor,
one after the other for each order, so that a query never overtakes the order it asks about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from actors.feed import FEEDS
from protocol.market import Bar, FeedStatus, PriceTick
from protocol.messages import Message
from protocol.orders import CancelAtVenue, FillReport, OrderReport, OrderState, PlaceAtVenue
from protocol.venue import FetchVenueState, QueryAtVenue, SessionDown, SessionUp, VenueSnapshot
from runtime.actor import NO_ANSWER, Actor, handles
from runtime.envelope import Envelope
from supervision.breaker import Breaker, BreakerPolicy
from venues.contract import Venue
from venues.errors import NetworkTimeout, OrderNotFound, RateLimited, VenueDown, VenueError

__all__ = ["CALL_TIMEOUT_S", "VenueSession", "market_topic", "session_topic"]

T = TypeVar("T")

CALL_TIMEOUT_S = 10.0
"""Seconds after which a call to the venue has no known outcome."""


def market_topic(account: str, symbol: str) -> str:
    """Return the bus topic of an account's prices of one symbol."""
    return f"market:{account}:{symbol}"


def session_topic(account: str) -> str:
    """Return the bus topic on which an account's session says whether it is up."""
    return f"session:{account}"


class VenueSession(Actor):
    """Owns the adapter of one account for as long as it lives; a crash closes it and the next life connects anew."""

    def __init__(self, *, account: str, venue: Callable[[], Venue], desk: str) -> None:
        self._account = account
        self._make = venue
        self._lines: dict[str, asyncio.Event] = {}
        self._breaker: Breaker | None = None
        self._desk = desk
        self._venue: Venue | None = None
        self._instruments = 0

    # --- life ----------------------------------------------------------------------------------------------------------

    async def started(self) -> None:
        """Connect and tell everybody who waits for it; a venue that cannot be reached crashes this life."""
        venue = self._venue = self._make()
        await venue.connect(self.context.callback(self._take))
        instruments = await venue.instruments()
        self._instruments = len(instruments)
        self._breaker = Breaker(self._account, BreakerPolicy(), self.context.random.random)
        up = SessionUp(self._account, instruments, self.now())
        self.context.bus.publish(session_topic(self._account), up, keep=True)

    async def let_go(self) -> None:
        """Close the connection, also one that came only half-way; orders stay at the venue."""
        if self._venue is not None:
            await self._venue.close()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        if not self._instruments or self._breaker is None:
            return "connecting"
        return f"{self._instruments} markets, breaker {self._breaker.stats().phase.value}"

    def _take(self, fact: Message) -> None:
        """Pass on what the venue says on its own."""
        if isinstance(fact, OrderReport | FillReport):
            self.context.system.tell(self._desk, fact)
        elif isinstance(fact, PriceTick | Bar):
            self.context.bus.publish(market_topic(self._account, fact.symbol), fact, keep=isinstance(fact, PriceTick))
        elif isinstance(fact, FeedStatus):
            self.context.bus.publish(FEEDS, fact)

    # --- orders --------------------------------------------------------------------------------------------------------

    @handles
    def place(self, msg: PlaceAtVenue) -> None:
        """Send an order, unless it is too old to be expected by anybody."""
        request = msg.request
        if self.now() > msg.valid_until:
            self._report(request.client_order_id, request.symbol, OrderState.UNKNOWN, "too old to be sent")
            return
        self._call(request.client_order_id, request.symbol, lambda venue: venue.place(request), sends=True)

    @handles
    def cancel(self, msg: CancelAtVenue) -> None:
        """Cancel an order."""
        key, symbol = msg.client_order_id, msg.symbol
        self._call(key, symbol, lambda venue: venue.cancel(key, symbol), sends=False)

    @handles
    def query(self, msg: QueryAtVenue) -> None:
        """Ask what the venue knows of an order."""
        key, symbol = msg.client_order_id, msg.symbol
        self._call(key, symbol, lambda venue: venue.query(key, symbol), sends=False)

    def _call(
        self, key: str, symbol: str, call: Callable[[Venue], Coroutine[Any, Any, OrderReport]], *, sends: bool
    ) -> None:
        # The place in the line is taken here, in the order of the messages: were it taken inside the tasks, a query could
        # overtake the order it asks about, be told that it never came, and so have it sent a second time.
        before = self._lines.get(key)
        done = self._lines[key] = asyncio.Event()
        self.context.pipe(
            self._in_turn(key, before, done, call),
            self._to_desk,
            lambda error: self._failed(key, symbol, error, sends),
        )

    async def _in_turn(
        self,
        key: str,
        before: asyncio.Event | None,
        done: asyncio.Event,
        call: Callable[[Venue], Coroutine[Any, Any, OrderReport]],
    ) -> OrderReport:
        try:
            if before is not None:
                await before.wait()
            return await self._guarded(call, CALL_TIMEOUT_S)
        finally:
            done.set()
            if self._lines.get(key) is done:
                del self._lines[key]

    async def _guarded(self, call: Callable[[Venue], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        """Call the venue through its breaker: while that is open, calls fail at once and nothing is sent."""
        venue, breaker = self._venue, self._breaker
        if venue is None or breaker is None:
            raise VenueDown(self._account, "the session is not connected")
        if not breaker.allow(self.now()):
            raise VenueDown(self._account, "too many calls failed: waiting before the next try")
        try:
            async with asyncio.timeout(timeout_s):
                answer = await call(venue)
        except (VenueDown, NetworkTimeout, RateLimited, TimeoutError):
            breaker.failure(self.now())
            raise
        except BaseException:
            # The venue answered, or the call was cut off by our own end: neither speaks against the venue.
            breaker.success(self.now())
            raise
        breaker.success(self.now())
        return answer

    def _to_desk(self, report: OrderReport) -> None:
        self.context.system.tell(self._desk, report)

    def _failed(self, key: str, symbol: str, error: Exception, sends: bool) -> None:
        """Say what a failed call means: unknown, unless the venue's error proves that nothing was sent."""
        if isinstance(error, RateLimited | VenueDown) and sends:
            self._report(key, symbol, OrderState.REJECTED, str(error), absent=True)
        elif isinstance(error, NetworkTimeout | TimeoutError | OrderNotFound | RateLimited | VenueDown):
            self._report(key, symbol, OrderState.UNKNOWN, str(error) or type(error).__name__)
        elif isinstance(error, VenueError):
            self._report(key, symbol, OrderState.REJECTED if sends else OrderState.UNKNOWN, str(error))
        else:
            self._report(key, symbol, OrderState.UNKNOWN, repr(error))
            self.context.escalate(error)

    def _report(self, key: str, symbol: str, state: OrderState, reason: str, *, absent: bool = False) -> None:
        report = OrderReport(
            client_order_id=key, symbol=symbol, state=state, reason=reason, absent_proven=absent, at=self.now()
        )
        self.context.system.tell(self._desk, report)

    # --- reconciliation ------------------------------------------------------------------------------------------------

    @handles
    def fetch(self, msg: FetchVenueState) -> Any:
        """Fetch the venue's side of a reconciliation and answer with it."""
        envelope = self.context.envelope
        self.context.pipe(
            self._snapshot(msg.since),
            lambda snapshot: self._answer(envelope, snapshot, None),
            lambda error: self._answer(envelope, None, error),
        )
        return NO_ANSWER

    async def _snapshot(self, since: int) -> VenueSnapshot:
        async def whole(venue: Venue) -> VenueSnapshot:
            # Fills last: whatever left the open orders meanwhile is then among the fills.
            orders = await venue.open_orders()
            balances = await venue.balances()
            positions = await venue.positions()
            fills = await venue.fills_since(since)
            return VenueSnapshot(
                account=self._account,
                open_orders=orders,
                fills=fills,
                balances=balances,
                positions=positions,
                since=since,
                at=self.now(),
            )

        return await self._guarded(whole, 3 * CALL_TIMEOUT_S)

    def _answer(self, envelope: Envelope | None, snapshot: VenueSnapshot | None, error: Exception | None) -> None:
        if envelope is not None:
            self.context.answer(envelope, snapshot, error)

    @handles
    def down(self, msg: SessionDown) -> None:
        """End this life when the adapter lost its connection for good: the next one connects and reconciles."""
        self.context.bus.publish(session_topic(self._account), msg, keep=True)
        self.context.escalate(VenueDown(self._account, msg.reason))

"""The session of one venue account: speaks the venue's language through its adapter and decides nothing.

An *edge* actor: whatever it is told has been held until the journal knows why. Calls to the adapter run beside the actor,
one after the other for each order, so that a query never overtakes the order it asks about.

A venue that cannot be reached is no crash: the session says so on ``health:<account>``, tries again by itself, and goes on
(EX-106, EX-1207). A venue that refuses the account is not tried again until an operator restarts the session (EX-1104).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from actors.call_log import CallLog
from actors.feed import FEEDS
from actors.session_calls import CALL_TIMEOUT_S, Calls
from actors.session_limit import Limiter, Urgency
from actors.session_link import (
    CLOCK_CORRECT_S,
    CLOCK_WARN_S,
    FIRST_TRY_S,
    Link,
    NotConnected,
    open_link,
    snapshot_of,
    try_again_after,
)
from actors.session_notes import Again, Probed, Tried, Turn
from actors.session_prices import Prices
from actors.session_topics import SessionSettings, balances_topic, health_topic, market_topic, session_topic
from actors.session_words import failure, foreseen
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.market import Bar, FeedStatus, PriceTick, SubscribeMarket
from protocol.messages import Message
from protocol.orders import CancelAtVenue, FillReport, OrderReport, OrderState, PlaceAtVenue
from protocol.precision import FetchInstruments, Instruments
from protocol.venue import (
    BalancesChanged,
    FetchVenueState,
    QueryAtVenue,
    SessionDown,
    SessionUp,
    VenueHealth,
    VenueSnapshot,
    VenueStatus,
)
from protocol.webhook import NewestPrice, PriceAnswer
from runtime.actor import NO_ANSWER, Actor, Do, handles
from runtime.clock import NANOS
from runtime.envelope import Envelope
from supervision.breaker import Breaker, BreakerPolicy
from venues.contract import Venue
from venues.errors import RateLimited, VenueDown, VenueError

__all__ = [
    "CALL_TIMEOUT_S",
    "SessionSettings",
    "VenueSession",
    "balances_topic",
    "health_topic",
    "market_topic",
    "session_topic",
]


class VenueSession(Actor):
    """Owns the adapter of one account for as long as it lives; a crash closes it and the next life connects anew."""

    def __init__(
        self,
        *,
        account: str,
        venue: Callable[[], Venue],
        desk: str,
        settings: SessionSettings | None = None,
        send_by: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._account = account
        self._send_by = send_by
        self._make = venue
        self._desk = desk
        self._settings = settings or SessionSettings()
        self._link: Link | None = None
        self._opened: Link | None = None
        self._prices = Prices()
        self._trying = False
        self._tries = 0
        self._number = 0
        self._health = VenueStatus.CONNECTING
        self._said: tuple[str, str] = ("", "")

    # --- life ----------------------------------------------------------------------------------------------------------

    async def started(self) -> None:
        """Connect and tell everybody who waits for it; a venue that cannot be reached is tried again beside the actor."""
        self._calls = Calls(
            self._account,
            self._new_breaker(),
            Limiter(None, self._settings.rate_mode, wake_at=lambda at: self.timers.at(at, Turn())),
            self.now,
            limited=self._limited,
            answered=lambda: self._say(VenueStatus.UP),
            tripped=self._tripped,
            stopped=self._lost,
            log=CallLog(self.context.system.black_box.ring(self._account), self.now),
            send_by=self._send_by,
        )
        self._say(VenueStatus.CONNECTING)
        self._tried(await self._attempt(FIRST_TRY_S))

    def _new_breaker(self) -> Breaker:
        return Breaker(self._account, BreakerPolicy(), self.context.random.random)

    async def _attempt(self, within_s: float) -> Link | NotConnected:
        self._number += 1
        take = self.context.callback(partial(self._take, self._number))
        found = await open_link(self._account, self._make, take, self.now, within_s)
        if isinstance(found, Link):
            self._opened = found
        return found

    def _tried(self, found: Link | NotConnected) -> None:
        self._trying = False
        if isinstance(found, NotConnected):
            self._down(found.error)
            return
        self._link, self._tries = found, 0
        found.venue.send_by = self._send_by
        self._calls.venue, self._calls.breaker = found.venue, self._new_breaker()
        self._calls.limiter.use_limit(found.venue.limit)
        self._correct_clock(found.offset)
        self._tell_balances(BalancesChanged(self._account, found.balances, self.now()))
        if self._prices.wanted:
            self._subscribe(found, tuple(sorted(self._prices.wanted)))
        up = SessionUp(self._account, found.instruments, self.now())
        self.context.bus.publish(session_topic(self._account), up, keep=True)
        self._say(VenueStatus.UP)

    async def let_go(self) -> None:
        """Close the connection, also one that came only half-way; orders stay at the venue."""
        self._say(VenueStatus.CONNECTING)
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.venue.close()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        code, reason = self._said
        if self._link is None:
            return f"{self._health.value}: {code} {reason}".strip(" :")
        use = self._calls.limiter.use(self.now())
        skew = f", clock {self._link.offset / NANOS:+.1f} s" if self._link.venue.clock_offset else ""
        phase = self._calls.breaker.stats().phase.value
        return f"{len(self._link.instruments)} markets, breaker {phase}{', ' + use if use else ''}{skew}"

    @handles
    def settings(self, msg: ApplySettings) -> SettingsTaken:
        """Go on under another share of the venue's limits."""
        assert isinstance(msg.settings, SessionSettings), msg.settings
        self._settings = msg.settings
        self._calls.limiter.set_mode(msg.settings.rate_mode)
        return SettingsTaken(msg.version)

    # --- how the connection stands -------------------------------------------------------------------------------------

    def _say(self, status: VenueStatus, code: str = "", reason: str = "", retry_at: int | None = None) -> None:
        self._health, self._said = status, (code, reason)
        health = VenueHealth(
            account=self._account, status=status, code=code, reason=reason, retry_at=retry_at, at=self.now()
        )
        self.context.bus.publish(health_topic(self._account), health, keep=True)

    def _lost(self, error: Exception) -> None:
        """Close a connection that is no good any more; what is under way is unknown until the next reconciliation."""
        link, self._link, self._opened = self._link, None, None
        if link is None:
            return
        self._calls.venue = None
        self.context.pipe(link.venue.close(), lambda _: None)
        down = SessionDown(self._account, str(error) or type(error).__name__, self.now())
        self.context.bus.publish(session_topic(self._account), down, keep=True)
        self._down(error)

    def _down(self, error: Exception) -> None:
        code = error.code if isinstance(error, VenueError) else "VenueDown"
        reason = str(error) or type(error).__name__
        if isinstance(error, VenueError) and error.stops:
            self._say(VenueStatus.STOPPED, code, f"{reason}; put it right, then: bulkhead restart {self.context.path}")
            return
        wait = try_again_after(self._tries, error, self.context.random.random())
        self._tries += 1
        timer = self.timers.after(wait, Again())
        self._say(VenueStatus.DOWN, code, reason, timer.at)

    def _tripped(self, reason: str) -> None:
        """Say that the venue is down for now: calls go on failing. A probe goes out when the breaker lets one."""
        retry_at = self._calls.next_probe()
        self.timers.at(retry_at, Again())
        self._say(VenueStatus.DOWN, "VenueDown", f"too many calls failed, the last: {reason}", retry_at)

    @handles
    def again(self, msg: Again) -> None:  # noqa: ARG002 - the type is the message
        """Connect once more, or probe a venue whose calls failed."""
        if self._health is VenueStatus.STOPPED:
            return
        if self._link is None:
            if not self._trying:
                self._trying = True
                self.context.pipe(self._attempt(3 * CALL_TIMEOUT_S), Tried)
        elif self._calls.open:
            self.context.pipe(self._calls.probe(), lambda _: Probed())
        elif self._health is VenueStatus.DOWN:
            # A call of somebody else's was the probe, and the venue answered it.
            self._say(VenueStatus.UP)

    @handles
    def tried(self, msg: Tried) -> None:
        """Take what a try to connect came to."""
        self._tried(msg.found)

    @handles
    def probed(self, msg: Probed) -> None:  # noqa: ARG002 - the type is the message
        """Go on when the breaker has closed; else probe again when it lets one through."""
        if self._link is None or self._health is VenueStatus.STOPPED:
            return
        if not self._calls.open:
            self._say(VenueStatus.UP)
            return
        self.timers.at(self._calls.next_probe(), Again())

    def _limited(self, wait_s: float, error: RateLimited) -> None:
        retry_at = self.now() + round(wait_s * NANOS)
        self._say(VenueStatus.UP, error.code, f"{error}; waiting {wait_s:g} s", retry_at)

    @handles
    def turn(self, msg: Turn) -> None:  # noqa: ARG002 - the type is the message
        """Let calls go that waited for the venue's limits."""
        self._calls.limiter.pump(self.now())

    def _correct_clock(self, offset: int) -> None:
        """Have the adapter's signatures follow the venue's clock, and warn when it is far from ours (EX-1106)."""
        assert self._link is not None
        far = abs(offset) > CLOCK_CORRECT_S * NANOS
        self._link.offset = offset
        self._link.venue.clock_offset = offset if far else 0
        skewed = abs(offset) > CLOCK_WARN_S * NANOS
        if skewed and not self._link.skewed:
            word = "ahead of" if offset > 0 else "behind"
            reason = f"the venue's clock is {abs(offset) / NANOS:.1f} s {word} ours: check this machine's clock (NTP)"
            self._say(VenueStatus.UP, "ClockSkew", reason)
        self._link.skewed = skewed

    # --- what the venue says -------------------------------------------------------------------------------------------

    def _take(self, number: int, fact: Message) -> None:
        """Pass on what the venue says on its own; words of an earlier connection are lost."""
        if number != self._number:
            return
        if isinstance(fact, OrderReport | FillReport):
            self.context.system.tell(self._desk, fact)
        elif isinstance(fact, PriceTick):
            if self._prices.takes(fact, self.now() + (self._link.offset if self._link is not None else 0)):
                self.context.bus.publish(market_topic(self._account, fact.symbol), fact, keep=True)
        elif isinstance(fact, Bar):
            self.context.bus.publish(market_topic(self._account, fact.symbol), fact)
        elif isinstance(fact, BalancesChanged):
            self._tell_balances(fact)
        elif isinstance(fact, FeedStatus):
            self.context.bus.publish(FEEDS, fact)
        elif isinstance(fact, SessionDown):
            self.ref.tell(fact)

    @handles
    def subscribe(self, msg: SubscribeMarket) -> None:
        """Have a symbol's prices told, through this connection and all that follow."""
        if self._prices.wants(msg.symbol) and self._link is not None:
            self._subscribe(self._link, (msg.symbol,))

    def _subscribe(self, link: Link, symbols: Iterable[str]) -> None:
        async def ask() -> None:
            try:
                await self._calls.guarded(lambda venue: venue.subscribe(symbols), CALL_TIMEOUT_S)
            except (VenueError, TimeoutError) as error:
                # Connected and mute is worse than not connected: the next connection asks for all of it again.
                if self._link is link:
                    self._lost(VenueDown(self._account, f"prices could not be subscribed: {error}"))

        self.context.pipe(ask(), lambda _: None)

    @handles
    def newest(self, msg: NewestPrice) -> Any:
        """Say the newest price that the venue told of a symbol; the first one is waited for a moment."""
        if (tick := self.context.bus.kept(market_topic(self._account, msg.symbol))) is not None:
            return Do(answer=PriceAnswer(tick))
        self.subscribe(SubscribeMarket(msg.symbol))
        return self._answer_with(self._prices.first(msg.symbol))

    def _tell_balances(self, fact: BalancesChanged) -> None:
        self.context.bus.publish(balances_topic(self._account), fact, keep=True)

    @handles
    def down(self, msg: SessionDown) -> None:
        """Connect anew after the adapter lost its connection for good."""
        self._lost(VenueDown(self._account, msg.reason))

    # --- orders --------------------------------------------------------------------------------------------------------

    @handles
    def place(self, msg: PlaceAtVenue) -> None:
        """Send an order, unless it is too old to be expected by anybody."""
        request = msg.request
        key, symbol = request.client_order_id, request.symbol
        if self.now() > msg.valid_until:
            late = OrderReport(
                client_order_id=key, symbol=symbol, state=OrderState.UNKNOWN, reason="too old to be sent", at=self.now()
            )
            self._to_desk(late)
            return
        urgency = Urgency.ENTRY if msg.adds_risk else Urgency.CLOSE
        self._call(key, symbol, urgency, lambda venue: venue.place(request), sends=True)

    @handles
    def cancel(self, msg: CancelAtVenue) -> None:
        """Cancel an order; one that still waits for its turn is not sent at all."""
        key, symbol = msg.client_order_id, msg.symbol
        self._calls.withdraw(key)
        self._call(key, symbol, Urgency.CLOSE, lambda venue: venue.cancel(key, symbol))

    @handles
    def query(self, msg: QueryAtVenue) -> None:
        """Ask what the venue knows of an order."""
        key, symbol = msg.client_order_id, msg.symbol
        self._call(key, symbol, Urgency.QUESTION, lambda venue: venue.query(key, symbol))

    def _call(
        self,
        key: str,
        symbol: str,
        urgency: Urgency,
        call: Callable[[Venue], Coroutine[Any, Any, OrderReport]],
        *,
        sends: bool = False,
    ) -> None:
        self.context.pipe(
            self._calls.in_line(key, urgency, call, sends=sends),
            self._to_desk,
            lambda error: self._failed(key, symbol, error, sends),
        )

    def _to_desk(self, report: OrderReport) -> None:
        self.context.system.tell(self._desk, report)

    def _failed(self, key: str, symbol: str, error: Exception, sends: bool) -> None:
        self._to_desk(failure(key, symbol, error, sends=sends, at=self.now()))
        if not foreseen(error):
            self.context.escalate(error)

    # --- questions -----------------------------------------------------------------------------------------------------

    @handles
    def fetch_instruments(self, msg: FetchInstruments) -> Any:  # noqa: ARG002 - the type is the message
        """Fetch the rules of all markets and answer with them."""

        async def fetch() -> Instruments:
            found = await self._calls.guarded(lambda venue: venue.instruments(), 3 * CALL_TIMEOUT_S)
            return Instruments(self._account, found, self.now())

        return self._answer_with(fetch())

    @handles
    def fetch(self, msg: FetchVenueState) -> Any:
        """Fetch the venue's side of a reconciliation and answer with it."""
        return self._answer_with(self._snapshot(msg.since))

    async def _snapshot(self, since: int) -> VenueSnapshot:
        async def whole(venue: Venue) -> VenueSnapshot:
            offset, snapshot = await snapshot_of(self._account, venue, since, self.now)
            if self._link is not None and self._link.venue == venue:
                self._correct_clock(offset)
            return snapshot

        snapshot = await self._calls.guarded(whole, 3 * CALL_TIMEOUT_S)
        self._tell_balances(BalancesChanged(self._account, snapshot.balances, snapshot.at))
        return snapshot

    def _answer_with(self, work: Coroutine[Any, Any, Message]) -> Any:
        envelope = self.context.envelope
        self.context.pipe(
            work, lambda found: self._answer(envelope, found, None), lambda error: self._answer(envelope, None, error)
        )
        return NO_ANSWER

    def _answer(self, envelope: Envelope | None, found: Message | None, error: Exception | None) -> None:
        if envelope is not None:
            self.context.answer(envelope, found, error)

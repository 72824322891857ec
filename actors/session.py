"""The session of one venue account: speaks the venue's language through its adapter and decides nothing.

An *edge* actor: whatever it is told has been held until the journal knows why. Calls to the adapter run beside the actor,
one after the other for each order, so that a query never overtakes the order it asks about.

A venue that cannot be reached is no crash: the session says so on ``health:<account>``, tries again by itself, and goes on
(EX-106, EX-1207). A venue that refuses the account is not tried again until an operator restarts the session (EX-1104).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from actors.call_log import CallLog
from actors.session_brackets import SessionBrackets
from actors.session_calls import CALL_TIMEOUT_S, Calls
from actors.session_data import DataNames, DataWatch
from actors.session_figures import SessionFigures
from actors.session_limit import Limiter, Urgency
from actors.session_link import (
    FIRST_TRY_S,
    Link,
    NotConnected,
    open_link,
    try_again_after,
)
from actors.session_notes import Again, Probed, Tried, Turn
from actors.session_prices import Prices
from actors.session_topics import DataFeed, SessionSettings, balances_topic, health_topic, market_topic, session_topic
from actors.session_watch import PROBE_S, Watch
from actors.session_words import failure, foreseen, kept_back
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.orders import CancelAtVenue, OrderReport, OrderState, PlaceAtVenue
from protocol.venue import (
    BalancesChanged,
    QueryAtVenue,
    SessionDown,
    SessionStep,
    SessionUp,
    VenueHealth,
    VenueSnapshot,
    VenueStatus,
)
from runtime.actor import handles
from runtime.clock import NANOS
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


class VenueSession(SessionBrackets):
    """Owns the adapter of one account for as long as it lives; a crash closes it and the next life connects anew.

    ``data``: the account whose prices count in place of this venue's (PF-231).
    """

    def __init__(
        self,
        *,
        account: str,
        venue: Callable[[], Venue],
        desk: str,
        settings: SessionSettings | None = None,
        send_by: Callable[[], int | None] = lambda: None,
        data: DataFeed | None = None,
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
        self._retry_at: int | None = None
        self._step = SessionStep.CONNECT
        self._data = data
        self._names = DataNames()
        self._watch = Watch(self._settings) if data is None else DataWatch(self._settings, data, self._names)
        self._looking = False
        self._closed: tuple[str, ...] | None = None

    # --- life ----------------------------------------------------------------------------------------------------------

    async def started(self) -> None:
        """Connect and tell everybody who waits for it; a venue that cannot be reached is tried again beside the actor."""
        self._calls = Calls(
            self._account,
            self._new_breaker(),
            Limiter(None, self._settings.rate_mode, wake_at=lambda at: self.timers.at(at, Turn())),
            self.now,
            limited=self._limited,
            answered=self._stands,
            tripped=self._tripped,
            stopped=self._lost,
            watch=self._watch,
            faltered=self._faltered,
            log=CallLog(self.context.system.black_box.ring(self._account), self.now),
            send_by=self._send_by,
        )
        self._say(VenueStatus.CONNECTING)
        if self._data is not None:
            self._listen(self._data)
        self._look_later()
        self._tried(await self._attempt(FIRST_TRY_S))

    def _new_breaker(self) -> Breaker:
        return Breaker(self._account, BreakerPolicy(), self.context.random.random)

    async def _attempt(self, within_s: float) -> Link | NotConnected:
        self._number += 1
        take = self.context.callback(partial(self._take, self._number))
        found = await open_link(self._account, self._make, take, self.now, within_s, self._goes)
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
        self._watch.connected(self.now())
        self._watch.answered()
        self._correct_clock(found.offset)
        self._tell_balances(BalancesChanged(self._account, found.balances, self.now()))
        if self._prices.wanted:
            self._goes(SessionStep.SUBSCRIBE)
            self._subscribe(found, tuple(sorted(self._prices.wanted)))
        self._say_hours(found)
        self._step = SessionStep.RESYNC
        up = SessionUp(self._account, found.instruments, self.now())
        self.context.bus.publish(session_topic(self._account), up, keep=True)
        self._stands()

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
            step = f" ({self._step.value})" if self._health is VenueStatus.CONNECTING else ""
            return f"{self._health.value}{step}: {code} {reason}".strip(" :")
        use = self._calls.limiter.use(self.now())
        skew = f", clock {self._link.offset / NANOS:+.1f} s" if self._link.venue.clock_offset else ""
        phase = self._calls.breaker.stats().phase.value
        step = "" if self._step is SessionStep.READY else f", {self._step.value}"
        held = "" if self._entries else f", entries wait ({code})"
        return f"{len(self._link.instruments)} markets, breaker {phase}{', ' + use if use else ''}{skew}{step}{held}"

    @property
    def figures(self) -> SessionFigures | None:
        """How it stands in figures, None before the first try (EX-1622)."""
        if not hasattr(self, "_calls"):
            return None
        limit, used, window_s, waiting = self._calls.limiter.figures(self.now())
        return SessionFigures(
            breaker=self._calls.breaker.stats().phase.value,
            limit=limit,
            used=used,
            window_s=window_s,
            waiting=waiting,
            paused_until=self._calls.limiter.paused_until,
            clock_ms=self._link.offset / 1e6 if self._link is not None else None,
        )

    @property
    def _entries(self) -> bool:
        """Whether entries may leave as far as the whole venue is concerned; a single market may be mute all the same."""
        return self._link is not None and not self._watch.failing and self._watch.maintained(self.now()) is None

    @handles
    def settings(self, msg: ApplySettings) -> SettingsTaken:
        """Go on under another share of the venue's limits."""
        assert isinstance(msg.settings, SessionSettings), msg.settings
        self._settings = msg.settings
        self._calls.limiter.set_mode(msg.settings.rate_mode)
        self._watch.use(msg.settings)
        self._look_later()
        return SettingsTaken(msg.version)

    # --- how the connection stands -------------------------------------------------------------------------------------

    def _say(self, status: VenueStatus, code: str = "", reason: str = "", retry_at: int | None = None) -> None:
        self._health, self._said, self._retry_at = status, (code, reason), retry_at
        self._publish()

    def _publish(self) -> None:
        code, reason = self._said
        health = VenueHealth(
            account=self._account,
            status=self._health,
            code=code,
            reason=reason,
            retry_at=self._retry_at,
            at=self.now(),
            step=self._step.value,
            entries=self._entries,
        )
        self.context.bus.publish(health_topic(self._account), health, keep=True)

    def _goes(self, step: SessionStep) -> None:
        """Say which step towards a connection is under way."""
        if step is not self._step:
            self._step = step
            self._publish()

    def _stands(self) -> None:
        """Say that the connection stands, and what an operator is to know of it."""
        self._say(VenueStatus.UP, *self._watch.notice(self.now()))

    def _faltered(self) -> None:
        """Hold entries after failures in a row, and ask until the venue answers; exits go on being tried."""
        if self._health is VenueStatus.UP:
            self._stands()
            self.timers.after(PROBE_S, Again())

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
        self._step = SessionStep.WAIT
        if isinstance(error, VenueError) and error.stops:
            self._say(VenueStatus.STOPPED, code, f"{reason}; put it right, then: bulkhead restart {self.context.path}")
            return
        wait = try_again_after(self._tries, error, self.context.random.random())
        self._tries += 1
        if isinstance(error, RateLimited):
            self._calls.limiter.refused(self.now(), wait)
        # A venue that has shut us out for a while counts tries to connect as well.
        timer = self.timers.at(max(self.now() + round(wait * NANOS), self._calls.limiter.paused_until), Again())
        self._say_down(code, reason, timer.at)

    def _say_down(self, code: str, reason: str, retry_at: int) -> None:
        expected = self._watch.maintained(self.now()) is not None
        self._say(VenueStatus.DOWN, "Maintenance" if expected else code, reason, retry_at)

    def _tripped(self, reason: str) -> None:
        """Say that the venue is down for now: calls go on failing. A probe goes out when the breaker lets one."""
        retry_at = self._calls.next_probe()
        self.timers.at(retry_at, Again())
        self._say_down("VenueDown", f"too many calls failed, the last: {reason}", retry_at)

    @handles
    def again(self, msg: Again) -> None:  # noqa: ARG002 - the type is the message
        """Connect once more, or probe a venue whose calls failed."""
        if self._health is VenueStatus.STOPPED:
            return
        if self._link is None:
            if not self._trying:
                self._trying = True
                self.context.pipe(self._attempt(3 * CALL_TIMEOUT_S), Tried)
        elif self._calls.open or self._watch.failing:
            self.context.pipe(self._calls.probe(), lambda _: Probed())
        elif self._health is VenueStatus.DOWN:
            # A call of somebody else's was the probe, and the venue answered it.
            self._stands()

    @handles
    def tried(self, msg: Tried) -> None:
        """Take what a try to connect came to."""
        self._tried(msg.found)

    @handles
    def probed(self, msg: Probed) -> None:  # noqa: ARG002 - the type is the message
        """Go on when the breaker has closed; else probe again when it lets one through."""
        if self._link is None or self._health is VenueStatus.STOPPED:
            return
        if self._calls.open:
            self.timers.at(self._calls.next_probe(), Again())
        elif self._watch.failing:
            self.timers.after(PROBE_S, Again())
        else:
            self._stands()

    def _limited(self, wait_s: float, error: RateLimited) -> None:
        retry_at = self.now() + round(wait_s * NANOS)
        self._say(VenueStatus.UP, error.code, f"{error}; waiting {wait_s:g} s", retry_at)

    @handles
    def turn(self, msg: Turn) -> None:  # noqa: ARG002 - the type is the message
        """Let calls go that waited for the venue's limits."""
        self._calls.limiter.pump(self.now())

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
        if msg.adds_risk and self._link is not None and (held := self._watch.holds(symbol, self.now())):
            self._to_desk(kept_back(key, symbol, *held, at=self.now()))
            return
        urgency = Urgency.ENTRY if msg.adds_risk else Urgency.CLOSE
        self._call(key, symbol, urgency, "place", lambda venue: venue.place(request), sends=True)

    @handles
    def cancel(self, msg: CancelAtVenue) -> None:
        """Cancel an order; one that still waits for its turn is not sent at all."""
        key, symbol = msg.client_order_id, msg.symbol
        self._calls.withdraw(key)
        self._call(key, symbol, Urgency.CLOSE, "cancel", lambda venue: venue.cancel(key, symbol))

    @handles
    def query(self, msg: QueryAtVenue) -> None:
        """Ask what the venue knows of an order."""
        key, symbol = msg.client_order_id, msg.symbol
        self._call(key, symbol, Urgency.QUESTION, "query", lambda venue: venue.query(key, symbol))

    def _call(
        self,
        key: str,
        symbol: str,
        urgency: Urgency,
        method: str,
        call: Callable[[Venue], Coroutine[Any, Any, OrderReport]],
        *,
        sends: bool = False,
    ) -> None:
        self.context.pipe(
            self._calls.in_line(key, urgency, call, sends=sends, costs=(method,)),
            self._to_desk,
            lambda error: self._failed(key, symbol, error, sends),
        )

    def _to_desk(self, report: OrderReport) -> None:
        self.context.system.tell(self._desk, report)

    def _failed(self, key: str, symbol: str, error: Exception, sends: bool) -> None:
        self._to_desk(failure(key, symbol, error, sends=sends, at=self.now()))
        if not foreseen(error):
            self.context.escalate(error)

    # --- comparisons ---------------------------------------------------------------------------------------------------

    def _compared(self, snapshot: VenueSnapshot) -> None:  # noqa: ARG002 - that it came is the news
        if self._step is SessionStep.RESYNC and self._health is VenueStatus.UP:
            self._goes(SessionStep.READY)

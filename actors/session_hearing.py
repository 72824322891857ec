"""What an account's session hears from its venue: prices and their absence, facts about orders, the venue's clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from actors.feed import FEEDS
from actors.session_calls import CALL_TIMEOUT_S
from actors.session_data import FEED_STALE
from actors.session_following import SessionFollowing
from actors.session_link import CLOCK_CORRECT_S, CLOCK_WARN_S, Link
from actors.session_notes import Look
from actors.session_topics import balances_topic, market_topic
from protocol.market import Bar, FeedStatus, PriceTick, SubscribeMarket
from protocol.messages import Message
from protocol.orders import FillReport, OrderReport
from protocol.venue import BalancesChanged, SessionDown, VenueStatus
from protocol.webhook import NewestPrice, PriceAnswer
from runtime.actor import Do, handles
from runtime.clock import NANOS
from venues.contract import Venue
from venues.errors import VenueDown, VenueError

__all__ = ["SessionHearing"]

_HELD: Final = ("Maintenance", "MarketMute", "VenueFailing", FEED_STALE)
"""Codes of a connection that stands and lets no entry through: what a look says is over."""


class SessionHearing(SessionFollowing):
    """Passes on what the venue says on its own, and notices when it says nothing."""

    _desk: str
    _number: int
    _looking: bool
    _health: VenueStatus
    _said: tuple[str, str]

    def _say(self, status: VenueStatus, code: str = "", reason: str = "", retry_at: int | None = None) -> None:
        raise NotImplementedError

    def _stands(self) -> None:
        raise NotImplementedError

    def _lost(self, error: Exception) -> None:
        raise NotImplementedError

    # --- what the venue says -------------------------------------------------------------------------------------------

    def _take(self, number: int, fact: Message) -> None:
        """Pass on what the venue says on its own; words of an earlier connection are lost."""
        if number != self._number:
            return
        if isinstance(fact, OrderReport | FillReport):
            self.context.system.tell(self._desk, fact)
        elif isinstance(fact, PriceTick):
            ahead = self._link.offset if self._link is not None else 0
            if self._data is None and self._prices.takes(fact, self.now() + ahead):
                self._priced(fact)
        elif isinstance(fact, Bar):
            self.context.bus.publish(market_topic(self._account, fact.symbol), fact)
        elif isinstance(fact, BalancesChanged):
            self._tell_balances(fact)
        elif isinstance(fact, FeedStatus):
            self._watch.feed(fact.state, self.now())
            self.context.bus.publish(FEEDS, fact)
        elif isinstance(fact, SessionDown):
            self.ref.tell(fact)

    def _priced(self, tick: PriceTick) -> None:
        """Tell a price that counts, wherever it is from."""
        if self._watch.heard(tick.symbol, self.now()) and self._health is VenueStatus.UP:
            self._stands()
        self.context.bus.publish(market_topic(self._account, tick.symbol), tick, keep=True)

    @handles
    def subscribe(self, msg: SubscribeMarket) -> None:
        """Have a symbol's prices told, through this connection and all that follow."""
        if not self._prices.wants(msg.symbol):
            return
        if self._data is not None:
            self._follow(self._data, (msg.symbol,))
        elif self._link is not None:
            self._subscribe(self._link, (msg.symbol,))
        if self._link is not None:
            self._say_hours(self._link)

    def _subscribe(self, link: Link, symbols: Iterable[str]) -> None:
        if self._data is not None:
            self._follow(self._data, symbols)
            return

        async def ask() -> None:
            try:
                await self._calls.guarded(lambda venue: venue.subscribe(symbols), CALL_TIMEOUT_S, costs=("subscribe",))
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

    # --- silence and maintenance ---------------------------------------------------------------------------------------

    def _look_later(self) -> None:
        if not self._looking and self._watch.look_every_s:
            self._looking = True
            self.timers.after(self._watch.look_every_s, Look())

    @handles
    def look(self, msg: Look) -> None:  # noqa: ARG002 - the type is the message
        """Ask markets that are mute once more, connect anew when all are, and say what has changed."""
        self._looking = False
        self._look_later()
        link = self._link
        if link is None or self._health is not VenueStatus.UP:
            return
        now = self.now()
        self._say_hours(link)
        found = self._watch.look(self._prices.wanted, lambda symbol: link.trades(symbol, now), now)
        if found.is_deaf:
            self._lost(VenueDown(self._account, "connected, but no market tells a price although they are open"))
            return
        if found.ask_again:
            self._subscribe(link, found.ask_again)
        notice = self._watch.notice(now)
        if notice != self._said and (notice[0] or self._said[0] in _HELD):
            self._stands()

    # --- the venue's clock ---------------------------------------------------------------------------------------------

    def _measured(self, venue: Venue, offset: int) -> None:
        if self._link is not None and self._link.venue == venue:
            self._correct_clock(offset)

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

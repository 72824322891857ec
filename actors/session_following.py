"""What an account's session says of its markets' hours, and the prices that it takes from another account (PF-231)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from actors.session_data import DataNames, DataWatch
from actors.session_link import Link
from actors.session_prices import Prices
from actors.session_questions import SessionQuestions
from actors.session_topics import DataFeed, hours_topic, market_topic, session_topic
from actors.session_watch import Watch
from protocol.market import PriceTick, SubscribeMarket
from protocol.venue import MarketsClosed, SessionUp
from runtime.actor import handles

__all__ = ["SessionFollowing"]


class SessionFollowing(SessionQuestions):
    """Tells others which markets are closed; goes by another account's prices where it is told to.

    Whoever judges by prices finds them on this account's own topic, from wherever they are.
    """

    _account: str
    _data: DataFeed | None
    _names: DataNames
    _link: Link | None
    _prices: Prices
    _watch: Watch
    _closed: tuple[str, ...] | None

    def _priced(self, tick: PriceTick) -> None:
        raise NotImplementedError

    # --- hours ---------------------------------------------------------------------------------------------------------

    def _say_hours(self, link: Link) -> None:
        """Say which markets are closed, when that has changed."""
        now = self.now()
        closed = tuple(sorted(symbol for symbol in self._prices.wanted if not link.trades(symbol, now)))
        if closed != self._closed:
            self._closed = closed
            said = MarketsClosed(self._account, closed, now)
            self.context.bus.publish(hours_topic(self._account), said, keep=True)

    # --- another account's prices --------------------------------------------------------------------------------------

    def _listen(self, data: DataFeed) -> None:
        bus = self.context.bus
        # Its end is not ours: we go on without its prices, and entries wait.
        bus.subscribe(session_topic(data.account), self.ref, wanted=partial(_is, SessionUp))
        bus.subscribe(hours_topic(data.account), self.ref)

    def _follow(self, data: DataFeed, symbols: Iterable[str]) -> None:
        """Have another account's prices told; before it has said what it has nothing is asked."""
        if not self._names.known:
            return
        for symbol in symbols:
            theirs = self._names.follow(symbol)
            if theirs is not None:
                self.context.bus.subscribe(market_topic(data.account, theirs), self.ref, wanted=partial(_is, PriceTick))
                self.context.system.tell(data.path, SubscribeMarket(theirs))

    @handles
    def data_up(self, msg: SessionUp) -> None:
        """Learn what the other account has, and have it deliver: it may have begun a new life that follows nothing yet."""
        assert self._data is not None
        self._names.learn(msg.instruments)
        self._follow(self._data, sorted(self._prices.wanted))

    @handles
    def data_price(self, msg: PriceTick) -> None:
        """Take a price of the other account as our own; its session has found it good."""
        for symbol in self._names.ours(msg.symbol):
            tick = msg if symbol == msg.symbol else msgspec.structs.replace(msg, symbol=symbol)
            if self._prices.takes(tick, max(self.now(), tick.at)):
                self._priced(tick)

    @handles
    def data_hours(self, msg: MarketsClosed) -> None:
        """Take which markets are closed there: their silence is no fault."""
        if isinstance(self._watch, DataWatch):
            self._watch.closed = frozenset(msg.symbols)


def _is(kind: type, fact: Any) -> bool:
    return type(fact) is kind

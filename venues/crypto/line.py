"""One connection: its ccxt objects, what it remembers, its streams; made anew for each ``connect``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from protocol.instruments import Instrument
from protocol.market import FeedState, FeedStatus
from protocol.messages import Message
from protocol.orders import OrderReport
from protocol.venue import SessionDown
from venues.access import Access, Tools
from venues.ccxt_public import library
from venues.ccxt_public.chores import Chores
from venues.contract import Sink
from venues.crypto.account import Account
from venues.crypto.calls import Calls
from venues.crypto.dialect import Dialect
from venues.crypto.exchange import Clock, make_exchange
from venues.crypto.memory import Memory
from venues.crypto.orders import Orders
from venues.crypto.prices import PriceStreams
from venues.crypto.private import PrivateStreams
from venues.crypto.rates import Rates
from venues.crypto.taps import Late
from venues.crypto.teller import Teller
from venues.crypto.translate import Translator
from venues.errors import VenueError

__all__ = ["Line"]

_STREAMS_WITHIN_S: Final = 2.0
"""How long ``connect`` waits for the account's streams; then it goes on, polling until they come."""
_RULES_FRESH_NS: Final = 10 * 1_000_000_000


class Line:
    """Everything of one connection. Making one imports ccxt and may block for half a second."""

    def __init__(
        self,
        access: Access,
        dialect: Dialect,
        tools: Tools,
        clock: Clock,
        send_by: Callable[[], int | None],
        sink: Sink,
    ) -> None:
        ccxt = library.load(dialect.exchange_ids[access.market])
        errors = ccxt.errors.BaseError
        self._access = access
        self._tools = tools
        self._sink: Sink | None = sink
        self._chores = Chores(self._crashed)
        self._feed = {"orders": (True, ""), "prices": (True, "")}
        self._loaded_at = 0
        self._down = False
        private, prices = Late(), Late()
        self._exchange = make_exchange(ccxt, dialect, access, clock, private)
        self._quotes = make_exchange(ccxt, dialect, access, clock, prices)
        self.calls = Calls(self._exchange, dialect, errors, clock, send_by)
        self.words = Translator(dialect)
        self.memory = Memory(clock())
        spare = partial(make_exchange, ccxt, dialect, access, clock, Late())
        self.account = Account(self.calls, self.words, self.memory, spare)
        self.orders = Orders(self.calls, self.words, self.memory, tools)
        self.rates = Rates(self.calls, self.words)
        self.teller = Teller(
            self._tell, dialect, self.words, self.memory, self.account, tools, start=self._chores.start, now=clock
        )
        self.private = private.behind = PrivateStreams(
            self.calls, self._exchange, tools, self._lost, memory=self.memory, became=self._orders_became
        )
        self.private.attach(self.teller, self.account, self.orders)
        self.prices = prices.behind = PriceStreams(
            self.calls, self._quotes, tools, self._lost, sink=self._tell, became=self._prices_became
        )

    # --- life ----------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Measure the clock, load the markets, check the key, open the streams; raises what the venue answers."""
        await self.calls.follow_clock()
        self.memory.opened_at = self.calls.clock()
        await self.instruments()
        self._quotes.set_markets_from_exchange(self._exchange)
        await self.account.balances()
        self._chores.start(self.private.run(), "orders")
        self._chores.start(self.prices.run(), "prices")
        with suppress(TimeoutError):
            async with asyncio.timeout(_STREAMS_WITHIN_S):
                await self.private.live.wait()

    async def close(self) -> None:
        """Close everything; nothing is told any more."""
        self._sink = None
        await self._chores.cancel()
        for exchange in (self._exchange, self._quotes):
            exchange.forget()
            await exchange.close()

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return the markets, loaded anew when they are older than ten seconds."""
        now = self._tools.now()
        if not self.words.instruments or now - self._loaded_at > _RULES_FRESH_NS:
            await self.account.load()
            self._loaded_at = now
        return tuple(self.words.instruments.values())

    def heard(self, report: OrderReport) -> OrderReport:
        """Take an answer about an order: its fills are awaited, its end is watched for."""
        self.private.told(report)
        return report

    # --- what is told --------------------------------------------------------------------------------------------------

    def _tell(self, fact: Message) -> None:
        if self._sink is not None:
            self._sink(fact)

    def _crashed(self, error: BaseException) -> None:
        """End the connection over a mistake of ours: the session hears of it and connects anew."""
        text = (
            error.message
            if isinstance(error, VenueError)
            else f"{type(error).__name__}: {self.calls.blame.text(error)}"
        )
        self._lost(text)

    def _lost(self, reason: str) -> None:
        if not self._down:
            self._down = True
            self._tell(SessionDown(self._access.account, reason, self._tools.now()))

    def _orders_became(self, live: bool, reason: str) -> None:
        self._became("orders", live, reason)

    def _prices_became(self, live: bool, reason: str) -> None:
        self._became("prices", live, reason)

    def _became(self, which: str, live: bool, reason: str) -> None:
        """Tell the state of the feed: as bad as the worse of its two kinds of streams."""
        before, self._feed[which] = self._feed[which], (live, reason)
        if before == self._feed[which] and not live:
            return
        bad = [f"{name}: {why}" for name, (good, why) in self._feed.items() if not good]
        state = FeedState.DEGRADED if bad else FeedState.LIVE
        venue = self._access.venue
        self._tell(FeedStatus(venue, venue, state, self._tools.now(), "; ".join(bad)))

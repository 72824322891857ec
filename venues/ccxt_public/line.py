"""Everything that exists while connected: the exchange object, the feed, and what is known of prices.

The line hears the streams (it is their ``Tap``), turns events into messages and hands them to the sink.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from protocol.instruments import Instrument
from protocol.market import Bar, FeedState, FeedStatus
from protocol.messages import Message
from venues.ccxt_public.bars import BAR_S, Bars
from venues.ccxt_public.chores import Chores
from venues.ccxt_public.exchange import make_exchange
from venues.ccxt_public.feed import Feed, FeedCounters
from venues.ccxt_public.library import Library
from venues.ccxt_public.policy import Endpoints, FeedPolicy
from venues.ccxt_public.queries import Queries
from venues.ccxt_public.quotes import Quotes
from venues.ccxt_public.translate import bar_of_event, book_prices
from venues.contract import Sink
from venues.errors import VenueDown, VenueError

__all__ = ["Line"]


class Line:
    """One connection's worth of state; made anew by each ``connect``. Construction blocks for the certificate store."""

    def __init__(
        self,
        venue: str,
        ccxt: Library,
        endpoints: Endpoints,
        policy: FeedPolicy,
        *,
        sleep: Callable[[float], Awaitable[None]],
        now_ns: Callable[[], int],
    ) -> None:
        self._venue = venue
        self._policy = policy
        self._now_ns = now_ns
        self._sink: Sink | None = None
        self._crash: BaseException | None = None
        self._malformed = 0
        self._symbols: dict[str, str] = {}
        self._quotes = Quotes()
        self._chores = Chores(self._crashed)
        self._bars = Bars(self._say, lambda work: self._chores.start(work, "missed bars"), self._missed_bars)
        self._exchange = make_exchange(ccxt, endpoints, policy, self)
        self.queries = Queries(
            venue, self._exchange, ccxt.errors.BaseError, policy,
            sleep=sleep, now_ns=now_ns, malformed=self.malformed,
        )  # fmt: skip
        self._feed = Feed(
            venue, self._exchange, policy, sleep=sleep, now_ns=now_ns, tell=self._status, refresh=self._refresh
        )
        self.instruments: dict[str, Instrument] = {}

    # --- life ---------------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Fetch markets and clock; says nothing to anybody yet."""
        found = await self.queries.markets()
        self.instruments = {item.symbol: item for item in found}
        self._symbols = {item.venue_symbol: item.symbol for item in found}
        await self.queries.server_time()

    def open(self, sink: Sink) -> None:
        """Speak to ``sink`` from now on and keep the streams of what is wanted alive."""
        self._sink = sink
        self._status(FeedState.STARTING, "")
        self._chores.start(self._feed.run(), "feed")

    async def close(self) -> None:
        """Fall silent, then close everything."""
        self._sink = None
        await self._chores.cancel()
        await self._exchange.close()

    def check(self) -> None:
        """Raise ``VenueDown`` when the feed ended by a defect of ours: supervision restarts the session."""
        if self._crash is not None:
            raise VenueDown(self._venue, f"the feed crashed: {self._crash!r:.200}") from self._crash

    def want(self, symbols: list[str]) -> None:
        """Deliver quotes of known symbols, beginning with the newest tick where there is one."""
        for symbol in symbols:
            if tick := self._quotes.newest(symbol):
                self._say(tick)
        self._feed.want((symbol, self.instruments[symbol].venue_symbol) for symbol in symbols)

    @property
    def counters(self) -> FeedCounters:
        """What the feed has been through."""
        return FeedCounters(
            connections=self._feed.connections, resubscriptions=self._feed.resubscriptions, malformed=self._malformed
        )

    # --- what the streams say (Tap) -------------------------------------------------------------------------------------

    def book(self, message: dict[str, Any]) -> None:
        """Hear a ``bookTicker`` event."""
        symbol = self._symbols[message["s"]]
        bid, ask = book_prices(message["b"], message["a"])
        self._feed.heard(symbol)
        self._say(self._quotes.book(symbol, bid, ask, self._now_ns()))

    def kline(self, message: dict[str, Any]) -> None:
        """Hear a ``kline`` event: its close is the last price, and with ``x`` it is a finished bar."""
        kline = message["k"]
        if kline["i"] != "1m":
            raise ValueError(f"a candle of {kline['i']!r:.16} was not asked for")
        bar = bar_of_event(self._symbols[message["s"]], kline, BAR_S)
        self._feed.heard(bar.symbol)
        self._say(self._quotes.last(bar.symbol, bar.close, self._now_ns()))
        if kline["x"] is True:
            self._bars.finished(bar)

    def malformed(self, reason: str) -> None:
        """Count what could not be read; tell of the 1st, 2nd, 4th, 8th ... so that a flood stays a trickle."""
        self._malformed += 1
        if self._malformed & (self._malformed - 1) == 0:
            self._status(self._feed.state, f"unreadable data, {self._malformed} so far: {reason[:200]}")

    # --- to the sink --------------------------------------------------------------------------------------------------

    def _say(self, message: Message | None) -> None:
        if message is not None and self._sink is not None:
            self._sink(message)

    def _status(self, state: FeedState, detail: str) -> None:
        self._say(FeedStatus(self._venue, self._venue, state, self._now_ns(), detail))

    def _crashed(self, error: BaseException) -> None:
        self._crash = error
        self._status(FeedState.DOWN, f"the feed crashed: {error!r:.200}")

    # --- chores -------------------------------------------------------------------------------------------------------

    async def _refresh(self, symbols: list[str]) -> None:
        """Ask for the newest quotes of symbols whose streams may take long to speak."""
        try:
            for quote in await self.queries.quotes(symbols):
                at = self._now_ns()
                self._quotes.book(quote.symbol, quote.bid, quote.ask, at)
                self._say(self._quotes.last(quote.symbol, quote.last, at))
        except VenueError as error:
            self._status(self._feed.state, f"no first quotes: {error.message}")

    async def _missed_bars(self, symbol: str, since: int) -> tuple[Bar, ...]:
        """Fetch the bars that closed while the streams were away."""
        try:
            return await self.queries.candles(symbol, "1m", since, self._policy.backfill_bars)
        except VenueError as error:
            self._status(self._feed.state, f"bars of {symbol} are missing: {error.message}")
            return ()

"""The price streams: best bid and ask and last price of the wanted symbols, polled while no stream tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from protocol.market import PriceTick
from runtime.clock import NANOS
from venues.access import Tools
from venues.ccxt_public.quotes import Quotes
from venues.ccxt_public.translate import as_decimal, book_prices
from venues.contract import Sink
from venues.crypto.calls import Calls
from venues.crypto.dialect import Exchange, Row
from venues.crypto.errors import UNREADABLE
from venues.crypto.streams import Mute, Streams
from venues.crypto.translate import NS_PER_MS
from venues.errors import VenueError

__all__ = ["DATA_DEADLINE_S", "PriceStreams"]

DATA_DEADLINE_S: Final = 15.0
"""Silence of all symbols for so long: the venue is asked whether prices have moved; a stream that kept that back is mute."""
_STALE_S: Final = 60
_FRESH_S: Final = 2
_CROSSING_S: Final = 1.0
"""How long the stream may be later than an answer over REST that overtook it."""
_BATCH: Final = 50


class PriceStreams(Streams):
    """Quotes of one connection; the tap of their exchange object."""

    def __init__(
        self,
        calls: Calls,
        exchange: Exchange,
        tools: Tools,
        lost_for_good: Callable[[str], None],
        *,
        sink: Sink,
        became: Callable[[bool, str], None],
    ) -> None:
        super().__init__(calls, exchange, tools, lost_for_good, became)
        self._sink = sink
        self._quotes = Quotes()
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        self._changed = asyncio.Event()
        self._heard_at = 0
        self._heard: dict[str, int] = {}
        """Symbol -> when (our clock) a stream last told its price; a poll does not count."""
        self.refused = 0
        """Quotes that cannot be: stale, crossed, zero."""

    def want(self, symbols: Iterable[str]) -> None:
        """Deliver these too, beginning with the newest known; one asked for again that has been quiet is looked at."""
        now, quiet = self._calls.clock.ours(), []
        for symbol in symbols:
            known = symbol in self._wanted
            self._wanted.add(symbol)
            newest = self._quotes.newest(symbol)
            if newest is not None and now - self._heard.get(symbol, 0) < _FRESH_S * NANOS:
                self._sink(newest)
            elif known:
                quiet.append(symbol)
        self._changed.set()
        if self._chores is None:
            return
        if self._wanted - self._joined:
            self.subscribe(self._chores)
            self._chores.start(self._first_quotes(), "first quotes")
        if quiet:
            self._chores.start(self._glance_at(quiet), "quiet markets")

    # --- the tap -------------------------------------------------------------------------------------------------------

    def order(self, order: Row) -> None:
        """Hear nothing: orders come another way."""

    def trade(self, trade: Row) -> None:
        """Hear nothing: trades come another way."""

    def frame(self, frame: Any) -> None:
        """Hear nothing: quotes were heard."""

    def quote(self, symbol: str, ticker: Row) -> None:
        """Hear a ticker: a book, a last price, or both."""
        if self._takes(symbol, ticker):
            self._heard_at = self._heard[symbol] = self._calls.clock.ours()

    def _takes(self, symbol: str, ticker: Row) -> bool:
        if symbol not in self._wanted:
            return False
        try:
            self._take(symbol, ticker)
        except UNREADABLE:
            self.refused += 1
            return False
        return True

    def _take(self, symbol: str, ticker: Row) -> None:
        now = self._calls.clock()
        stamp = ticker.get("timestamp")
        if stamp and now - stamp * NS_PER_MS > _STALE_S * NANOS:
            raise ValueError("a price of the past")
        due: list[PriceTick | None] = []
        if ticker.get("bid") is not None and ticker.get("ask") is not None:
            bid, ask = book_prices(ticker["bid"], ticker["ask"])
            due.append(self._quotes.book(symbol, bid, ask, now))
        last = ticker.get("last")
        if last is not None and as_decimal(last) > Decimal(0):
            due.append(self._quotes.last(symbol, as_decimal(last), now))
        for tick in due:
            if tick is not None:
                self._sink(tick)

    # --- the kind ------------------------------------------------------------------------------------------------------

    async def wanted(self) -> None:
        """Return when a symbol is wanted."""
        while not self._wanted:
            self._changed.clear()
            await self._changed.wait()
        self._joined = set()

    def watches(self) -> Iterable[Callable[[], Awaitable[Any]]]:
        """Return the dialect's, for what is not joined yet."""
        new = sorted(self._wanted - self._joined)
        self._joined.update(new)
        found: list[Callable[[], Awaitable[Any]]] = []
        for first in range(0, len(new), _BATCH):
            found += self._calls.dialect.public_watches(self._exchange, new[first : first + _BATCH])
        return found

    async def ready(self) -> None:
        """Wait for a connection and ask for the first quotes."""
        await self._connections.wait()
        await self._first_quotes()

    async def _first_quotes(self) -> None:
        if self._calls.dialect.polls_quotes:
            with suppress(VenueError):  # the stream tells them too, only later
                await self.poll()

    async def watch_over(self) -> None:
        """Ask after each silence whether anything was kept back."""
        self._heard_at = self._calls.clock.ours()
        while True:
            silent_s = (self._calls.clock.ours() - self._heard_at) / NANOS
            if silent_s < DATA_DEADLINE_S:
                await self._tools.sleep(DATA_DEADLINE_S - silent_s)
                continue
            await self._look_at(sorted(self._wanted))
            self._heard_at = self._calls.clock.ours()

    async def _glance_at(self, symbols: list[str]) -> None:
        try:
            await self._look_at(symbols)
        except Mute:
            raise
        except VenueError:
            return  # no answer to a question is not the stream's fault

    async def _look_at(self, symbols: list[str]) -> None:
        """Ask for quotes that no stream told for a while; raise Mute when one has moved and no stream says so soon."""
        before = {symbol: self._quotes.newest(symbol) for symbol in symbols}
        asked_at = self._calls.clock.ours()
        await self._ask(symbols)
        moved = [symbol for symbol in symbols if _moved(before[symbol], self._quotes.newest(symbol))]
        if moved:
            await self._tools.sleep(_CROSSING_S)
            kept_back = [symbol for symbol in moved if self._heard.get(symbol, 0) < asked_at]
            if kept_back:
                names = ", ".join(kept_back[:3])
                raise Mute(
                    self._calls.dialect.venue, f"connected, but the price of {names} is kept back: connecting anew"
                )

    async def poll(self) -> None:
        """Ask for the quotes of all wanted symbols."""
        await self._ask(sorted(self._wanted))

    async def _ask(self, symbols: list[str]) -> None:
        tickers = await self._calls.ask(lambda: self._calls.dialect.quotes(self._calls.exchange, symbols))
        for symbol, ticker in tickers.items():
            self._takes(symbol, {**ticker, "timestamp": None})


def _moved(before: PriceTick | None, after: PriceTick | None) -> bool:
    return after is not None and (
        before is None or (before.bid, before.ask, before.last) != (after.bid, after.ask, after.last)
    )

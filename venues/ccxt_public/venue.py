"""Binance spot's public market data, by the market-data half of ``venues.contract.Venue``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

from protocol.instruments import Instrument
from protocol.market import Bar
from venues.ccxt_public import library
from venues.ccxt_public.errors import UnknownSymbol
from venues.ccxt_public.feed import FeedCounters
from venues.ccxt_public.line import Line
from venues.ccxt_public.policy import LIVE, Endpoints, FeedPolicy
from venues.contract import Capability, Sink
from venues.errors import VenueDown, VenueError

__all__ = ["BinancePublic"]


class BinancePublic:
    """Live prices of Binance spot. ``sleep`` (seconds) and ``now_ns`` are the only clock; no key is ever used."""

    name = "binance"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.MARKETS, Capability.QUOTES, Capability.SERVER_TIME, Capability.CANDLES}
    )

    def __init__(
        self,
        *,
        sleep: Callable[[float], Awaitable[None]],
        now_ns: Callable[[], int],
        endpoints: Endpoints = LIVE,
        policy: FeedPolicy | None = None,
    ) -> None:
        self._sleep = sleep
        self._now_ns = now_ns
        self._endpoints = endpoints
        self._policy = policy or FeedPolicy()
        self._line: Line | None = None

    async def connect(self, sink: Sink) -> None:
        """Load the markets and the venue's clock; from now on prices and feed states go to ``sink``.

        Raises PermissionDenied where the venue refuses this country, VenueDown, NetworkTimeout or RateLimited when it
        cannot be asked; then nothing is open.
        """
        if self._line is not None:
            raise VenueError(self.name, "already connected")
        ccxt = await asyncio.to_thread(library.load)
        line = await asyncio.to_thread(
            Line, self.name, ccxt, self._endpoints, self._policy, sleep=self._sleep, now_ns=self._now_ns
        )
        try:
            await line.load()
        except BaseException:
            await line.close()
            raise
        line.open(sink)
        self._line = line

    async def close(self) -> None:
        """Close every task, socket and session; ``sink`` is not called afterwards. Harmless when repeated."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return every spot market that trades now, with tick, step, minimums and fees."""
        return tuple(self._connected().instruments.values())

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Deliver ``PriceTick`` and finished one-minute ``Bar`` of these symbols; adds to earlier ones.

        Begins with the newest known. Raises UnknownSymbol, then nothing was added.
        """
        line = self._connected()
        line.want([self._known(line, symbol) for symbol in symbols])

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        """Return up to ``limit`` FINISHED bars that start at or after ``since``, oldest first; gaps stay gaps.

        Raises UnknownSymbol, or VenueCapabilityMissing for a timeframe that is not offered.
        """
        line = self._connected()
        return await line.queries.candles(self._known(line, symbol), timeframe, since, limit)

    async def server_time(self) -> int:
        """Return the venue's clock in ns; ``clock_skew_ns`` is measured anew."""
        return await self._connected().queries.server_time()

    @property
    def clock_skew_ns(self) -> int:
        """The venue's clock minus ours at the last measurement (EX-1106)."""
        return self._connected().queries.skew_ns

    @property
    def counters(self) -> FeedCounters:
        """What the feed has been through since ``connect``."""
        return self._connected().counters

    def _connected(self) -> Line:
        if self._line is None:
            raise VenueDown(self.name, "not connected")
        self._line.check()
        return self._line

    def _known(self, line: Line, symbol: str) -> str:
        if symbol not in line.instruments:
            raise UnknownSymbol(self.name, symbol, line.instruments)
        return symbol

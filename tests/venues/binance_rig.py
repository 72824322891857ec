"""The adapter under test, connected to the local Binance server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from protocol.market import FeedState
from tests.servers import binance_payloads as payloads
from tests.servers.binance import BinanceServer
from tests.venues.contract_suite import MarketRig
from tests.venues.manual_time import Heard, ManualTime
from venues.ccxt_public import BinancePublic, Endpoints, FeedPolicy, RateLimitMode

POLICY = FeedPolicy(rate_limit_mode=RateLimitMode.OFF)
STREAMS = ("bookTicker", "kline_1m")


class BinanceRig(MarketRig):
    """The contract's levers, pulled at the local server."""

    def __init__(self, server: BinanceServer, time: ManualTime, policy: FeedPolicy) -> None:
        self.server = server
        self.time = time
        self.heard = Heard()
        self.source = BinancePublic(
            sleep=time.sleep,
            now_ns=time.now_ns,
            endpoints=Endpoints(server.rest_url, server.ws_url),
            policy=policy,
        )

    async def subscribed(self, *symbols: str) -> None:
        wanted = {f"{symbol.replace('/', '').lower()}@{kind}" for symbol in symbols for kind in STREAMS}
        await self.server.until(lambda: wanted <= self.server.streams)
        await self.heard.until(lambda: all(self._has_first_quote(symbol) for symbol in symbols))

    def _has_first_quote(self, symbol: str) -> bool:
        return any(getattr(item, "symbol", "") == symbol for item in self.heard.messages)

    async def quote(self, symbol: str, bid: str, ask: str) -> None:
        await self.server.push_book(symbol.replace("/", ""), f"{Decimal(bid):.8f}", f"{Decimal(ask):.8f}")

    async def candle(self, start_s: int, *, closed: bool = True, symbol: str = "BTCUSDT") -> None:
        await self.server.push_kline(symbol, payloads.kline(start_s * 1000, "1m"), closed=closed)

    async def cut(self) -> None:
        await self.server.drop()

    async def retried(self) -> None:
        await self.time.passes(POLICY.backoff_first_s)

    def mute(self, silent: bool) -> None:
        self.server.mute = silent

    async def deadline(self) -> None:
        await self.time.passes(POLICY.data_deadline_s)


@asynccontextmanager
async def open_binance(policy: FeedPolicy = POLICY) -> AsyncIterator[BinanceRig]:
    """Start a server and an adapter that is not yet connected; leave nothing behind."""
    time = ManualTime()
    async with BinanceServer(time.now_ms) as server:
        rig = BinanceRig(server, time, policy)
        try:
            yield rig
        finally:
            async with asyncio.timeout(10):
                await rig.source.close()


@asynccontextmanager
async def live_binance() -> AsyncIterator[BinanceRig]:
    """Start as ``open_binance`` does and go on until BTC/USDT is heard; what was heard so far is forgotten."""
    async with open_binance() as rig:
        await rig.source.connect(rig.heard)
        await rig.source.subscribe([rig.symbol])
        await rig.subscribed(rig.symbol)
        await rig.quote(rig.symbol, "60000.10", "60000.20")
        await rig.heard.state(FeedState.LIVE)
        rig.heard.forget()
        yield rig

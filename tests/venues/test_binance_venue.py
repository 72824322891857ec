"""Binance keeps the trading contract through ccxt over its own protocol, spot and perpetuals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import Balance
from protocol.secret import Secret
from protocol.values import MarketType
from tests.servers.venues.binance import KEY, SECRET, BinanceServer
from tests.servers.venues.hall import Hall
from tests.venues.contract_suite import TradingContract
from tests.venues.hall_rig import HallRig
from venues.access import Access

pytestmark = pytest.mark.anyio

D = Decimal


def market(base: str, *, perp: bool, tick: str = "0.01", step: str = "0.00001") -> Instrument:
    """Return a market as Binance lists it."""
    return Instrument(
        venue="binance",
        symbol=f"{base}/USDT:USDT" if perp else f"{base}/USDT",
        venue_symbol=f"{base}USDT",
        base=base,
        quote="USDT",
        market_type=MarketType.PERP if perp else MarketType.SPOT,
        rules=PrecisionRules(D(tick), D(step), D(step), D(5)),
    )


def server_of(*, perp: bool) -> BinanceServer:
    """Return a server with two markets and 100 000 USDT."""
    markets = [market("BTC", perp=perp, tick="0.10" if perp else "0.01"), market("ETH", perp=perp)]
    return BinanceServer(Hall("binance", markets, (Balance("USDT", D(100_000)),), fee_in_base=not perp), perp=perp)


def access_to(server: BinanceServer, **changes: Any) -> Access:
    """Return how to reach a server's account."""
    fields = {
        "account": "acc", "venue": "binance", "market": MarketType.PERP if server.perp else MarketType.SPOT,
        "url": server.url, "stream_url": server.stream_url, "key": Secret(KEY), "secret": Secret(SECRET),
        "conservative": None, "symbols": ("BTC/USDT:USDT",) if server.perp else ("BTC/USDT",),
    } | changes  # fmt: skip
    return Access(**fields)


@asynccontextmanager
async def rigged(*, perp: bool) -> AsyncIterator[HallRig]:
    """Run a server with an adapter that is not connected."""
    async with server_of(perp=perp) as server:
        rig = HallRig(server, access_to(server), "BTC/USDT:USDT" if perp else "BTC/USDT")
        try:
            yield rig
        finally:
            await rig.venue.close()


@pytest.mark.slow
class TestBinanceSpot(TradingContract):
    """The contract on spot."""

    def open_rig(self) -> Any:
        return rigged(perp=False)


@pytest.mark.slow
class TestBinancePerpetuals(TradingContract):
    """The contract on perpetuals."""

    def open_rig(self) -> Any:
        return rigged(perp=True)

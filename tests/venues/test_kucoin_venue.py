"""KuCoin keeps the trading contract through ccxt over its own protocol, and nothing doubles or is lost on its bad days."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from protocol.instruments import Instrument, PrecisionRules
from protocol.secret import Secret
from protocol.values import MarketType
from tests.servers.venues.hall import Hall
from tests.servers.venues.kucoin import KEY, PASSPHRASE, SECRET, KucoinServer
from tests.venues.contract_suite import TradingContract
from tests.venues.fenced_rig import FencedRig
from tests.venues.manual_time import PATIENCE_S
from venues.access import Access

pytestmark = pytest.mark.anyio

D = Decimal
SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def markets() -> tuple[Instrument, ...]:
    """Return a pair and a contract, by KuCoin's names."""
    pair = PrecisionRules(D("0.1"), D("0.00001"), D("0.00001"), D("0.1"))
    contract = PrecisionRules(D("0.1"), D("0.001"), D("0.001"), D(0))
    common = {"venue": "kucoin", "base": "BTC", "quote": "USDT"}
    return (
        Instrument(symbol=SPOT, venue_symbol="BTC-USDT", rules=pair, **common),
        Instrument(
            symbol=PERP, venue_symbol="XBTUSDTM", rules=contract, market_type=MarketType.PERP, contract_size=D("0.001"),
            **common,
        ),
    )  # fmt: skip


def access(server: KucoinServer, market: MarketType) -> Access:
    """Return how to reach a server."""
    return Access(
        account="acc", venue="kucoin", market=market, url=server.url, stream_url=server.stream_url,
        key=Secret(KEY), secret=Secret(SECRET), passphrase=Secret(PASSPHRASE), conservative=None,
    )  # fmt: skip


class KucoinRig(FencedRig):
    """What the stream tells of a fill is followed by a question: that has to be answered too."""

    def __init__(self, server: KucoinServer, market: MarketType) -> None:
        symbol = PERP if market is MarketType.PERP else SPOT
        super().__init__(
            server, access(server, market), symbol, lambda number: {"id": f"fence{number}", "type": "pong"}
        )
        self.kucoin = server

    async def settled(self) -> None:
        await super().settled()
        async with asyncio.timeout(PATIENCE_S):
            while not self.venue.closed and self.venue.line.teller.holds:
                await asyncio.sleep(0)


@asynccontextmanager
async def running(market: MarketType = MarketType.SPOT) -> AsyncIterator[KucoinRig]:
    """Run a server with an adapter that is not connected."""
    async with KucoinServer(Hall("kucoin", markets())) as server:
        rig = KucoinRig(server, market)
        try:
            yield rig
        finally:
            await rig.venue.close()


@pytest.mark.slow
class TestKucoinSpot(TradingContract):
    """The contract."""

    def open_rig(self) -> Any:
        return running()

"""Hyperliquid keeps the trading contract over its own protocol, and signs nothing but what we send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from protocol.secret import Secret
from protocol.values import MarketType
from tests.servers.venues.hyperliquid import ACCOUNT, AGENT_KEY, HyperliquidServer, hyperliquid_hall
from tests.venues.contract_suite import TradingContract
from tests.venues.hall_rig import HallRig
from venues.access import Access
from venues.crypto.dialects.cloids import id_of

pytestmark = pytest.mark.anyio

D = Decimal
SPOT, PERP = MarketType.SPOT, MarketType.PERP


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def access_to(server: HyperliquidServer, market: MarketType, **changes: Any) -> Access:
    """Return how the server's account is reached."""
    fields: dict[str, Any] = {"account": "acc", "venue": "hyperliquid", "market": market, "url": server.url,
              "stream_url": server.stream_url, "account_id": ACCOUNT, "secret": Secret(AGENT_KEY),
              "conservative": None} | changes  # fmt: skip
    return Access(**fields)


@asynccontextmanager
async def standing(market: MarketType = SPOT, **changes: Any) -> AsyncIterator[HallRig]:
    """Run a server with an adapter, not connected; the hall knows orders by our ids."""
    hall = hyperliquid_hall(market)
    async with HyperliquidServer(hall, named=id_of) as server:
        symbol = "BTC/USDC" if market is SPOT else "BTC/USDC:USDC"
        rig = HallRig(server, access_to(server, market, **changes), symbol)
        try:
            yield rig
        finally:
            await rig.venue.close()


@pytest.mark.slow
class TestHyperliquidSpot(TradingContract):
    """The contract, on spot markets."""

    def open_rig(self) -> Any:
        return standing()

"""MEXC keeps the trading contract over its own protocol, and its perpetuals are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from protocol.secret import Secret
from tests.servers.venues.mexc import KEY, SECRET, MexcServer, mexc_hall
from tests.venues.contract_suite import TradingContract
from tests.venues.hall_rig import HallRig
from venues.access import Access

pytestmark = pytest.mark.anyio

D = Decimal


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def access_to(server: MexcServer, **changes: Any) -> Access:
    """Return how the server's account is reached."""
    fields: dict[str, Any] = {"account": "acc", "venue": "mexc", "url": server.url, "stream_url": server.stream_url,
              "key": Secret(KEY), "secret": Secret(SECRET), "conservative": None,
              "symbols": ("BTC/USDT",)} | changes  # fmt: skip
    return Access(**fields)


@asynccontextmanager
async def standing(**changes: Any) -> AsyncIterator[HallRig]:
    """Run a server with an adapter, not connected."""
    async with MexcServer(mexc_hall()) as server:
        rig = HallRig(server, access_to(server, **changes), "BTC/USDT")
        try:
            yield rig
        finally:
            await rig.venue.close()


@pytest.mark.slow
class TestMexcSpot(TradingContract):
    """The contract."""

    def open_rig(self) -> Any:
        return standing()

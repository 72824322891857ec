"""OKX keeps the trading contract through ccxt over its own protocol, and nothing doubles or is lost on its bad days."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest

from protocol.secret import Secret
from protocol.values import MarketType
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue
from tests.servers.venues.okx import KEY, PASSPHRASE, SECRET, OkxServer
from tests.servers.venues.okx_wire import okx_markets
from tests.venues.contract_suite import TradingContract
from tests.venues.fenced_rig import running
from tests.venues.trading_suite import Desk
from venues.access import Access

pytestmark = pytest.mark.anyio


def access(server: HttpVenue, market: MarketType = MarketType.SPOT) -> Access:
    """Return how to reach a server."""
    return Access(
        account="acc", venue="okx", market=market, url=server.url, stream_url=server.stream_url,
        key=Secret(KEY), secret=Secret(SECRET), passphrase=Secret(PASSPHRASE), conservative=None,
    )  # fmt: skip


def fence(number: int) -> dict[str, Any]:
    """Return an event that nobody knows."""
    return {"event": "channel-conn-count", "channel": "orders", "connCount": str(number), "connId": "a4d3ae55"}


def spot() -> AbstractAsyncContextManager[Any]:
    """Run a spot account."""
    return running(OkxServer(Hall("okx", okx_markets(), fee_in_base=True)), access, "BTC/USDT", fence)


def perp() -> AbstractAsyncContextManager[Any]:
    """Run an account of perpetuals."""
    hall = Hall("okx", okx_markets())
    return running(OkxServer(hall), partial(access, market=MarketType.PERP), "BTC/USDT:USDT", fence)


@pytest.mark.slow
class TestOkxSpot(TradingContract):
    """The contract."""

    def open_rig(self) -> Any:
        return spot()

    @pytest.mark.parametrize("broken", ["tick", "step", "min_qty", "funds", "holdings", "symbol"])
    async def test_refusals(self, desk: Desk, broken: str) -> None:
        """What OKX rejects is an answer with a reason; it knows no smallest value of an order."""
        await super().test_refusals(desk, broken)


@pytest.mark.slow
class TestOkxPerp(TradingContract):
    """The contract, for perpetuals."""

    def open_rig(self) -> Any:
        return perp()

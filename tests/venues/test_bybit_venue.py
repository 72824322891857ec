"""Bybit keeps the trading contract through ccxt over its own protocol, and nothing doubles or is lost on its bad days."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest

from protocol.secret import Secret
from protocol.values import MarketType
from tests.servers.venues.bybit import KEY, SECRET, BybitServer
from tests.servers.venues.bybit_wire import bybit_markets
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue
from tests.venues.contract_suite import TradingContract
from tests.venues.fenced_rig import running
from venues.access import Access

pytestmark = pytest.mark.anyio


def access(server: HttpVenue, market: MarketType = MarketType.SPOT) -> Access:
    """Return how to reach a server."""
    return Access(
        account="acc", venue="bybit", market=market, url=server.url, stream_url=server.stream_url,
        key=Secret(KEY), secret=Secret(SECRET), conservative=None,
    )  # fmt: skip


def fence(number: int) -> dict[str, Any]:
    """Return a heartbeat's answer."""
    return {"op": "pong", "args": ["1795296586076"], "req_id": f"fence{number}", "conn_id": "cejreaspqfm9se7usbrg-2xh"}


def spot() -> AbstractAsyncContextManager[Any]:
    """Run a spot account."""
    return running(BybitServer(Hall("bybit", bybit_markets(), fee_in_base=True)), access, "BTC/USDT", fence)


def perp() -> AbstractAsyncContextManager[Any]:
    """Run an account of perpetuals."""
    hall = Hall("bybit", bybit_markets())
    return running(BybitServer(hall), partial(access, market=MarketType.PERP), "BTC/USDT:USDT", fence)


@pytest.mark.slow
class TestBybitSpot(TradingContract):
    """The contract."""

    def open_rig(self) -> Any:
        return spot()


@pytest.mark.slow
class TestBybitPerp(TradingContract):
    """The contract, for perpetuals."""

    def open_rig(self) -> Any:
        return perp()

"""Bybit keeps the trading contract through ccxt over its own protocol, and nothing doubles or is lost on its bad days."""

from __future__ import annotations

from collections.abc import Callable
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
from tests.venues.bad_days import BadDays
from tests.venues.clocked_rig import ClockedRig, running
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from venues.access import Access

pytestmark = pytest.mark.anyio


def access(server: HttpVenue, market: MarketType = MarketType.SPOT) -> Access:
    """Return how to reach a server."""
    return Access(
        account="acc", venue="bybit", market=market, url=server.url, stream_url=server.stream_url,
        key=Secret(KEY), secret=Secret(SECRET), conservative=None,
    )  # fmt: skip


def server(now: Callable[[], int]) -> HttpVenue:
    """Return an account that trades both families; what is bought on spot pays its fee itself."""
    return BybitServer(Hall("bybit", bybit_markets(), fee_in_base=True, now=now))


def spot() -> AbstractAsyncContextManager[ClockedRig]:
    """Run a spot account."""
    return running(server, access, "BTC/USDT")


def perp() -> AbstractAsyncContextManager[ClockedRig]:
    """Run an account of perpetuals."""
    return running(server, partial(access, market=MarketType.PERP), "BTC/USDT:USDT")


@pytest.mark.slow
class TestBybitSpot(TradingContract):
    """The contract."""

    def open_rig(self) -> Any:
        return spot()


@pytest.mark.slow
class TestBybitPerp(PerpContract):
    """The contract, for perpetuals."""

    def open_rig(self) -> Any:
        return perp()


@pytest.mark.slow
class TestBybitBadDays(BadDays):
    """Bad days of a spot account."""

    open_rig = staticmethod(spot)
    too_many = "Too many visits"
    late_is_unknown = False


@pytest.mark.slow
class TestBybitPerpBadDays(TestBybitBadDays):
    """Bad days of an account of perpetuals."""

    open_rig = staticmethod(perp)

"""MEXC keeps the trading contract over its own protocol, and its perpetuals are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from protocol.secret import Secret
from protocol.values import MarketType
from runtime.clock import WallClock
from tests.servers.venues.http import HttpVenue
from tests.servers.venues.mexc import KEY, SECRET, MexcServer, mexc_hall
from tests.venues.bad_days import BadDays
from tests.venues.clocked_rig import ClockedRig, running
from tests.venues.contract_suite import TradingContract
from venues.access import Access, Tools
from venues.crypto import CryptoVenue
from venues.errors import VenueCapabilityMissing
from venues.known import make_venue

pytestmark = pytest.mark.anyio


def access(server: HttpVenue) -> Access:
    """Return how the server's account is reached."""
    return Access(
        account="acc", venue="mexc", url=server.url, stream_url=server.stream_url, key=Secret(KEY),
        secret=Secret(SECRET), conservative=None, symbols=("BTC/USDT",),
    )  # fmt: skip


def server(now: Callable[[], int]) -> MexcServer:
    """Return a venue."""
    return MexcServer(mexc_hall(now=now))


def spot() -> AbstractAsyncContextManager[ClockedRig]:
    """Run a spot account."""
    return running(server, access, "BTC/USDT")


@pytest.mark.slow
class TestMexcSpot(TradingContract):
    """The contract."""

    def open_rig(self) -> Any:
        return spot()


@pytest.mark.slow
class TestMexcBadDays(BadDays):
    """Bad days of a spot account."""

    open_rig = staticmethod(spot)
    too_many = "Too Many Requests"


def test_perpetuals_are_refused() -> None:
    """Ordinary keys may not order MEXC's perpetuals: the account is refused by that name before it connects."""
    wanted = Access(account="acc", venue="mexc", market=MarketType.PERP)
    tools = Tools(WallClock().now, asyncio.sleep, lambda: 0.0)
    for make in (make_venue, CryptoVenue):
        with pytest.raises(VenueCapabilityMissing):
            make(wanted, tools)

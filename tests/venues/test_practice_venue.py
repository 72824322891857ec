"""The practice exchange keeps the trading contract over real sockets, and takes nothing that comes too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from protocol.market import Bar, PriceTick
from protocol.orders import Balance
from protocol.venue import SessionDown
from runtime.clock import WallClock
from tests.venues.contract_suite import TradingContract, TradingRig
from tests.venues.manual_time import PATIENCE_S, Heard
from tests.venues.paper_helpers import order
from tests.venues.test_paper_venue import instruments
from venues.errors import NetworkTimeout, VenueCapabilityMissing, VenueDown
from venues.paper.config import PaperConfig
from venues.practice.adapter import PracticeVenue
from venues.practice.server import PracticeServer

pytestmark = pytest.mark.anyio

D = Decimal
SYNC = "SYNC/USDT"
NOW = WallClock().now
CONFIG = PaperConfig(balances=(Balance("USDT", D(100_000)),), participation=D(4))


class PracticeRig(TradingRig):
    """The adapter over a server on this loop."""

    def __init__(self, server: PracticeServer) -> None:
        self.server = server
        self.heard = Heard()
        self.venue = PracticeVenue(server.url, account="acc", name="paper", now=NOW)
        self._syncs = count(1)

    async def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        self.server.exchange.tick(PriceTick(symbol, NOW(), bid, ask, bid))
        await self.settled()

    async def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        self.server.exchange.bar(Bar(symbol, NOW(), 60, price, price, price, price, volume))
        await self.settled()

    async def settled(self) -> None:
        # A price goes the way of everything else; the first ones are sent before the exchange knows that they are wanted.
        if self.venue.closed:
            return
        await self.venue.subscribe([SYNC])
        number = next(self._syncs)
        async with asyncio.timeout(PATIENCE_S):
            while not self.heard.of(PriceTick, symbol=SYNC, at=number):
                self.server.exchange.tick(PriceTick(SYNC, number, D(1), D(1), D(1)))
                await self.venue.server_time()


@asynccontextmanager
async def practising() -> AsyncIterator[PracticeRig]:
    """Run an exchange on a free port."""
    server = PracticeServer("acc", CONFIG, instruments(), now=NOW)
    await server.start()
    rig = PracticeRig(server)
    try:
        yield rig
    finally:
        await rig.venue.close()
        await server.stop()


class TestPracticeVenue(TradingContract):
    """The contract."""

    def open_rig(self) -> Any:
        return practising()


@asynccontextmanager
async def connected() -> AsyncIterator[PracticeRig]:
    """Run an exchange with a client and a price of 100."""
    async with practising() as rig:
        await rig.venue.connect(rig.heard)
        await rig.set_price("BTC/USDT", D(99), D(101))
        yield rig


def resting(number: int = 1) -> Any:
    """Return a limit order below the market."""
    return order(f"bhpractice{number}", "buy", "limit", "1", "90")


async def test_after_its_time_nothing_is_sent() -> None:
    """A process whose lease has run out sends neither orders nor cancels."""
    async with connected() as rig:
        await rig.venue.place(resting())
        rig.venue.send_by = lambda: NOW() - 1
        with pytest.raises(VenueDown):
            await rig.venue.place(resting(2))
        with pytest.raises(VenueDown):
            await rig.venue.cancel("bhpractice1", "BTC/USDT")
        rig.venue.send_by = lambda: None
        assert [each.client_order_id for each in await rig.venue.open_orders()] == ["bhpractice1"]


async def test_what_arrives_after_its_time_is_refused() -> None:
    """A process that slept between the check and the wire: the exchange itself refuses the order, and says so."""
    async with connected() as rig:
        asked = iter([NOW() + 10_000_000_000])
        rig.venue.send_by = lambda: next(asked)
        rig.venue.clock_offset = -20_000_000_000  # as if the request had been under way for longer than it was good for
        with pytest.raises(VenueDown, match="after it was to be carried out"):
            await rig.venue.place(resting())
        assert await rig.venue.open_orders() == ()


async def test_the_exchange_goes_away() -> None:
    """The session hears that the stream is lost; calls say that nothing was reached."""
    async with connected() as rig:
        await rig.server.stop()
        async with asyncio.timeout(PATIENCE_S):
            await rig.heard.one(SessionDown)
        with pytest.raises((VenueDown, NetworkTimeout)):
            await rig.venue.place(resting())


async def test_nobody_there() -> None:
    """A wrong address says which one."""
    venue = PracticeVenue("http://127.0.0.1:9", account="acc", name="paper", now=NOW)
    with pytest.raises(VenueDown, match=r"127\.0\.0\.1:9"):
        await venue.connect(Heard())
    with pytest.raises(VenueDown):
        await venue.open_orders()
    with pytest.raises(VenueCapabilityMissing):
        await venue.candles("BTC/USDT", "1m", 0, 1)

"""A connected Binance account over its server, both on one clock that a test can move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from protocol.orders import FillReport, OrderRequest
from protocol.values import OrderSide, OrderType
from runtime.clock import WallClock
from tests.servers.venues.binance import BinanceServer
from tests.servers.venues.hall import NS
from tests.venues.hall_rig import HallRig, sooner
from tests.venues.manual_time import PATIENCE_S
from tests.venues.test_binance_venue import PERP, SPOT, access_to, server_of
from venues.access import Tools
from venues.crypto import CryptoVenue

__all__ = ["ASK", "BID", "BTC", "Desk", "Shifted", "desk"]

D = Decimal
WALL = WallClock().now
BTC = SPOT
BID, ASK = D("60000.00"), D("60000.10")


class Shifted:
    """A clock that can be moved ahead, for server and adapter alike."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return WALL() + self.ahead

    def passes(self, seconds: float) -> None:
        self.ahead += round(seconds * NS)


class Desk:
    """A connected adapter over a server, with a price of 60 000."""

    def __init__(self, rig: HallRig, clock: Shifted) -> None:
        self.rig, self.clock = rig, clock
        self.venue, self.heard, self.hall = rig.venue, rig.heard, rig.hall
        assert isinstance(rig.server, BinanceServer)
        self.server = rig.server
        self.symbol = rig.symbol

    def order(self, number: int, kind: OrderType = OrderType.LIMIT, price: Decimal | None = BID - 100) -> OrderRequest:
        return OrderRequest(
            client_order_id=f"bhsafety{number:04d}", symbol=self.symbol, side=OrderSide.BUY, type=kind, qty=D("0.01"),
            price=price if kind is not OrderType.MARKET else None,
        )  # fmt: skip

    def posts(self) -> int:
        """Return how many orders came."""
        return sum(request.startswith("POST") and request.endswith("/order") for request in self.server.requests)

    async def until(self, condition: Any) -> None:
        """Wait for something that no message tells, too."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - what a server does on this loop has no event
                await asyncio.sleep(0.01)  # house: waits for a server on this loop

    def fills(self) -> list[FillReport]:
        return self.heard.of(FillReport)


@asynccontextmanager
async def desk(*, perp: bool = False, connect: bool = True, **access: Any) -> AsyncIterator[Desk]:
    """Run a server and an adapter on one clock."""
    clock = Shifted()
    server = server_of(perp=perp, now=clock)
    async with server:
        rig = HallRig(server, access_to(server, **access), PERP if perp else SPOT)
        rig.venue = CryptoVenue(access_to(server, **access), Tools(clock, sooner, lambda: 0.0))
        found = Desk(rig, clock)
        try:
            rig.hall.price(rig.symbol, BID, ASK)
            if connect:
                await rig.venue.connect(rig.heard)
            yield found
        finally:
            await rig.venue.close()

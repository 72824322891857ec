"""The Alpaca adapter over Alpaca's server on this loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from itertools import count
from typing import Any

from protocol.instruments import Instrument
from protocol.orders import Balance, OrderReport, OrderRequest, OrderState
from protocol.secret import Secret
from protocol.values import OrderSide, OrderType
from runtime.clock import WallClock
from tests.servers.venues.alpaca import KEY, SECRET, AlpacaServer, shares
from tests.servers.venues.hall import Hall
from tests.venues.contract_suite import TradingRig
from tests.venues.manual_time import PATIENCE_S, Heard
from venues.access import Access, Tools
from venues.alpaca import AlpacaVenue

D = Decimal
NOW = WallClock().now
SYNC = "SYNC/USD"
_FENCE_S = 0.5


async def sooner(seconds: float) -> None:
    """Wait a tenth of the time: pauses of the adapter are long, its server is near."""
    await asyncio.sleep(seconds / 10)  # house: sockets and threads have no clock of ours


def tools() -> Tools:
    """Return a real clock and short waits, without chance."""
    return Tools(NOW, sooner, lambda: 0.0)


def access_to(server: AlpacaServer, **changes: Any) -> Access:
    """Return how the server's account is reached."""
    fields: dict[str, Any] = {"account": "acc", "venue": "alpaca", "testnet": True, "url": server.url,
              "stream_url": server.stream_url, "key": Secret(KEY), "secret": Secret(SECRET)} | changes  # fmt: skip
    return Access(**fields)


def access(server: AlpacaServer) -> Access:
    """Return how the server's account is reached."""
    return access_to(server)


def server(now: Callable[[], int]) -> AlpacaServer:
    """Return a venue."""
    return AlpacaServer(Hall("alpaca", shares("AAPL", "SYNC"), (Balance("USD", D(100_000)),), now=now))


class AlpacaRig(TradingRig):
    """An adapter of the server's account."""

    symbol = "AAPL/USD"

    def __init__(self, server: AlpacaServer) -> None:
        self.server = server
        self.heard = Heard()
        self.venue: AlpacaVenue = AlpacaVenue(access_to(server), tools(), absent_after_s=0.2)
        self._syncs = count(1)

    async def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        self.server.hall.price(symbol, bid, ask)
        await self.settled()

    async def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        self.server.hall.trade(symbol, price, volume)
        await self.settled()

    async def settled(self) -> None:
        if self.venue.closed:
            return
        # Somebody else's order goes the way of all updates; when its end has been told, so has everything before it.
        # One that comes while the stream is being opened again is not told: then it is another's turn.
        async with asyncio.timeout(PATIENCE_S):
            while not await self._fenced(f"syncorder{next(self._syncs)}"):
                continue

    async def _fenced(self, name: str) -> bool:
        hall = self.server.hall
        if hall.quote(SYNC) is None:
            hall.price(SYNC, D(100), D(101))
        request = OrderRequest(
            client_order_id=name, symbol=SYNC, side=OrderSide.BUY, type=OrderType.LIMIT, qty=D(1), price=D(10)
        )
        hall.cancel(hall.place(request))
        with suppress(TimeoutError):
            async with asyncio.timeout(_FENCE_S):
                await self.heard.one(OrderReport, client_order_id=name, state=OrderState.CANCELLED)
                return True
        return False


def new_hall(*instruments: Instrument) -> Hall:
    """Return an exchange of shares with 100 000 dollars."""
    return Hall("alpaca", instruments or shares("AAPL", "SYNC"), (Balance("USD", D(100_000)),))


@asynccontextmanager
async def alpaca(*instruments: Instrument) -> AsyncIterator[AlpacaRig]:
    """Run a server on a free port, with an adapter that is not connected."""
    async with AlpacaServer(new_hall(*instruments)) as server:
        rig = AlpacaRig(server)
        try:
            yield rig
        finally:
            await rig.venue.close()

"""The adapter of Interactive Brokers' Web API over its server on this loop."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from protocol.orders import Balance, FillReport, OrderReport, OrderState
from protocol.secret import Secret
from runtime.clock import WallClock
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.ibkr_web import IbkrWebServer
from tests.servers.venues.ibkr_web_words import CONSUMER, TOKEN, encrypted_secret, write_keys
from tests.servers.venues.tws_words import Listed
from tests.venues.contract_suite import TradingRig
from tests.venues.ibkr_rig import COINS, EURO, MINI, OPTIONS, SHARES, listed
from tests.venues.manual_time import PATIENCE_S, Heard
from venues.access import Access, Tools
from venues.ibkr_web import IbkrWebVenue

D = Decimal
NOW = WallClock().now
CONTRACTS = (COINS._replace(increment="0.0001", min_size="0.0001"), SHARES, EURO, MINI, *OPTIONS)


async def sooner(seconds: float) -> None:
    """Wait a twentieth of the time: pauses of the adapter are long, its server is near."""
    await asyncio.sleep(seconds / 20)  # house: the pauses of an adapter, not of a test


@cache
def keys() -> str:
    """Return the folder with the keys of the test account."""
    folder = Path(tempfile.mkdtemp(prefix="bulkhead-ibkr-web-keys-"))
    write_keys(folder)
    return str(folder)


def broker(
    now: Callable[[], int] = NOW,
    *,
    contracts: Iterable[Listed] = CONTRACTS,
    money: int = 100_000,
    gateway: bool = False,
) -> IbkrWebServer:
    """Return a broker with money."""
    found = tuple(contracts)
    hall = Hall("ibkr_web", [listed(each) for each in found], [Balance("USD", D(money))], now=now)
    return IbkrWebServer(hall, found, gateway=gateway)


def server(now: Callable[[], int]) -> IbkrWebServer:
    """Return a broker."""
    return broker(now)


def access_to(server: IbkrWebServer, **changes: Any) -> Access:
    """Return how the server's account is reached."""
    fields: dict[str, Any] = {
        "account": "acc", "venue": "ibkr_web", "url": server.address, "stream_url": server.stream_url + "/v1/api",
        "conservative": None, "symbols": ("BTC/USD",), "testnet": True,
    }  # fmt: skip
    if server.oauth is not None:
        fields |= {"key": Secret(CONSUMER), "secret": Secret(encrypted_secret()), "passphrase": Secret(TOKEN)}
        fields["keys_folder"] = keys()
    return Access(**(fields | changes))


def access(server: IbkrWebServer) -> Access:
    """Return how the server's account is reached, with a folder of its own for notes."""
    return access_to(server, folder=tempfile.mkdtemp(prefix="bulkhead-ibkr-web-"))


class IbkrWebRig(TradingRig):
    """An adapter of the server's account. ``ahead_s`` is how far our clock is ahead of the wall."""

    def __init__(self, server: IbkrWebServer, access: Access) -> None:
        self.server = server
        self.hall = server.hall
        self.access = access
        self.heard = Heard()
        self.symbol = access.symbols[0]
        self.ahead_s = 0.0
        self._lives: list[IbkrWebVenue] = []
        self.venue: IbkrWebVenue = self.another()

    def now(self) -> int:
        """Return our time."""
        return NOW() + round(self.ahead_s * 1e9)

    def another(self) -> IbkrWebVenue:
        """Return a new adapter of the same account: the next life of the session."""
        self.venue = IbkrWebVenue(self.access, Tools(self.now, sooner, lambda: 0.5))
        self._lives.append(self.venue)
        return self.venue

    async def restart(self) -> None:
        """Begin another life, connected."""
        await self.venue.close()
        self.heard = Heard()
        await self.another().connect(self.heard)

    async def close(self) -> None:
        for venue in self._lives:
            await venue.close()

    async def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        self.hall.price(symbol, bid, ask)
        await self.settled()

    async def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        self.hall.trade(symbol, price, volume)
        await self.settled()

    async def settled(self) -> None:
        if not self.venue.closed:
            async with asyncio.timeout(PATIENCE_S):
                await self.heard.until(self._all_told)

    def _all_told(self) -> bool:
        fills = sum(fill.at >= self.venue.opened_at for fill in self.hall.fills)
        told = {fill.trade_id for fill in self.heard.of(FillReport)}
        return len(told) >= fills and all(self._is_told(each) for each in self.hall.by_number.values())

    def _is_told(self, order: Order) -> bool:
        if order.updated_at < self.venue.opened_at:
            return True
        reports = self.heard.of(OrderReport, client_order_id=order.request.client_order_id)
        return any(
            (each.state, each.filled_qty) == (order.state, order.filled)
            or (each.state.final and order.state.final and order.state is not OrderState.CANCELLED)
            for each in reports
        )


@asynccontextmanager
async def serving(
    folder: str = "", *, server_of: IbkrWebServer | None = None, **changes: Any
) -> AsyncIterator[IbkrWebRig]:
    """Run a broker on a free port with an adapter that is not connected."""
    async with server_of or broker() as running:
        rig = IbkrWebRig(running, access_to(running, folder=folder, **changes))
        try:
            yield rig
        finally:
            await rig.close()


@asynccontextmanager
async def connected(folder: str = "", **changes: Any) -> AsyncIterator[IbkrWebRig]:
    """Run a broker with a connected adapter and prices."""
    async with serving(folder, **changes) as rig:
        rig.hall.price("BTC/USD", D(60000), D("60000.1"))
        rig.hall.price("AAPL/USD", D("199.99"), D("200.01"))
        rig.hall.price("EUR/USD:USD", D("1.08500"), D("1.08505"))
        await rig.venue.connect(rig.heard)
        yield rig

"""Every venue that has a server of its own here, by one name: how it is run and reached.

An adapter registers with what makes its server and what says how the server's account is reached; whatever goes through all
venues (the fault matrix, the scenario) goes through this table.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import random
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from protocol.values import MarketType
from runtime.clock import WallClock
from tests.servers.venues.hall import Hall
from venues.access import Access, Tools
from venues.contract import Venue
from venues.known import make_venue

__all__ = ["RIGS", "Rig", "Standing"]

SPOT, PERP = MarketType.SPOT, MarketType.PERP
NOW: Final = WallClock().now

Reach = Callable[[Any], Access]
Way = Callable[[MarketType], tuple[Any, Reach]]
"""Makes a server and what says how it is reached."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A venue that runs. ``make`` returns a new adapter of its one account, not connected."""

    name: str
    hall: Hall
    server: Any
    symbol: str
    price: Decimal
    timeless: bool
    """Whether the venue's quotes carry no time of their own."""
    make: Callable[[], Venue]


@dataclass(frozen=True, slots=True)
class Rig:
    """How a venue is run."""

    name: str
    way: Way
    symbol: str
    market: MarketType = SPOT
    price: Decimal = Decimal(60_000)
    timeless: bool = False

    @asynccontextmanager
    async def standing(self, **changes: Any) -> AsyncIterator[Standing]:
        """Run the venue on a free port; ``changes`` of the access."""
        made, reach = self.way(self.market)
        async with made as server:
            access = replace(reach(server), **changes)
            tools = Tools(NOW, asyncio.sleep, random.Random(7).random)  # house: real waits, a fixed chance
            yield Standing(
                self.name,
                server.hall,
                server,
                self.symbol,
                self.price,
                self.timeless,
                lambda: make_venue(access, tools),
            )


def _by_module(name: str) -> Way:
    """Take ``server(now)`` and ``access(server)`` of a module; either may take the market family too."""

    def way(market: MarketType) -> tuple[Any, Reach]:
        module = importlib.import_module(f"tests.venues.{name}")
        return _fitting(module.server, NOW, market), lambda server: _fitting(module.access, server, market)

    return way


def _fitting(call: Any, first: Any, market: MarketType) -> Any:
    return call(first, market) if len(inspect.signature(call).parameters) > 1 else call(first)


def _binance(market: MarketType) -> tuple[Any, Reach]:
    module = importlib.import_module("tests.venues.test_binance_venue")
    return module.server_of(perp=market is PERP), module.access_to


def _oanda(market: MarketType) -> tuple[Any, Reach]:
    module = importlib.import_module("tests.venues.oanda_rig")
    return module.OandaServer(module.coins()), module.access_to


def _ibkr(market: MarketType) -> tuple[Any, Reach]:
    module = importlib.import_module("tests.venues.ibkr_rig")

    # Without notes of what it sent, an order of an earlier connection can never be proven absent.
    folder = tempfile.mkdtemp(prefix="bulkhead-ibkr-")

    def reach(server: Any) -> Access:
        return Access(account="acc", venue="ibkr", port=server.port, symbols=("BTC/USD",), folder=folder)

    return module.gateway(), reach


def _crypto(
    venue: str, way: Way | None = None, quote: str = "USDT", *, families: int = 2, timeless: tuple[MarketType, ...] = ()
) -> tuple[Rig, ...]:
    way = way or _by_module(f"test_{venue}_venue")
    pair = f"BTC/{quote}"
    spot = Rig(venue, way, pair, timeless=SPOT in timeless)
    perp = Rig(f"{venue}-perp", way, f"{pair}:{quote}", PERP, timeless=PERP in timeless)
    return (spot, perp)[:families]


RIGS: Final[dict[str, Rig]] = {
    rig.name: rig
    for rig in (
        *_crypto("binance", _binance, timeless=(SPOT,)),
        *_crypto("bybit"),
        *_crypto("okx"),
        *_crypto("kucoin"),
        *_crypto("gate"),
        *_crypto("mexc"),
        *_crypto("hyperliquid", quote="USDC"),
        Rig("oanda", _oanda, "BTC/USDT:USDT", PERP),
        Rig("ibkr", _ibkr, "BTC/USD", timeless=True),
        Rig("ibkr_web", _by_module("ibkr_web_rig"), "BTC/USD"),
        Rig("alpaca", _by_module("alpaca_rig"), "AAPL/USD", price=Decimal(100)),
    )
}
"""By name."""

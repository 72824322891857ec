"""A practice exchange on a thread of the test's own: daemons reach it by its socket, the test by its memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

from market.sources.synthetic import SyntheticConfig, SyntheticMarket
from protocol.market import PriceTick
from protocol.messages import Event
from protocol.orders import Balance
from runtime.clock import WallClock
from venues.paper.config import PaperConfig
from venues.practice.server import PracticeServer

__all__ = ["Practice", "practising"]

T = TypeVar("T")
_DEADLINE_S = 60.0


class Practice:
    """The exchange as a test sees it."""

    def __init__(self, server: PracticeServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self.url = server.url

    def history(self) -> list[Event]:
        """Return everything that ever happened there."""
        return self._call(lambda: list(self._server.exchange.history))

    def open_orders(self) -> Sequence[Any]:
        """Return the orders that can still fill."""
        return self._call(self._server.exchange.open_orders)

    def price(self, symbol: str, price: str) -> None:
        """Move a market."""
        at = Decimal(price)
        tick = PriceTick(symbol, WallClock().now(), at, at + Decimal("0.01"), at)
        self._call(lambda: self._server.exchange.tick(tick))

    def _call(self, call: Callable[[], T]) -> T:
        async def inside() -> T:
            return call()

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(_DEADLINE_S)


@contextmanager
def practising(host: str = "127.0.0.1") -> Iterator[Practice]:
    """Run an exchange with a price for each market, for the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    market = SyntheticMarket(SyntheticConfig())
    config = PaperConfig(venue="binance", balances=(Balance("USDT", Decimal(1_000_000)),))

    async def made() -> PracticeServer:
        server = PracticeServer("practice", config, market.instruments("binance"), now=WallClock().now, host=host)
        await server.start()
        return server

    server = asyncio.run_coroutine_threadsafe(made(), loop).result(_DEADLINE_S)
    practice = Practice(server, loop)
    for symbol, price in (("BTC/USDT", "60000"), ("ETH/USDT", "3000"), ("SOL/USDT", "150")):
        practice.price(symbol, price)
    try:
        yield practice
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(_DEADLINE_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_DEADLINE_S)
        loop.close()

"""A practice exchange on a thread of its own, for commands that run a loop themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from protocol.market import PriceTick
from protocol.orders import Balance
from runtime.clock import WallClock
from tests.venues.test_paper_venue import instruments
from venues.paper.config import PaperConfig
from venues.practice.server import PracticeServer

__all__ = ["practice_exchange"]


@contextmanager
def practice_exchange() -> Iterator[PracticeServer]:
    """Run an exchange whose markets stand at 100 until the block ends."""
    config = PaperConfig(balances=(Balance("USDT", Decimal(100_000)),))
    server = PracticeServer("acc", config, instruments(), now=WallClock().now)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="exchange")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(_begin(server), loop).result(20)
        yield server
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


async def _begin(server: PracticeServer) -> None:
    await server.start()
    for each in instruments():
        price = Decimal(100)
        server.exchange.tick(PriceTick(each.symbol, WallClock().now(), price, price + 1, price))

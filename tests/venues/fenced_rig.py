"""A crypto adapter over a server on this loop, with a fence that tells when everything said so far was heard."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar

from runtime.clock import WallClock
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue
from tests.venues.contract_suite import TradingRig
from tests.venues.manual_time import PATIENCE_S, Heard
from venues.access import Access, Tools
from venues.crypto.venue import CryptoVenue

_FENCE_S = 0.5
NOW = WallClock().now
TOOLS = Tools(NOW, asyncio.sleep, random.Random(7).random)

S = TypeVar("S", bound=HttpVenue)


class FencedRig(TradingRig):
    """``fence`` makes a frame that the venue might send, that means nothing and carries a number."""

    def __init__(self, server: HttpVenue, access: Access, symbol: str, fence: Callable[[int], Any]) -> None:
        self.server = server
        self.hall: Hall = server.hall
        self.heard = Heard()
        self.venue: CryptoVenue = CryptoVenue(access, TOOLS)
        self.symbol = symbol
        self._fence = fence
        self._fences = count(1)

    async def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        self.hall.price(symbol, bid, ask)
        await self.settled()

    async def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        self.hall.trade(symbol, price, volume)
        await self.settled()

    async def settled(self) -> None:
        # Whatever the private stream was told before the fence is handled before it.
        if self.venue.closed:
            return
        async with asyncio.timeout(PATIENCE_S):
            while not await self._fenced():
                pass

    async def _fenced(self) -> bool:
        """Return whether a fence came through; not when the stream just then is replaced by another."""
        await self.venue.line.private.live.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FENCE_S):
                await asyncio.gather(*[self._passed(stream) for stream in self.server.streams if stream.login])
                return True
        return False

    async def _passed(self, stream: Any) -> None:
        fence, private = self._fence(next(self._fences)), self.venue.line.private
        heard, hear = asyncio.Event(), private.frame

        def listening(frame: Any) -> None:
            hear(frame)
            if frame == fence:
                heard.set()

        private.frame = listening  # type: ignore[method-assign]
        try:
            stream.reply(fence)
            await heard.wait()
        finally:
            private.frame = hear  # type: ignore[method-assign]


@asynccontextmanager
async def running(
    server: HttpVenue, access: Callable[[HttpVenue], Access], symbol: str, fence: Any
) -> AsyncIterator[Any]:
    """Run a server with an adapter that is not connected."""
    async with server:
        rig = FencedRig(server, access(server), symbol, fence)
        try:
            yield rig
        finally:
            await rig.venue.close()

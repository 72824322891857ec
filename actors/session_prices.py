"""The prices that a venue tells through its session: which symbols are wanted, and which words are no prices."""

from __future__ import annotations

import asyncio
from typing import Final

from protocol.market import PriceTick
from protocol.webhook import PriceAnswer

__all__ = ["AHEAD_S", "FIRST_PRICE_S", "Prices"]

AHEAD_S: Final = 5
"""A price whose instant lies further than this ahead of us is no price of now (EX-1106's limit for clocks)."""

FIRST_PRICE_S: Final = 1.0
"""How long the first price of a symbol that nobody followed is waited for."""

_NANOS: Final = 1_000_000_000


class Prices:
    """What is subscribed, through all connections of a session's life, and the sanity of what comes."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self._asked: dict[str, asyncio.Future[PriceTick]] = {}
        self._newest: dict[str, int] = {}

    def takes(self, tick: PriceTick, now: int) -> bool:
        """Whether a tick may be believed: positive, not crossed, not older than what was told before, not of the future.

        A venue that lies about a price must cost us a price, never an order.
        """
        good = (
            tick.bid > 0
            and tick.ask >= tick.bid
            and tick.last > 0
            and self._newest.get(tick.symbol, 0) <= tick.at <= now + AHEAD_S * _NANOS
        )
        if good:
            self._newest[tick.symbol] = tick.at
            waiting = self._asked.pop(tick.symbol, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(tick)
        return good

    def wants(self, symbol: str) -> bool:
        """Note that a symbol is wanted; return whether it is so for the first time."""
        if symbol in self.wanted:
            return False
        self.wanted.add(symbol)
        return True

    async def first(self, symbol: str) -> PriceAnswer:
        """Wait for a symbol's first price, but not for long."""
        coming = self._asked.get(symbol)
        if coming is None:
            coming = self._asked[symbol] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(FIRST_PRICE_S):
                return PriceAnswer(await asyncio.shield(coming))
        except TimeoutError:
            return PriceAnswer(None)

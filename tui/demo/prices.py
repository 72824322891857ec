"""Made-up prices: a function of the instant, so that the same instant always shows the same picture."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, NamedTuple

__all__ = ["MARKETS", "Market", "noise", "price_at", "text_of"]

_MASK: Final = (1 << 64) - 1
_STEP_NS: Final = 500_000_000


class Market(NamedTuple):
    """A market: where its price is at home, its places, how lively it is (1 is ordinary)."""

    symbol: str
    home: float
    places: int
    lively: float = 1.0

    @property
    def base(self) -> str:
        """Return what is traded."""
        return self.symbol.partition("/")[0]


MARKETS: Final = {
    market.symbol: market
    for market in (
        Market("BTC/USDT", 67_412.5, 2, 0.6),
        Market("ETH/USDT", 3_518.24, 2, 0.8),
        Market("SOL/USDT", 171.36, 2, 1.3),
        Market("BNB/USDT", 604.1, 1, 0.7),
        Market("XRP/USDT", 0.6214, 4, 1.0),
        Market("ADA/USDT", 0.4573, 4, 1.1),
        Market("DOGE/USDT", 0.15842, 5, 1.6),
        Market("AVAX/USDT", 38.17, 2, 1.4),
        Market("LINK/USDT", 18.032, 3, 1.2),
        Market("DOT/USDT", 7.214, 3, 1.1),
        Market("LTC/USDT", 84.52, 2, 0.9),
        Market("NEAR/USDT", 6.871, 3, 1.5),
        Market("ATOM/USDT", 8.405, 3, 1.0),
        Market("ARB/USDT", 1.0412, 4, 1.5),
        Market("OP/USDT", 2.487, 3, 1.5),
        Market("INJ/USDT", 27.93, 2, 1.6),
        Market("SUI/USDT", 1.2841, 4, 1.7),
        Market("APT/USDT", 9.122, 3, 1.4),
    )
}
"""Every market of the demo by its symbol."""


def noise(*parts: int) -> float:
    """Return a number from -1 to 1 that follows from whole numbers (SplitMix64)."""
    state = 0x9E3779B97F4A7C15
    for each in parts:
        state = (state ^ (each & _MASK)) * 0xBF58476D1CE4E5B9 & _MASK
        state ^= state >> 27
        state = state * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state / (1 << 63) - 1


@lru_cache(256)  # one answer asks for the price of its instant again and again
def price_at(market: Market, at: int) -> float:
    """Return a market's price at an instant (ns): slow waves, quick ones, and a jitter each half second."""
    seed = sum(ord(letter) * 31**place for place, letter in enumerate(market.symbol))
    step, seconds = at // _STEP_NS, at / 1e9
    waves = sum(
        size * math.sin(seconds / period * math.tau + noise(seed, number) * math.pi)
        for number, (size, period) in enumerate(((0.011, 5_400), (0.005, 1_500), (0.0022, 240), (0.0009, 41)))
    )
    return market.home * (1 + market.lively * (waves + 0.0004 * noise(seed, step)))


def text_of(value: float, places: int) -> str:
    """Return a number as the API writes it."""
    return f"{value:.{places}f}"

"""What is known of each symbol: best bid and ask, last price, last finished bar."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from protocol.market import PriceTick

__all__ = ["Quotes"]

_REPEAT_NS: Final = 1_000_000_000
"""An unchanged price is told again after this long, so that its age says whether the feed lives."""


class Quotes:
    """Merge book and last price into ticks; a tick is due when a price changed or a second has passed."""

    def __init__(self) -> None:
        self._books: dict[str, tuple[Decimal, Decimal]] = {}
        self._lasts: dict[str, Decimal] = {}
        self._told: dict[str, PriceTick] = {}

    def book(self, symbol: str, bid: Decimal, ask: Decimal, at: int) -> PriceTick | None:
        """Take a new best bid and ask; return the tick that is due, None when nothing is to be told."""
        self._books[symbol] = (bid, ask)
        return self._due(symbol, at)

    def last(self, symbol: str, price: Decimal, at: int) -> PriceTick | None:
        """Take a new last price; return the tick that is due, None when nothing is to be told."""
        self._lasts[symbol] = price
        return self._due(symbol, at)

    def newest(self, symbol: str) -> PriceTick | None:
        """Return the newest tick that was told of a symbol."""
        return self._told.get(symbol)

    def _due(self, symbol: str, at: int) -> PriceTick | None:
        if symbol not in self._books or symbol not in self._lasts:
            return None  # half of a quote is no quote: nothing is made up for the other half
        bid, ask = self._books[symbol]
        told, last = self._told.get(symbol), self._lasts[symbol]
        if told and (told.bid, told.ask, told.last) == (bid, ask, last) and at - told.at < _REPEAT_NS:
            return None
        tick = PriceTick(symbol, at, bid, ask, last)
        self._told[symbol] = tick
        return tick

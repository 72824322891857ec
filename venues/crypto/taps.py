"""A tap that is put in place before the one it passes everything to exists."""

from __future__ import annotations

from typing import Any

from venues.crypto.dialect import Row
from venues.crypto.exchange import Tap

__all__ = ["Late"]


class Late:
    """Passes on to ``behind``; a ccxt object needs its tap when it is made, and the tap needs the ccxt object."""

    behind: Tap

    def order(self, order: Row) -> None:
        """Pass on an order."""
        self.behind.order(order)

    def trade(self, trade: Row) -> None:
        """Pass on a trade."""
        self.behind.trade(trade)

    def quote(self, symbol: str, ticker: Row) -> None:
        """Pass on a ticker."""
        self.behind.quote(symbol, ticker)

    def frame(self, frame: Any) -> None:
        """Pass on a frame."""
        self.behind.frame(frame)

    def malformed(self, reason: str) -> None:
        """Pass on what could not be read."""
        self.behind.malformed(reason)

    def connected(self) -> None:
        """Pass on that a connection is open."""
        self.behind.connected()

    def lost(self, error: BaseException) -> None:
        """Pass on that a connection has ended."""
        self.behind.lost(error)

"""Who can execute the orders of an account."""

from __future__ import annotations

from enum import StrEnum

from venues.known import KNOWN

__all__ = ["VenueKind"]


class VenueKind(StrEnum):
    """Which adapter executes the orders of an account."""

    PAPER = "paper"
    """Simulated inside the daemon; shares its journal."""
    PRACTICE = "practice"
    """A practice exchange of its own (`bulkhead practice`), reached over the network."""
    BINANCE = "binance"
    BYBIT = "bybit"
    OKX = "okx"
    KUCOIN = "kucoin"
    MEXC = "mexc"
    GATE = "gate"
    HYPERLIQUID = "hyperliquid"
    OANDA = "oanda"
    IBKR = "ibkr"
    IBKR_WEB = "ibkr_web"
    ALPACA = "alpaca"

    @property
    def is_known(self) -> bool:
        """Whether it is a venue of the world outside: one of ``venues.known.KNOWN``."""
        return self.value in KNOWN

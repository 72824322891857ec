"""What results are broken down by."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["BreakdownKey"]


class BreakdownKey(StrEnum):
    """Fields of trades and realizations."""

    SYMBOL = "symbol"
    TIMEFRAME = "timeframe"
    STRATEGY = "strategy"
    SIDE = "side"
    ACCOUNT = "account"
    VENUE = "venue"

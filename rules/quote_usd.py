"""What one unit of a quote currency is worth in USD (EX-109)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from protocol.market import PriceTick

__all__ = ["MAX_RATE_AGE_NS", "USD_LIKE", "quote_usd", "rate_symbol"]

USD_LIKE: Final = frozenset({"USD", "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI"})
"""Currencies that count as one US dollar."""

MAX_RATE_AGE_NS: Final = 300 * 10**9
"""Oldest rate that still counts, nanoseconds."""


def rate_symbol(currency: str) -> str:
    """Return the market whose last price is the currency's rate."""
    return f"{currency}/USDT"


def quote_usd(currency: str, rate: PriceTick | None, now: int) -> Decimal | None:
    """Return USD per unit of ``currency``; ``rate`` is the newest tick of ``rate_symbol``, if any.

    None when the rate is unknown or older than five minutes: USD figures are then empty and the group takes no part in the
    offset.
    """
    if currency in USD_LIKE:
        return Decimal(1)
    if rate is None or now - rate.at > MAX_RATE_AGE_NS or rate.last <= 0:
        return None
    return rate.last

"""Amounts of a currency in words: to the cent where it has cents, to their last digit where it has none."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from rules.notation import plain

__all__ = ["amount_of", "result_of"]

_WITH_CENTS: Final = frozenset({"AUD", "CAD", "CHF", "DAI", "EUR", "GBP", "NZD"})
_LEAST: Final = Decimal("0.00000001")


def result_of(amount: Decimal, currency: str) -> str:
    """Return what something came to, always with its sign: ``+1,234.57 USDT``."""
    return _written(amount, currency, "+")


def amount_of(amount: Decimal, currency: str) -> str:
    """Return an amount: ``10,000.00 USDT``."""
    return _written(amount, currency, "")


def _written(amount: Decimal, currency: str, sign: str) -> str:
    if "USD" in currency or currency in _WITH_CENTS:
        figure = f"{amount:{sign},.2f}"
    else:
        rounded = Decimal(plain(amount.quantize(_LEAST)))
        figure = f"{rounded:{sign},f}"
    return f"{figure} {currency}".rstrip()

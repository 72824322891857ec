"""Exact decimal arithmetic of the paper exchange and its few stated roundings.

Roundings are passed by position: by keyword a call of ``decimal`` costs three times as much.
"""

from __future__ import annotations

import hashlib
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import Final

__all__ = ["EXACT", "MONEY_PLACES", "ZERO", "ceil_money", "ceil_to", "floor_money", "floor_to", "hashed", "round_money"]

ZERO: Final = Decimal(0)
MONEY_PLACES: Final = 12
"""Decimal places of fees and locks: fees are rounded half-even to these, locks up."""

EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
"""Wide enough that sums and products of any allowed price, quantity and rate are exact; entered by the engine's face."""

_UNIT: Final = Decimal(1).scaleb(-MONEY_PLACES)


def round_money(value: Decimal) -> Decimal:
    """Round half-even to ``MONEY_PLACES``."""
    return value.quantize(_UNIT, ROUND_HALF_EVEN, EXACT)


def ceil_money(value: Decimal) -> Decimal:
    """Round up (towards +infinity) to ``MONEY_PLACES``."""
    return value.quantize(_UNIT, ROUND_CEILING, EXACT)


def floor_money(value: Decimal) -> Decimal:
    """Round down (towards -infinity) to ``MONEY_PLACES``."""
    return value.quantize(_UNIT, ROUND_FLOOR, EXACT)


def floor_to(value: Decimal, unit: Decimal) -> Decimal:
    """Return the largest multiple of ``unit`` that is not above ``value``."""
    return (value / unit).to_integral_value(ROUND_FLOOR) * unit


def ceil_to(value: Decimal, unit: Decimal) -> Decimal:
    """Return the smallest multiple of ``unit`` that is not below ``value``."""
    return (value / unit).to_integral_value(ROUND_CEILING) * unit


def hashed(*parts: object) -> int:
    """Return a number in 0..2**64-1 that depends on the parts alone; stable across processes and versions."""
    digest = hashlib.blake2b(":".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")

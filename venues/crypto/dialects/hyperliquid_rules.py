"""Hyperliquid's rules of prices.

Five significant figures; a number of decimals that depends on the step of sizes; whole prices always.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

__all__ = ["MAX_DECIMALS", "step_at", "tick_for"]

MAX_DECIMALS: Final = {True: 6, False: 8}
"""Decimals of a price and of a size together: perpetuals (true), spot (false)."""
_FIGURES: Final = 5
_HEADROOM: Final = Decimal("1.5")


def step_at(price: Decimal, size_step: Decimal, *, perp: bool) -> Decimal:
    """Return the step between prices near ``price``; ``size_step`` is the step of sizes, a power of ten."""
    sizes = -int(size_step.normalize().as_tuple().exponent)
    finest = Decimal(1).scaleb(sizes - MAX_DECIMALS[perp])
    by_figures = Decimal(1).scaleb(price.adjusted() - _FIGURES + 1)
    return max(finest, min(by_figures, Decimal(1)))


def tick_for(price: Decimal | None, size_step: Decimal, *, perp: bool) -> Decimal:
    """Return one tick that is right from far below ``price`` to half again as high; without a price the finest.

    The step grows at powers of ten, and a target above the next one must be valid too.
    """
    if price is None or price <= 0:
        return step_at(Decimal("1e-12"), size_step, perp=perp)
    return step_at(price * _HEADROOM, size_step, perp=perp)

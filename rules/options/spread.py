"""How wide the market of a contract or a structure is for its price (DK-65)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from protocol.options import OptionContract

__all__ = ["FLAGGED_ABOVE", "flagged_legs", "spread_quality", "structure_spread_quality"]

FLAGGED_ABOVE: Final = Decimal("0.15")
"""A leg wider than this is shown to the human by name; of exactly this width it is not."""


def spread_quality(contract: OptionContract) -> Decimal | None:
    """Return (ask - bid) / mid as a fraction; None when the mid, half of bid and ask, is not above 0.

    The venue's own ``mid`` is not used: it may be a mark or of another moment. A crossed quote gives a negative number.
    """
    if not (contract.bid.is_finite() and contract.ask.is_finite()):
        return None
    mid = (contract.bid + contract.ask) / 2
    return (contract.ask - contract.bid) / mid if mid > 0 else None


def structure_spread_quality(legs: Sequence[OptionContract]) -> Decimal | None:
    """Return the sum of the legs' spreads over the sum of their mids; None when a leg has no quote or a crossed one.

    Such a leg would make the structure look tighter than it is. No legs have no quality either.
    """
    qualities = [spread_quality(each) for each in legs]
    if not legs or any(each is None or each < 0 for each in qualities):
        return None
    return sum((each.ask - each.bid for each in legs), Decimal(0)) / sum(each.ask + each.bid for each in legs) * 2


def flagged_legs(legs: Mapping[str, OptionContract]) -> tuple[str, ...]:
    """Return the names of the legs that are wider than 0.15, or whose width cannot be told, in their order."""
    qualities = {name: spread_quality(each) for name, each in legs.items()}
    return tuple(name for name, quality in qualities.items() if quality is None or quality > FLAGGED_ABOVE)

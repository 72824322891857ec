"""Contracts by days to expiry and by delta (DK-53). A contract without a delta never matches one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from protocol.options import OptionContract, Right
from rules.options.expiry import DteRange, days_to_expiry
from rules.options.quality import SLACK, delta_of
from rules.options.spread import spread_quality

__all__ = ["DeltaRange", "by_delta", "by_dte", "nearest_delta"]


class DeltaRange(NamedTuple):
    """Signed deltas that are wanted, puts negative; both ends belong to it."""

    least: float
    most: float

    def holds(self, delta: float) -> bool:
        """Whether a delta lies in the range."""
        return self.least - SLACK <= delta <= self.most + SLACK


def by_dte(contracts: Iterable[OptionContract], wanted: DteRange, today: date) -> tuple[OptionContract, ...]:
    """Return the contracts whose expiry is in range on the session date ``today``, in their order."""
    return tuple(each for each in contracts if wanted.holds(days_to_expiry(each.expiration, today)))


def by_delta(contracts: Iterable[OptionContract], right: Right, wanted: DeltaRange) -> tuple[OptionContract, ...]:
    """Return the contracts of one right whose delta is in range, in their order."""
    return tuple(each for each, delta in _with_delta(contracts, right) if wanted.holds(delta))


def nearest_delta(
    contracts: Iterable[OptionContract], target: float, right: Right, expiration: str
) -> OptionContract | None:
    """Return the contract whose delta is nearest to ``target``, None when no contract of that expiry has one.

    Of equally near ones the tighter quoted wins, then the one further out of the money, then the first symbol.
    """
    here = [each for each in contracts if each.expiration == expiration]
    found = [(each, abs(delta - target)) for each, delta in _with_delta(here, right)]
    if not found:
        return None
    # 0.11 and 0.21 are equally far from 0.16, but not in floats.
    limit = min(distance for _, distance in found) + SLACK
    return min((each for each, distance in found if distance <= limit), key=_preference)


def _with_delta(contracts: Iterable[OptionContract], right: Right) -> list[tuple[OptionContract, float]]:
    known = ((each, delta_of(each)) for each in contracts if each.right is right)
    return [(each, delta) for each, delta in known if delta is not None]


def _preference(contract: OptionContract) -> tuple[bool, Decimal, Decimal, str]:
    quality = spread_quality(contract)
    # A crossed quote is an error, not a tight market: after every sound one, like no quote at all.
    unsound = quality is None or quality < 0
    outward = contract.strike if contract.right is Right.PUT else -contract.strike
    return unsound, Decimal(0) if quality is None or unsound else quality, outward, contract.symbol

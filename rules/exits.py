"""Split a close over the legs of a position (EX-710)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from protocol.errors import BulkheadError
from rules.precision import floor_to, quotient

__all__ = ["CloseExceedsOpen", "allocate_close", "book_in_order"]


class CloseExceedsOpen(BulkheadError):
    """More was to be closed than is open."""


def allocate_close(open_by_leg: Mapping[str, Decimal], qty: Decimal, step: Decimal) -> dict[str, Decimal]:
    """Split ``qty`` pro-rata over the legs: floors to the step, then a step each by largest remainder, ties to the lower.

    The full quantity closes everything. Raises ``CloseExceedsOpen``. Legs keep their order; the shares always sum to
    ``qty``, whose part below a step goes where the next step would.
    """
    total = sum(open_by_leg.values(), Decimal(0))
    if qty > total:
        raise CloseExceedsOpen(f"{qty} is more than the {total} that is open")
    if qty == total:
        return dict(open_by_leg)
    wanted = {leg: quotient(qty * held, total) for leg, held in open_by_leg.items()}
    shares = {leg: min(floor_to(share, step), open_by_leg[leg]) for leg, share in wanted.items()}
    left = qty - sum(shares.values(), Decimal(0))
    ranked = sorted(shares, key=lambda leg: shares[leg] - wanted[leg])
    while left > 0:
        for leg in ranked:
            more = min(step, left, open_by_leg[leg] - shares[leg])
            shares[leg] += more
            left -= more
    return shares


def book_in_order(outstanding: Mapping[str, Decimal], qty: Decimal) -> dict[str, Decimal]:
    """Give ``qty`` to the legs one after the other, each up to what is outstanding; the excess goes to none."""
    booked: dict[str, Decimal] = {}
    for leg, most in outstanding.items():
        part = min(most, qty)
        if part > 0:
            booked[leg] = part
            qty -= part
    return booked

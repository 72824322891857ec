"""What became of an order, told from its fills and the venue's word, and the fills that belong to none (PF-218..220)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from protocol.values import Instant
from rules.perps.amounts import EXACT, positive
from rules.perps.fills import Fill

__all__ = [
    "QUERY_AFTER_NS",
    "Matched",
    "OrderAction",
    "OrderStanding",
    "Reconciled",
    "SubmittedOrder",
    "match_fills",
    "reconcile",
]

QUERY_AFTER_NS: Final = 900_000_000_000
"""Age at which an order that the venue said nothing about is looked up."""


class OrderStanding(StrEnum):
    """How an order stands; all but the first two are final."""

    SUBMITTED = "submitted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    OVERFILLED = "overfilled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    PARTIALLY_FILLED_CLOSED = "partially_filled_closed"

    @property
    def final(self) -> bool:
        """Whether the order is not touched any more."""
        return self not in (OrderStanding.SUBMITTED, OrderStanding.PARTIALLY_FILLED)


class OrderAction(StrEnum):
    """What is to be done beside storing the standing."""

    NONE = "none"
    QUERY_VENUE = "query_venue"
    ALERT = "alert"


class SubmittedOrder(NamedTuple):
    """An order; ``base_size`` in base units, None when it was sized in quote."""

    standing: OrderStanding
    base_size: Decimal | None
    submitted_at: Instant


class Reconciled(NamedTuple):
    """How an order stands now; ``filled`` in base units."""

    standing: OrderStanding
    filled: Decimal
    action: OrderAction = OrderAction.NONE


class Matched(NamedTuple):
    """Fills by their order, and those without one: they are stored and alerted (PF-220)."""

    by_order: dict[str, tuple[Fill, ...]]
    orphans: tuple[Fill, ...]


_ENDED: Final = {
    "CANCELLED": OrderStanding.CANCELLED,
    "EXPIRED": OrderStanding.EXPIRED,
    "FAILED": OrderStanding.FAILED,
}


def reconcile(order: SubmittedOrder, fills: Sequence[Decimal], *, venue_status: str | None, now: Instant) -> Reconciled:
    """Return how an order stands after ``fills`` (base units each) and the venue's status, None: not told (PF-218).

    Raises ValidationError with code InvalidQuantity for a size or fill that is not above 0.
    """
    filled = Decimal(0)
    for qty in fills:
        filled = EXACT.add(filled, positive("$.fills", qty, "InvalidQuantity"))
    if order.base_size is not None:
        positive("$.base_size", order.base_size, "InvalidQuantity")
    if order.standing.final:
        return Reconciled(order.standing, filled)
    standing = _standing(order, filled, (venue_status or "").upper())
    if standing is OrderStanding.OVERFILLED:
        return Reconciled(standing, filled, OrderAction.ALERT)
    silent = not venue_status and now - order.submitted_at >= QUERY_AFTER_NS
    ask = silent and not standing.final
    return Reconciled(standing, filled, OrderAction.QUERY_VENUE if ask else OrderAction.NONE)


def _standing(order: SubmittedOrder, filled: Decimal, status: str) -> OrderStanding:
    """Say how an open order stands; what has traded counts before what the venue calls it."""
    if order.base_size is not None and filled >= order.base_size:
        return OrderStanding.FILLED if filled == order.base_size else OrderStanding.OVERFILLED
    if order.base_size is None and filled > 0 and status == "FILLED":
        return OrderStanding.FILLED
    if status in _ENDED:
        return OrderStanding.PARTIALLY_FILLED_CLOSED if filled > 0 else _ENDED[status]
    return OrderStanding.PARTIALLY_FILLED if filled > 0 else order.standing


def match_fills(fills: Iterable[Fill], orders: AbstractSet[str]) -> Matched:
    """Sort fills by the order they belong to; one of no known order is an orphan (PF-220)."""
    by_order: dict[str, tuple[Fill, ...]] = {}
    orphans: list[Fill] = []
    for fill in fills:
        if fill.order_id in orders:
            by_order[fill.order_id] = (*by_order.get(fill.order_id, ()), fill)
        else:
            orphans.append(fill)
    return Matched(by_order, tuple(orphans))

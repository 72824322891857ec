"""What an open position is worth at a mark price (EX-1002)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from protocol.values import Side
from rules.precision import quotient
from rules.take_profit import Lot

__all__ = ["GroupMetrics", "group_metrics"]


class GroupMetrics(NamedTuple):
    """Open quantity, average entry, unrealized profit; fees excluded.

    ``avg_entry`` and ``unrealized_percent`` are None when nothing is open, ``unrealized_usd`` when the USD value of the
    quote currency is unknown (EX-109).
    """

    open_qty: Decimal
    avg_entry: Decimal | None
    unrealized_usd: Decimal | None
    unrealized_percent: Decimal | None


def group_metrics(side: Side, lots: Sequence[Lot], mark: Decimal, quote_usd: Decimal | None) -> GroupMetrics:
    """Return the figures of open lots at a mark price; ``quote_usd`` is the USD value of one unit of quote currency."""
    qty = sum((lot.qty for lot in lots), Decimal(0))
    if not qty:
        return GroupMetrics(Decimal(0), None, Decimal(0), None)
    cost = sum((lot.qty * lot.price for lot in lots), Decimal(0))
    profit = side.sign * (mark * qty - cost)
    return GroupMetrics(
        qty,
        quotient(cost, qty),
        None if quote_usd is None else profit * quote_usd,
        quotient(profit * 100, cost),
    )

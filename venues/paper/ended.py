"""Orders that ended long ago: enough to answer for each of them for ever, in little room.

What makes a paper venue's "no such order" a proof is that it forgets no id. The newest ended orders are kept whole; of the
others there remain their state and what traded, under a hash of 64 bits: two ids that share one are not told apart, which
can only turn a proof of absence into a known order, never the other way round.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Final

from protocol.orders import OrderReport, OrderState
from venues.paper.numbers import hashed

__all__ = ["KEPT_WHOLE", "MOVED_AT_ONCE", "EndedOrders", "ended_report", "remember"]

KEPT_WHOLE: Final = 2_000
"""Newest ended orders kept whole."""

MOVED_AT_ONCE: Final = 200
"""Orders that leave memory together, so that the cost of it is seldom paid."""

EndedOrders = dict[int, str]
"""Hash of the client id -> state and filled quantity (``filled 0.5``)."""


def remember(ended: EndedOrders, client_order_id: str, state: OrderState, filled: Decimal) -> None:
    """Keep of an order only how it ended."""
    ended[hashed(client_order_id)] = sys.intern(f"{state.value} {filled}")


def ended_report(ended: EndedOrders, client_order_id: str, symbol: str, at: int) -> OrderReport | None:
    """Say how an order ended that left memory long ago; None when no such order ever was."""
    known = ended.get(hashed(client_order_id)) if ended else None
    if known is None:
        return None
    state, _, filled = known.partition(" ")
    return OrderReport(
        client_order_id=client_order_id,
        symbol=symbol,
        state=OrderState(state),
        filled_qty=Decimal(filled),
        reason="ended long ago",
        at=at,
    )

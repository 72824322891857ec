"""What is refused before it leaves for Interactive Brokers, by the gateway as by the Web API; and the memory of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

from protocol.orders import OrderReport, OrderRequest, OrderState
from protocol.values import MarketType, OrderSide
from rules.broker.heartbeat import LATE_S, SessionAge
from venues.ibkr.contracts import Found

__all__ = ["Refused", "no_words_for", "too_late"]


def too_late(request: OrderRequest, market: MarketType, age: SessionAge, who: str) -> tuple[str, str] | None:
    """Return code and reason why an entry may not leave: exits are still tried when heartbeats are late (PF-238)."""
    entry = request.side is OrderSide.BUY if market is MarketType.SPOT else not request.reduce_only
    if entry and age is not SessionAge.ACTIVE:
        return "SessionLate", f"{who} has answered no heartbeat for more than {LATE_S} s: no new entries"
    return None


async def no_words_for(
    request: OrderRequest, market: MarketType, found: Found, held_qty: Callable[[int], Awaitable[Decimal]]
) -> tuple[str, str] | None:
    """Return code and reason why an order cannot be sent: the broker has no fractions and knows no "reduce only".

    ``held_qty`` tells how many contracts of an id are held, signed.
    """
    if found.size != 1 and request.qty % found.size:
        return "PrecisionRejected", f"quantity {request.qty} is no whole number of contracts of {found.size}"
    if not request.reduce_only or market is MarketType.SPOT:
        return None
    held = await held_qty(found.con_id) * found.size
    closable = held if request.side is OrderSide.SELL else -held
    if closable < request.qty:
        return "ReduceOnly", f"{max(closable, Decimal(0))} could be closed, not {request.qty}"
    return None


class Refused:
    """The orders of one connection that were refused before they left."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._reports: dict[str, OrderReport] = {}

    def get(self, client_order_id: str) -> OrderReport | None:
        """Return how an order was refused, None unless it was."""
        return self._reports.get(client_order_id)

    def refuse(self, client_order_id: str, symbol: str, code: str, reason: str) -> OrderReport:
        """Refuse an order and remember it."""
        report = self._reports[client_order_id] = OrderReport(
            client_order_id=client_order_id,
            symbol=symbol,
            state=OrderState.REJECTED,
            code=code,
            reason=reason,
            at=self._now(),
        )
        return report

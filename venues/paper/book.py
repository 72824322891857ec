"""Open orders of one symbol, its newest price, and the bounds that answer "could anything trade?" at once.

``floor`` is the highest price at which a falling market does something (our best buy limit or sell stop), ``ceiling``
the lowest at which a rising one does (best sell limit or buy stop), ``due_at`` the instant from which any price does
(an order on its way arrives, or a market order waits for liquidity). Invariant: all three follow ``orders``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from protocol.instruments import Instrument
from protocol.orders import OrderRequest, OrderState
from protocol.paper import PaperOrderAccepted
from protocol.values import MarketType, OrderSide, OrderType
from venues.paper.numbers import ZERO

__all__ = ["NEVER", "PaperOrder", "SymbolBook"]

NEVER: Final = 2**63 - 1
_LOWEST: Final = Decimal("-Infinity")
_HIGHEST: Final = Decimal("Infinity")


class PaperOrder(msgspec.Struct):
    """An accepted order. ``number`` orders by acceptance; ``locked`` of ``lock_currency`` is set aside for its rest."""

    request: OrderRequest
    base: str
    quote: str
    market_type: MarketType
    venue_order_id: str
    number: int
    accepted_at: int
    active_at: int
    arrived: bool
    locked: Decimal
    lock_currency: str
    triggered: bool = False
    filled: Decimal = ZERO
    state: OrderState = OrderState.OPEN
    reason: str = ""

    @classmethod
    def accepted(cls, event: PaperOrderAccepted, number: int) -> PaperOrder:
        """Return the order that an acceptance makes."""
        return cls(
            request=event.request,
            base=event.base,
            quote=event.quote,
            market_type=event.market_type,
            venue_order_id=event.venue_order_id,
            number=number,
            accepted_at=event.at,
            active_at=event.active_at,
            arrived=event.active_at <= event.at,
            locked=event.locked,
            lock_currency=event.lock_currency,
        )

    @property
    def rest(self) -> Decimal:
        """What has not traded yet, in base units."""
        return self.request.qty - self.filled

    @property
    def is_market(self) -> bool:
        """Whether the order takes any price now."""
        return self.request.type is OrderType.MARKET or self.triggered

    @property
    def trigger(self) -> Decimal:
        """The price that makes a resting order do something: its stop or its limit."""
        request = self.request
        price = request.stop_price if request.type is OrderType.STOP else request.price
        assert price is not None
        return price

    @property
    def waits_below(self) -> bool:
        """Whether a falling price reaches this resting order (buy limit, sell stop)."""
        return (self.request.side is OrderSide.BUY) is not (self.request.type is OrderType.STOP)


class SymbolBook:
    """Orders, newest price and bounds of one symbol. The newest price is market memory: no event rebuilds it."""

    __slots__ = ("ask", "at", "bid", "ceiling", "due_at", "floor", "instrument", "last", "liquidity", "orders")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.orders: dict[str, PaperOrder] = {}
        self.floor = _LOWEST
        self.ceiling = _HIGHEST
        self.due_at = NEVER
        self.last: Decimal | None = None
        self.bid: Decimal | None = None  # None: derived from ``last`` and the configured spread
        self.ask: Decimal | None = None
        self.at = 0
        self.liquidity: Decimal | None = None  # base units that may still trade at this price; None: no limit

    def reindex(self) -> None:
        """Bring the bounds in line with ``orders``; called after each change of one."""
        floor, ceiling, due_at = _LOWEST, _HIGHEST, NEVER
        for order in self.orders.values():
            if not order.arrived:
                due_at = min(due_at, order.active_at)
            elif order.is_market:
                due_at = 0
            elif order.waits_below:
                floor = max(floor, order.trigger)
            else:
                ceiling = min(ceiling, order.trigger)
        self.floor, self.ceiling, self.due_at = floor, ceiling, due_at

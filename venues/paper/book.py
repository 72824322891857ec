"""Open orders of one symbol, its newest price, and the bounds that answer "could anything trade?" at once.

``floor`` is the highest price at which a falling market does something (our best buy limit or sell stop), ``ceiling``
the lowest at which a rising one does (best sell limit or buy stop), ``due_at`` the instant from which any price does
(an order on its way arrives, or a market order waits for liquidity). Invariant: all three follow ``orders``.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
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

    __slots__ = (
        "_above", "_below", "_urgent", "ask", "at", "bid", "ceiling", "due_at", "floor", "instrument", "last",
        "liquidity", "orders",
    )  # fmt: skip

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.orders: dict[str, PaperOrder] = {}
        self._below: list[Decimal] = []  # what a falling price reaches, in order; with repetitions
        self._above: list[Decimal] = []  # what a rising one reaches
        self._urgent: dict[str, int] = {}  # orders on their way or taking any price, and from when on they do something
        self.floor = _LOWEST
        self.ceiling = _HIGHEST
        self.due_at = NEVER
        self.last: Decimal | None = None
        self.bid: Decimal | None = None  # None: derived from ``last`` and the configured spread
        self.ask: Decimal | None = None
        self.at = 0
        self.liquidity: Decimal | None = None  # base units that may still trade at this price; None: no limit

    def reindex(self) -> None:
        """Bring the bounds in line with ``orders``, which were all replaced."""
        self._below, self._above, self._urgent = [], [], {}
        for order in self.orders.values():
            self._enter(order)
        self._set_bounds()

    def add(self, order: PaperOrder) -> None:
        """Take an order in."""
        self.orders[order.request.client_order_id] = order
        self._enter(order)
        self._set_bounds()

    def remove(self, order: PaperOrder) -> None:
        """Let an order go."""
        del self.orders[order.request.client_order_id]
        self._leave(order)
        self._set_bounds()

    def move(self, order: PaperOrder, change: Callable[[PaperOrder], None]) -> None:
        """Change an order in a way that may change when it does something."""
        self._leave(order)
        change(order)
        self._enter(order)
        self._set_bounds()

    def urgent(self) -> list[PaperOrder]:
        """Return the orders that are on their way or take any price, oldest first."""
        return sorted((self.orders[key] for key in self._urgent), key=lambda order: order.number)

    def _enter(self, order: PaperOrder) -> None:
        if not order.arrived or order.is_market:
            self._urgent[order.request.client_order_id] = 0 if order.arrived else order.active_at
        else:
            insort(self._below if order.waits_below else self._above, order.trigger)

    def _leave(self, order: PaperOrder) -> None:
        if self._urgent.pop(order.request.client_order_id, None) is None:
            prices = self._below if order.waits_below else self._above
            del prices[bisect_left(prices, order.trigger)]

    def _set_bounds(self) -> None:
        self.floor = self._below[-1] if self._below else _LOWEST
        self.ceiling = self._above[0] if self._above else _HIGHEST
        self.due_at = min(self._urgent.values(), default=NEVER)

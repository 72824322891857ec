"""Orders as far as the broker has told of them, by our id, whatever the transport: fills once each, and before the end.

Messages come repeated, late and in any order. An order is called over only when all of its fills have been told.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from protocol.messages import Message
from protocol.orders import FillReport, OrderReport, OrderState
from protocol.values import OrderSide

__all__ = ["ACKNOWLEDGED", "OVER", "Known", "Ledger"]

ACKNOWLEDGED: Final = frozenset(
    {"PreSubmitted", "Submitted", "PendingCancel", "Filled", "Cancelled", "ApiCancelled", "Inactive"}
)
"""States in which the broker has the order; before them it may still refuse it."""

OVER: Final = frozenset({"Cancelled", "ApiCancelled", "Filled", "Inactive"})
"""States after which nothing more will come."""


@dataclass(slots=True)
class Known:
    """One order. Sizes are the broker's units, ``size`` base units a unit; ``status`` empty: not acknowledged yet."""

    key: str
    symbol: str
    size: Decimal = Decimal(1)
    side: OrderSide = OrderSide.BUY
    qty: Decimal = Decimal(0)
    price: Decimal | None = None
    order_id: int = 0
    client_id: int = -1
    perm_id: int = 0
    status: str = ""
    filled: Decimal = Decimal(0)
    told: Decimal = Decimal(0)
    combo: bool = False
    legs: int = 0
    """Contracts of all legs that one unit of a combination trades."""
    refused: bool = False
    assumed: bool = False
    """Its status was read from an error; the broker's own word on it counts for more."""
    code: str = ""
    reason: str = ""
    objection: tuple[int, str] | None = None
    """What the broker said of the order while it stood: to our last cancel, for one."""
    given_up: bool = False
    """Asked again, the broker did not tell all of its trades: they are of a day that it tells no more."""
    last: tuple[OrderState, Decimal] | None = None
    fills: dict[str, FillReport] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether the broker says that nothing more will come."""
        return self.status in OVER

    @property
    def whole(self) -> bool:
        """Whether every fill that the broker counts has been told."""
        return self.given_up or self.told >= self.filled * (self.legs if self.combo else 1)

    @property
    def rest(self) -> Decimal:
        """Return what can still trade, in base units."""
        return Decimal(0) if self.over else max(self.qty - self.filled, Decimal(0)) * self.size

    @property
    def state(self) -> OrderState:
        """Return the state in the engine's words; over only when every fill has been told."""
        if self.over and self.whole:
            if self.status == "Filled":
                return OrderState.FILLED
            never = not self.filled and (self.refused or self.status == "Inactive")
            return OrderState.REJECTED if never else OrderState.CANCELLED
        if not self.status and not self.filled:
            return OrderState.UNKNOWN
        return OrderState.PARTIALLY_FILLED if self.filled else OrderState.OPEN


class Ledger:
    """The orders of one account. ``tell`` is told fills and reports, once each."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.orders: dict[str, Known] = {}
        self.tell: Callable[[Message], None] = lambda _: None
        self._changed: set[asyncio.Future[None]] = set()

    # --- who asks --------------------------------------------------------------------------------------------------------

    def report(self, known: Known) -> OrderReport:
        """Return how an order stands, as far as it was told."""
        return OrderReport(
            client_order_id=known.key,
            symbol=known.symbol,
            state=known.state,
            venue_order_id=str(known.perm_id or known.order_id or ""),
            filled_qty=known.filled * known.size,
            reason=known.reason,
            code=known.code,
            at=self._now(),
        )

    def fills(self) -> Iterator[FillReport]:
        """Yield all fills of the day."""
        for known in self.orders.values():
            yield from known.fills.values()

    def locked(self) -> dict[str, Decimal]:
        """Return what open orders would take, by currency: the broker tells no locks by order."""
        locked: defaultdict[str, Decimal] = defaultdict(Decimal)
        for known in self.orders.values():
            base, _, quote = known.symbol.partition("/")
            if known.combo or not known.rest:
                continue
            if known.side is OrderSide.SELL:
                locked[base if ":" not in quote else known.symbol] += known.rest
            else:
                locked[quote.partition(":")[0]] += known.rest * (known.price or Decimal(0))
        return locked

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when a condition holds; it is asked again whenever something was told."""
        while not condition():
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._changed.add(changed)
            try:
                await changed
            finally:
                self._changed.discard(changed)

    def wake(self) -> None:
        """Have all conditions asked again."""
        for changed in self._changed:
            if not changed.done():
                changed.set_result(None)

    # --- who tells -------------------------------------------------------------------------------------------------------

    def stands(self, known: Known, status: str, filled: Decimal) -> None:
        """Take where an order stands, and tell it."""
        known.filled = max(known.filled, filled)
        late = not known.assumed and (known.status == "Filled" or (known.over and status not in OVER))
        if status and not late:  # what is over stays over
            if known.assumed and status not in OVER:
                known.refused = False
            known.status, known.assumed = status, False
        self.say(known)

    def take(self, known: Known, fill: FillReport, qty: Decimal) -> None:
        """Take a fill of ``qty`` in the broker's units, tell it, and what it led to."""
        known.fills[fill.trade_id] = fill
        known.told += qty
        if not known.combo:
            known.filled = max(known.filled, known.told)
        self.tell(fill)
        self.say(known)

    def say(self, known: Known) -> None:
        """Tell how an order stands unless that was told before."""
        report = self.report(known)
        now = (report.state, report.filled_qty)
        # An order that was refused for its pace alone is sent again: told as rejected, the desk would be done with it.
        paced = known.code == "RateLimited" and not known.filled
        if report.state is not OrderState.UNKNOWN and known.last != now and not paced:
            known.last = now
            self.tell(report)
        self.wake()

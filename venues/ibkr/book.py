"""What the broker has told of orders and trades, by our id: the one place that turns its words into reports and fills.

Messages come repeated, late and in any order; a trade's commission comes after the trade. A fill is told once it is
complete, and an order is called over only when all of its fills have been told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from protocol.messages import Message
from protocol.orders import FillReport, OrderReport, OrderState
from protocol.values import OrderSide
from runtime.clock import NANOS
from venues.ibkr.codes import Meaning, meaning_of, refusal_code
from venues.ibkr.contracts import Contracts
from venues.ibkr.gateway import Trade, exact
from venues.ibkr.ids import engine_id
from venues.ibkr.symbols import symbol_of

__all__ = ["ACKNOWLEDGED", "Book", "Known"]

ACKNOWLEDGED: Final = frozenset(
    {"PreSubmitted", "Submitted", "PendingCancel", "Filled", "Cancelled", "ApiCancelled", "Inactive"}
)
"""States in which the broker has the order; before them it may still refuse it."""

_CANCELLED: Final = frozenset({"Cancelled", "ApiCancelled"})
_OVER: Final = _CANCELLED | {"Filled", "Inactive"}
_MAKER: Final = 1


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
        return self.status in _OVER

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


@dataclass(slots=True)
class _Bare:
    """A trade without its commission."""

    known: Known
    contract: Any
    execution: Any
    trade: Trade


class Book:
    """All orders of the account that the broker has told of. ``tell`` is told fills and reports, once each."""

    def __init__(self, contracts: Contracts, now: Callable[[], int], account: Callable[[], str]) -> None:
        self._contracts = contracts
        self._now = now
        self._account = account
        self.orders: dict[str, Known] = {}
        self.tell: Callable[[Message], None] = lambda _: None
        self._by_number: dict[tuple[int, int], Known] = {}
        self._by_perm: dict[int, Known] = {}
        self._bare: dict[str, _Bare] = {}
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

    @property
    def incomplete(self) -> bool:
        """Whether trades wait for their commission, or orders for their trades."""
        return bool(self._bare) or any(not known.whole for known in self.orders.values())

    def open(self, known: Known) -> None:
        """Take an order of ours that is about to be sent."""
        self.orders[known.key] = known
        self._by_number[known.client_id, known.order_id] = known

    def forget(self, known: Known) -> None:
        """Forget an order that was not sent after all."""
        self.orders.pop(known.key, None)
        self._by_number.pop((known.client_id, known.order_id), None)

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

    # --- what the broker tells ---------------------------------------------------------------------------------------------

    def order(self, contract: Any, order: Any, status: str) -> None:
        """Take an open order."""
        known = self._known(contract, order.orderRef, order.clientId, order.orderId, order.permId, order.account)
        if known is None:
            return
        self._describe(known, contract, order)
        self._stands(known, status, known.filled)

    def completed(self, contract: Any, order: Any, state: Any) -> None:
        """Take an order that is over; it comes without order id and client."""
        known = self._known(contract, order.orderRef, -1, 0, order.permId, order.account)
        if known is None:
            return
        self._describe(known, contract, order)
        known.reason = known.reason or state.completedStatus
        self._stands(known, state.status, exact(order.filledQuantity) or known.filled)

    def status(self, order_id: int, client_id: int, perm_id: int, status: str, filled: Decimal) -> None:
        """Take where an order stands."""
        known = self._by_perm.get(perm_id) or self._by_number.get((client_id, order_id))
        if known is not None:
            self._stands(known, status, filled)

    def execution(self, contract: Any, execution: Any, trade: Trade) -> None:
        """Take a trade; it is told when its commission is known."""
        number = (execution.clientId, execution.orderId, execution.permId)
        known = self._known(contract, execution.orderRef, *number, execution.acctNumber)
        if known is None:
            return
        if contract.secType == "BAG":
            return  # a combination's own line: its legs are told one by one
        root = execution.execId.rpartition(".")[0]
        if root in known.fills or (root in self._bare and self._bare[root].execution.execId == execution.execId):
            return
        self._bare[root] = _Bare(known, contract, execution, trade)

    def commission(self, execution_id: str, amount: Decimal, currency: str) -> None:
        """Take what a trade cost, and tell the trade."""
        bare = self._bare.pop(execution_id.rpartition(".")[0], None)
        if bare is not None:
            self._fill(bare, amount, currency)

    def tell_without_commission(self) -> None:
        """Tell the trades whose commission does not come: a position that nobody knows of is worse than a missing fee."""
        bare, self._bare = self._bare, {}
        for each in bare.values():
            self._fill(each, Decimal(0), each.contract.currency)
        for known in self.orders.values():
            if not known.whole:
                known.given_up = True
                self._say(known)

    def refusal(self, order_id: int, client_id: int, code: int, text: str) -> None:
        """Take an error about an order."""
        known = self._by_number.get((client_id, order_id))
        if known is None:
            return
        meaning, words = meaning_of(code), f"{text} (code {code})"
        stands = known.status not in ("", "PendingSubmit", "ApiPending")
        if stands and meaning not in (None, Meaning.INFORMATION, Meaning.CANCELLED):
            known.objection = (code, text)
        if meaning is Meaning.CANCELLED:
            known.reason = known.reason or words
        elif meaning is Meaning.FATAL or (meaning is Meaning.RETRY and not stands):
            known.code, known.reason, known.refused = refusal_code(code, text), words, True
            if not stands and meaning is Meaning.RETRY:
                known.status = "Inactive"  # not told: the same order is sent again
            elif not stands:
                self._stands(known, "Inactive", known.filled)
                known.assumed = True
        self.wake()

    # --- inside ----------------------------------------------------------------------------------------------------------

    def _known(
        self, contract: Any, ref: str, client_id: int, order_id: int, perm_id: int, account: str
    ) -> Known | None:
        """Return the order that a message speaks of, None for another account's."""
        if account and self._account() and account != self._account():
            return None
        known = self._by_perm.get(perm_id) or (self._by_number.get((client_id, order_id)) if order_id > 0 else None)
        key = engine_id(ref, perm_id)
        if known is None:
            known = self.orders.get(key)
            if known is not None and known.perm_id not in (0, perm_id):
                # The same reference on a second order: somebody else's doing, and no order of ours.
                key, known = engine_id("", perm_id), None
        if known is None:
            known = self.orders[key] = Known(key, *self._named(contract), combo=contract.secType == "BAG")
        if perm_id:
            known.perm_id = perm_id
            self._by_perm[perm_id] = known
        if order_id > 0:
            known.client_id, known.order_id = client_id, order_id
            self._by_number[client_id, order_id] = known
        return known

    def _named(self, contract: Any) -> tuple[str, Decimal]:
        found = self._contracts.heard(contract)
        if found is not None:
            return found.name, found.size
        kind, expiry = contract.secType, contract.lastTradeDateOrContractMonth
        name = symbol_of(
            kind, contract.symbol, contract.currency, expiry, exact(contract.strike) or Decimal(0), contract.right
        )
        scaled = kind in ("FUT", "OPT", "FOP")
        return name, (exact(contract.multiplier) or Decimal(1)) if scaled else Decimal(1)

    @staticmethod
    def _describe(known: Known, contract: Any, order: Any) -> None:
        known.legs = sum(leg.ratio for leg in contract.comboLegs or ()) or known.legs
        known.side = OrderSide.BUY if order.action == "BUY" else OrderSide.SELL
        known.qty = exact(order.totalQuantity) or exact(order.filledQuantity) or known.qty
        price = exact(order.lmtPrice) if order.orderType == "LMT" else exact(order.auxPrice)
        known.price = price or known.price

    def _stands(self, known: Known, status: str, filled: Decimal) -> None:
        known.filled = max(known.filled, filled)
        late = not known.assumed and (known.status == "Filled" or (known.over and status not in _OVER))
        if status and not late:  # what is over stays over
            if known.assumed and status not in _OVER:
                known.refused = False
            known.status, known.assumed = status, False
        self._say(known)

    def _fill(self, bare: _Bare, fee: Decimal, currency: str) -> None:
        known, execution = bare.known, bare.execution
        symbol, size = self._named(bare.contract)
        root = execution.execId.rpartition(".")[0]
        if root in known.fills:
            return
        fill = known.fills[root] = FillReport(
            client_order_id=known.key,
            trade_id=root,
            symbol=symbol,
            side=OrderSide.BUY if execution.side == "BOT" else OrderSide.SELL,
            qty=bare.trade.qty * size,
            price=bare.trade.price,
            fee=fee,
            fee_currency=currency or bare.contract.currency,
            maker=execution.lastLiquidity == _MAKER,
            at=_instant(execution.time),
        )
        known.told += bare.trade.qty
        if not known.combo:
            known.filled = max(known.filled, known.told)
        self.tell(fill)
        self._say(known)

    def _say(self, known: Known) -> None:
        report = self.report(known)
        now = (report.state, report.filled_qty)
        # An order that was refused for its pace alone is sent again: told as rejected, the desk would be done with it.
        paced = known.code == "RateLimited" and not known.filled
        if report.state is not OrderState.UNKNOWN and known.last != now and not paced:
            known.last = now
            self.tell(report)
        self.wake()


def _instant(at: datetime) -> int:
    return int(at.timestamp()) * NANOS

"""What a gateway has told of orders and trades: the one place that turns its words into reports and fills.

A trade's commission comes after the trade: a fill is told once it is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from protocol.orders import FillReport
from protocol.values import OrderSide
from runtime.clock import NANOS
from venues.ibkr.codes import Meaning, meaning_of, refusal_code
from venues.ibkr.contracts import Contracts
from venues.ibkr.gateway import Trade, exact
from venues.ibkr.ids import engine_id
from venues.ibkr.ledger import Known, Ledger
from venues.ibkr.symbols import symbol_of

__all__ = ["Book"]

_MAKER: Final = 1


@dataclass(slots=True)
class _Bare:
    """A trade without its commission."""

    known: Known
    contract: Any
    execution: Any
    trade: Trade


class Book(Ledger):
    """The ledger, kept by what a gateway says."""

    def __init__(self, contracts: Contracts, now: Callable[[], int], account: Callable[[], str]) -> None:
        super().__init__(now)
        self._contracts = contracts
        self._account = account
        self._by_number: dict[tuple[int, int], Known] = {}
        self._by_perm: dict[int, Known] = {}
        self._bare: dict[str, _Bare] = {}

    # --- who asks --------------------------------------------------------------------------------------------------------

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

    # --- what the broker tells ---------------------------------------------------------------------------------------------

    def order(self, contract: Any, order: Any, status: str) -> None:
        """Take an open order."""
        known = self._known(contract, order.orderRef, order.clientId, order.orderId, order.permId, order.account)
        if known is None:
            return
        self._describe(known, contract, order)
        self.stands(known, status, known.filled)

    def completed(self, contract: Any, order: Any, state: Any) -> None:
        """Take an order that is over; it comes without order id and client."""
        known = self._known(contract, order.orderRef, -1, 0, order.permId, order.account)
        if known is None:
            return
        self._describe(known, contract, order)
        known.reason = known.reason or state.completedStatus
        self.stands(known, state.status, exact(order.filledQuantity) or known.filled)

    def status(self, order_id: int, client_id: int, perm_id: int, status: str, filled: Decimal) -> None:
        """Take where an order stands."""
        known = self._by_perm.get(perm_id) or self._by_number.get((client_id, order_id))
        if known is not None:
            self.stands(known, status, filled)

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
                self.say(known)

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
                self.stands(known, "Inactive", known.filled)
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

    def _fill(self, bare: _Bare, fee: Decimal, currency: str) -> None:
        known, execution = bare.known, bare.execution
        symbol, size = self._named(bare.contract)
        root = execution.execId.rpartition(".")[0]
        if root in known.fills:
            return
        fill = FillReport(
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
        self.take(known, fill, bare.trade.qty)


def _instant(at: datetime) -> int:
    return int(at.timestamp()) * NANOS

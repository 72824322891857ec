"""The ledger, kept by the rows of the Web API: orders and trades, from lists and from the stream alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from protocol.orders import FillReport
from protocol.values import OrderSide
from venues.ibkr.contracts import Found
from venues.ibkr.ids import engine_id
from venues.ibkr.ledger import Known, Ledger

__all__ = ["Book", "Row", "exact"]

Row = Mapping[str, Any]

_MS: Final = 1_000_000
_RESTS: Final = frozenset({"Submitted", "PreSubmitted"})


def exact(value: Any) -> Decimal | None:
    """Return a number that was written as one or as text, None where none stands there."""
    if value is None or value == "":
        return None
    try:
        found = Decimal(str(value).replace(",", ""))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


class Book(Ledger):
    """``contract`` finds a contract by its number, None when it was not looked up yet."""

    def __init__(
        self, now: Callable[[], int], account: Callable[[], str], contract: Callable[[int], Found | None]
    ) -> None:
        super().__init__(now)
        self._account = account
        self._contract = contract
        self._by_number: dict[int, Known] = {}
        self._rested: set[str] = set()
        self.trades = 0
        """How many trades were taken."""

    def bind(self, known: Known, number: int) -> None:
        """Take the broker's number of an order."""
        known.perm_id = number
        self._by_number[number] = known

    def forget(self, known: Known) -> None:
        """Forget an order that was not sent after all."""
        self.orders.pop(known.key, None)
        self._by_number.pop(known.perm_id, None)

    def hears(self, row: Row) -> bool:
        """Whether a row is about our account."""
        account = row.get("acct") or row.get("account")
        return not account or account == self._account()

    def con_id(self, row: Row) -> int:
        """Return the number of a row's contract, 0 where none stands there."""
        return int(row.get("conid") or 0)

    def order(self, row: Row) -> bool:
        """Take a row of an order; return False when it cannot be told whose it is or of what."""
        number = int(row["orderId"])
        known = self._by_number.get(number) or self._new(number, row)
        if known is None:
            return False
        self._describe(known, row)
        filled = exact(row.get("filledQuantity"))
        status = str(row.get("status") or "")
        if status in _RESTS and not known.filled and not filled and known.price is not None:
            self._rested.add(known.key)
        if filled is None:
            filled = known.qty if status == "Filled" else known.filled
        self.stands(known, status, filled)
        return True

    def _new(self, number: int, row: Row) -> Known | None:
        """Return the order that a number belongs to, as far as its reference says."""
        reference = row.get("order_ref")
        found = self._contract(self.con_id(row))
        if found is None or (reference is None and "totalSize" not in row):
            return None  # a change of an order that was not told whole
        key = engine_id(str(reference or ""), number)
        known = self.orders.get(key)
        if known is not None and known.perm_id not in (0, number):
            key, known = engine_id("", number), None  # the same reference a second time: no order of ours
        if known is None:
            known = self.orders[key] = Known(key, found.name, found.size)
        self.bind(known, number)
        return known

    def _describe(self, known: Known, row: Row) -> None:
        if row.get("side"):
            known.side = OrderSide.BUY if str(row["side"]).upper().startswith("B") else OrderSide.SELL
        known.qty = exact(row.get("totalSize")) or known.qty
        known.price = exact(row.get("price")) or known.price

    def trade(self, row: Row) -> bool:
        """Take a row of a trade, once; return False while its commission, order or contract is not known."""
        root = str(row["execution_id"]).rpartition(".")[0]
        found, fee = self._contract(self.con_id(row)), exact(row.get("commission"))
        if found is None:
            return False
        key = engine_id(str(row.get("order_ref") or ""), int(row.get("order_id") or 0))
        known = self.orders.get(key)
        if known is None:
            known = self.orders[key] = Known(key, found.name, found.size)
        if root in known.fills:
            return True
        if fee is None:
            return False
        qty, price = exact(row["size"]), exact(row["price"])
        if qty is None or price is None:
            return False
        fill = FillReport(
            client_order_id=known.key,
            trade_id=root,
            symbol=found.name,
            side=OrderSide.BUY if str(row["side"]).upper().startswith("B") else OrderSide.SELL,
            qty=qty * found.size,
            price=price,
            fee=fee,
            fee_currency=found.currency,
            maker=known.key in self._rested,
            at=int(row["trade_time_r"]) * _MS,
        )
        self.trades += 1
        self.take(known, fill, qty)
        return True

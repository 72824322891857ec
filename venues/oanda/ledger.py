"""The account's transaction log, read in order: which orders there are, how they stand, what has traded.

OANDA numbers everything that happens to an account 1, 2, 3, ... without a gap. Whoever has read every number up to N knows
everything up to N: also the orders that were refused, which are in the log with their client id. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from protocol.messages import Message
from protocol.orders import FillReport, OrderReport, OrderState
from protocol.values import OrderSide
from venues.oanda.refusals import code_of, refuses
from venues.oanda.words import decimal_of, instant_of, symbol_of

__all__ = ["MAX_AHEAD", "MAX_KEPT", "Known", "Ledger", "Transaction", "fill_of", "foreign_id"]

Transaction = dict[str, Any]

MAX_AHEAD: Final = 10_000
"""Transactions that may wait for an earlier one that has not come."""

MAX_KEPT: Final = 50_000
"""Orders that are remembered; beyond that the oldest that have ended are forgotten."""


@dataclass(slots=True)
class Known:
    """One order under its client id; ``order_ids`` are the venue's, more than one when it was reissued or replaced."""

    client_order_id: str
    symbol: str
    wanted: Decimal
    at: int
    immediate: bool = False
    """Whether what does not trade at once is cancelled."""
    order_ids: list[str] = field(default_factory=list)
    filled: Decimal = Decimal(0)
    state: OrderState = OrderState.OPEN
    code: str = ""
    reason: str = ""
    trade_ids: list[str] = field(default_factory=list)
    """The trades (OANDA's word for parts of a position) that it opened."""

    def report(self) -> OrderReport:
        """Return how it stands."""
        return OrderReport(
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            state=self.state,
            venue_order_id=self.order_ids[0] if self.order_ids else "",
            filled_qty=self.filled,
            reason=self.reason,
            code=self.code,
            at=self.at,
        )


class Ledger:
    """Everything that the log has told since ``begin``. ``last`` is the number up to which it was read without a gap."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self.last = 0
        self.highest = 0
        """The highest number that the venue has mentioned."""
        self.orders: dict[str, Known] = {}
        self._by_order: dict[str, str] = {}
        self._ahead: dict[int, Transaction] = {}
        self._traded: dict[str, str] = {}

    @property
    def behind(self) -> bool:
        """Whether there is something in the log that was not read yet."""
        return self.last < self.highest

    def begin(self, last: int) -> None:
        """Begin after a number; everything before it was read, or is of no interest."""
        self.last = last
        self.highest = max(self.highest, last)

    def mention(self, number: int) -> None:
        """Note that the log goes at least up to a number."""
        self.highest = max(self.highest, number)

    def take(self, transactions: Iterable[Transaction]) -> list[Message]:
        """Read transactions, in any order and however often; return the facts that are new and without a gap before."""
        for each in transactions:
            number = int(each["id"])
            self.mention(number)
            if number > self.last and len(self._ahead) < MAX_AHEAD:
                self._ahead[number] = each
        facts: list[Message] = []
        while (following := self._ahead.get(self.last + 1)) is not None:
            facts += self._read(following)
            self.last += 1
            del self._ahead[self.last]
        self._forget()
        return facts

    def pass_over(self, number: int) -> None:
        """Leave a transaction out that cannot be read."""
        self._ahead.pop(number, None)
        self.last = max(self.last, number)

    def skip(self, number: int) -> list[Message]:
        """Go on after a number that the venue has no transaction for (its answer was complete)."""
        facts = self.take(())
        while self.last < number:
            self.last += 1
            facts += self.take(())
        return facts

    def fill(self, told: Transaction) -> FillReport | None:
        """Return what an ORDER_FILL says, the same whenever asked; None for one that moved nothing."""
        return fill_of(told, self._by_order, self._currency)

    def pending(self, order: dict[str, Any]) -> None:
        """Take an open order from the venue's list, which may be older than the log that was read."""
        key = _client_id(order) or foreign_id(str(order["id"]))
        if key in self.orders or "units" not in order:
            return
        at = instant_of(order["createTime"])
        known = Known(key, symbol_of(str(order["instrument"])), abs(decimal_of(order["units"])), at)
        known.order_ids.append(str(order["id"]))
        self.orders[key] = known
        self._by_order[str(order["id"])] = key

    # --- transactions --------------------------------------------------------------------------------------------------

    def _read(self, told: Transaction) -> list[Message]:
        kind = str(told.get("type", ""))
        if kind == "ORDER_FILL":
            return self._filled(told)
        if kind == "ORDER_CANCEL":
            return self._cancelled(told)
        if kind.endswith("_ORDER_REJECT") and _client_id(told):
            return self._refused(told)
        if kind.endswith("_ORDER") and kind != "ORDER":
            return self._created(told)
        return []

    def _created(self, told: Transaction) -> list[Message]:
        number = str(told["id"])
        key = _client_id(told) or self._by_order.get(str(told.get("replacesOrderID", ""))) or foreign_id(number)
        self._by_order[number] = key
        known = self.orders.get(key)
        qty = abs(decimal_of(told["units"])) if "units" in told else Decimal(0)
        at = instant_of(told["time"])
        if known is None:
            known = self.orders[key] = Known(key, self._symbol(told), qty, at)
            known.immediate = told.get("timeInForce") in ("FOK", "IOC")
        elif "replacesOrderID" in told:
            # A reissue carries what is left, a replacement what was asked for anew: either way this much can still trade.
            known.wanted = known.filled + qty
            known.state = OrderState.PARTIALLY_FILLED if known.filled else OrderState.OPEN
        known.order_ids.append(number)
        known.at = at
        return [known.report()] if known.symbol else []

    def _symbol(self, told: Transaction) -> str:
        if "instrument" in told:
            return symbol_of(str(told["instrument"]))
        # Stops and targets of a trade name the trade only.
        return self._traded.get(str(told.get("tradeID", "")), "")

    def _refused(self, told: Transaction) -> list[Message]:
        key, reason = _client_id(told), str(told.get("rejectReason", "refused"))
        if key in self.orders:
            return []  # a second order under a known id: the first one is what the id stands for
        known = Known(key, self._symbol(told), Decimal(0), instant_of(told["time"]), state=OrderState.REJECTED)
        known.code, known.reason = code_of(reason), reason
        self.orders[key] = known
        return [known.report()]

    def _filled(self, told: Transaction) -> list[Message]:
        fill = self.fill(told)
        if fill is None:
            return []
        known = self.orders.get(fill.client_order_id)
        if known is None:
            known = self.orders[fill.client_order_id] = Known(fill.client_order_id, fill.symbol, fill.qty, fill.at)
            known.order_ids.append(str(told["orderID"]))
        known.symbol = known.symbol or fill.symbol
        known.filled += fill.qty
        known.at = fill.at
        if known.filled >= known.wanted:
            known.state = OrderState.FILLED
        elif known.immediate:
            known.state, known.reason = OrderState.CANCELLED, "the rest could not trade at once"
        else:
            known.state = OrderState.PARTIALLY_FILLED
        if opened := told.get("tradeOpened"):
            known.trade_ids.append(str(opened["tradeID"]))
            self._traded[str(opened["tradeID"])] = known.symbol
        return [fill, known.report()]

    def _cancelled(self, told: Transaction) -> list[Message]:
        key = self._by_order.get(str(told["orderID"])) or str(told.get("clientOrderID", ""))
        known = self.orders.get(key)
        reason = str(told.get("reason", ""))
        if known is None or known.state is OrderState.FILLED or "replacedByOrderID" in told:
            return []
        known.at = instant_of(told["time"])
        known.reason = reason
        if known.filled == 0 and known.immediate and refuses(reason):
            known.state, known.code = OrderState.REJECTED, code_of(reason)
        else:
            known.state = OrderState.EXPIRED if reason == "TIME_IN_FORCE_EXPIRED" else OrderState.CANCELLED
        return [known.report()]

    def _forget(self) -> None:
        if len(self.orders) <= MAX_KEPT:
            return
        ended = [key for key, known in self.orders.items() if known.state.final]
        for key in ended[: len(ended) // 2]:
            for number in self.orders.pop(key).order_ids:
                self._by_order.pop(number, None)


def _client_id(told: dict[str, Any]) -> str:
    return str((told.get("clientExtensions") or {}).get("id", ""))


def foreign_id(order_id: str) -> str:
    """Return the name of an order that has no client id; no id of ours looks so."""
    return f"oanda-{order_id}"


def fill_of(told: Transaction, by_order: dict[str, str], currency: str) -> FillReport | None:
    """Return what an ORDER_FILL says: one fill, its commission and what holding the closed part had cost.

    The fee is in the account's currency: commission and guarantee (which are told positive) less financing (told negative
    when paid).
    """
    units = decimal_of(told["units"])
    if not units:
        return None
    order_id = str(told["orderID"])
    key = str(told.get("clientOrderID") or "") or by_order.get(order_id) or foreign_id(order_id)
    return FillReport(
        client_order_id=key,
        trade_id=str(told["id"]),
        symbol=symbol_of(str(told["instrument"])),
        side=OrderSide.BUY if units > 0 else OrderSide.SELL,
        qty=abs(units),
        price=decimal_of(told.get("fullVWAP") or told["price"]),
        fee=_amount(told, "commission") + _amount(told, "guaranteedExecutionFee") - _amount(told, "financing"),
        fee_currency=currency,
        maker=told.get("reason") in ("LIMIT_ORDER", "TAKE_PROFIT_ORDER"),
        at=instant_of(told["time"]),
    )


def _amount(told: Transaction, name: str) -> Decimal:
    return decimal_of(told.get(name) or "0")

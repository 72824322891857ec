"""All that a paper exchange remembers, rebuilt exactly by applying its events in order.

Market memory (newest prices) is not part of it: after a restart it comes from the first price or from ``prime``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec

from protocol.codec import encode_msgpack
from protocol.instruments import Instrument
from protocol.messages import Event
from protocol.orders import FillReport, OrderState
from protocol.paper import (
    PaperAccountOpened,
    PaperOrderAccepted,
    PaperOrderArrived,
    PaperOrderCancelled,
    PaperOrderFilled,
    PaperOrderRejected,
    PaperOrderTriggered,
)
from venues.paper.account import Account
from venues.paper.book import PaperOrder, SymbolBook
from venues.paper.ended import KEPT_WHOLE, MOVED_AT_ONCE, EndedOrders
from venues.paper.numbers import ZERO

__all__ = ["MAX_FILLS_KEPT", "PaperState", "Remembered", "fill_report"]

MAX_FILLS_KEPT: Final = 10_000
"""Newest fills that ``fills_since`` can answer with; older ones stay in the journal."""


class Remembered(msgspec.Struct):
    """The durable part as one value: what a snapshot holds and what two equal exchanges agree on.

    ``orders`` holds every open order and the newest ended ones, ``refused`` the newest refused requests, by client id; of
    all others ``past`` keeps how they ended. This memory being complete is what lets a query prove that an order never
    existed. ``done`` are the ended ones that are still kept whole, oldest first; ``accepted`` counts all ever accepted.
    ``ended`` is how an older release kept what is in ``past``.
    """

    venue: str = ""
    account: Account = msgspec.field(default_factory=Account)
    orders: dict[str, PaperOrder] = msgspec.field(default_factory=dict)
    refused: dict[str, PaperOrderRejected] = msgspec.field(default_factory=dict)
    fills: list[FillReport] = msgspec.field(default_factory=list)
    trades: int = 0
    opened: bool = False
    ended: dict[int, str] = msgspec.field(default_factory=dict)
    done: list[str] = msgspec.field(default_factory=list)
    accepted: int = 0
    past: EndedOrders = msgspec.field(default_factory=EndedOrders)

    def knows(self, client_order_id: str) -> bool:
        """Whether an order of this id was ever accepted or refused."""
        return client_order_id in self.orders or client_order_id in self.refused or client_order_id in self.past

    def end(self, client_order_id: str) -> None:
        """Note that an order has ended; the oldest of those leave for ``past`` when they are too many."""
        self.done.append(client_order_id)
        if len(self.done) < KEPT_WHOLE + MOVED_AT_ONCE:
            return
        for oldest in self.done[:MOVED_AT_ONCE]:
            order = self.orders.pop(oldest, None)
            if order is not None:
                self.past.remember(oldest, order.state, order.filled)
            elif self.refused.pop(oldest, None) is not None:
                self.past.remember(oldest, OrderState.REJECTED, ZERO)
        del self.done[:MOVED_AT_ONCE]

    def complete(self) -> None:
        """Fill in what a memory of an older release did not keep."""
        if not self.accepted and not self.done:
            self.accepted = len(self.orders)
            for client_order_id in [*(key for key, order in self.orders.items() if order.state.final), *self.refused]:
                self.end(client_order_id)
        for key, text in self.ended.items():
            self.past.add(key, text)
        self.ended = {}


class PaperState:
    """Durable memory and the per-symbol books over it. ``apply`` is the only thing that changes it."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self.books = {instrument.symbol: SymbolBook(instrument) for instrument in instruments}
        self.memory = Remembered()
        self._apply: dict[type[Event], Any] = {
            PaperAccountOpened: self._opened,
            PaperOrderAccepted: self._accepted,
            PaperOrderRejected: self._rejected,
            PaperOrderArrived: self._arrived,
            PaperOrderTriggered: self._triggered,
            PaperOrderFilled: self._filled,
            PaperOrderCancelled: self._cancelled,
        }

    def apply(self, event: Event) -> None:
        """Change the state as ``event`` says; raise ``KeyError`` for an event type that is not the exchange's."""
        self._apply[type(event)](event)

    def dump(self) -> bytes:
        """Return the durable memory for a snapshot."""
        return encode_msgpack(self.memory)

    def load(self, data: bytes) -> None:
        """Replace the durable memory by a snapshot's and rebuild the books."""
        self.memory = msgspec.msgpack.decode(data, type=Remembered)
        self.memory.complete()
        for symbol, book in self.books.items():
            book.orders = {
                client_id: order
                for client_id, order in self.memory.orders.items()
                if order.request.symbol == symbol and not order.state.final
            }
            book.reindex()

    def _opened(self, event: PaperAccountOpened) -> None:
        assert not self.memory.opened, "a paper account is opened once"
        totals = {balance.currency: balance.free for balance in event.balances}
        self.memory.venue, self.memory.opened = event.venue, True
        self.memory.account = Account(event.leverage, totals)

    def _accepted(self, event: PaperOrderAccepted) -> None:
        client_id = event.request.client_order_id
        assert client_id not in self.memory.orders, f"{client_id} was accepted before"
        self.memory.accepted += 1
        order = PaperOrder.accepted(event, self.memory.accepted)
        self.memory.orders[client_id] = order
        self.memory.account.lock(event.lock_currency, event.locked)
        if book := self.books.get(event.request.symbol):
            book.add(order)

    def _rejected(self, event: PaperOrderRejected) -> None:
        self.memory.refused[event.request.client_order_id] = event
        self.memory.end(event.request.client_order_id)

    def _arrived(self, event: PaperOrderArrived) -> None:
        order = self.memory.orders[event.client_order_id]
        self._move(order, _arrive)

    def _triggered(self, event: PaperOrderTriggered) -> None:
        order = self.memory.orders[event.client_order_id]
        self._move(order, _trigger)

    def _filled(self, event: PaperOrderFilled) -> None:
        order = self.memory.orders[event.client_order_id]
        assert ZERO < event.qty <= order.rest, f"{event.trade_id} fills more than the rest of its order"
        order.filled += event.qty
        done = order.filled == order.request.qty
        order.state = OrderState.FILLED if done else OrderState.PARTIALLY_FILLED
        self._relock(order, event.still_locked)
        self.memory.account.fill(order.base, order.quote, order.market_type, event)
        self.memory.trades += 1
        self.memory.fills.append(fill_report(event))
        if len(self.memory.fills) > MAX_FILLS_KEPT + MAX_FILLS_KEPT // 10:
            del self.memory.fills[:-MAX_FILLS_KEPT]
        if done:
            self._forget(order)

    def _cancelled(self, event: PaperOrderCancelled) -> None:
        order = self.memory.orders[event.client_order_id]
        assert not order.state.final, f"{event.client_order_id} was already {order.state}"
        order.state, order.reason = OrderState.CANCELLED, event.reason
        self._relock(order, ZERO)
        self._forget(order)

    def _relock(self, order: PaperOrder, still_locked: Decimal) -> None:
        self.memory.account.lock(order.lock_currency, still_locked - order.locked)
        order.locked = still_locked

    def _forget(self, order: PaperOrder) -> None:
        assert order.locked == 0, f"{order.request.client_order_id} ended with {order.locked} locked"
        if book := self.books.get(order.request.symbol):
            book.remove(order)
        self.memory.end(order.request.client_order_id)

    def _move(self, order: PaperOrder, change: Callable[[PaperOrder], None]) -> None:
        if book := self.books.get(order.request.symbol):
            book.move(order, change)
        else:
            change(order)


def _arrive(order: PaperOrder) -> None:
    order.arrived = True


def _trigger(order: PaperOrder) -> None:
    order.triggered = True


def fill_report(event: PaperOrderFilled) -> FillReport:
    """Return a fill as the account hears of it."""
    return FillReport(
        client_order_id=event.client_order_id,
        trade_id=event.trade_id,
        symbol=event.symbol,
        side=event.side,
        qty=event.qty,
        price=event.price,
        fee=event.fee,
        fee_currency=event.fee_currency,
        maker=event.maker,
        at=event.at,
    )

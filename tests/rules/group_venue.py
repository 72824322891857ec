"""A venue in miniature for random tests: it accepts, fills, cancels and refuses, and its reports arrive in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from protocol.messages import Message
from protocol.orders import CancelOrder, FillReported, OrderRequest, OrderState, OrderUpdate, Purpose, SubmitOrder
from protocol.values import OrderSide, OrderType
from tests.rules.group_bench import SYMBOL


@dataclass
class Order:
    """An order as the venue knows it."""

    request: OrderRequest
    purpose: Purpose
    filled: Decimal = Decimal(0)
    state: OrderState = OrderState.SENT
    cancelling: bool = False

    @property
    def live(self) -> bool:
        """Whether it can still trade."""
        return not self.state.final

    @property
    def rest(self) -> Decimal:
        """Base units not traded."""
        return self.request.qty - self.filled


class Venue:
    """Keeps the truth: what was traded and what is held. ``mail`` are reports that have not arrived yet."""

    def __init__(self, entry_side: OrderSide) -> None:
        self.entry_side = entry_side
        self.orders: dict[str, Order] = {}
        self.mail: list[Message] = []
        self.delivered: list[FillReported] = []
        self.trades = 0
        self.held = Decimal(0)
        self.spent_on_entries = Decimal(0)
        self.got_for_closes = Decimal(0)

    def hear(self, messages: Iterable[Message]) -> None:
        """Take what the group tells the desk; an order told twice is one order."""
        for message in messages:
            if isinstance(message, SubmitOrder):
                name = message.request.client_order_id
                known = self.orders.setdefault(name, Order(message.request, message.purpose))
                assert known.request == message.request, "one client id, two different orders"
            elif isinstance(message, CancelOrder):
                self.orders[message.client_order_id].cancelling = True

    def live(self) -> list[str]:
        """Return the ids of orders that can still trade."""
        return [name for name, order in self.orders.items() if order.live]

    def at_risk_of_overselling(self) -> Decimal:
        """Return by how much the live closing orders exceed what is held."""
        closing = (order.rest for order in self.orders.values() if order.live and order.purpose is not Purpose.ENTRY)
        return sum(closing, Decimal(0)) - self.held

    def report(
        self, name: str, state: OrderState, *, filled: Decimal | None = None, absent: bool = False, code: str = ""
    ) -> None:
        """Put a report on an order's state into the mail."""
        told = self.orders[name].filled if filled is None else filled
        self.mail.append(
            OrderUpdate(client_order_id=name, state=state, filled_qty=told, absent_proven=absent, code=code, at=1)
        )

    def accept(self, name: str) -> None:
        """Take an order into the book."""
        order = self.orders[name]
        if order.state is OrderState.SENT:
            order.state = OrderState.OPEN
            self.report(name, OrderState.OPEN)

    def refuse(self, name: str, *, absent: bool, code: str = "") -> None:
        """Refuse an order that is not in the book yet; ``absent``: it was unknown for a while and never arrived."""
        order = self.orders[name]
        if order.state is OrderState.SENT:
            if absent:
                self.report(name, OrderState.UNKNOWN)
            order.state = OrderState.REJECTED
            self.report(name, OrderState.REJECTED, absent=absent, code=code)

    def trade(self, name: str, qty: Decimal, price: Decimal, fee: Decimal) -> None:
        """Trade part of a live order; ``fee`` is in base currency and only taken from entries."""
        order = self.orders[name]
        entry = order.purpose is Purpose.ENTRY
        qty, fee = min(qty, order.rest), fee if entry else Decimal(0)
        order.filled += qty
        order.state = OrderState.FILLED if not order.rest else OrderState.OPEN
        self.held += qty - fee if entry else -qty
        if entry:
            self.spent_on_entries += (qty - fee) * price
        else:
            self.got_for_closes += qty * price
        self.trades += 1
        self.mail.append(
            FillReported(
                client_order_id=name,
                trade_id=f"t{self.trades}",
                symbol=SYMBOL,
                side=order.request.side,
                qty=qty,
                price=price,
                fee=fee,
                fee_currency="BTC",
                at=1,
            )
        )
        self.report(name, OrderState.FILLED if not order.rest else OrderState.PARTIALLY_FILLED)

    def cancel(self, name: str, *, forget_fills: bool) -> None:
        """End a live order, asked or not; ``forget_fills`` under-reports what an entry had traded: late fills follow."""
        order = self.orders[name]
        if order.live:
            order.state = OrderState.CANCELLED
            lies = forget_fills and order.purpose is Purpose.ENTRY
            self.report(name, OrderState.CANCELLED, filled=Decimal(0) if lies else None)

    def answer_everything(self, price: Decimal) -> None:
        """Behave at last: confirm every cancel, fill every market order in full."""
        for name in self.live():
            order = self.orders[name]
            if order.cancelling:
                self.cancel(name, forget_fills=False)
            elif order.request.type in (OrderType.MARKET, OrderType.IOC):
                self.trade(name, order.rest, price, Decimal(0))
            else:
                self.accept(name)

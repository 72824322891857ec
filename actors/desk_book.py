"""What an order desk remembers: every order it ever decided to send, as far as anything can still happen to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from protocol.messages import Event
from protocol.orders import (
    CancelRequested,
    FillRecorded,
    OrderRefused,
    OrderRequest,
    OrderSent,
    OrderState,
    OrderStateChanged,
    OrderUpdate,
    Purpose,
)
from protocol.venue import EntriesAllowed, EntriesStopped, Reconciled

__all__ = ["FINAL_ORDERS_KEPT", "DeskBook", "DeskOrder"]

FINAL_ORDERS_KEPT: Final = 5_000
"""Newest finished orders kept in memory, so that a late or repeated fill is still recognised."""


_CLOCK_NS: Final = 24 * 3_600 * 10**9
"""How far our clock may have been ahead of the venue's when the first order left."""


class DeskOrder(msgspec.Struct):
    """One order of the desk. ``correlation_id`` is that of the signal which caused it.

    ``reported`` is what the venue said has traded, ``ended_at`` when a final state came (0: not yet).
    """

    request: OrderRequest
    owner: str
    group_id: str
    state: OrderState
    correlation_id: int
    venue_order_id: str = ""
    reason: str = ""
    cancel_requested: bool = False
    absent_proven: bool = False
    reported: Decimal = Decimal(0)
    ended_at: int = 0
    fills: list[FillRecorded] = []
    code: str = ""
    adds_risk: bool = False
    decided_at: int = 0

    @property
    def filled_qty(self) -> Decimal:
        """Quantity of the fills we know, base units."""
        return sum((fill.qty for fill in self.fills), Decimal(0))

    def update(self, at: int) -> OrderUpdate:
        """Return the present state as the owner hears it."""
        return OrderUpdate(
            client_order_id=self.request.client_order_id,
            state=self.state,
            filled_qty=max(self.filled_qty, self.reported),
            reason=self.reason,
            code=self.code,
            absent_proven=self.absent_proven,
            at=at,
        )


class DeskBook(msgspec.Struct):
    """All orders by client id, in the order they were sent. ``stopped_for``: why no entry may leave; empty: it may.

    ``forgotten_to`` is when the newest order was decided on that is not kept any more, 0 for none. ``fills_to`` is the
    newest fill that a reconciliation saw: up to it the books are complete.
    """

    orders: dict[str, DeskOrder] = {}
    finished: int = 0
    stopped_for: str = ""
    stopped_why: str = ""
    fills_to: int = 0
    first_sent_at: int = 0
    forgotten_to: int = 0

    def get(self, client_order_id: str) -> DeskOrder | None:
        """Return an order, None when the desk never knew it or it is long finished."""
        return self.orders.get(client_order_id)

    def may_have_forgotten(self, wanted_at: int) -> bool:
        """Whether an order that was wanted then, and is not known, may have been sent all the same."""
        return 0 < wanted_at <= self.forgotten_to

    def owned_by(self, owner: str) -> list[DeskOrder]:
        """Return the orders of an owner, oldest first."""
        return [order for order in self.orders.values() if order.owner == owner]

    def working(self) -> list[DeskOrder]:
        """Return every order that is not in a final state, oldest first."""
        return [order for order in self.orders.values() if not order.state.final]

    def knows_fill(self, client_order_id: str, trade_id: str) -> bool:
        """Whether this fill is already in the books."""
        order = self.orders.get(client_order_id)
        return order is not None and any(fill.trade_id == trade_id for fill in order.fills)

    def fills_from(self, now: int) -> int:
        """Return from when on a fill may be missing (EX-1204).

        The newest one that was told proves nothing of those before it: a stream loses some. Only what a reconciliation saw
        is complete, else all since our first order, whatever our clock said then.
        """
        return self.fills_to or max(0, (self.first_sent_at or now) - _CLOCK_NS)

    def apply(self, event: Event) -> None:
        """Change the book by one event of the desk."""
        match event:
            case OrderSent():
                self.first_sent_at = self.first_sent_at or event.at
                self.orders[event.request.client_order_id] = DeskOrder(
                    event.request, event.owner, event.group_id, OrderState.SENT, event.correlation_id,
                    adds_risk=event.purpose is Purpose.ENTRY, decided_at=event.at,
                )  # fmt: skip
            case OrderRefused():
                self.orders[event.request.client_order_id] = DeskOrder(
                    event.request, event.owner, event.group_id, OrderState.REJECTED, event.correlation_id,
                    reason=f"{event.code}: {event.reason}", code=event.code, ended_at=event.at, decided_at=event.at,
                )  # fmt: skip
                self._finish()
            case CancelRequested():
                self.orders[event.client_order_id].cancel_requested = True
            case OrderStateChanged():
                self._change(event)
            case FillRecorded():
                self.orders[event.client_order_id].fills.append(event)
            case Reconciled():
                self.fills_to = max(self.fills_to, event.fills_to)
            case EntriesStopped():
                self.stopped_for, self.stopped_why = event.code, event.reason
            case EntriesAllowed():
                self.stopped_for, self.stopped_why = "", ""

    def _change(self, event: OrderStateChanged) -> None:
        order = self.orders[event.client_order_id]
        was_final = order.state.final
        order.state = event.state
        order.reason, order.code = event.reason, event.code
        order.absent_proven = event.absent_proven
        order.venue_order_id = event.venue_order_id or order.venue_order_id
        order.reported = max(order.reported, event.filled_qty)
        order.ended_at = event.at if event.state.final else 0
        if event.state.final and not was_final:
            self._finish()

    def _finish(self) -> None:
        self.finished += 1
        if self.finished > FINAL_ORDERS_KEPT:
            oldest = next(key for key, order in self.orders.items() if order.state.final)
            self.forgotten_to = max(self.forgotten_to, self.orders.pop(oldest).decided_at)
            self.finished -= 1

"""Orders: each leaves once and after its decision, one attempt at a time, and lives by the table of order life."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from protocol.groups import GroupOpened
from protocol.orders import (
    FillRecorded,
    OrderRefused,
    OrderRequest,
    OrderSent,
    OrderState,
    OrderStateChanged,
    Purpose,
)
from protocol.paper import PaperOrderAccepted, PaperOrderRejected
from rules.order_life import MOVES
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene
from simulation.invariants.truth import ZERO, Tail, Truth, place_of

__all__ = ["NoOrderTwice", "OneAttempt", "OrderLife"]


class NoOrderTwice(Invariant):
    """No client id is decided or accepted twice, and nothing reaches an exchange that the journal did not decide before."""

    NAME = "no-order-twice"
    WANTS = (OrderSent, OrderStateChanged, FillRecorded, GroupOpened)

    def __init__(self) -> None:
        self._truth = Truth()
        self._tail = Tail()
        self._taken: set[str] = set()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Look at the exchanges before this event counts: what was there by now must have been decided by now."""
        yield from self.at_rest(scene)
        event = entry.event
        if isinstance(event, OrderSent) and event.request.client_order_id in self._truth.sent:
            yield f"{event.request.client_order_id} was decided on twice"
        self._truth.note(entry)

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Compare all orders that have come to the exchanges with the journal's decisions."""
        for account, event in self._tail.news(scene):
            if isinstance(event, PaperOrderAccepted | PaperOrderRejected):
                yield from self._arrived(account, event.request)

    def _arrived(self, account: str, request: OrderRequest) -> Iterator[str]:
        name = request.client_order_id
        if not self._truth.is_ours(name):
            return
        if name in self._taken:
            yield f"{name} was accepted twice at {account}"
        self._taken.add(name)
        sent = self._truth.sent.get(name)
        if sent is None:
            yield f"{name} reached {account} before the journal knew of it"
        elif sent.request != request:
            yield f"{name} at {account} is not the order that was decided on: {request} instead of {sent.request}"
        elif self._truth.accounts[name] != account:
            yield f"{name} was decided on for {self._truth.accounts[name]} and came to {account}"


class OneAttempt(Invariant):
    """Nothing is sent in the place of an order that may still trade: the exchange has ended it, or never had it."""

    NAME = "one-attempt-at-a-time"
    WANTS = (OrderSent, OrderStateChanged)

    def __init__(self) -> None:
        self._truth = Truth()
        self._newest: dict[tuple[str, str, Purpose], str] = {}

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Look at the attempt before, at its exchange and in the journal."""
        event = entry.event
        self._truth.note(entry)
        if not isinstance(event, OrderSent) or event.purpose is Purpose.CLOSE:
            return
        name, key = event.request.client_order_id, (event.group_id, event.leg_id, event.purpose)
        before = self._newest.get(key)
        self._newest[key] = name
        if before is not None and before != name and self._truth.rest_of(scene, before) > 0:
            state = self._truth.states[before].value
            there = place_of(scene, self._truth.accounts[before], before)
            seen = "does not have it" if there is None else f"has it {there.state.value}"
            yield f"{name} was sent in the place of {before}, which the journal has {state} and the exchange {seen}"


class OrderLife(Invariant):
    """Every order moves by the table of order life, and never trades more than it was for."""

    NAME = "order-life"
    WANTS = (OrderSent, OrderRefused, OrderStateChanged, FillRecorded)

    def __init__(self) -> None:
        self._states: dict[str, OrderState] = {}
        self._qty: dict[str, Decimal] = {}
        self._filled: dict[str, Decimal] = {}

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - the journal alone says it
        """Follow the order."""
        event = entry.event
        if isinstance(event, OrderSent | OrderRefused):
            yield from self._began(event)
        elif isinstance(event, OrderStateChanged):
            yield from self._moved(event)
        elif isinstance(event, FillRecorded):
            yield from self._traded(event)

    def _began(self, event: OrderSent | OrderRefused) -> Iterator[str]:
        name = event.request.client_order_id
        if name in self._states:
            yield f"{name} begins again, after {self._states[name].value}"
        self._states[name] = OrderState.SENT if isinstance(event, OrderSent) else OrderState.REJECTED
        self._qty[name] = event.request.qty

    def _moved(self, event: OrderStateChanged) -> Iterator[str]:
        name = event.client_order_id
        old = self._states.get(name)
        if old is None:
            yield f"{name} is {event.state.value} and was never sent"
        elif event.state not in MOVES[old]:
            yield f"{name} went from {old.value} to {event.state.value}"
        self._states[name] = event.state

    def _traded(self, event: FillRecorded) -> Iterator[str]:
        name = event.client_order_id
        if name not in self._qty:
            yield f"{name} traded and was never sent"
            return
        self._filled[name] = self._filled.get(name, ZERO) + event.qty
        if self._filled[name] > self._qty[name]:
            yield f"{name} traded {self._filled[name]} of {self._qty[name]}"

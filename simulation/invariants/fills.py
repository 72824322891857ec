"""Fills: the exchange's, the desk's and the groups' are the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from protocol.groups import CloseFilled, LegFilled, TargetFilled
from protocol.orders import FillRecorded, OrderSent
from protocol.paper import PaperOrderFilled
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene
from simulation.invariants.truth import Tail, account_of

__all__ = ["FillsAgree", "FillsBooked"]

_Key: TypeAlias = tuple[str, str]
_GroupFill: TypeAlias = LegFilled | TargetFilled | CloseFilled


def _deal(fill: PaperOrderFilled | FillRecorded) -> tuple[Any, ...]:
    """Return what two words about one trade must have in common."""
    return (fill.client_order_id, fill.symbol, fill.side, fill.qty, fill.price, fill.fee, fill.fee_currency)


class FillsAgree(Invariant):
    """The desk records each fill of the exchange once and as it was; at rest it knows all of them."""

    NAME = "fills-agree"
    WANTS = (FillRecorded, OrderSent)

    def __init__(self) -> None:
        self._tail = Tail()
        self._venue: dict[_Key, PaperOrderFilled] = {}
        self._desk: set[_Key] = set()
        self._sent: set[str] = set()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Find the fill at the exchange."""
        event = entry.event
        if isinstance(event, OrderSent):
            self._sent.add(event.request.client_order_id)
            return
        assert isinstance(event, FillRecorded)
        key = (account_of(entry.stream), event.trade_id)
        if key in self._desk:
            yield f"fill {event.trade_id} of {event.client_order_id} was recorded twice"
        self._desk.add(key)
        if key not in self._venue:
            self._catch_up(scene)
        there = self._venue.get(key)
        if there is None:
            yield f"fill {event.trade_id} of {event.client_order_id} was recorded and never made"
        elif _deal(there) != _deal(event):
            yield f"fill {event.trade_id} was recorded as {_deal(event)} and made as {_deal(there)}"

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look for fills that the desk does not know."""
        self._catch_up(scene)
        for key in self._venue.keys() - self._desk:
            fill = self._venue[key]
            if fill.client_order_id in self._sent:
                yield f"fill {fill.trade_id}: {fill.client_order_id} traded {fill.qty} and the desk does not know"

    def _catch_up(self, scene: Scene) -> None:
        for account, event in self._tail.news(scene):
            if isinstance(event, PaperOrderFilled):
                self._venue[account, event.trade_id] = event


class FillsBooked(Invariant):
    """A group books each fill of its orders once and as the desk recorded it; at rest all of them."""

    NAME = "fills-booked"
    WANTS = (FillRecorded, LegFilled, TargetFilled, CloseFilled)

    def __init__(self) -> None:
        self._desk: dict[_Key, FillRecorded] = {}
        self._booked: set[_Key] = set()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - the journal alone says it
        """Find the desk's record of it."""
        event = entry.event
        if isinstance(event, FillRecorded):
            self._desk[event.client_order_id, event.trade_id] = event
            return
        assert isinstance(event, _GroupFill)
        key = (event.client_order_id, event.trade_id)
        if key in self._booked:
            yield f"{event.group_id} booked fill {event.trade_id} twice"
        self._booked.add(key)
        fill = self._desk.get(key)
        if fill is None:
            yield f"{event.group_id} booked fill {event.trade_id} of {event.client_order_id}, which no desk recorded"
        elif (fill.qty, fill.price, fill.fee) != (event.qty, event.price, event.fee):
            yield f"{event.group_id} booked fill {event.trade_id} as {event.qty} at {event.price}, not as it was recorded"

    def at_rest(self, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - the journal alone says it
        """Look for fills that no group has booked."""
        for client_order_id, trade_id in self._desk.keys() - self._booked:
            yield f"fill {trade_id} of {client_order_id} is in no group's books"

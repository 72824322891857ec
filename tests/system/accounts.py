"""Recomputes what a run came to from its raw fills, in its own way: nothing of the product's arithmetic is used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from protocol.orders import FillRecorded, OrderSent, OrderStateChanged
from protocol.paper import PaperOrderAccepted, PaperOrderFilled
from protocol.values import OrderSide
from runtime.journal import Record


class GroupCash(NamedTuple):
    """Cash flow of one group: quote earned minus quote spent, and what is left over in base units."""

    realized: Decimal
    left: Decimal


def cash_by_group(records: Iterable[Record]) -> dict[str, GroupCash]:
    """Return quote in minus quote out and the base quantity left, by group, before fees."""
    group_of: dict[str, str] = {}
    quote: dict[str, Decimal] = defaultdict(Decimal)
    base: dict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        event = record.event
        if isinstance(event, OrderSent):
            group_of[event.request.client_order_id] = event.group_id
        elif isinstance(event, FillRecorded):
            group = group_of[event.client_order_id]
            sign = 1 if event.side is OrderSide.SELL else -1
            quote[group] += sign * event.qty * event.price
            base[group] -= sign * event.qty
    return {group: GroupCash(quote[group], base[group]) for group in quote}


def trades_of(records: Iterable[Record]) -> list[tuple[Any, ...]]:
    """Return every fill of a run as (leg, purpose, side, quantity, price, fee, instant), in order; no ids."""
    sent: dict[str, OrderSent] = {}
    trades = []
    for record in records:
        event = record.event
        if isinstance(event, OrderSent):
            sent[event.request.client_order_id] = event
        elif isinstance(event, FillRecorded):
            order = sent[event.client_order_id]
            trades.append(
                (order.leg_id, order.purpose.value, event.side.value, event.qty, event.price, event.fee, event.at)
            )
    return sorted(trades, key=lambda trade: (trade[-1], trade[0], trade[1]))


def check_no_order_twice(records: Iterable[Record]) -> None:
    """Fail when an order was decided, accepted or filled twice, or filled beyond its quantity."""
    decided: set[str] = set()
    accepted: dict[str, Decimal] = {}
    venue_filled: dict[str, Decimal] = defaultdict(Decimal)
    desk_filled: dict[str, Decimal] = defaultdict(Decimal)
    trades: set[str] = set()
    for record in records:
        event = record.event
        if isinstance(event, OrderSent):
            assert event.request.client_order_id not in decided, f"{event.request.client_order_id} was sent twice"
            decided.add(event.request.client_order_id)
        elif isinstance(event, PaperOrderAccepted):
            key = event.request.client_order_id
            assert key in decided, f"{key} reached the venue before the journal"
            assert key not in accepted, f"{key} was accepted twice"
            accepted[key] = event.request.qty
        elif isinstance(event, PaperOrderFilled):
            venue_filled[event.client_order_id] += event.qty
        elif isinstance(event, FillRecorded):
            assert event.trade_id not in trades, f"fill {event.trade_id} was recorded twice"
            trades.add(event.trade_id)
            desk_filled[event.client_order_id] += event.qty
    for key, qty in venue_filled.items():
        assert qty <= accepted[key]
        assert desk_filled[key] == qty, f"{key}: the venue filled {qty}, the desk knows {desk_filled[key]}"


def last_states(records: Iterable[Record]) -> dict[str, str]:
    """Return the last state of every order that was sent."""
    states: dict[str, str] = {}
    for record in records:
        if isinstance(record.event, OrderSent):
            states[record.event.request.client_order_id] = "sent"
        elif isinstance(record.event, OrderStateChanged):
            states[record.event.client_order_id] = record.event.state.value
    return states

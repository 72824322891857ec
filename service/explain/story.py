"""Collect the records that belong to one id: its group or groups, their orders and fills, the signals behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from protocol.groups import GroupOpened, OrderWanted, PyramidAdded, PyramidAnchored
from protocol.orders import OrderSent
from protocol.signals import SignalReceived
from rules.notation import whole_number
from runtime.journal import Record
from service.explain.lookup import Lookup
from store.views.mentions import mentions

__all__ = ["Story", "collect", "ids_in", "order_of"]

_QUEUED = re.compile(r"q\d+")
_KINDS = ("signal", "group", "order", "trade", "venue_order", "plan")


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the journal knows around one id; ``kind`` says what the id is of (``chain`` for a correlation id)."""

    ident: str
    kind: str
    records: tuple[Record, ...]

    def events(self, of: type[Any]) -> list[Any]:
        """Return the events of one type, in order."""
        return [record.event for record in self.records if type(record.event) is of]

    def group(self, group_id: str) -> GroupOpened | None:
        """Return the opening of a group."""
        return next((each for each in self.events(GroupOpened) if each.group_id == group_id), None)

    def order(self, client_order_id: str) -> OrderWanted | OrderSent | None:
        """Return what an order was to be, as its group wanted it or as the desk sent it."""
        for record in self.records:
            if type(record.event) in (OrderWanted, OrderSent) and order_of(record.event) == client_order_id:
                found: OrderWanted | OrderSent = record.event  # type: ignore[assignment]
                return found
        return None

    def signal(self, signal_id: str) -> SignalReceived | None:
        """Return a signal."""
        return next((each for each in self.events(SignalReceived) if each.signal_id == signal_id), None)

    def pyramid_of(self, group_id: str, leg_id: str) -> int | None:
        """Return the pyramid that a leg belongs to."""
        for event in (*self.events(PyramidAdded), *self.events(PyramidAnchored)):
            if event.group_id == group_id and any(leg.leg_id == leg_id for leg in event.legs):
                return int(event.pyramid)
        return None


def order_of(event: Any) -> str:
    """Return the client order id an event is about, empty when it is about none."""
    request = getattr(event, "request", None)
    return str(getattr(event, "client_order_id", "") or getattr(request, "client_order_id", ""))


def ids_in(records: Iterable[Record], kind: str) -> set[str]:
    """Return the ids of one kind that records name."""
    return {ident for record in records for found, ident in mentions(record.event) if found == kind}


def collect(lookup: Lookup, ident: str) -> Story | None:
    """Return the story around an id; None when unknown.

    Ids are those of signals, groups, orders, trades, venue orders and causal chains; an entry of the queue (``q3``) has the
    story of its signal.
    """
    first = lookup.about({ident})
    kind = _kind_of(first, ident)
    if not kind and _QUEUED.fullmatch(ident) and (signal := lookup.queued(ident)):
        return collect(lookup, signal)
    if not kind and (number := whole_number(ident)) is not None:
        first, kind = lookup.correlated(number), "chain"
    if not first:
        return None
    groups = _groups_of(first, ident, kind)
    found = _merged(first, lookup.about(groups) if groups else [])
    seen = {ident, *groups}
    further = (ids_in(found, "order") | ids_in(found, "signal")) - seen
    if further:
        found = _merged(found, lookup.about(further))
    return Story(ident, kind, tuple(_ours(found, groups)))


def _kind_of(records: Iterable[Record], ident: str) -> str:
    kinds = {kind for record in records for kind, found in mentions(record.event) if found == ident}
    return next((kind for kind in _KINDS if kind in kinds), "")


def _groups_of(records: Iterable[Record], ident: str, kind: str) -> set[str]:
    """Return the groups an id concerns: those in records that name it, or all of a causal chain."""
    named = [each for each in records if kind == "chain" or any(found == ident for _, found in mentions(each.event))]
    return {ident} if kind == "group" else ids_in(named, "group")


def _merged(*parts: Iterable[Record]) -> list[Record]:
    by_position = {record.position: record for part in parts for record in part}
    return [by_position[position] for position in sorted(by_position)]


def _ours(records: Iterable[Record], groups: set[str]) -> Iterable[Record]:
    """Leave out what only concerns other groups (one causal chain may move many)."""
    for record in records:
        named = {ident for kind, ident in mentions(record.event) if kind == "group"}
        if not named or not groups or named & groups:
            yield record

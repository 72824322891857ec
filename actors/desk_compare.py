"""The desk's books beside the venue's: what differs. Nothing is journalled or told here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from actors.desk_book import DeskBook, DeskOrder
from protocol.orders import FillReport, OrderReport
from protocol.venue import VenueSnapshot
from rules.client_ids import parse
from runtime.clock import NANOS

__all__ = ["FETCH_WITHIN_S", "Comparison", "compare"]

FETCH_WITHIN_S: Final = 60
"""A snapshot is not older than this when it comes: an order that ended longer ago cannot be open in it by mere delay."""


class Comparison(NamedTuple):
    """What a comparison found.

    ``missed``: fills we lack. ``orphans``: open there, made by this deployment, not in our books. ``risen``: open there
    though our books ended it long ago. ``working``: working here and open there. ``gone``: working here, not open there.
    ``foreign``: open there and made by another deployment of bulkhead (EX-1108); nothing is done about them.
    """

    missed: list[tuple[DeskOrder, FillReport]]
    orphans: list[OrderReport]
    risen: list[OrderReport]
    working: list[tuple[DeskOrder, OrderReport]]
    gone: list[DeskOrder]
    foreign: list[OrderReport]

    @property
    def differences(self) -> int:
        """How many differences there are; an order that is merely not open there may have traded and is none yet."""
        return len(self.missed) + len(self.orphans) + len(self.risen)


def compare(book: DeskBook, venue: VenueSnapshot, tag: str, held: Collection[str] = ()) -> Comparison:
    """Compare the books; orders without an id of bulkhead's are never looked at (EX-1204).

    ``held`` are orders of ours that the venue has proven not to have and that are still to leave.
    """
    found = Comparison(_missed(book, venue), [], [], [], [], [])
    open_there = {report.client_order_id: report for report in venue.open_orders}
    for key, report in open_there.items():
        order = book.get(key)
        if order is None:
            made = parse(key)
            if made is not None:
                (found.orphans if made.tag == tag else found.foreign).append(report)
        elif not order.state.final:
            found.working.append((order, report))
        elif venue.at - order.ended_at > FETCH_WITHIN_S * NANOS:
            found.risen.append(report)
    elsewhere = open_there.keys() | set(held)
    found.gone.extend(order for order in book.working() if order.request.client_order_id not in elsewhere)
    return found


def _missed(book: DeskBook, venue: VenueSnapshot) -> list[tuple[DeskOrder, FillReport]]:
    missed: dict[tuple[str, str], tuple[DeskOrder, FillReport]] = {}
    for fill in venue.fills:
        key = (fill.client_order_id, fill.trade_id)
        order = book.get(fill.client_order_id)
        if order is not None and not book.knows_fill(*key):
            missed.setdefault(key, (order, fill))
    return list(missed.values())

"""What must be true of the journal that is left: no order doubled, books equal, groups whole, alerts with an outcome."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from protocol.messages import Event
from protocol.orders import FillRecorded, OrderSent, OrderState, OrderStateChanged
from protocol.paper import PaperOrderAccepted, PaperOrderCancelled, PaperOrderFilled
from protocol.pool import SignalActedOn
from protocol.signals import SignalReceived, SignalRouted
from protocol.values import OrderSide
from rules.group import replay
from runtime.journal import Record
from store.opening import open_reader

__all__ = ["Books", "Check", "audit", "checked"]


class Check(NamedTuple):
    """One thing that has to be true; ``wrong`` names what speaks against it, ``looked_at`` how much was looked at."""

    name: str
    looked_at: int
    wrong: list[str]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it and there was something to look at."""
        return not self.wrong and self.looked_at > 0


class Books:
    """Both sides' books, added up from the raw events: nothing of the product's arithmetic is used."""

    def __init__(self) -> None:
        self.sent: dict[str, OrderSent] = {}
        self.twice: list[str] = []
        self.states: dict[str, OrderState] = {}
        self.accepted: dict[str, Decimal] = {}
        self.cancelled: set[str] = set()
        self.unknown: list[str] = []
        self.venue: dict[str, Decimal] = defaultdict(Decimal)
        self.desk: dict[str, Decimal] = defaultdict(Decimal)
        self.trades: Counter[str] = Counter()
        self.base_by_group: dict[str, Decimal] = defaultdict(Decimal)
        self.signals: set[str] = set()
        self.routed: set[str] = set()

    def take(self, record: Record) -> None:
        """Add one record."""
        event = record.event
        match event:
            case OrderSent():
                key = event.request.client_order_id
                if key in self.sent:
                    self.twice.append(f"{key} was sent twice")
                self.sent[key] = event
                self.states[key] = OrderState.SENT
            case OrderStateChanged():
                self.states[event.client_order_id] = event.state
            case PaperOrderAccepted():
                self._accept(event.request.client_order_id, event.request.qty)
            case PaperOrderFilled():
                self.venue[event.client_order_id] += event.qty
            case PaperOrderCancelled():
                self.cancelled.add(event.client_order_id)
            case FillRecorded():
                self._fill(event)
            case SignalReceived() if event.outcome in ("accepted", "replacement"):
                self.signals.add(event.signal_id)
            case SignalRouted():
                self.routed.add(event.signal_id)

    def _accept(self, key: str, qty: Decimal) -> None:
        if key not in self.sent:
            self.unknown.append(f"{key} reached the venue before the journal")
        if key in self.accepted:
            self.twice.append(f"{key} was accepted twice")
        self.accepted[key] = qty

    def _fill(self, event: FillRecorded) -> None:
        self.trades[event.trade_id] += 1
        self.desk[event.client_order_id] += event.qty
        sign = 1 if event.side is OrderSide.BUY else -1
        self.base_by_group[self.sent[event.client_order_id].group_id] += sign * event.qty

    def open_at_venue(self) -> set[str]:
        """Return the orders that still work at the venue."""
        return {key for key, qty in self.accepted.items() if key not in self.cancelled and self.venue[key] < qty}

    def open_at_desk(self) -> set[str]:
        """Return the orders that still work for the desk."""
        return {key for key, state in self.states.items() if not state.final}


def audit(journal: Path) -> list[Check]:
    """Read the whole journal, checking its chain, and judge it."""
    books = Books()
    with closing(open_reader(journal)) as reader:
        good = reader.verify()
        for record in reader.read_all():
            books.take(record)
        groups = reader.streams("group:")
        whole = _groups_whole(books, ((name, [each.event for each in reader.read(name)]) for name in groups))
    return [Check("records whose checksum fits the chain", good, []), *checked(books), whole]


def checked(books: Books) -> list[Check]:
    """Judge what was added up."""
    doubled = [
        *books.twice,
        *(f"fill {key} was recorded {count} times" for key, count in books.trades.items() if count > 1),
    ]
    apart = [
        f"{key}: the venue filled {qty}, the desk knows {books.desk[key]}"
        for key, qty in books.venue.items()
        if qty != books.desk[key]
    ]
    at_venue, at_desk = books.open_at_venue(), books.open_at_desk()
    split = [f"{key} works for the venue only" for key in sorted(at_venue - at_desk)]
    split += [f"{key} works for the desk only" for key in sorted(at_desk - at_venue)]
    beyond = [f"{key} was filled beyond its quantity" for key, qty in books.venue.items() if qty > books.accepted[key]]
    silent = [f"{key} has no outcome" for key in sorted(books.signals - books.routed)]
    return [
        Check("orders, none sent, accepted or filled twice", len(books.sent), doubled),
        Check("orders at the venue, each journalled before", len(books.accepted), books.unknown),
        Check("orders filled, venue and desk agree on how much", len(books.venue), [*apart, *beyond]),
        Check("orders, open ones the same for venue and desk", len(books.accepted), split),
        Check("alerts taken in, each with an outcome", len(books.signals), silent),
    ]


def _groups_whole(books: Books, streams: Iterable[tuple[str, list[Event]]]) -> Check:
    """Compare what each group believes to hold with what its orders traded."""
    wrong: list[str] = []
    count = 0
    for name, events in streams:
        view = replay(each for each in events if not isinstance(each, SignalActedOn))
        if view is None:
            continue
        count += 1
        held = sum((leg.filled - leg.closed for leg in view.legs.values()), Decimal(0))
        traded = books.base_by_group.get(view.group_id, Decimal(0))
        if held != traded:
            wrong.append(f"{name} believes to hold {held}, its orders traded {traded} ({view.state.value})")
    return Check("groups, each holds what its orders traded", count, wrong)

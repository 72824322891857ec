"""What the exchanges outside really saw, beside what the journal decided: the shared arithmetic of several invariants.

The history of an exchange is read as it grows; nothing of the house's own books is used. Quantities are base units.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from protocol.groups import GroupOpened
from protocol.groups.adoption import PositionAdopted
from protocol.instruments import Instrument
from protocol.messages import Event
from protocol.orders import OrderSent, OrderState, OrderStateChanged, Purpose
from protocol.paper import PaperOrderFilled
from protocol.values import MarketType, OrderSide, Side
from rules.client_ids import parse
from runtime.journal import Entry
from simulation.invariant import Scene
from venues.paper.book import PaperOrder

__all__ = ["ZERO", "Tail", "Truth", "account_of", "instrument_of", "place_of", "signed"]

ZERO: Final = Decimal(0)


def account_of(stream: str) -> str:
    """Return the account that a stream of ``/venues/<account>/...`` belongs to, empty for any other stream."""
    parts = stream.split("/", 3)
    return parts[2] if len(parts) > 3 and parts[1] == "venues" else ""


def signed(side: OrderSide, qty: Decimal) -> Decimal:
    """Return a quantity as it changes a position: bought above zero, sold below."""
    return qty if side is OrderSide.BUY else -qty


def instrument_of(scene: Scene, account: str, symbol: str) -> Instrument:
    """Return a market of an exchange."""
    return scene.exchanges[account].engine.state.books[symbol].instrument


def place_of(scene: Scene, account: str, client_order_id: str) -> PaperOrder | None:
    """Return an order as its exchange has it, None when it has none (or ended it long ago)."""
    exchange = scene.exchanges.get(account)
    return None if exchange is None else exchange.engine.state.memory.orders.get(client_order_id)


class Tail:
    """Reads each exchange's history once, as far as it has grown."""

    def __init__(self) -> None:
        self._read: dict[str, int] = {}

    def news(self, scene: Scene) -> Iterator[tuple[str, Event]]:
        """Yield account and event of everything that happened since the last call."""
        for account, exchange in scene.exchanges.items():
            history, start = exchange.history, self._read.get(account, 0)
            end = len(history)
            if start < end:
                self._read[account] = end
                for event in history[start:end]:
                    yield account, event


class Truth:
    """Which orders the journal decided, and what each group holds by the fills of the exchange.

    ``sent`` is by client id, ``states`` what the journal says of each, ``held`` by group: signed, net of fees in base
    currency, dust and adopted quantities included. ``orders`` are those of a group that may still trade.
    """

    def __init__(self) -> None:
        self.sent: dict[str, OrderSent] = {}
        self.accounts: dict[str, str] = {}
        self.states: dict[str, OrderState] = {}
        self.opened: dict[str, GroupOpened] = {}
        self.held: dict[str, Decimal] = {}
        self.orders: dict[str, list[str]] = {}
        self._tags: set[str] = set()
        self._tail = Tail()

    def note(self, entry: Entry) -> None:
        """Take in what the journal says: orders, their states, groups, adopted positions."""
        event = entry.event
        if isinstance(event, OrderSent):
            name = event.request.client_order_id
            self.sent[name] = event
            self.accounts[name] = account_of(entry.stream)
            self.states[name] = OrderState.SENT
            self.orders.setdefault(event.group_id, []).append(name)
        elif isinstance(event, OrderStateChanged):
            self.states[event.client_order_id] = event.state
        elif isinstance(event, GroupOpened):
            self.opened[event.group_id] = event
            self._tags.add(event.tag)
        elif isinstance(event, PositionAdopted):
            sign = self.opened[event.group_id].side.sign
            self.held[event.group_id] = self.held.get(event.group_id, ZERO) + sign * event.qty

    def fills(self, scene: Scene) -> Iterator[tuple[str, PaperOrderFilled]]:
        """Yield the group (empty: not ours) and each new fill at the exchanges, after counting it."""
        for account, event in self._tail.news(scene):
            if not isinstance(event, PaperOrderFilled):
                continue
            order = self.sent.get(event.client_order_id)
            if order is None:
                yield "", event
                continue
            change = signed(event.side, event.qty)
            market = instrument_of(scene, account, event.symbol)
            if event.fee_currency == market.base and market.market_type is MarketType.SPOT:
                change -= event.fee
            self.held[order.group_id] = self.held.get(order.group_id, ZERO) + change
            yield order.group_id, event

    def catch_up(self, scene: Scene) -> None:
        """Count every new fill."""
        for _ in self.fills(scene):
            continue

    def side_of(self, group_id: str) -> Side | None:
        """Return the side of a group, None while its opening is not known."""
        opened = self.opened.get(group_id)
        return None if opened is None else opened.side

    def rest_of(self, scene: Scene, client_order_id: str) -> Decimal:
        """Return what of an order can still trade: the exchange's word, else (not there yet) the journal's."""
        order = place_of(scene, self.accounts[client_order_id], client_order_id)
        if order is not None:
            return ZERO if order.state.final else order.rest
        ended = self.states[client_order_id].final
        return ZERO if ended else self.sent[client_order_id].request.qty

    def working(self, scene: Scene, group_id: str, *, exits: bool) -> list[tuple[str, Decimal]]:
        """Return the orders of a group that can still trade, entries or exits, with what is left of each."""
        # An order that can trade no more never can again: it is looked at once.
        rests = {name: rest for name in self.orders.get(group_id, ()) if (rest := self.rest_of(scene, name)) > 0}
        self.orders[group_id] = list(rests)
        return [(name, rest) for name, rest in rests.items() if (self.sent[name].purpose is not Purpose.ENTRY) is exits]

    def is_ours(self, client_order_id: str) -> bool:
        """Whether an id was made by this deployment, as far as its groups have shown its tag."""
        made = parse(client_order_id)
        return made is not None and (not self._tags or made.tag in self._tags)

"""Money and holdings: what an exchange has for us is what our groups say they hold, earned and paid. All sums are exact."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import ClassVar, Final

from protocol.groups import CloseFilled, GroupClosed, GroupOpened, LegFilled, TargetFilled
from protocol.groups.adoption import PositionAdopted
from protocol.messages import Event
from protocol.orders import OrderSent
from protocol.paper import PaperAccountOpened, PaperOrderFilled
from protocol.values import MarketType, Side
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene
from simulation.invariants.truth import ZERO, Tail, instrument_of, signed
from venues.paper.numbers import EXACT

__all__ = ["CashConserved", "HoldingsAgree", "ResultsAddUp"]

_BOOKED: Final = (GroupOpened, LegFilled, TargetFilled, CloseFilled, PositionAdopted, OrderSent)


class _Book:
    """What one group's own events come to.

    ``held`` is signed and counts dust; ``cost`` is what of the entries is not closed yet; ``paid`` are fees in quote
    currency, ``eaten`` what was paid for base units that went away as a fee, ``rebates`` base units got as one.
    """

    def __init__(self, opened: GroupOpened) -> None:
        self.opened = opened
        self.held = self.cost = self.realized = self.paid = self.eaten = self.rebates = self.adopted = ZERO
        self.adopted_cost = ZERO
        self.fees: dict[str, Decimal] = {}

    @property
    def sign(self) -> int:
        return self.opened.side.sign

    @property
    def cash(self) -> Decimal:
        """What the group changed of the account's quote currency, the entry cost of open perpetuals counted as spent."""
        return self.realized - self.sign * (self.cost - self.adopted_cost) - self.paid - self.eaten

    def take(self, event: LegFilled | TargetFilled | CloseFilled | PositionAdopted) -> None:
        """Count an event."""
        if isinstance(event, PositionAdopted):
            self.held += self.sign * event.qty
            self.adopted += self.sign * event.qty
            self.cost += event.qty * event.avg_price
            self.adopted_cost += event.qty * event.avg_price
            return
        market = self.opened.instrument
        if event.fee:
            self.fees[event.fee_currency] = self.fees.get(event.fee_currency, ZERO) + event.fee
        if event.fee_currency == market.quote:
            self.paid += event.fee
        if isinstance(event, LegFilled):
            self.held += self.sign * event.net_qty
            self.cost += event.net_qty * event.price
            self.eaten += (event.qty - event.net_qty) * event.price
        else:
            for lot in event.lots:
                self.held -= self.sign * lot.qty
                self.cost -= lot.cost
                self.realized += lot.realized
            for lot in event.spent:
                self.held -= self.sign * lot.qty
                self.cost -= lot.cost
                self.eaten += lot.cost
        if event.fee_currency == market.base and market.market_type is MarketType.SPOT:
            self.rebates += max(-event.fee, ZERO)


class _Books(Invariant):
    """Keeps the books of all groups."""

    WANTS: ClassVar[tuple[type[Event], ...]] = _BOOKED

    def __init__(self) -> None:
        self.books: dict[str, _Book] = {}
        self.ours: set[str] = set()
        self._tail = Tail()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - judged at rest
        """Count the event."""
        event = entry.event
        if isinstance(event, GroupOpened):
            self.books[event.group_id] = _Book(event)
        elif isinstance(event, OrderSent):
            self.ours.add(event.request.client_order_id)
        elif isinstance(event, LegFilled | TargetFilled | CloseFilled | PositionAdopted):
            with localcontext(EXACT):
                self.books[event.group_id].take(event)
        yield from ()

    def of(self, account: str) -> list[_Book]:
        """Return the books of an account."""
        return [book for book in self.books.values() if book.opened.account == account]

    def by_hand(self, scene: Scene) -> Iterator[tuple[str, PaperOrderFilled | PaperAccountOpened]]:
        """Yield, once, what an account began with and the fills of orders that are not ours."""
        for account, event in self._tail.news(scene):
            if isinstance(event, PaperAccountOpened) or (
                isinstance(event, PaperOrderFilled) and event.client_order_id not in self.ours
            ):
                yield account, event


class HoldingsAgree(_Books):
    """Base currencies and perpetual positions of an account are the sum over its groups; what came by hand stands aside."""

    NAME = "holdings-agree"

    def __init__(self) -> None:
        super().__init__()
        self._aside: dict[tuple[str, str], Decimal] = {}

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Add up the groups and compare."""
        with localcontext(EXACT):
            for account, event in self.by_hand(scene):
                self._put_aside(scene, account, event)
            for account in scene.exchanges:
                yield from self._compare(scene, account)

    def _put_aside(self, scene: Scene, account: str, event: PaperOrderFilled | PaperAccountOpened) -> None:
        if isinstance(event, PaperAccountOpened):
            for balance in event.balances:
                self._add(account, balance.currency, balance.free)
            return
        market = instrument_of(scene, account, event.symbol)
        spot = market.market_type is MarketType.SPOT
        self._add(account, market.base if spot else event.symbol, signed(event.side, event.qty))
        if spot and event.fee_currency == market.base:
            self._add(account, market.base, -event.fee)

    def _add(self, account: str, what: str, qty: Decimal) -> None:
        self._aside[account, what] = self._aside.get((account, what), ZERO) + qty

    def _compare(self, scene: Scene, account: str) -> Iterator[str]:
        expected: dict[str, Decimal] = {}
        quotes = set()
        for book in self.of(account):
            market = book.opened.instrument
            what = market.base if market.market_type is MarketType.SPOT else market.symbol
            expected[what] = expected.get(what, ZERO) + book.held - book.adopted + book.rebates
            quotes.add(market.quote)
        memory = scene.exchanges[account].engine.state.memory.account
        there = {**memory.totals, **{symbol: perp.qty for symbol, perp in memory.perps.items()}}
        for what in sorted((expected.keys() | there.keys()) - quotes):
            ours = expected.get(what, ZERO) + self._aside.get((account, what), ZERO)
            if there.get(what, ZERO) != ours:
                yield f"{account} has {there.get(what, ZERO)} {what}, its groups and what came by hand come to {ours}"


class CashConserved(_Books):
    """Cash is what there was, plus what groups realized, minus what they paid, in fees and for what they still hold.

    With the holdings agreeing this is, at any price: start + realized + unrealized - fees = equity.
    """

    NAME = "cash-conserved"

    def __init__(self) -> None:
        super().__init__()
        self._start: dict[tuple[str, str], Decimal] = {}

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Add up and compare."""
        with localcontext(EXACT):
            for account, event in self.by_hand(scene):
                self._begin(scene, account, event)
            for account in scene.exchanges:
                yield from self._compare(scene, account)

    def _begin(self, scene: Scene, account: str, event: PaperOrderFilled | PaperAccountOpened) -> None:
        if isinstance(event, PaperAccountOpened):
            for balance in event.balances:
                self._add(account, balance.currency, balance.free)
            return
        quote = instrument_of(scene, account, event.symbol).quote
        self._add(account, quote, -signed(event.side, event.qty * event.price))
        if event.fee_currency == quote:
            self._add(account, quote, -event.fee)

    def _add(self, account: str, currency: str, amount: Decimal) -> None:
        self._start[account, currency] = self._start.get((account, currency), ZERO) + amount

    def _compare(self, scene: Scene, account: str) -> Iterator[str]:
        memory = scene.exchanges[account].engine.state.memory.account
        expected: dict[str, Decimal] = {}
        for book in self.of(account):
            quote = book.opened.instrument.quote
            expected[quote] = expected.get(quote, ZERO) + book.cash
        for currency, earned in expected.items():
            costs = sum((perp.cost for perp in memory.perps.values() if perp.currency == currency), ZERO)
            there = memory.totals.get(currency, ZERO) - costs
            ours = self._start.get((account, currency), ZERO) + earned
            if there != ours:
                yield f"{account} has {there} {currency} and should have {ours}: {there - ours} came from nowhere"


class ResultsAddUp(_Books):
    """What a group says it earned and paid when it closes is the sum of its fills."""

    NAME = "results-add-up"
    WANTS = (*_BOOKED, GroupClosed)

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Compare at the close."""
        yield from super().on_entry(entry, scene)
        event = entry.event
        if not isinstance(event, GroupClosed):
            return
        book = self.books[event.group_id]
        if event.realized_quote != book.realized:
            yield f"{event.group_id} says it realized {event.realized_quote}, its fills come to {book.realized}"
        if {currency: fee for currency, fee in event.fees.items() if fee} != {
            c: fee for c, fee in book.fees.items() if fee
        }:
            yield f"{event.group_id} says it paid {event.fees}, its fills come to {book.fees}"
        if book.opened.side is Side.LONG and book.held < 0:
            yield f"{event.group_id} has sold {-book.held} more than it had"

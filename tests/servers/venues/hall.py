"""The matching engine behind every venue server: orders by any of their ids, fills, balances, prices, candles.

It is the exchange that ``bulkhead practice`` runs (venues.practice.exchange), with the records that protocols ask for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from protocol.instruments import Instrument
from protocol.market import Bar, PriceTick
from protocol.messages import Message
from protocol.orders import Balance, FillReport, OrderRequest, OrderState, Position
from protocol.paper import (
    PaperOrderAccepted,
    PaperOrderCancelled,
    PaperOrderFilled,
    PaperOrderRejected,
    PaperOrderTriggered,
)
from runtime.clock import WallClock
from tests.servers.venues.faults import Fault, Faults
from venues.paper.config import PaperConfig
from venues.practice.exchange import PracticeExchange

__all__ = ["NS", "Hall", "Order"]

NS: Final = 1_000_000_000
NOW: Final = WallClock().now
FIRST_NUMBER: Final = 7_000_000_000
"""Venues' order numbers are large."""


@dataclass(slots=True)
class Order:
    """One order as the venue knows it. ``number`` is the venue's own id, ``cost`` the quote value of its fills."""

    request: OrderRequest
    number: int
    created_at: int
    updated_at: int
    state: OrderState = OrderState.OPEN
    filled: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    code: str = ""
    """Why it was refused: ``MinNotional``, ``InsufficientFunds`` and so on."""
    reason: str = ""
    triggered: bool = False
    fills: list[FillReport] = field(default_factory=list)

    @property
    def rest(self) -> Decimal:
        """What has not traded."""
        return self.request.qty - self.filled

    @property
    def average(self) -> Decimal:
        """The average price of its fills, 0 without any."""
        return self.cost / self.filled if self.filled else Decimal(0)


Hears = Callable[[Order | FillReport | PriceTick], None]


class Hall:
    """One account at one venue. ``listen`` hears orders that changed, fills and quotes; a fill before its order's change."""

    def __init__(
        self,
        venue: str,
        instruments: Iterable[Instrument],
        balances: Iterable[Balance] = (Balance("USDT", Decimal(100_000)),),
        *,
        now: Callable[[], int] = NOW,
        leverage: Decimal = Decimal(1),
        fee_in_base: bool = False,
    ) -> None:
        config = PaperConfig(
            venue=venue, balances=tuple(balances), participation=Decimal(4), leverage=leverage, fee_in_base=fee_in_base
        )
        self.now = now
        self.faults = Faults()
        self.exchange = PracticeExchange(venue, config, instruments, now, self._call_at)
        self.orders: dict[str, Order] = {}
        """By client id."""
        self.by_number: dict[int, Order] = {}
        self.fills: list[FillReport] = []
        self._amended: dict[str, tuple[Order, OrderRequest, str]] = {}
        """What the exchange calls an amended order -> the order, what it is to be, what it was called before."""
        self._read = 0
        self._listeners: list[Hears] = []
        self._timers: set[asyncio.TimerHandle] = set()
        self.exchange.attach(self._heard)

    # --- clients -------------------------------------------------------------------------------------------------------

    def listen(self, hears: Hears) -> Callable[[], None]:
        """Tell somebody everything from now on; return what ends that."""
        self._listeners.append(hears)
        return lambda: self._listeners.remove(hears) if hears in self._listeners else None

    def place(self, request: OrderRequest) -> Order:
        """Take or refuse an order; one whose client id is known changes nothing (protocols say "duplicate" themselves)."""
        refuse = "InsufficientFunds" if self.faults.take(Fault.MARGIN_REJECT) else ""
        share = Decimal("0.5") if self.faults.take(Fault.PARTIAL_FILL) else None
        self.exchange.place(request, refuse=refuse, share=share)
        self._catch_up()
        return self.orders[request.client_order_id]

    def cancel(self, order: Order) -> Order:
        """Cancel what is left of an order."""
        self.exchange.cancel(self._key_of(order), order.request.symbol)
        self._catch_up()
        return order

    def amend(self, order: Order, *, price: Decimal | None = None, qty: Decimal | None = None) -> Order:
        """Change price or whole quantity of a resting order; it keeps ids and fills. What cannot be paid ends it."""
        wanted = replace(order.request, price=price or order.request.price, qty=qty or order.request.qty)
        before = self._key_of(order)
        after = f"{order.request.client_order_id}~{len(self._amended)}"
        self._amended[after] = (order, wanted, before)
        self.exchange.cancel(before, order.request.symbol)
        self.exchange.place(replace(wanted, client_order_id=after, qty=wanted.qty - order.filled))
        self._catch_up()
        return order

    def _key_of(self, order: Order) -> str:
        """Return what the exchange calls an order: an amended one is a new one to it."""
        keys = [key for key, (each, _, _) in self._amended.items() if each is order]
        return keys[-1] if keys else order.request.client_order_id

    def _known_as(self, key: str) -> Order:
        return self._amended[key][0] if key in self._amended else self.orders[key]

    def find(self, client_order_id: str = "", number: int = 0) -> Order | None:
        """Return an order by either id."""
        return self.orders.get(client_order_id) if client_order_id else self.by_number.get(number)

    def open_orders(self, symbol: str = "") -> list[Order]:
        """Return the orders that can still fill, oldest first."""
        return [
            each
            for each in self.orders.values()
            if not each.state.final and each.number and symbol in ("", each.request.symbol)
        ]

    def fills_since(self, at: int = 0, symbol: str = "") -> list[FillReport]:
        """Return fills at or after an instant, oldest first."""
        return [each for each in self.fills if each.at >= at and symbol in ("", each.symbol)]

    def number_of(self, fill: FillReport) -> int:
        """Return the venue's number of a fill's order."""
        return self.orders[fill.client_order_id].number

    def trade_number(self, fill: FillReport) -> int:
        """Return a fill's own number."""
        return FIRST_NUMBER + int(fill.trade_id.lstrip("t"))

    def balances(self) -> tuple[Balance, ...]:
        """Return every currency with an amount."""
        return self.exchange.balances()

    def positions(self) -> tuple[Position, ...]:
        """Return every open perpetual position."""
        return self.exchange.positions()

    def entry_price(self, symbol: str) -> Decimal:
        """Return the average entry price of a position, by the fills since it was last flat."""
        held, value = Decimal(0), Decimal(0)
        for each in self.fills_since(symbol=symbol):
            signed = each.qty if each.side.value == "buy" else -each.qty
            if held == 0 or (held > 0) == (signed > 0):
                held, value = held + signed, value + signed * each.price
            elif abs(signed) <= abs(held):
                value, held = value * (held + signed) / held, held + signed
            else:
                held += signed
                value = held * each.price
        return value / held if held else Decimal(0)

    def instruments(self) -> dict[str, Instrument]:
        """Return the markets by unified symbol."""
        return {each.symbol: each for each in self.exchange.instruments()}

    def quote(self, symbol: str) -> PriceTick | None:
        """Return the newest quote."""
        return self.exchange.newest(symbol)

    # --- the market ----------------------------------------------------------------------------------------------------

    def price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        """Move a market; orders meet the new price at once."""
        self.exchange.tick(PriceTick(symbol, self.now(), bid, ask, bid))

    def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        """Let the market trade a volume at one price."""
        self.exchange.bar(Bar(symbol, self.now(), 60, price, price, price, price, volume))

    def candles(self, symbol: str, seconds: int, since: int, limit: int) -> Iterator[Bar]:
        """Yield finished and growing candles from ``since`` (ns) on: a made-up history, the same whenever asked."""
        at = -(-since // (seconds * NS)) * seconds * NS
        while limit > 0 and at <= self.now():
            number = at // (seconds * NS)
            opening = Decimal(100) + Decimal(number % 97) / 10
            closing = Decimal(100) + Decimal((number + 1) % 97) / 10
            high, low = max(opening, closing) + Decimal("0.5"), min(opening, closing) - Decimal("0.5")
            yield Bar(symbol, at, seconds, opening, high, low, closing, Decimal(1 + number % 13))
            at, limit = at + seconds * NS, limit - 1

    def close(self) -> None:
        """Forget what was to happen later."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    # --- inside --------------------------------------------------------------------------------------------------------

    def _call_at(self, at: int, call: Callable[[], None]) -> None:
        def due() -> None:
            self._timers.discard(timer)
            call()

        timer = asyncio.get_running_loop().call_later(max(0, at - self.now()) / NS, due)
        self._timers.add(timer)

    def _heard(self, fact: Message) -> None:
        self._catch_up()
        if isinstance(fact, PriceTick):
            self._tell(self._spoilt(fact))

    def _spoilt(self, tick: PriceTick) -> PriceTick:
        if self.faults.take(Fault.STALE_PRICE):
            return PriceTick(tick.symbol, tick.at - 3600 * NS, tick.bid / 2, tick.ask / 2, tick.last / 2)
        if self.faults.take(Fault.ZERO_PRICE):
            return PriceTick(tick.symbol, tick.at, Decimal(0), Decimal(0), Decimal(0))
        if self.faults.take(Fault.CROSSED_BOOK):
            return PriceTick(tick.symbol, tick.at, tick.ask * 2, tick.bid / 2, tick.last)
        return tick

    def _tell(self, fact: Order | FillReport | PriceTick) -> None:
        for hears in tuple(self._listeners):
            hears(fact)

    def _catch_up(self) -> None:
        """Take over what has happened in the exchange since the last look, and tell it."""
        while self._read < len(self.exchange.history):
            event = self.exchange.history[self._read]
            self._read += 1
            match event:
                case PaperOrderAccepted(request=request, at=at) if request.client_order_id in self._amended:
                    order, wanted, _ = self._amended[request.client_order_id]
                    order.request, order.updated_at = wanted, at
                case PaperOrderRejected(request=request, at=at) if request.client_order_id in self._amended:
                    order = self._amended[request.client_order_id][0]
                    order.state, order.updated_at = OrderState.CANCELLED, at
                case PaperOrderCancelled(client_order_id=key) if key in [each for _, _, each in self._amended.values()]:
                    continue
                case PaperOrderAccepted(request=request, venue_order_id=venue_id, at=at):
                    order = Order(request, FIRST_NUMBER + int(venue_id.lstrip("p")), at, at)
                    self.orders[request.client_order_id] = self.by_number[order.number] = order
                case PaperOrderRejected(request=request, code=code, reason=reason, at=at):
                    order = Order(request, 0, at, at, OrderState.REJECTED, code=code, reason=reason)
                    self.orders[request.client_order_id] = order
                case PaperOrderFilled():
                    order = self._filled(event)
                case PaperOrderCancelled(client_order_id=key, reason=reason, at=at):
                    order = self._known_as(key)
                    order.state, order.reason, order.updated_at = OrderState.CANCELLED, reason, at
                case PaperOrderTriggered(client_order_id=key, at=at):
                    order = self._known_as(key)
                    order.triggered, order.updated_at = True, at
                case _:
                    continue
            self._tell(order)

    def _filled(self, event: PaperOrderFilled) -> Order:
        order = self._known_as(event.client_order_id)
        fill = FillReport(
            client_order_id=order.request.client_order_id,
            trade_id=event.trade_id,
            symbol=event.symbol,
            side=event.side,
            qty=event.qty,
            price=event.price,
            fee=event.fee,
            fee_currency=event.fee_currency,
            maker=event.maker,
            at=event.at,
        )
        order.filled, order.cost, order.updated_at = (
            order.filled + fill.qty,
            order.cost + fill.qty * fill.price,
            event.at,
        )
        order.state = OrderState.PARTIALLY_FILLED if order.rest else OrderState.FILLED
        order.fills.append(fill)
        self.fills.append(fill)
        self._tell(fill)
        return order

"""An exchange of its own: takes orders, moves prices, tells its clients what happened. No network, no house, no journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from protocol.instruments import Instrument
from protocol.market import Bar, PriceTick
from protocol.messages import Event, Message
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from protocol.paper import PaperOrderAccepted
from venues.contract import Sink
from venues.paper.config import PaperConfig
from venues.paper.engine import PaperEngine
from venues.paper.path import PathPoint

__all__ = ["CallAt", "PracticeExchange"]

CallAt = Callable[[int, Callable[[], None]], None]
"""Calls something at an instant (nanoseconds) of the exchange's own clock."""

_NANOS: Final = 1_000_000_000


class PracticeExchange:
    """One account. ``now`` and ``call_at`` are its own time; clients come and go by ``attach`` and ``detach``.

    ``history`` is everything that ever happened here, in order: what a test compares a journal with.
    """

    def __init__(
        self, account: str, config: PaperConfig, instruments: Iterable[Instrument], now: Callable[[], int], at: CallAt
    ) -> None:
        self.account = account
        self.engine = PaperEngine(config, instruments)
        self.history: list[Event] = []
        self.halted_until = 0
        self._now = now
        self._call_at = at
        self._sinks: list[Sink] = []
        self._walks: dict[str, tuple[Bar, int]] = {}
        self._walking: set[str] = set()
        self._keep(self.engine.open_account(now()))

    # --- clients -------------------------------------------------------------------------------------------------------

    def attach(self, sink: Sink) -> None:
        """Tell this client everything from now on."""
        self._sinks.append(sink)

    def detach(self, sink: Sink) -> None:
        """Tell this client nothing any more; harmless when it was not attached."""
        if sink in self._sinks:
            self._sinks.remove(sink)

    # --- orders --------------------------------------------------------------------------------------------------------

    def place(self, request: OrderRequest, *, refuse: str = "", share: Decimal | None = None) -> OrderReport:
        """Take or refuse an order; a known client id changes nothing. ``refuse`` is a code that a script refuses with."""
        now = self._now()
        self._catch_up(request.symbol)
        if now < self.halted_until:
            refuse = refuse or "MarketHalted"
        if refuse:
            events = self.engine.refuse(request, refuse, now)
        else:
            if share is not None:
                self.engine.thin_out(request, share)
            events = self.engine.place(request, now)
        self._did(events)
        for event in events:
            if isinstance(event, PaperOrderAccepted) and event.active_at > now:
                self._call_at(event.active_at, lambda: self._arrive(request.symbol))
        return self.engine.answer(request, now)

    def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        """Cancel what is left of an order; return how it stands now."""
        now = self._now()
        self._did(self.engine.cancel(client_order_id, now))
        return self.engine.query(client_order_id, symbol, now)

    def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Say how an order stands; an unknown id is proven absent."""
        return self.engine.query(client_order_id, symbol, self._now())

    def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill."""
        return self.engine.open_orders(self._now())

    def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return every fill at or after an instant."""
        return self.engine.fills_since(at)

    def balances(self) -> tuple[Balance, ...]:
        """Return every currency with an amount."""
        return self.engine.balances()

    def positions(self) -> tuple[Position, ...]:
        """Return every open perpetual position."""
        return self.engine.positions()

    def instruments(self) -> tuple[Instrument, ...]:
        """Return the markets."""
        return tuple(book.instrument for book in self.engine.state.books.values())

    def newest(self, symbol: str) -> PriceTick | None:
        """Return the newest price of a symbol."""
        self._catch_up(symbol)
        return self.engine.newest(symbol)

    # --- prices --------------------------------------------------------------------------------------------------------

    def tick(self, tick: PriceTick) -> None:
        """Take a quote and tell it."""
        events = self.engine.on_tick(tick)
        self._tell(tick)
        self._did(events)

    def bar(self, bar: Bar, index: int = 0) -> None:
        """Begin a bar: its path is walked in its time where it touches an order, else only its close is told."""
        symbol = bar.symbol
        before = self._walks.get(symbol)
        if before is not None and symbol not in self._walking:
            self.engine.on_bar_untouched(before[0])
            self._tell_newest(symbol)
        self._walking.discard(symbol)
        self._walks[symbol] = (bar, index)
        if self.engine.touches(bar):
            points = self.engine.path(bar, index)
            self._walking.add(symbol)
            self._point(bar, points, 0)

    def fill_now(self, client_order_id: str) -> bool:
        """Trade a resting limit order at its limit, as if somebody had just met it; return whether it could be."""
        order = self.engine.state.memory.orders.get(client_order_id)
        price = order.request.price if order is not None and not order.state.final else None
        if order is None or price is None or not order.arrived:
            return False
        symbol, now = order.request.symbol, self._now()
        self._catch_up(symbol)
        stood = self.engine.newest(symbol)
        before = order.filled
        self._did(self.engine.on_point(symbol, price, price, now))
        if stood is not None:
            self.engine.stand_at(symbol, stood.last, now)
        return order.filled > before or order.state.final

    # --- inside --------------------------------------------------------------------------------------------------------

    def _arrive(self, symbol: str) -> None:
        self._did(self.engine.on_arrival(symbol, self._now()))

    def _point(self, bar: Bar, points: tuple[PathPoint, ...], number: int) -> None:
        current = self._walks.get(bar.symbol)
        if current is None or current[0] is not bar:
            return
        point = points[number]
        events = self.engine.on_point(bar.symbol, point.price_from, point.price_to, point.at, point.volume)
        self._tell_newest(bar.symbol)
        self._did(events)
        if number + 1 < len(points):
            self._call_at(points[number + 1].at, lambda: self._point(bar, points, number + 1))

    def _catch_up(self, symbol: str) -> None:
        """Bring the price of a bar that was not worth walking to this instant, and walk the rest of it."""
        walk = self._walks.get(symbol)
        if walk is None or symbol in self._walking:
            return
        bar, index = walk
        self._walking.add(symbol)
        points = self.engine.path(bar, index)
        reached = [number for number, point in enumerate(points) if point.at <= self._now()]
        if reached:
            self.engine.stand_at(symbol, points[reached[-1]].price_to, self._now())
        following = len(reached)
        if following < len(points):
            self._call_at(points[following].at, lambda: self._point(bar, points, following))

    def _did(self, events: tuple[Event, ...]) -> None:
        """Make events so, then tell."""
        if not events:
            return
        self._keep(events)
        for fact in self.engine.told(self.account, events, self._now()):
            self._tell(fact)

    def _keep(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self.engine.apply(event)
        self.history.extend(events)

    def _tell_newest(self, symbol: str) -> None:
        newest = self.engine.newest(symbol)
        if newest is not None:
            self._tell(newest)

    def _tell(self, fact: Message) -> None:
        for sink in tuple(self._sinks):
            sink(fact)

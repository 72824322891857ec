"""The adapter of a simulated account: the venue contract, spoken over a line that loses things."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from simulation.outside.network import Line, Network
from simulation.scenario import FaultKind
from venues.contract import REQUIRED_CAPABILITIES, Capability, Sink, Venue
from venues.errors import VenueCapabilityMissing, VenueDown

__all__ = ["SimulatedVenue"]


class SimulatedVenue(Venue):
    """One account at a simulated exchange. ``dies`` is called when an order is on its way: a process may die there."""

    capabilities = REQUIRED_CAPABILITIES | {Capability.STOP_ORDERS}

    def __init__(self, network: Network, *, name: str, dies: Callable[[], None]) -> None:
        self.name = name
        self._net = network
        self._exchange = network.exchange
        self._weather = network.weather
        self._dies = dies
        self._line: Line | None = None

    def _open(self) -> Line:
        if self._line is None or self._line.dead:
            raise VenueDown(self.name, "not connected")
        return self._line

    async def connect(self, sink: Sink) -> None:
        """Open a line; while connections break, none can be had."""
        if self._weather.lasts(FaultKind.DISCONNECT):
            raise VenueDown(self.name, "connection refused")
        line = self._line = self._net.open(sink)
        await line.call(lambda: self._net.join(line))

    async def close(self) -> None:
        """End the line."""
        if self._line is not None:
            self._line.close()
            self._line = None

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return the markets."""
        return await self._open().call(self._exchange.instruments)

    async def balances(self) -> tuple[Balance, ...]:
        """Return the balances."""
        return await self._open().call(self._exchange.balances)

    async def positions(self) -> tuple[Position, ...]:
        """Return open perpetual positions."""
        return await self._open().call(self._exchange.positions)

    async def place(self, request: OrderRequest) -> OrderReport:
        """Place an order, at most once for its client id."""
        sent = self._open().call(lambda: self._take(request), "place")
        if self._weather.next_of(FaultKind.KILL_AT_SEND):
            self._net.agenda.after(0.001, self._dies)
        return await sent

    def _take(self, request: OrderRequest) -> OrderReport:
        refuses = self._weather.next_of(FaultKind.REJECT)
        partly = self._weather.next_of(FaultKind.PARTIAL_FILL)
        share = Decimal(str(round(partly.amount, 3))) if partly else None
        return self._exchange.place(request, refuse=(refuses.target or "OrderRejected") if refuses else "", share=share)

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        """Cancel an order; return its final state."""
        return await self._open().call(lambda: self._cancelled(client_order_id, symbol), "cancel")

    def _cancelled(self, client_order_id: str, symbol: str) -> OrderReport:
        if self._weather.next_of(FaultKind.CANCEL_RACE):
            self._exchange.fill_now(client_order_id)
        return self._exchange.cancel(client_order_id, symbol)

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Say where an order stands."""
        return await self._open().call(lambda: self._exchange.query(client_order_id, symbol), "query")

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill."""
        return await self._open().call(self._exchange.open_orders)

    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return every fill at or after an instant."""
        return await self._open().call(lambda: self._exchange.fills_since(at))

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Hear prices too."""
        wanted, line = set(symbols), self._open()
        await line.call(lambda: line.subscribe(wanted))

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:  # noqa: ARG002
        """Refuse: no history is kept here."""
        raise VenueCapabilityMissing(self.name, Capability.CANDLES)

    async def server_time(self) -> int:
        """Return the exchange's clock."""
        return await self._open().call(lambda: self._net.agenda.now)

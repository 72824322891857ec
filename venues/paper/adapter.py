"""The paper venue's adapter: the venue contract, spoken to the exchange's actor by asks."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.instruments import Instrument
from protocol.market import Bar, SubscribeMarket
from protocol.messages import Message, Request
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from runtime.errors import ActorError
from runtime.journal import JournalError
from runtime.ref import ActorRef
from runtime.system import ActorSystem
from venues.contract import REQUIRED_CAPABILITIES, Capability, Sink, Venue
from venues.errors import NetworkTimeout, VenueCapabilityMissing, VenueDown
from venues.paper.messages import Attach, PaperAnswer, PaperCancel, PaperPlace, PaperQuery, PaperView

__all__ = ["ANSWER_WITHIN_S", "PaperVenue"]

ANSWER_WITHIN_S = 5.0

_NO_FILLS = 2**63 - 1


class PaperVenue(Venue):
    """One account at the paper exchange that lives at ``path`` in the same system."""

    capabilities = REQUIRED_CAPABILITIES | {Capability.STOP_ORDERS}

    def __init__(self, system: ActorSystem, path: str, *, name: str = "paper") -> None:
        self.name = name
        self._system = system
        self._path = path
        self._sink: Sink | None = None

    def _exchange(self) -> ActorRef:
        exchange = self._system.lookup(self._path)
        if exchange is None:
            raise VenueDown(self.name, "the paper exchange is not running")
        return exchange

    async def _ask(self, request: Request[OrderReport]) -> OrderReport:
        try:
            return await self._exchange().ask(request, ANSWER_WITHIN_S)
        except (ActorError, JournalError) as error:
            # It crashed or stopped with the request in hand, or could not keep it: nobody knows how far it came.
            raise NetworkTimeout(self.name, str(error)) from error

    async def _view(self, since: int = 0) -> PaperAnswer:
        try:
            return await self._exchange().ask(PaperView(since), ANSWER_WITHIN_S)
        except (ActorError, JournalError) as error:
            raise VenueDown(self.name, str(error)) from error

    async def connect(self, sink: Sink) -> None:
        """Attach to the exchange."""
        exchange = self._exchange()
        await self._view()  # a venue that a script has disconnected answers nothing and takes nobody in
        self._sink = sink
        exchange.tell(Attach(self._forward))

    def _forward(self, fact: Message) -> None:
        if self._sink is not None:
            self._sink(fact)

    async def close(self) -> None:
        """Detach; the exchange keeps the orders."""
        if self._sink is None:
            return
        self._sink = None
        if self._system.lookup(self._path) is not None:
            self._exchange().tell(Attach(None))

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return the configured markets."""
        return (await self._view()).instruments

    async def balances(self) -> tuple[Balance, ...]:
        """Return the account's balances."""
        return (await self._view()).balances

    async def positions(self) -> tuple[Position, ...]:
        """Return the open perpetual positions."""
        return (await self._view()).positions

    async def place(self, request: OrderRequest) -> OrderReport:
        """Place an order, at most once for its client id."""
        return await self._ask(PaperPlace(request))

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        """Cancel an order; return its final state."""
        return await self._ask(PaperCancel(client_order_id, symbol))

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Return what the exchange knows; an unknown id is proven absent, its memory is complete."""
        return await self._ask(PaperQuery(client_order_id, symbol))

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill."""
        return (await self._view()).open_orders

    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return every fill at or after an instant."""
        return (await self._view(at)).fills

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Have the newest price of each symbol told again; its prices come over the bus anyway."""
        for symbol in symbols:
            self._exchange().tell(SubscribeMarket(symbol))

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:  # noqa: ARG002
        """Refuse: the paper exchange keeps no history; its market source does."""
        raise VenueCapabilityMissing(self.name, Capability.CANDLES)

    async def server_time(self) -> int:
        """Return the system's clock; a call like any other, so that a venue which is down does not answer it."""
        await self._view(_NO_FILLS)
        return self._system.now()

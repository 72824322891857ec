"""A hand-written venue that obeys ``venues.contract``: it answers what a test says, when the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from tests.actors.orders import market
from venues.contract import Capability, Sink, Venue
from venues.errors import VenueCapabilityMissing


class Later:
    """An answer that comes when ``come`` is called."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.came = asyncio.Event()

    def come(self) -> None:
        self.came.set()


class StubVenue(Venue):
    """``answers`` maps a method to what its calls give in turn (the last one for ever): a value, an error, ``Later``."""

    name = "stub"

    def __init__(self, answers: dict[str, list[Any]], calls: list[str], clock: Callable[[], int] = lambda: 0) -> None:
        self.answers = answers
        self.calls = calls
        self.clock = clock
        self.sink: Sink | None = None
        self.open = False

    async def _answer(self, method: str, subject: str, otherwise: Any) -> Any:
        self.calls.append(f"{method} {subject}".strip())
        script = self.answers.get(method)
        answer = otherwise if not script else script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Later):
            await answer.came.wait()
            answer = answer.answer
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def connect(self, sink: Sink) -> None:
        await self._answer("connect", "", None)
        self.sink = sink
        self.open = True

    async def close(self) -> None:
        self.calls.append("close")
        self.sink = None
        self.open = False

    async def instruments(self) -> tuple[Instrument, ...]:
        instruments: tuple[Instrument, ...] = await self._answer("instruments", "", (market(),))
        return instruments

    async def balances(self) -> tuple[Balance, ...]:
        balances: tuple[Balance, ...] = await self._answer("balances", "", ())
        return balances

    async def positions(self) -> tuple[Position, ...]:
        positions: tuple[Position, ...] = await self._answer("positions", "", ())
        return positions

    async def place(self, request: OrderRequest) -> OrderReport:
        report: OrderReport = await self._answer("place", request.client_order_id, None)
        return report

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        report: OrderReport = await self._answer("cancel", client_order_id, None)
        return report

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        report: OrderReport = await self._answer("query", client_order_id, None)
        return report

    async def open_orders(self) -> tuple[OrderReport, ...]:
        orders: tuple[OrderReport, ...] = await self._answer("open_orders", "", ())
        return orders

    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        fills: tuple[FillReport, ...] = await self._answer("fills_since", str(at), ())
        return fills

    async def subscribe(self, symbols: Iterable[str]) -> None:
        await self._answer("subscribe", ",".join(symbols), None)

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:
        raise VenueCapabilityMissing(self.name, Capability.CANDLES)

    async def server_time(self) -> int:
        told: int = await self._answer("server_time", "", self.clock())
        return told

"""OANDA's v20 REST interface and its two streams, over the hall: one account with netted positions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from aiohttp import web

from protocol.market import PriceTick
from protocol.orders import FillReport
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.http import HttpVenue
from tests.servers.venues.oanda_log import ACCOUNT, Log, Record, rfc3339
from tests.servers.venues.oanda_orders import Orders
from tests.servers.venues.oanda_reads import Reads
from tests.servers.venues.oanda_streams import ChunkStream

__all__ = ["ACCOUNT", "TOKEN", "OandaServer"]

TOKEN = "b7a1-not-a-real-token-93fe"


class OandaServer(Orders, Reads, HttpVenue):
    """``halted`` closes the market; ``reissues``: the rest of a limit order that traded in part gets a number of its own."""

    def __init__(self, hall: Hall, *, heartbeat_s: float = 5.0) -> None:
        super().__init__(hall)
        self.heartbeat_s = heartbeat_s
        self.token = TOKEN
        self.streams_refused = 0
        """A status with which streams are refused."""
        self.max_units = Decimal(10_000)
        self.price_streams: list[ChunkStream] = []
        self.log_streams: list[ChunkStream] = []
        self.records: dict[str, Record] = {}
        """By the hall's name; later orders under a client id that has been used get a name of their own."""
        self.log = Log(hall, self._log_told)
        self.later: list[Callable[[], None]] = []
        self.held: dict[str, Decimal] = {}

    # --- the socket ----------------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        account = f"/v3/accounts/{ACCOUNT}"
        reads = {
            "summary": self.summary,
            "instruments": self.instruments,
            "pricing": self.pricing,
            "openPositions": self.open_positions,
            "openTrades": self.open_trades,
            "pendingOrders": self.pending_orders,
            "orders/{name}": self.order_details,
            "transactions": self.transactions,
            "transactions/sinceid": self.transactions_since,
            "transactions/idrange": self.transactions_between,
            "transactions/stream": self.log_stream,
            "pricing/stream": self.price_stream,
            "transactions/{number}": self.transaction,
        }
        return [
            web.get("/v3/instruments/{name}/candles", self._checked(self.candles)),
            web.post(f"{account}/orders", self._checked(self.create)),
            web.put(f"{account}/orders/{{name}}", self._checked(self.replace)),
            web.put(f"{account}/orders/{{name}}/cancel", self._checked(self.cancel)),
            *[web.get(f"{account}/{path}", self._checked(handler)) for path, handler in reads.items()],
        ]

    def _checked(self, handler: Any) -> Any:
        async def checked(request: web.Request) -> web.StreamResponse:
            if request.headers.get("Authorization") != f"Bearer {self.token}":
                said = {"errorMessage": "Insufficient authorization to perform request."}
                return web.json_response(said, status=401)
            return await handler(request)

        return checked

    def opens_stream(self, request: web.Request) -> bool:
        return request.path.endswith("/stream")

    def kind_of(self, request: web.Request, body: str) -> On:
        if request.path.endswith("/cancel"):
            return "cancels"
        return "reads" if request.method == "GET" else "orders"

    def refusal(self, fault: Fault) -> web.Response:
        if fault is Fault.TOO_MANY:
            said = {"errorMessage": "Rate limit exceeded"}
            return web.json_response(said, status=429, headers={"Retry-After": "1"})
        if fault is Fault.MAINTENANCE:
            return web.json_response({"errorMessage": "The service is down for maintenance."}, status=503)
        return web.Response(text="<html><h1>502 Bad Gateway</h1></html>", status=502, content_type="text/html")

    def drop(self) -> None:
        super().drop()
        for stream in (*self.price_streams, *self.log_streams):
            stream.cut()

    # --- streams -------------------------------------------------------------------------------------------------------

    async def log_stream(self, request: web.Request) -> web.StreamResponse:
        def beat() -> dict[str, Any]:
            return {"type": "HEARTBEAT", "lastTransactionID": self.log.last, "time": rfc3339(self.hall.now())}

        return await self._serve(request, ChunkStream(self.faults), self.log_streams, beat)

    async def price_stream(self, request: web.Request) -> web.StreamResponse:
        names = set(request.query["instruments"].split(","))
        if not names <= {each.venue_symbol for each in self.hall.instruments().values()}:
            return web.json_response({"errorMessage": "Invalid value specified for 'instruments'"}, status=400)
        stream = ChunkStream(self.faults, names)
        for name in sorted(names):
            if (tick := self.hall.quote(self.symbol(name))) is not None:
                stream.reply(self.price(tick) | {"type": "PRICE"})
        return await self._serve(
            request, stream, self.price_streams, lambda: {"type": "HEARTBEAT", "time": rfc3339(self.hall.now())}
        )

    async def _serve(
        self, request: web.Request, stream: ChunkStream, among: list[ChunkStream], beat: Callable[[], dict[str, Any]]
    ) -> web.StreamResponse:
        async def beats() -> None:
            while True:
                stream.reply(beat())
                await asyncio.sleep(self.heartbeat_s)  # house: a venue's heartbeat is in real time

        if self.streams_refused:
            return web.json_response({"errorMessage": "no stream now"}, status=self.streams_refused)
        among.append(stream)
        beating = asyncio.create_task(beats())
        try:
            return await stream.serve(request)
        finally:
            beating.cancel()
            with suppress(ValueError):
                among.remove(stream)

    def _log_told(self, entry: dict[str, Any]) -> None:
        # What is filled in after the entry was written is told with it.
        if self.log_streams:
            asyncio.get_running_loop().call_soon(lambda: [each.tell(entry) for each in tuple(self.log_streams)])

    def hear(self, fact: Any) -> None:
        if isinstance(fact, PriceTick):
            said = self.price(fact) | {"type": "PRICE"}
            for stream in tuple(self.price_streams):
                if stream.names and said["instrument"] in stream.names:
                    stream.tell(said)
            self.trail(fact)
        elif isinstance(fact, FillReport):
            self.was_filled(fact)
        elif isinstance(fact, Order):
            self.has_changed(fact)
        if self.later:
            asyncio.get_running_loop().call_soon(self.do_later)

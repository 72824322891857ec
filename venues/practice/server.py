"""The practice exchange on a socket: one account, real time, no authentication (it listens on this machine only)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import WSMsgType, web

from protocol.codec import decode_json, encode_json
from protocol.errors import ValidationError
from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.messages import Message
from runtime.listening import stop_accepting
from venues.paper.config import PaperConfig
from venues.practice.exchange import PracticeExchange
from venues.practice.wire import (
    EXPIRED,
    AccountBody,
    CancelBody,
    ErrorBody,
    InstrumentsBody,
    PlaceBody,
    SubscribeBody,
    TimeBody,
)

__all__ = ["PracticeServer"]

_NANOS = 1_000_000_000


class PracticeServer:
    """Serves an exchange at ``host:port``; port 0 takes a free one. ``now`` is its clock.

    Prices come by ``exchange.tick`` from whoever runs it.
    """

    def __init__(
        self,
        account: str,
        config: PaperConfig,
        instruments: Iterable[Instrument],
        *,
        now: Callable[[], int],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._now = now
        self._host = host
        self.port = port
        self.exchange = PracticeExchange(account, config, instruments, now, self._call_at)
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://{self._host}:{self.port}"

    async def start(self) -> None:
        """Listen; raise OSError when the address cannot be had."""
        app = web.Application()
        app.router.add_post("/v1/orders", self._place)
        app.router.add_get("/v1/orders/{id}", self._query)
        app.router.add_post("/v1/cancel", self._cancel)
        app.router.add_get("/v1/account", self._account)
        app.router.add_get("/v1/instruments", self._instruments)
        app.router.add_get("/v1/time", self._time)
        app.router.add_get("/v1/stream", self._stream)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await self._runner.setup()
        served, loop = self._runner.server, asyncio.get_running_loop()
        assert served is not None, "the runner is set up"
        self._server = await loop.create_server(served, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection."""
        for timer in self._timers:
            timer.cancel()
        if self._runner is None:
            return
        if self._server is not None:
            await stop_accepting(self._server.sockets)
            self._server.close()
        server = self._runner.server
        lines = [each.transport for each in server.connections if each.transport is not None] if server else []
        await self._runner.cleanup()
        for line in lines:
            # Closing waits until everything is sent, for ever when the other host is gone.
            line.abort()
        await asyncio.sleep(0)  # house: no wait, the lines only get their turn to end

    def _call_at(self, at: int, call: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()

        def due() -> None:
            self._timers.discard(timer)
            call()

        timer = loop.call_later(max(0, at - self._now()) / _NANOS, due)
        self._timers.add(timer)

    # --- orders --------------------------------------------------------------------------------------------------------

    async def _place(self, request: web.Request) -> web.Response:
        body = await _read(request, PlaceBody)
        return self._late(body.expires_at) or _answer(self.exchange.place(body.request))

    async def _cancel(self, request: web.Request) -> web.Response:
        body = await _read(request, CancelBody)
        return self._late(body.expires_at) or _answer(self.exchange.cancel(body.client_order_id, body.symbol))

    def _late(self, expires_at: int) -> web.Response | None:
        if not expires_at or self._now() <= expires_at:
            return None
        late = (self._now() - expires_at) / _NANOS
        return _answer(ErrorBody(EXPIRED, f"the request came {late:.3f} s after it was to be carried out"), 408)

    # --- questions -----------------------------------------------------------------------------------------------------

    async def _query(self, request: web.Request) -> web.Response:
        return _answer(self.exchange.query(request.match_info["id"], request.query.get("symbol", "")))

    async def _account(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdigit():
            return _answer(ErrorBody("Invalid", "since is an instant in nanoseconds"), 400)
        exchange = self.exchange
        account = AccountBody(
            balances=exchange.balances(),
            positions=exchange.positions(),
            open_orders=exchange.open_orders(),
            fills=exchange.fills_since(int(since)),
        )
        return _answer(account)

    async def _instruments(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        return _answer(InstrumentsBody(self.exchange.instruments()))

    async def _time(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        return _answer(TimeBody(self._now()))

    # --- facts ---------------------------------------------------------------------------------------------------------

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=10.0)
        await socket.prepare(request)
        outgoing: asyncio.Queue[Message] = asyncio.Queue()
        wanted: set[str] = set()

        def hear(fact: Message) -> None:
            if not isinstance(fact, PriceTick) or fact.symbol in wanted:
                outgoing.put_nowait(fact)

        async def write() -> None:
            while True:
                await socket.send_bytes(encode_json(await outgoing.get()))

        self.exchange.attach(hear)
        writing = asyncio.create_task(write())
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                symbols = decode_json(message.data.encode(), SubscribeBody).symbols
                wanted.update(symbols)
                for symbol in symbols:
                    if (tick := self.exchange.newest(symbol)) is not None:
                        hear(tick)
        except (ValidationError, ConnectionError):
            await socket.close(code=1003, message=b"not understood")
        finally:
            self.exchange.detach(hear)
            writing.cancel()
        return socket


async def _read(request: web.Request, of: type[Any]) -> Any:
    try:
        return decode_json(await request.read(), of)
    except ValidationError as error:
        body = encode_json(ErrorBody("Invalid", str(error)))
        raise web.HTTPBadRequest(body=body, content_type="application/json") from error


def _answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=encode_json(value), status=status, content_type="application/json")

"""What the servers of HTTP and WebSocket protocols have in common: the socket, requests that go wrong, streams that lie."""

from __future__ import annotations

import asyncio
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Self

from aiohttp import web

from tests.servers.closing import no_more_guests
from tests.servers.venues.faults import Fault, Faults, On, Unruly, late
from tests.servers.venues.hall import Hall

__all__ = ["HttpVenue", "Stream"]

_PROOF = re.compile("sign|auth|key|pass|token", re.IGNORECASE)
_LEAST_PROOF = 12


class Stream:
    """One WebSocket of a client. ``topics`` is what it asked for; what is told goes through the faults that are armed."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, faults: Faults) -> None:
        self.socket = socket
        self.topics: set[str] = set()
        self.login = False
        self._request = request
        self._outgoing: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._way = Unruly(faults, self._outgoing.put_nowait, self.cut)
        self._writing = asyncio.create_task(self._write())

    def tell(self, message: Any) -> None:
        """Tell a fact, whatever is armed."""
        text = message if isinstance(message, str | bytes) else json.dumps(message)
        self._way.tell(text, text[: len(text) // 2])

    def reply(self, message: Any) -> None:
        """Answer what the client asked on this socket; no fault befalls it."""
        self._outgoing.put_nowait(message if isinstance(message, str | bytes) else json.dumps(message))

    def cut(self) -> None:
        """End the connection without a word, once what was said before is out."""
        self._outgoing.put_nowait("")

    async def _write(self) -> None:
        with suppress(ConnectionError, RuntimeError):
            while text := await self._outgoing.get():
                await (self.socket.send_bytes(text) if isinstance(text, bytes) else self.socket.send_str(text))
        if self._request.transport is not None:
            self._request.transport.abort()

    def end(self) -> None:
        """Write no more."""
        self._writing.cancel()


class HttpVenue(ABC):
    """A venue on 127.0.0.1: ``async with`` it. A protocol adds routes, says what kind each request is, and how it refuses.

    ``requests`` are the requests that came, oldest first, as ``METHOD path``; ``shown`` is what they showed to prove who
    asks: keys, signatures, keys of streams.
    """

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.faults = hall.faults
        self.port = 0
        self.requests: list[str] = []
        self.shown: set[str] = set()
        self.streams: list[Stream] = []
        self._runner: web.AppRunner | None = None
        self._deaf: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """The base address of its REST interface."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        """The base address of its streams."""
        return f"ws://127.0.0.1:{self.port}"

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of the protocol."""

    @abstractmethod
    def kind_of(self, request: web.Request, body: str) -> On:
        """Say whether a request places orders, cancels, or only reads."""

    @abstractmethod
    def refusal(self, fault: Fault) -> web.Response:
        """Return how this venue says TOO_MANY, SERVER_ERROR or MAINTENANCE: status, headers (Retry-After) and body."""

    @abstractmethod
    def hear(self, fact: Any) -> None:
        """Tell the streams what has happened: an Order, a FillReport or a PriceTick of the hall."""

    def opens_stream(self, request: web.Request) -> bool:
        """Whether a request opens a stream: what befalls requests does not befall it."""
        return request.headers.get("Upgrade", "").lower() == "websocket"

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._misbehave])
        app.add_routes(list(self.routes()))
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._deaf = self.hall.listen(self.hear)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Drop everybody; ``async with`` again brings the server back on the same port."""
        self._deaf()
        self.hall.close()
        if self._runner is not None:
            await no_more_guests(self._runner)
        self.drop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def drop(self) -> None:
        """End every stream at once."""
        for stream in self.streams:
            stream.cut()

    async def open_stream(self, request: web.Request, protocols: tuple[str, ...] = ()) -> Stream:
        """Accept a WebSocket; read ``stream.socket``, then call ``close_stream``."""
        socket = web.WebSocketResponse(protocols=protocols)
        await socket.prepare(request)
        stream = Stream(socket, request, self.faults)
        self.streams.append(stream)
        return stream

    async def converse(
        self, request: web.Request, asked: Callable[[Stream, Any], None], *, login: bool = False
    ) -> web.WebSocketResponse:
        """Accept a WebSocket and pass on each JSON message of it until it ends; ``login``: who asks is known already."""
        stream = await self.open_stream(request)
        stream.login = login
        try:
            async for message in stream.socket:
                asked(stream, message.json())
        finally:
            self.close_stream(stream)
        return stream.socket

    def close_stream(self, stream: Stream) -> None:
        """Forget a stream that has ended."""
        stream.end()
        self.streams.remove(stream)

    @web.middleware
    async def _misbehave(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        given = (*request.headers.items(), *request.query.items())
        self.shown |= {value for name, value in given if _PROOF.search(name) and len(value) >= _LEAST_PROOF}
        if self.opens_stream(request):
            return await handler(request)
        kind, faults = self.kind_of(request, await request.text()), self.faults
        await late(faults, kind)
        for fault in (Fault.TOO_MANY, Fault.SERVER_ERROR, Fault.MAINTENANCE):
            if faults.take(fault, kind):
                return self.refusal(fault)
        if faults.take(Fault.REQUEST_LOST, kind):
            return _gone(request)
        response = await handler(request)
        if faults.take(Fault.ANSWER_LOST, kind):
            return _gone(request)
        if isinstance(response, web.Response) and faults.take(Fault.MALFORMED, kind):
            whole = response.text or ""
            return web.Response(text=whole[: max(1, len(whole) // 2)], content_type="application/json")
        return response


def _gone(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)

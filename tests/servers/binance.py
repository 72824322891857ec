"""A local server that speaks Binance spot's public REST and WebSocket protocol, and misbehaves on command.

Commands: ``fail`` (any status for the next requests), ``drop`` (abort all sockets), ``mute`` (connected, silent),
``deaf`` (new sockets are never read, not even their goodbye), ``push_text`` (garbage), ``refuse_sockets``
(``refuse_for_s`` is its Retry-After), ``skew_ms`` (its clock). What clients did is in ``requests``, ``frames`` and
``streams``; ``until`` waits for it without sleeping.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from time import time
from typing import Any, NamedTuple, Self

from aiohttp import WSMsgType, web

from tests.servers import binance_payloads as payloads
from tests.servers.closing import no_more_guests

MAX_KLINES = 1000
MAX_STREAMS = 1024
INVALID_SYMBOL = (400, -1121, "Invalid symbol.")
INVALID_INTERVAL = (400, -1120, "Invalid interval.")
TOO_MANY = {
    429: "Too much request weight used; current limit is 6000 request weight per 1 MINUTE.",
    418: "Way too much request weight used; IP banned until 1659146400000.",
}

INTERNAL = {"code": -1001, "msg": "Internal error; unable to process your request. Please try again."}


class Request(NamedTuple):
    """One REST request as it arrived."""

    path: str
    query: dict[str, str]


class Failure(NamedTuple):
    """The answer to the next requests of a path instead of the real one."""

    status: int
    body: str
    headers: dict[str, str]


class Socket:
    """One WebSocket of a client and the streams it asked for; ``combined`` wraps events as ``/stream`` does."""

    def __init__(self, response: web.WebSocketResponse, transport: asyncio.Transport | None, *, combined: bool) -> None:
        self.response = response
        self.transport = transport
        self.combined = combined
        self.streams: set[str] = set()
        self.pongs = 0

    async def event(self, stream: str, data: dict[str, Any]) -> None:
        """Send one event of a stream if this client subscribed to it."""
        if stream in self.streams:
            await self.response.send_json({"stream": stream, "data": data} if self.combined else data)


class BinanceServer:
    """Serve public market data on 127.0.0.1; use as ``async with BinanceServer() as server``."""

    def __init__(self, now_ms: Callable[[], int] = lambda: int(time() * 1000)) -> None:
        self._now_ms = now_ms
        self._changed = asyncio.Condition()
        self._failures: dict[str, list[Failure]] = {}
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.skew_ms = 0
        self.mute = False
        self.deaf = False
        self._released = asyncio.Event()
        self.refuse_sockets = 0
        self.refuse_for_s = ""
        self.listings = payloads.listings()
        self.books: dict[str, tuple[str, str]] = {}
        self.last: dict[str, str] = {}
        self.requests: list[Request] = []
        self.frames: list[dict[str, Any]] = []
        self.sockets: list[Socket] = []
        self.opened = 0
        self.refused = 0

    # --- life ---------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._watch])
        for name in ("ping", "time", "exchangeInfo", "klines", "depth", "trades", "aggTrades"):
            app.router.add_get(f"/api/v3/{name}", getattr(self, f"_get_{name.lower()}"))
        for name in ("bookTicker", "price", "24hr"):
            app.router.add_get(f"/api/v3/ticker/{name}", getattr(self, f"_get_ticker_{name.lower()}"))
        for path in ("/ws", "/ws/{name:.*}", "/stream", "/stream/{name:.*}"):
            app.router.add_get(path, self._socket)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Drop everybody and free the port; ``async with`` again brings the server back on the same port."""
        self._released.set()
        if self._runner is not None:
            await no_more_guests(self._runner)
        await self.drop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def rest_url(self) -> str:
        """The base of the REST interface, with version."""
        return f"http://127.0.0.1:{self.port}/api/v3"

    @property
    def ws_url(self) -> str:
        """The base of the raw streams, as in ``wss://stream.binance.com:9443/ws``."""
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def now_ms(self) -> int:
        """The server's clock in milliseconds, skew included."""
        return self._now_ms() + self.skew_ms

    @property
    def streams(self) -> set[str]:
        """Every stream some client is subscribed to now."""
        return {stream for socket in self.sockets for stream in socket.streams}

    async def until(self, condition: Callable[[], bool], within_s: float = 60.0) -> None:
        """Return as soon as ``condition`` holds; it is asked again after everything a client does."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(condition)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # --- commands -----------------------------------------------------------------------------------------------------

    def fail(self, path: str, status: int, *, times: int = 1, retry_after: str = "", body: str | None = None) -> None:
        """Answer the next ``times`` requests of ``/api/v3/<path>`` with an error."""
        error = {"code": -1003, "msg": TOO_MANY[status]} if status in TOO_MANY else INTERNAL
        text = json.dumps(error) if body is None else body
        headers = {"Retry-After": retry_after} if retry_after else {}
        self._failures.setdefault(path, []).extend([Failure(status, text, headers)] * times)

    async def drop(self, *, code: int | None = None) -> None:
        """Cut every socket: without a word, or with a close frame when ``code`` is given."""
        for socket in list(self.sockets):
            if code is not None:
                await socket.response.close(code=code)
            elif socket.transport is not None:
                socket.transport.abort()

    async def ping(self, data: bytes = b"1723161255208") -> None:
        """Send a ping frame to every client, as Binance does every 20 s."""
        for socket in self.sockets:
            await socket.response.ping(data)

    async def push(self, stream: str, data: dict[str, Any]) -> None:
        """Send one event to the subscribers of a stream (nobody hears it while mute)."""
        for socket in [] if self.mute else list(self.sockets):
            await socket.event(stream, data)

    async def push_text(self, text: str) -> None:
        """Send any text to every client."""
        for socket in list(self.sockets):
            await socket.response.send_str(text)

    async def push_bytes(self, data: bytes) -> None:
        """Send any bytes to every client."""
        for socket in list(self.sockets):
            await socket.response.send_bytes(data)

    async def push_book(self, symbol: str, bid: str, ask: str) -> None:
        """Change the best bid and ask and tell subscribers."""
        self.books[symbol] = (bid, ask)
        event = {"u": 50093239212, "s": symbol, "b": bid, "B": "3.78826000", "a": ask, "A": "1.54698000"}
        await self.push(f"{symbol.lower()}@bookTicker", event)

    async def push_trade(self, symbol: str, price: str, qty: str = "0.02000000") -> None:
        """Tell subscribers of a trade."""
        self.last[symbol] = price
        event = {"e": "trade", "E": self.now_ms, "s": symbol, "t": 3735683259, "p": price, "q": qty, "T": self.now_ms,
                 "m": True, "M": True}  # fmt: skip
        await self.push(f"{symbol.lower()}@trade", event)

    async def push_kline(self, symbol: str, row: list[Any], interval: str = "1m", *, closed: bool) -> None:
        """Tell subscribers of a candle that grows or is finished; ``row`` has the REST form."""
        self.last[symbol] = row[4]
        event = payloads.kline_event(symbol, row, interval, self.now_ms, closed=closed)
        await self.push(f"{symbol.lower()}@kline_{interval}", event)

    # --- REST ---------------------------------------------------------------------------------------------------------

    @web.middleware
    async def _watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v3/")
        if request.path.startswith("/api/"):
            self.requests.append(Request(path, dict(request.query)))
            await self._tell()
        if waiting := self._failures.get(path):
            failure = waiting.pop(0)
            return web.Response(
                status=failure.status, text=failure.body, headers=failure.headers, content_type="application/json"
            )
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers["X-MBX-USED-WEIGHT-1M"] = str(len(self.requests))
        return response

    def _error(self, error: tuple[int, int, str]) -> web.Response:
        status, code, message = error
        return web.json_response({"code": code, "msg": message}, status=status)

    def _symbol(self, request: web.Request) -> str | None:
        symbol = request.query.get("symbol", "")
        return symbol if symbol in self.listings else None

    def _book(self, symbol: str) -> tuple[str, str]:
        return self.books.get(symbol, ("61837.63000000", "61837.64000000"))

    def _last(self, symbol: str) -> str:
        return self.last.get(symbol, self._book(symbol)[0])

    async def _get_ping(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def _get_time(self, request: web.Request) -> web.Response:
        return web.json_response({"serverTime": self.now_ms})

    async def _get_exchangeinfo(self, request: web.Request) -> web.Response:
        status = request.query.get("symbolStatus")
        symbols: Iterable[dict[str, Any]] = self.listings.values()
        if status:
            symbols = [item for item in symbols if item["status"] == status]
        if request.query.get("showPermissionSets") == "false":
            symbols = [item | {"permissionSets": []} for item in symbols]
        info = {"timezone": "UTC", "serverTime": self.now_ms, "rateLimits": payloads.RATE_LIMITS, "exchangeFilters": []}
        return web.json_response(info | {"symbols": list(symbols)})

    async def _get_klines(self, request: web.Request) -> web.Response:
        symbol, interval = self._symbol(request), request.query.get("interval", "")
        if symbol is None or interval not in payloads.INTERVALS_MS:
            return self._error(INVALID_SYMBOL if symbol is None else INVALID_INTERVAL)
        step = payloads.INTERVALS_MS[interval]
        limit = min(int(request.query.get("limit", 500)), MAX_KLINES)
        end = min(int(request.query.get("endTime", self.now_ms)), self.now_ms)
        last = end // step * step
        start = -(-int(request.query.get("startTime", last - (limit - 1) * step)) // step) * step
        starts = range(start, last + 1, step)[:limit]
        return web.json_response([payloads.kline(at, interval) for at in starts])

    async def _get_depth(self, request: web.Request) -> web.Response:
        symbol = self._symbol(request)
        if symbol is None:
            return self._error(INVALID_SYMBOL)
        bid, ask = (Decimal(price) for price in self._book(symbol))
        levels = range(min(int(request.query.get("limit", 100)), 20))
        return web.json_response({
            "lastUpdateId": 50093239218,
            "bids": [[f"{bid - level:.8f}", "0.61700000"] for level in levels],
            "asks": [[f"{ask + level:.8f}", "0.32332000"] for level in levels],
        })  # fmt: skip

    async def _get_trades(self, request: web.Request) -> web.Response:
        symbol = self._symbol(request)
        if symbol is None:
            return self._error(INVALID_SYMBOL)
        return web.json_response([{"id": 445560530, "price": self._last(symbol), "qty": "0.01810400",
                                   "quoteQty": "240.07207488", "time": self.now_ms, "isBuyerMaker": True,
                                   "isBestMatch": True}])  # fmt: skip

    async def _get_aggtrades(self, request: web.Request) -> web.Response:
        symbol = self._symbol(request)
        if symbol is None:
            return self._error(INVALID_SYMBOL)
        return web.json_response([{"a": 284861205, "p": self._last(symbol), "q": "0.17700100", "f": 310207484,
                                   "l": 310207484, "T": self.now_ms, "m": True, "M": True}])  # fmt: skip

    def _ticker(self, request: web.Request, one: Callable[[str], dict[str, Any]]) -> web.Response:
        """Answer for ``symbol``, for the JSON list ``symbols``, or for every symbol."""
        if "symbol" in request.query:
            symbol = self._symbol(request)
            return self._error(INVALID_SYMBOL) if symbol is None else web.json_response(one(symbol))
        wanted = json.loads(request.query.get("symbols", json.dumps(list(self.listings))))
        if any(symbol not in self.listings for symbol in wanted):
            return self._error(INVALID_SYMBOL)
        return web.json_response([one(symbol) for symbol in wanted])

    async def _get_ticker_bookticker(self, request: web.Request) -> web.Response:
        def one(symbol: str) -> dict[str, Any]:
            bid, ask = self._book(symbol)
            return {"symbol": symbol, "bidPrice": bid, "bidQty": "0.16356700", "askPrice": ask, "askQty": "0.18635000"}

        return self._ticker(request, one)

    async def _get_ticker_price(self, request: web.Request) -> web.Response:
        return self._ticker(request, lambda symbol: {"symbol": symbol, "price": self._last(symbol)})

    async def _get_ticker_24hr(self, request: web.Request) -> web.Response:
        def one(symbol: str) -> dict[str, Any]:
            bid, ask = self._book(symbol)
            return {
                "symbol": symbol, "priceChange": "-173.20000000", "priceChangePercent": "-0.279",
                "weightedAvgPrice": "61700.00000000", "prevClosePrice": "62010.83000000",
                "lastPrice": self._last(symbol), "lastQty": "0.02000000", "bidPrice": bid, "bidQty": "3.78826000",
                "askPrice": ask, "askQty": "1.54698000", "openPrice": "62010.84000000",
                "highPrice": "62745.14000000", "lowPrice": "59535.00000000", "volume": "34567.12300000",
                "quoteVolume": "2132791489.10000000", "openTime": self.now_ms - 86_400_000, "closeTime": self.now_ms,
                "firstId": 3730000000, "lastId": 3735683259, "count": 5683260,
            }  # fmt: skip

        return self._ticker(request, one)

    # --- WebSocket ----------------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_sockets:
            self.refuse_sockets -= 1
            self.refused += 1
            await self._tell()
            headers = {"Retry-After": self.refuse_for_s} if self.refuse_for_s else {}
            return web.Response(status=503, text="no sockets now", headers=headers)
        response = web.WebSocketResponse(autoping=False)
        await response.prepare(request)
        socket = Socket(response, request.transport, combined=request.path.startswith("/stream"))
        socket.streams |= {name for name in request.query.get("streams", "").split("/") if name}
        socket.streams |= {name for name in request.match_info.get("name", "").split("/") if "@" in name}
        self.sockets.append(socket)
        self.opened += 1
        await self._tell()
        try:
            if self.deaf:
                await self._released.wait()
            async for frame in response:
                await self._frame(socket, frame.type, frame.data)
                await self._tell()
        finally:
            self.sockets.remove(socket)
            await self._tell()
        return response

    async def _frame(self, socket: Socket, kind: WSMsgType, data: Any) -> None:
        if kind is WSMsgType.PING:
            await socket.response.pong(data)
        elif kind is WSMsgType.PONG:
            socket.pongs += 1
        elif kind is WSMsgType.TEXT:
            await self._command(socket, data)

    async def _command(self, socket: Socket, text: str) -> None:
        try:
            frame = json.loads(text)
        except json.JSONDecodeError:
            await socket.response.send_json({"error": {"code": 3, "msg": "Invalid JSON: expected value"}})
            return
        self.frames.append(frame)
        method, names = frame.get("method"), frame.get("params", [])
        if method == "SUBSCRIBE" and len(socket.streams | set(names)) > MAX_STREAMS:
            answer: dict[str, Any] = {"error": {"code": 2, "msg": "Invalid request: too many streams"}}
        elif method == "SUBSCRIBE":
            socket.streams |= set(names)
            answer = {"result": None}
        elif method == "UNSUBSCRIBE":
            socket.streams -= set(names)
            answer = {"result": None}
        elif method == "LIST_SUBSCRIPTIONS":
            answer = {"result": sorted(socket.streams)}
        else:
            answer = {"error": {"code": 2, "msg": f"Invalid request: unknown variant `{method}`"}}
        if not self.mute:
            await socket.response.send_json(answer | {"id": frame.get("id")})

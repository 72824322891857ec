"""A server that speaks KuCoin: spot (HF orders) and futures REST, and the token handshake and frames of its streams.

Signed as the real one demands: version 2 keys (the passphrase signed too), a timestamp not older than five seconds. Client
ids are unique among WORKING orders only, as users of the real one found out: the same id sent again after its order is done
makes a second order.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from protocol.market import PriceTick
from protocol.orders import FillReport
from tests.servers.venues import kucoin_futures as futures
from tests.servers.venues import kucoin_spot as spot
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.http import Stream
from tests.servers.venues.kucoin_wire import KucoinRefusal, ok, refused
from tests.servers.venues.two_desks import TwoDesks, words_of

__all__ = ["KEY", "PASSPHRASE", "SECRET", "KucoinServer"]

KEY: Final = "kucoin-test-key"
SECRET: Final = "kucoin-test-secret"
PASSPHRASE: Final = "kucoin-test-passphrase"
MAX_AGE_MS: Final = 5000
TOKEN: Final = "2neAiuYvAU61ZDXANAGAsiL4-test"


class KucoinServer(TwoDesks):
    """Both interfaces on one port; the real ones are two hosts."""

    def __init__(self, hall: Hall) -> None:
        super().__init__(hall, SECRET, spot.SpotDesk(hall), futures.FuturesDesk(hall))
        self.places = 0

    # --- the base class asks ---------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        yield web.get("/endpoint", self._stream)
        yield web.post("/api/v1/bullet-public", self._bullet)
        yield web.post("/api/v1/bullet-private", self.signed(self._bullet))
        yield web.get("/api/v1/timestamp", self._time)
        yield web.get("/api/v1/status", self._status)
        for method, path, handler, private in (*self.spot.routes(), *self.futures.routes()):
            answer = self._answer(handler)
            yield web.route(method, path, self.signed(answer) if private else answer)

    def kind_of(self, request: web.Request, body: str) -> On:
        if request.method == "POST" and request.path.endswith(("/orders", "/orders/sync")):
            return "orders"
        return "cancels" if request.method == "DELETE" else "reads"

    def refusal(self, fault: Fault) -> web.Response:
        if fault is Fault.TOO_MANY:
            headers = {"gw-ratelimit-limit": "4000", "gw-ratelimit-remaining": "0", "gw-ratelimit-reset": "1200"}
            body = {"code": "429000", "msg": "Too many requests. System-level rate limit exceeded."}
            return web.json_response(body, status=429, headers=headers)
        if fault is Fault.SERVER_ERROR:
            return web.json_response({"code": "500000", "msg": "Internal Server Error"}, status=500)
        text = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
        return web.Response(text=text, status=503, content_type="text/html")

    def hear(self, fact: Any) -> None:
        symbol = fact.request.symbol if isinstance(fact, Order) else fact.symbol
        instrument = self.hall.instruments().get(symbol)
        if instrument is None:
            return
        desk = self.desk_of(instrument)
        told: list[dict[str, Any]] = []
        if isinstance(fact, PriceTick):
            told = desk.quote_frames(fact)
        elif isinstance(fact, FillReport):
            told = desk.fill_frames(fact)
        elif isinstance(fact, Order) and fact.number:
            told = [*desk.order_frames(fact), *desk.balance_frames()]
        for frame in told:
            private = frame.pop("private", False)
            for stream in self.streams:
                if frame["topic"] in stream.topics and (stream.login or not private):
                    stream.tell(frame)

    # --- requests ----------------------------------------------------------------------------------------------------------

    def _answer(self, handler: Any) -> Any:
        async def answer(request: web.Request) -> web.Response:
            asked = await words_of(request)
            if request.method == "POST" and "orders" in request.path:
                self.places += 1
            try:
                return ok(handler(asked))
            except KucoinRefusal as refusal:
                return refused(refusal)

        return answer

    def stranger(self, request: web.Request, body: str) -> web.Response | None:
        refusal = self._wrong(request, body)
        return web.json_response(refusal, status=401) if refusal else None

    def _wrong(self, request: web.Request, body: str) -> dict[str, str] | None:
        headers = request.headers
        stamp = headers.get("KC-API-TIMESTAMP", "")
        if headers.get("KC-API-KEY") != KEY:
            return {"code": "400003", "msg": "KC-API-KEY not exists"}
        if headers.get("KC-API-KEY-VERSION") != "2" or headers.get("KC-API-PASSPHRASE") != self._sign(PASSPHRASE):
            return {"code": "400004", "msg": "KC-API-PASSPHRASE error"}
        if headers.get("KC-API-SIGN") != self._sign(stamp + request.method + request.raw_path + body):
            return {"code": "400005", "msg": "Invalid KC-API-SIGN"}
        if abs(self.now_ms - int(stamp)) > MAX_AGE_MS:
            return {"code": "400002", "msg": "Invalid KC-API-TIMESTAMP"}
        return None

    async def _time(self, _: web.Request) -> web.Response:
        return ok(self.now_ms)

    async def _status(self, _: web.Request) -> web.Response:
        return ok({"status": "open", "msg": ""})

    # --- streams -----------------------------------------------------------------------------------------------------------

    async def _bullet(self, request: web.Request) -> web.Response:
        token = TOKEN + ("-private" if request.path.endswith("private") else "")
        server = {"endpoint": f"{self.stream_url}/endpoint", "encrypt": True, "protocol": "websocket",
                  "pingInterval": 18000, "pingTimeout": 10000}  # fmt: skip
        return ok({"token": token, "instanceServers": [server]})

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        stream = await self.open_stream(request)
        token = request.query.get("token", "")
        stream.login = token == TOKEN + "-private"
        if not token.startswith(TOKEN):
            stream.reply({"id": "", "type": "error", "code": 401, "data": "token is invalid"})
            stream.cut()
        else:
            stream.reply({"id": request.query.get("connectId", ""), "type": "welcome"})
        return await self.serve(stream)

    def frame(self, stream: Stream, frame: dict[str, Any]) -> None:
        kind, topic = frame.get("type"), str(frame.get("topic", ""))
        if kind == "ping":
            stream.reply({"id": frame["id"], "type": "pong", "timestamp": self.now_ms * 1000})
            return
        prefix, _, names = topic.partition(":")
        topics = {f"{prefix}:{name}" for name in names.split(",")} if names else {prefix}
        private = prefix.startswith(
            ("/spotMarket/tradeOrders", "/contractMarket/tradeOrders", "/account", "/contractAcc")
        )
        if kind == "subscribe" and private and not stream.login:
            stream.reply({"id": frame["id"], "type": "error", "code": 403, "data": f"topic {topic} is not authorized"})
            return
        if kind == "unsubscribe":
            stream.topics -= topics
        elif kind == "subscribe":
            stream.topics |= topics
        if frame.get("response"):
            stream.reply({"id": frame["id"], "type": "ack"})
        if kind == "subscribe" and not private:
            self._first_quotes(stream, topics)

    def _first_quotes(self, stream: Stream, topics: set[str]) -> None:
        for desk in (self.spot, self.futures):
            for symbol in self.hall.instruments():
                if tick := self.hall.quote(symbol):
                    for frame in desk.quote_frames(tick):
                        frame.pop("private", None)
                        if frame["topic"] in topics:
                            stream.tell(frame)

    def _sign(self, text: str) -> str:
        digest = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

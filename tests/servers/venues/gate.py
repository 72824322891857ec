"""A server that speaks Gate v4: spot and USDT perpetuals, signed requests with an expiry time, signed subscriptions.

It refuses what the real one refuses, and no more: a ``text`` that was used before makes a second order, and a finished order
is not found by its ``text`` (documented as found for an hour or a minute; users of the real one found otherwise).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web

from protocol.market import PriceTick
from tests.servers.venues import gate_futures as futures
from tests.servers.venues import gate_spot as spot
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.gate_wire import GateRefusal, refused
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.http import Stream
from tests.servers.venues.two_desks import TwoDesks, words_of

__all__ = ["KEY", "SECRET", "GateServer"]

KEY: Final = "gate-test-key"
SECRET: Final = "gate-test-secret"
MAX_AGE_S: Final = 60
PRIVATE: Final = ("orders", "usertrades", "balances", "positions")


class GateServer(TwoDesks):
    """Both interfaces on one port; the streams have a path each."""

    def __init__(self, hall: Hall) -> None:
        super().__init__(hall, SECRET, spot.SpotDesk(hall), futures.FuturesDesk(hall))

    # --- the base class asks ---------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        yield web.get("/ws/v4/", self._stream)
        yield web.get("/v4/ws/usdt", self._stream)
        yield web.get("/api/v4/spot/time", self._time)
        yield web.get("/api/v4/futures/btc/contracts", self._answer(lambda _: []))
        for base, desk in (("/api/v4", self.spot), ("/api/v4/futures/usdt", self.futures)):
            for method, path, handler, private in desk.routes():
                answer = self._answer(handler)
                yield web.route(method, base + path, self.signed(answer) if private else answer)

    def kind_of(self, request: web.Request, body: str) -> On:
        if request.method == "POST" and request.path.endswith("/orders"):
            return "orders"
        return "cancels" if request.method == "DELETE" else "reads"

    def refusal(self, fault: Fault) -> web.Response:
        if fault is Fault.TOO_MANY:
            reset = str(self.now_ms // 1000 + 2)
            headers = {"X-Gate-RateLimit-Limit": "200", "X-Gate-RateLimit-Requests-Remain": "0",
                       "X-Gate-RateLimit-Reset-Timestamp": reset}  # fmt: skip
            body = {"label": "TOO_MANY_REQUESTS", "message": "Request Rate limit Exceeded"}
            return web.json_response(body, status=429, headers=headers)
        if fault is Fault.SERVER_ERROR:
            return web.json_response({"label": "INTERNAL", "message": "Internal error"}, status=500)
        return web.json_response({"label": "TOO_BUSY", "message": "System is under maintenance"}, status=503)

    def hear(self, fact: Any) -> None:
        symbol = fact.request.symbol if isinstance(fact, Order) else fact.symbol
        instrument = self.hall.instruments().get(symbol)
        if instrument is None or (isinstance(fact, Order) and not fact.number):
            return
        desk = self.desk_of(instrument)
        told = desk.quotes(fact) if isinstance(fact, PriceTick) else desk.told(fact)
        for channel, market, result in told:
            for stream in self.streams:
                if {f"{channel}:{market}", f"{channel}:!all", f"{channel}:"} & stream.topics:
                    stream.tell(
                        self._update(channel, result, fact.at if isinstance(fact, PriceTick) else self.hall.now())
                    )

    def _update(self, channel: str, result: Any, at: int) -> dict[str, Any]:
        now = at // 1_000_000 + self.skew_ms
        return {
            "time": now // 1000,
            "time_ms": now,
            "channel": channel,
            "event": "update",
            "error": None,
            "result": result,
        }

    # --- requests ----------------------------------------------------------------------------------------------------------

    def _answer(self, handler: Any) -> Any:
        async def answer(request: web.Request) -> web.Response:
            asked = await words_of(request)
            try:
                found = handler(asked)
            except GateRefusal as refusal:
                return refused(refusal)
            return web.json_response(found, status=201 if request.method == "POST" else 200)

        return answer

    def stranger(self, request: web.Request, body: str) -> web.Response | None:
        refusal = self._wrong(request, body)
        return refused(refusal) if refusal else None

    def _wrong(self, request: web.Request, body: str) -> GateRefusal | None:
        headers = request.headers
        stamp, query = headers.get("Timestamp", "0"), unquote(request.rel_url.raw_query_string)
        parts = (request.method, request.path, query, hashlib.sha512(body.encode()).hexdigest(), stamp)
        if headers.get("KEY") != KEY:
            return GateRefusal("INVALID_KEY", "Invalid key provided", 401)
        if headers.get("SIGN") != self._sign("\n".join(parts)):
            return GateRefusal("INVALID_SIGNATURE", "Signature mismatch", 401)
        if abs(self.now_ms / 1000 - int(stamp)) > MAX_AGE_S:
            return GateRefusal("REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60", 403)
        if self.now_ms > int(headers.get("x-gate-exptime") or 2**63):
            return GateRefusal("REQUEST_EXPIRED", "Request arrived after its x-gate-exptime", 400)
        return None

    async def _time(self, _: web.Request) -> web.Response:
        return web.json_response({"server_time": self.now_ms})

    # --- streams -----------------------------------------------------------------------------------------------------------

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        stream = await self.open_stream(request)
        return await self.serve(stream)

    def frame(self, stream: Stream, frame: dict[str, Any]) -> None:
        channel, event, payload = frame["channel"], frame.get("event", ""), list(frame.get("payload") or [])
        kind, _, name = channel.partition(".")
        if name == "ping":
            stream.reply({"time": self.now_ms // 1000, "channel": f"{kind}.pong", "event": "", "result": None})
            return
        error = None
        if name in PRIVATE:
            error = self._wrong_frame(frame)
            if kind == "futures" and error is None and (not payload or payload.pop(0) != str(futures.USER)):
                error = {"code": 2, "message": "invalid user id"}
        answer = {"time": self.now_ms // 1000, "time_ms": self.now_ms, "id": frame.get("id"), "conn_id": "62f2c1dabbe186d7",
                  "channel": channel, "event": event, "payload": frame.get("payload"), "error": error}  # fmt: skip
        stream.reply(answer | {"result": {"status": "fail" if error else "success"}})
        stream.login |= name in PRIVATE and error is None
        if error is None and event == "subscribe":
            topics = {f"{channel}:{market}" for market in payload or [""]}
            stream.topics |= topics
            self._first_quotes(stream, topics)
        elif event == "unsubscribe":
            stream.topics -= {f"{channel}:{market}" for market in payload or [""]}

    def _wrong_frame(self, frame: dict[str, Any]) -> dict[str, Any] | None:
        auth, stamp = frame.get("auth") or {}, frame.get("time", 0)
        text = f"channel={frame['channel']}&event={frame['event']}&time={stamp}"
        if (
            auth.get("KEY") != KEY
            or auth.get("SIGN") != self._sign(text)
            or abs(self.now_ms / 1000 - stamp) > MAX_AGE_S
        ):
            return {"code": 4, "message": '{"label":"INVALID_SIGNATURE","message":"Signature mismatch"}\n'}
        return None

    def _first_quotes(self, stream: Stream, topics: set[str]) -> None:
        for symbol in self.hall.instruments():
            tick = self.hall.quote(symbol)
            if tick is None:
                continue
            for desk in (self.spot, self.futures):
                for channel, market, result in desk.quotes(tick):
                    if f"{channel}:{market}" in topics:
                        stream.tell(self._update(channel, result, tick.at))

    def _sign(self, text: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha512).hexdigest()

"""The streams of Bybit v5: public tickers and best prices, and the private orders, executions and wallet."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Final

from aiohttp import WSMsgType, web

from protocol.market import PriceTick
from protocol.orders import FillReport
from tests.servers.venues import bybit_wire as wire
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.http import HttpVenue, Stream

__all__ = ["BybitStreams"]

MS: Final = 1_000_000


class BybitStreams(HttpVenue):
    """What the streams do; ``topics`` of a stream are ``spot:``, ``linear:`` or ``private:`` and Bybit's name."""

    def __init__(self, hall: Hall, key: str, secret: str) -> None:
        super().__init__(hall)
        self.key = key
        self.secret = secret

    def sign(self, text: str) -> str:
        """Return the signature that only the owner of the secret can make."""
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection."""
        stream = await self.open_stream(request)
        try:
            async for message in stream.socket:
                if message.type is WSMsgType.TEXT:
                    self._asked(stream, request.path.rpartition("/")[2], json.loads(message.data))
        finally:
            self.close_stream(stream)
        return stream.socket

    def _asked(self, stream: Stream, path: str, said: dict[str, Any]) -> None:
        answer = {"success": True, "ret_msg": "", "op": said["op"], "conn_id": "cejreaspqfm9se7usbrg-2xh"}
        if "req_id" in said:
            answer["req_id"] = said["req_id"]
        match said["op"]:
            case "ping":
                private = {"op": "pong", "args": [wire.ms(self.hall.now())]}
                stream.reply(answer | (private if path == "private" else {"ret_msg": "pong"}))
            case "auth":
                stream.reply(answer | self._entrance(stream, said["args"]))
            case "subscribe" if path == "private" and not stream.login:
                stream.reply(answer | {"success": False, "ret_msg": "Request not authorized"})
            case "subscribe":
                stream.reply(answer)
                stream.topics |= {f"{path}:{each}" for each in said["args"]}
                self._begin(stream, path, said["args"])
            case "unsubscribe":
                stream.topics -= {f"{path}:{each}" for each in said["args"]}
                stream.reply(answer)

    def _entrance(self, stream: Stream, args: list[Any]) -> dict[str, Any]:
        key, expires, sign = args
        stream.login = key == self.key and sign == self.sign(f"GET/realtime{expires}")
        if stream.login and int(expires) < self.hall.now() // MS:
            stream.login = False
        return {} if stream.login else {"success": False, "retCode": 10003, "retMsg": "Invalid apikey"}

    def _begin(self, stream: Stream, path: str, topics: list[str]) -> None:
        """Send what is known to a new subscriber of quotes."""
        for symbol, market in self.hall.instruments().items():
            tick = self.hall.quote(symbol)
            if tick is not None and wire.category_of(symbol) == path:
                for message in self._quotes(market.venue_symbol, symbol, tick):
                    if message["topic"] in topics:
                        stream.tell(message)

    def hear(self, fact: Order | FillReport | PriceTick) -> None:
        """Tell the streams."""
        match fact:
            case PriceTick():
                path = wire.category_of(fact.symbol)
                for message in self._quotes(wire.venue_symbol(fact.symbol), fact.symbol, fact):
                    self._tell(path, message["topic"], message)
            case FillReport():
                self._private(
                    "execution", {"category": wire.category_of(fact.symbol)} | wire.execution(self.hall, fact)
                )
            case Order() if fact.number:
                row = {"category": wire.category_of(fact.request.symbol)} | wire.order_row(fact)
                self._private("order", row)
                self._private("wallet", wire.wallet(self.hall))

    def _quotes(self, name: str, symbol: str, tick: PriceTick) -> list[dict[str, Any]]:
        at, number = tick.at // MS, tick.at // 1000
        row = wire.ticker(self.hall.instruments()[symbol], tick)
        if wire.category_of(symbol) == "spot":
            row = {field: value for field, value in row.items() if "1" not in field} | {"usdIndexPrice": ""}
        book = {"s": name, "b": [[wire.plain(tick.bid), "1.5"]], "a": [[wire.plain(tick.ask), "1.5"]], "u": number,
                "seq": number}  # fmt: skip
        return [
            {"topic": f"tickers.{name}", "type": "snapshot", "data": row, "cs": number, "ts": at},
            {"topic": f"orderbook.1.{name}", "type": "snapshot", "ts": at, "data": book, "cts": at},
        ]

    def _private(self, topic: str, row: dict[str, Any]) -> None:
        now = self.hall.now() // MS
        self._tell("private", topic, {"topic": topic, "id": f"{now}", "creationTime": now, "data": [row]})

    def _tell(self, path: str, topic: str, message: dict[str, Any]) -> None:
        for stream in tuple(self.streams):
            if f"{path}:{topic}" in stream.topics:
                stream.tell(message)

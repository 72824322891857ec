"""The streams of OKX v5: public tickers and best prices, and the private orders and account."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, Final

from aiohttp import WSMsgType, web

from protocol.market import PriceTick
from protocol.orders import FillReport
from tests.servers.venues import okx_wire as wire
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.http import HttpVenue, Stream

__all__ = ["OkxStreams"]

NS: Final = 1_000_000_000
MAX_AGE_S: Final = 30
PRIVATE: Final = ("orders", "account")


class OkxStreams(HttpVenue):
    """What the streams do; ``topics`` of a stream are the channel and, of public ones, ``:`` and the instrument."""

    def __init__(self, hall: Hall, key: str, secret: str, passphrase: str, level: str) -> None:
        super().__init__(hall)
        self.key = key
        self.secret = secret
        self.passphrase = passphrase
        self.level = level
        self._told: dict[int, object] = {}

    def sign(self, text: str) -> str:
        """Return the signature that only the owner of the secret can make."""
        return base64.b64encode(hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection."""
        stream = await self.open_stream(request)
        try:
            async for message in stream.socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                if message.data == "ping":
                    stream.reply("pong")
                else:
                    self._asked(stream, json.loads(message.data))
        finally:
            self.close_stream(stream)
        return stream.socket

    def _asked(self, stream: Stream, said: dict[str, Any]) -> None:
        for arg in said["args"]:
            if said["op"] == "login":
                stream.reply(self._entrance(stream, arg))
                continue
            channel = arg["channel"]
            if channel in PRIVATE and not stream.login:
                stream.reply({"event": "error", "code": "60011", "msg": "Please log in", "connId": "a4d3ae55"})
                continue
            topic = channel
            if channel != "account":
                topic = f"{channel}:{arg['instType'] if channel == 'orders' else arg['instId']}"
            stream.reply({"event": said["op"], "arg": arg, "connId": "a4d3ae55"})
            if said["op"] == "unsubscribe":
                stream.topics.discard(topic)
                continue
            stream.topics.add(topic)
            self._begin(stream, arg)

    def _entrance(self, stream: Stream, arg: dict[str, str]) -> dict[str, str]:
        fresh = abs(self.hall.now() // NS - int(arg["timestamp"])) <= MAX_AGE_S
        right = arg["sign"] == self.sign(f"{arg['timestamp']}GET/users/self/verify")
        stream.login = fresh and right and (arg["apiKey"], arg["passphrase"]) == (self.key, self.passphrase)
        if stream.login:
            return {"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"}
        return {"event": "error", "code": "60009", "msg": "Login failed.", "connId": "a4d3ae55"}

    def _begin(self, stream: Stream, arg: dict[str, str]) -> None:
        """Send a new subscriber what is known: the newest quote, the account."""
        if arg["channel"] == "account":
            stream.tell({"arg": {"channel": "account"}, "data": [wire.balances(self.hall, self.level)]})
        for symbol, market in self.hall.instruments().items():
            tick = self.hall.quote(symbol)
            if tick is not None and market.venue_symbol == arg.get("instId"):
                for message in self._quotes(tick):
                    if message["arg"]["channel"] == arg["channel"]:
                        stream.tell(message)

    def hear(self, fact: Order | FillReport | PriceTick) -> None:
        """Tell the streams. A trade and what it made of its order are one message."""
        match fact:
            case PriceTick():
                for message in self._quotes(fact):
                    self._tell(f"{message['arg']['channel']}:{message['arg']['instId']}", message)
            case FillReport():
                self._order(self.hall.orders[fact.client_order_id], fact)
            case Order() if fact.number:
                if self._told.get(fact.number) != (fact.state, fact.filled):
                    self._order(fact)
                self._tell("account", {"arg": {"channel": "account"}, "data": [wire.balances(self.hall, self.level)]})

    def _order(self, order: Order, fill: FillReport | None = None) -> None:
        self._told[order.number] = (order.state, order.filled)
        row = wire.order_row(self.hall, order, fill)
        for kind in (row["instType"], "ANY"):
            arg = {"channel": "orders", "instType": kind, "uid": "614488474791936"}
            self._tell(f"orders:{kind}", {"arg": arg, "data": [row]})

    def _quotes(self, tick: PriceTick) -> list[dict[str, Any]]:
        market = self.hall.instruments()[tick.symbol]
        name, at = market.venue_symbol, wire.ms(tick.at)
        best = {"asks": [[wire.plain(tick.ask), "11", "0", "1"]], "bids": [[wire.plain(tick.bid), "5", "0", "1"]],
                "ts": at, "seqId": tick.at // 1000}  # fmt: skip
        return [
            {"arg": {"channel": "tickers", "instId": name}, "data": [wire.ticker(market, tick)]},
            {"arg": {"channel": "bbo-tbt", "instId": name}, "data": [best]},
        ]

    def _tell(self, topic: str, message: dict[str, Any]) -> None:
        for stream in tuple(self.streams):
            if topic in stream.topics:
                stream.tell(message)

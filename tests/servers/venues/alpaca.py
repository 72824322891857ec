"""Alpaca on loopback: trading REST v2, the stream of trade updates (JSON), market data by REST and stream (msgpack)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgpack  # type: ignore[import-untyped] # it has no types
from aiohttp import WSMsgType, web

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.orders import Balance, FillReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues.alpaca_words import (
    activity_json,
    asset_json,
    number,
    order_json,
    quote_frame,
    quote_json,
    stamp,
    ticker_of,
    update_json,
)
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import NS, Hall, Order
from tests.servers.venues.http import HttpVenue

__all__ = ["KEY", "SECRET", "AlpacaServer", "shares"]

KEY, SECRET = "PKTESTKEY", "alpaca-test-secret"
_BAR_S = {"1Min": 60, "5Min": 300, "15Min": 900, "1Hour": 3600, "4Hour": 14400, "1Day": 86400}
_PAGE = 100
_KINDS = {"market": OrderType.MARKET, "limit": OrderType.LIMIT, "stop": OrderType.STOP}
_REFUSED: dict[str, tuple[int, int, str]] = {
    "TickSize": (422, 42210000, "invalid price: sub-penny increment does not fulfill minimum pricing criteria"),
    "StepSize": (422, 42210000, "qty must be limited to 9 decimal places (increment)"),
    "MinQty": (422, 42210000, "qty must be > 0 and a multiple of the increment"),
    "MinNotional": (403, 40310000, "cost basis must be >= minimal amount of order 1"),
    "NoMarketPrice": (422, 42210000, "asset is not active"),
}


def shares(*tickers: str, fractional: bool = True) -> tuple[Instrument, ...]:
    """Return shares as the hall lists them."""
    step = Decimal("0.000000001") if fractional else Decimal(1)
    rules = PrecisionRules(Decimal("0.01"), step, step, Decimal(1) if fractional else Decimal(0))
    return tuple(
        Instrument(
            venue="alpaca", symbol=f"{each}/USD", venue_symbol=each, base=each, quote="USD", rules=rules,
            maker_fee=Decimal(0), taker_fee=Decimal(0),
        )
        for each in tickers
    )  # fmt: skip


class AlpacaServer(HttpVenue):
    """One account. ``open`` is whether the market is; a closed one keeps market orders for later, as Alpaca does."""

    def __init__(self, hall: Hall) -> None:
        super().__init__(hall)
        self.secret = SECRET
        self.open = True
        self.account_flags: dict[str, Any] = {}
        self.kept_for_opening: list[dict[str, Any]] = []
        self._asked: dict[str, dict[str, Any]] = {}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.post("/v2/orders", self._place),
            web.get("/v2/orders", self._orders),
            web.get("/v2/orders:by_client_order_id", self._by_client_id),
            web.get("/v2/orders/{id}", self._by_id),
            web.delete("/v2/orders/{id}", self._cancel),
            web.get("/v2/account", self._account),
            web.get("/v2/account/activities/FILL", self._fills),
            web.get("/v2/positions", self._positions),
            web.get("/v2/assets", self._assets),
            web.get("/v2/clock", self._clock),
            web.get("/v2/stocks/bars", self._bars),
            web.get("/v2/stocks/snapshots", self._snapshots),
            web.get("/stream", self._updates),
            web.get("/v2/iex", self._quotes),
        )

    def kind_of(self, request: web.Request, body: str) -> On:
        if request.method == "POST":
            return "orders"
        return "cancels" if request.method == "DELETE" else "reads"

    def refusal(self, fault: Fault) -> web.Response:
        if fault is Fault.TOO_MANY:
            return web.json_response({"message": "too many requests."}, status=429, headers={"Retry-After": "1"})
        if fault is Fault.MAINTENANCE:
            return web.json_response({"code": 50310000, "message": "service under maintenance"}, status=503)
        return web.json_response({"code": 50010000, "message": "internal server error occurred"}, status=500)

    # --- orders --------------------------------------------------------------------------------------------------------

    def _unknown_caller(self, request: web.Request) -> web.Response | None:
        if (request.headers.get("APCA-API-KEY-ID"), request.headers.get("APCA-API-SECRET-KEY")) == (KEY, self.secret):
            return None
        return _error(401, 40110000, "request is not authorized")

    async def _place(self, request: web.Request) -> web.Response:
        if (refused := self._unknown_caller(request)) is not None:
            return refused
        asked = await request.json()
        if asked["client_order_id"] in self.hall.orders and self.hall.orders[asked["client_order_id"]].number:
            return _error(422, 40010001, "client_order_id must be unique")
        if (refused := self._against_the_rules(asked)) is not None:
            return refused
        if not self.open and asked["type"] == "market":
            self.kept_for_opening.append(asked)
        self._asked[asked["client_order_id"]] = asked
        order = self.hall.place(_request(asked))
        if order.state is OrderState.REJECTED:
            # A refused order leaves no trace: its id may come again.
            return self._refused(self.hall.orders.pop(order.request.client_order_id), asked)
        return web.json_response(order_json(order, asked, fresh=True))

    def _against_the_rules(self, asked: dict[str, Any]) -> web.Response | None:
        if any(not isinstance(asked.get(name), str) for name in ("symbol", "qty", "side", "type", "time_in_force")):
            return _error(422, 40010001, "request body format is invalid")
        if f"{asked['symbol']}/USD" not in self.hall.instruments():
            return _error(422, 42210000, f'asset "{asked["symbol"]}" not found')
        if Decimal(asked["qty"]) % 1 and asked["time_in_force"] != "day":
            return _error(422, 42210000, "fractional orders must be DAY orders")
        if asked.get("extended_hours") and (asked["type"] != "limit" or asked["time_in_force"] != "day"):
            return _error(422, 42210000, "extended hours order must be DAY limit orders")
        return None

    def _refused(self, order: Order, asked: dict[str, Any]) -> web.Response:
        if order.code == "InsufficientFunds":
            sells = order.request.side is OrderSide.SELL
            text = (
                f"insufficient qty available for order (requested: {asked['qty']})"
                if sells
                else "insufficient buying power"
            )
            return _error(
                403, 40310000, text, buying_power=self._account_json()["buying_power"], symbol=asked["symbol"]
            )
        return _error(*_REFUSED.get(order.code, (422, 42210000, order.reason)))

    async def _cancel(self, request: web.Request) -> web.Response:
        order = self._found(request)
        if isinstance(order, web.Response):
            return order
        if order.state.final:
            return _error(422, 42210000, f'order is already in "{order_json(order, {})["status"]}" state')
        self.hall.cancel(order)
        return web.Response(status=204)

    async def _by_id(self, request: web.Request) -> web.Response:
        order = self._found(request)
        return order if isinstance(order, web.Response) else web.json_response(self._json(order))

    def _found(self, request: web.Request) -> Order | web.Response:
        if (refused := self._unknown_caller(request)) is not None:
            return refused
        found = self.hall.find(number=UUID(request.match_info["id"]).int)
        return found or _error(404, 40410000, f"order not found for {request.match_info['id']}")

    async def _by_client_id(self, request: web.Request) -> web.Response:
        if (refused := self._unknown_caller(request)) is not None:
            return refused
        name = request.query["client_order_id"]
        order = self.hall.find(name)
        if order is None or not order.number:
            return _error(404, 40410000, f"order not found for {name}")
        return web.json_response(self._json(order))

    async def _orders(self, request: web.Request) -> web.Response:
        if (refused := self._unknown_caller(request)) is not None:
            return refused
        after, limit = request.query.get("after", ""), int(request.query.get("limit", "50"))
        every = [self._json(each) for each in self.hall.open_orders()]
        return web.json_response([each for each in every if each["submitted_at"] > after][:limit])

    def _json(self, order: Order) -> dict[str, Any]:
        return order_json(order, self._asked.get(order.request.client_order_id, {}))

    # --- account -------------------------------------------------------------------------------------------------------

    def _account_json(self) -> dict[str, Any]:
        money = next((each for each in self.hall.balances() if each.currency == "USD"), Balance("USD", Decimal(0)))
        cash, free = number(money.free + money.locked), number(money.free)
        return {
            "id": "e6fe16f3-64a4-4921-8928-cadf02f92f98", "account_number": "010203ABCD", "status": "ACTIVE",
            "currency": "USD", "cash": cash, "buying_power": free, "non_marginable_buying_power": free, "equity": cash,
            "portfolio_value": cash, "maintenance_margin": "0", "initial_margin": "0", "multiplier": "1",
            "daytrade_count": 1, "pattern_day_trader": False, "trading_blocked": False, "transfers_blocked": False,
            "account_blocked": False, "trade_suspended_by_user": False, "shorting_enabled": True,
            "created_at": "2019-06-12T22:47:07.99658Z",
        } | self.account_flags  # fmt: skip

    async def _account(self, request: web.Request) -> web.Response:
        return self._unknown_caller(request) or web.json_response(self._account_json())

    async def _positions(self, request: web.Request) -> web.Response:
        held = [each for each in self.hall.balances() if each.currency != "USD" and each.free + each.locked]
        rows = [
            {
                "symbol": each.currency, "exchange": "NASDAQ", "asset_class": "us_equity", "side": "long",
                "qty": number(each.free + each.locked), "qty_available": number(each.free), "avg_entry_price": "1",
                "cost_basis": "1",
            }
            for each in held
        ]  # fmt: skip
        return self._unknown_caller(request) or web.json_response(rows)

    async def _fills(self, request: web.Request) -> web.Response:
        if (refused := self._unknown_caller(request)) is not None:
            return refused
        rows, sums = [], dict[str, Decimal]()
        for fill in self.hall.fills:
            key = fill.client_order_id
            sums[key] = sums.get(key, Decimal(0)) + fill.qty
            if stamp(fill.at) > request.query.get("after", ""):
                rows.append(activity_json(fill, self.hall.orders[key], sums[key]))
        ids = [each["id"] for each in rows]
        token = request.query.get("page_token")
        start = ids.index(token) + 1 if token in ids else 0
        return web.json_response(rows[start : start + int(request.query.get("page_size", str(_PAGE)))])

    async def _assets(self, request: web.Request) -> web.Response:
        return self._unknown_caller(request) or web.json_response(
            [asset_json(each) for each in self.hall.instruments().values()]
        )

    async def _clock(self, request: web.Request) -> web.Response:
        now = self.hall.now()
        hour = 3600 * NS
        said = {"timestamp": stamp(now), "is_open": self.open, "next_open": stamp(now + 17 * hour, 0),
                "next_close": stamp(now + 5 * hour, 0)}  # fmt: skip
        return self._unknown_caller(request) or web.json_response(said)

    # --- market data ---------------------------------------------------------------------------------------------------

    async def _bars(self, request: web.Request) -> web.Response:
        ticker, seconds = request.query["symbols"], _BAR_S[request.query["timeframe"]]
        start = datetime.fromisoformat(request.query["start"])
        since = (start - datetime.fromisoformat("1970-01-01T00:00:00Z")) // timedelta(microseconds=1) * 1000
        rows = [
            {
                "t": stamp(bar.at, 0), "o": float(bar.open), "h": float(bar.high), "l": float(bar.low),
                "c": float(bar.close), "v": int(bar.volume), "n": 7, "vw": float(bar.close),
            }
            for bar in self.hall.candles(f"{ticker}/USD", seconds, since, int(request.query["limit"]))
        ]  # fmt: skip
        return self._unknown_caller(request) or web.json_response({"bars": {ticker: rows}, "next_page_token": None})

    async def _snapshots(self, request: web.Request) -> web.Response:
        said = {}
        for ticker in request.query["symbols"].split(","):
            tick = self.hall.quote(f"{ticker}/USD")
            said[ticker] = {"latestQuote": quote_json(tick)} if tick is not None else None
        return self._unknown_caller(request) or web.json_response(said)

    # --- streams -------------------------------------------------------------------------------------------------------

    def hear(self, fact: Any) -> None:
        if isinstance(fact, PriceTick):
            for stream in self.streams:
                if ticker_of(fact.symbol) in stream.topics:
                    stream.tell(quote_frame(fact))
            return
        message = self._update_of(fact)
        for stream in self.streams:
            if message is not None and "trade_updates" in stream.topics:
                stream.tell(message)

    def _update_of(self, fact: Order | FillReport) -> dict[str, Any] | None:
        if isinstance(fact, FillReport):
            order = self.hall.orders[fact.client_order_id]
            return update_json("partial_fill" if order.rest else "fill", self._json(order), fact.at, fact)
        if fact.state is OrderState.CANCELLED:
            return update_json("canceled", self._json(fact), fact.updated_at)
        if fact.state is OrderState.OPEN:
            return update_json("new", self._json(fact), fact.updated_at)
        return None

    async def _updates(self, request: web.Request) -> web.WebSocketResponse:
        stream = await self.open_stream(request)
        async for message in stream.socket:
            asked = json.loads(message.data)
            if asked["action"] == "authenticate":
                stream.login = (asked["data"]["key_id"], asked["data"]["secret_key"]) == (KEY, self.secret)
                status = "authorized" if stream.login else "unauthorized"
                stream.reply({"stream": "authorization", "data": {"action": "authenticate", "status": status}})
            elif asked["action"] == "listen" and stream.login:
                stream.topics.update(asked["data"]["streams"])
                stream.reply({"stream": "listening", "data": {"streams": sorted(stream.topics)}})
        self.close_stream(stream)
        return stream.socket

    async def _quotes(self, request: web.Request) -> web.WebSocketResponse:
        stream = await self.open_stream(request)
        stream.reply(msgpack.packb([{"T": "success", "msg": "connected"}]))
        async for message in stream.socket:
            if message.type is not WSMsgType.BINARY:
                break
            asked = msgpack.unpackb(message.data)
            if asked["action"] == "auth":
                stream.login = (asked["key"], asked["secret"]) == (KEY, self.secret)
                said = (
                    {"T": "success", "msg": "authenticated"}
                    if stream.login
                    else {"T": "error", "code": 402, "msg": "auth failed"}
                )
                stream.reply(msgpack.packb([said]))
            elif stream.login:
                stream.topics.update(asked.get("quotes", ()))
                stream.reply(msgpack.packb([{"T": "subscription", "quotes": sorted(stream.topics), "trades": []}]))
        self.close_stream(stream)
        return stream.socket


def _error(status: int, code: int, message: str, **more: str) -> web.Response:
    return web.json_response({"code": code, "message": message} | more, status=status)


def _request(asked: dict[str, Any]) -> OrderRequest:
    kind = OrderType.IOC if asked["time_in_force"] == "ioc" else _KINDS[asked["type"]]
    price, stop = asked.get("limit_price"), asked.get("stop_price")
    return OrderRequest(
        client_order_id=asked["client_order_id"],
        symbol=f"{asked['symbol']}/USD",
        side=OrderSide(asked["side"]),
        type=kind,
        qty=Decimal(asked["qty"]),
        price=None if price is None else Decimal(price),
        stop_price=None if stop is None else Decimal(stop),
    )

"""MEXC's contract interface on loopback: REST signed with headers, and one WebSocket (``/edge``) for prices and the account.

Shapes and codes are those of the published pages. Sizes are contracts of a ten-thousandth of a bitcoin. A request whose time
is further from the venue's than its window is refused, as is an external id that was used.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.orders import Balance, FillReport, OrderRequest, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.http import HttpVenue, Stream
from tests.servers.venues.mexc import KEY, SECRET
from tests.servers.venues.mexc_words import ANONYMOUS, MS, client_id_of

__all__ = ["MexcPerpServer", "mexc_perp_hall"]

D = Decimal
PUBLIC, PRIVATE = "/api/v1/contract", "/api/v1/private"
KINDS: Final = {1: OrderType.LIMIT, 3: OrderType.IOC, 5: OrderType.MARKET}
SECONDS: Final = {"Min1": 60, "Min5": 300, "Min15": 900, "Min60": 3600, "Hour4": 14_400, "Day1": 86_400}
STATES: Final = {OrderState.FILLED: 3, OrderState.CANCELLED: 4, OrderState.REJECTED: 5}
PAGE: Final = 100
REFUSALS: Final = {
    "TickSize": (2015, "Price or quantity accuracy error"),
    "StepSize": (2015, "Price or quantity accuracy error"),
    "MinQty": (2011, "Order quantity error, please try to modify."),
    "InsufficientFunds": (2005, "Balance insufficient"),
    "ReduceOnly": (2009, "Position is not exists or closed."),
}


class Refused(Exception):
    """An answer with a code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def mexc_perp_hall(**options: Any) -> Hall:
    """Return two perpetuals and 100 000 USDT."""

    def made(base: str, size: str) -> Instrument:
        return Instrument(
            venue="mexc", symbol=f"{base}/USDT:USDT", venue_symbol=f"{base}_USDT", base=base, quote="USDT",
            market_type=MarketType.PERP, contract_size=D(size), maker_fee=D(0), taker_fee=D("0.0002"),
            rules=PrecisionRules(D("0.1"), D(size), D(size), D(0)),
        )  # fmt: skip

    return Hall("mexc", [made("BTC", "0.0001"), made("ETH", "0.01")], [Balance("USDT", D(100_000))], **options)


def num(value: Decimal) -> float:
    """Return a number as it stands in this venue's JSON: without quotes."""
    return int(value) if value == int(value) else float(value)


class MexcPerpServer(HttpVenue):
    """The venue. ``position_mode``: 1 hedge, 2 one-way. ``windows``: seconds, of the requests that change something."""

    def __init__(self, hall: Hall) -> None:
        super().__init__(hall)
        self.secret = SECRET
        self.position_mode = 2
        self.windows: list[int] = []
        self._rows = {each.venue_symbol: each for each in hall.instruments().values()}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the part of the interface that a trading program uses."""
        public = {
            "/ping": lambda _: self.hall.now() // MS,
            "/detail": lambda _: [_contract(each) for each in self._rows.values()],
            "/ticker": self._tickers,
            "/kline/{symbol}": self._klines,
            "/funding_rate/{symbol}": self._funding,
        }
        signed: list[tuple[str, str, Callable[[Any], Any]]] = [
            ("GET", "/account/assets", self._assets),
            ("GET", "/position/position_mode", lambda _: self.position_mode),
            ("GET", "/position/open_positions", self._positions),
            ("GET", "/order/list/open_orders", self._open),
            ("GET", "/order/list/order_deals", self._deals),
            ("GET", "/order/external/{symbol}/{external_oid}", self._query),
            ("GET", "/order/get/{order_id}", self._query),
            ("POST", "/order/create", self._place),
            ("POST", "/order/cancel_with_external", self._cancel),
        ]
        found = [web.get(PUBLIC + path, self._answers(answer)) for path, answer in public.items()]
        found += [web.route(way, PRIVATE + path, self._answers(answer, signed=True)) for way, path, answer in signed]
        return [*found, web.get("/edge", self._socket)]

    def kind_of(self, request: web.Request, body: str) -> On:
        """Orders and cancels have their own addresses."""
        return {f"{PRIVATE}/order/create": "orders", f"{PRIVATE}/order/cancel_with_external": "cancels"}.get(
            request.path, "reads"
        )  # type: ignore[return-value]

    def refusal(self, fault: Fault) -> web.Response:
        """Say it in this venue's codes."""
        codes = {
            Fault.TOO_MANY: (510, "Requests are too frequent"),
            Fault.MAINTENANCE: (801, "System under maintenance"),
        }
        code, text = codes.get(fault, (500, "Internal error"))
        status = {Fault.TOO_MANY: 429, Fault.MAINTENANCE: 503}.get(fault, 500)
        return web.json_response({"success": False, "code": code, "message": text}, status=status)

    def _answers(self, answer: Callable[[Any], Any], *, signed: bool = False) -> Any:
        async def handler(request: web.Request) -> web.Response:
            text = await request.text()
            try:
                if signed:
                    self._check(request, text)
                asked = json.loads(text) if text else {**request.query, **request.match_info}
                data = answer(asked)
            except Refused as refused:
                return web.json_response({"success": False, "code": refused.code, "message": refused.text})
            return web.json_response({"success": True, "code": 0} | ({} if data is None else {"data": data}))

        return handler

    def _check(self, request: web.Request, text: str) -> None:
        when = request.headers.get("Request-Time", "0")
        if request.headers.get("ApiKey") != KEY:
            raise Refused(401, "Not logged in or login has expired")
        target = KEY + when + (text or request.raw_path.partition("?")[2])
        if hmac.new(self.secret.encode(), target.encode(), hashlib.sha256).hexdigest() != request.headers.get(
            "Signature"
        ):
            raise Refused(602, "Signature verification failed")
        window = int(request.headers.get("Recv-Window", "10"))
        if request.method == "POST":
            self.windows.append(window)
        if abs(self.hall.now() // MS - int(when)) > min(window, 60) * 1000:
            raise Refused(513, "Invalid request(for open api serves time more or less than 10s)")

    # --- the market ----------------------------------------------------------------------------------------------------

    def _tickers(self, query: dict[str, str]) -> Any:
        rows = [self._ticker(tick) for row in self._rows.values() if (tick := self.hall.quote(row.symbol))]
        return next(each for each in rows if each["symbol"] == query["symbol"]) if "symbol" in query else rows

    def _ticker(self, tick: PriceTick) -> dict[str, Any]:
        name = self.hall.instruments()[tick.symbol].venue_symbol
        return {"symbol": name, "lastPrice": num(tick.last), "bid1": num(tick.bid), "ask1": num(tick.ask),
                "volume24": 4045530, "amount24": 141331823.57, "holdVol": 5832946, "lower24Price": 58000,
                "high24Price": 61000, "riseFallRate": 0.01, "riseFallValue": 95.9, "indexPrice": num(tick.last),
                "fairPrice": num(tick.last), "fundingRate": 0.000063, "timestamp": tick.at // MS}  # fmt: skip

    def _klines(self, query: dict[str, str]) -> Any:
        seconds = SECONDS[query["interval"]]
        bars = list(self.hall.candles(self._rows[query["symbol"]].symbol, seconds, int(query["start"]) * 10**9, 2000))
        names = {"open": "open", "close": "close", "high": "high", "low": "low", "vol": "volume"}
        return {"time": [bar.at // 10**9 for bar in bars]} | {
            name: [float(getattr(bar, field)) for bar in bars] for name, field in names.items()
        }

    def _funding(self, query: dict[str, str]) -> Any:
        now = self.hall.now() // MS
        return {"symbol": query["symbol"], "fundingRate": 0.000014, "maxFundingRate": 0.003, "minFundingRate": -0.003,
                "collectCycle": 8, "nextSettleTime": now + 3_600_000, "timestamp": now}  # fmt: skip

    # --- the account ---------------------------------------------------------------------------------------------------

    def _assets(self, _: Any) -> Any:
        return [
            {"currency": each.currency, "positionMargin": 0, "availableBalance": float(each.free), "unrealized": 0,
             "cashBalance": float(each.free), "frozenBalance": float(each.locked), "bonus": 0,
             "equity": float(each.free + each.locked)}
            for each in self.hall.balances()
        ]  # fmt: skip

    def _positions(self, _: Any) -> Any:
        rows = []
        for number, each in enumerate(self.hall.positions()):
            row = self.hall.instruments()[each.symbol]
            entry = float(self.hall.entry_price(each.symbol))
            rows.append({"positionId": 1394650 + number, "symbol": row.venue_symbol, "openType": 2, "state": 1,
                         "positionType": 1 if each.qty > 0 else 2, "holdVol": num(abs(each.qty) / row.contract_size),
                         "frozenVol": 0, "closeVol": 0, "holdAvgPrice": entry, "openAvgPrice": entry, "im": 10.5,
                         "liquidatePrice": 0, "leverage": 20, "updateTime": self.hall.now() // MS})  # fmt: skip
        return rows

    def _place(self, body: dict[str, Any]) -> Any:
        row = self._rows.get(str(body["symbol"]))
        if row is None:
            raise Refused(1001, "Contract does not exist")
        key = body.get("externalOid") or f"{ANONYMOUS}{self.hall.now()}"
        if (known := self.hall.find(client_order_id=key)) and known.number:
            raise Refused(2042, "Duplicate order id")
        if body.get("positionMode", self.position_mode) != self.position_mode:
            raise Refused(2022, "Wrong position type")
        request = OrderRequest(
            client_order_id=key, symbol=row.symbol, side=OrderSide.BUY if body["side"] in (1, 2) else OrderSide.SELL,
            type=KINDS[body["type"]], qty=D(str(body["vol"])) * row.contract_size,
            price=D(str(body["price"])) if body["type"] != 5 else None, reduce_only=bool(body.get("reduceOnly")),
        )  # fmt: skip
        order = self.hall.place(request)
        if order.state is OrderState.REJECTED:
            raise Refused(*REFUSALS.get(order.code, (2003, order.reason)))
        return {"orderId": str(order.number), "ts": order.created_at // MS}

    def _cancel(self, body: list[dict[str, Any]]) -> Any:
        return [self._cancelled(each) for each in body]

    def _cancelled(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self.hall.find(client_order_id=asked["externalOid"])
        if order is None or not order.number:
            return asked | {"errorCode": 2040, "errorMsg": "order not exist"}
        if order.state.final:
            return asked | {"errorCode": 2041, "errorMsg": "order state cannot be cancelled"}
        self.hall.cancel(order)
        return asked | {"errorCode": 0, "errorMsg": "success"}

    def _query(self, asked: dict[str, str]) -> Any:
        order = self.hall.find(asked.get("external_oid", ""), int(asked.get("order_id", "0")))
        return self._order(order) if order is not None and order.number else None

    def _order(self, order: Order) -> dict[str, Any]:
        request, row = order.request, self.hall.instruments()[order.request.symbol]
        side = (
            (1 if not request.reduce_only else 2)
            if request.side is OrderSide.BUY
            else (4 if request.reduce_only else 3)
        )
        return {
            "orderId": str(order.number), "symbol": row.venue_symbol, "positionId": 0,
            "price": num(request.price or D(0)), "vol": num(request.qty / row.contract_size), "leverage": 20,
            "side": side, "category": 1, "orderType": {kind: name for name, kind in KINDS.items()}[request.type],
            "dealAvgPrice": float(order.average), "dealVol": num(order.filled / row.contract_size), "orderMargin": 0,
            "takerFee": 0, "makerFee": 0, "profit": 0, "feeCurrency": "USDT", "openType": 2,
            "state": STATES.get(order.state, 2), "externalOid": client_id_of(order) or f"_m_{order.number}",
            "errorCode": 0, "usedMargin": 0, "createTime": order.created_at // MS, "updateTime": order.updated_at // MS,
            "positionMode": 2, "reduceOnly": request.reduce_only,
        }  # fmt: skip

    def _open(self, query: dict[str, str]) -> Any:
        return _page([self._order(each) for each in self.hall.open_orders()], query)

    def _deals(self, query: dict[str, str]) -> Any:
        start, end = int(query["start_time"]), int(query["end_time"])
        found = self.hall.fills_since(symbol=self._rows[query["symbol"]].symbol)
        rows = [self._deal(each) for each in found[::-1] if start <= each.at // MS <= end]
        return _page([{name: value for name, value in row.items() if name != "externalOid"} for row in rows], query)

    def _deal(self, fill: FillReport) -> dict[str, Any]:
        row = self.hall.instruments()[fill.symbol]
        return {"id": str(self.hall.trade_number(fill)), "symbol": row.venue_symbol, "price": num(fill.price),
                "side": 1 if fill.side is OrderSide.BUY else 3, "vol": num(fill.qty / row.contract_size),
                "feeCurrency": fill.fee_currency, "fee": float(fill.fee), "timestamp": fill.at // MS, "profit": 0,
                "isTaker": not fill.maker, "category": 1, "orderId": str(self.hall.number_of(fill)), "isSelf": False,
                "externalOid": fill.client_order_id.replace(ANONYMOUS, "_m_"), "positionMode": 2}  # fmt: skip

    # --- streams -------------------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        return await self.converse(request, self._asked)

    def _asked(self, stream: Stream, body: dict[str, Any]) -> None:
        match body["method"]:
            case "ping":
                stream.reply({"channel": "pong", "data": self.hall.now() // MS})
            case "login":
                asked = body["param"]
                right = hmac.new(self.secret.encode(), (KEY + asked["reqTime"]).encode(), hashlib.sha256).hexdigest()
                stream.login = asked["apiKey"] == KEY and asked["signature"] == right
                stream.reply({"channel": "rs.login" if stream.login else "rs.error", "data": "success", "ts": 0})
            case "sub.ticker":
                name = body["param"]["symbol"]
                stream.topics.add(name)
                stream.reply({"channel": "rs.sub.ticker", "data": "success", "ts": 0})
                if tick := self.hall.quote(self._rows[name].symbol):
                    self._quote(stream, tick)

    def hear(self, fact: Any) -> None:
        """Tell whoever asked."""
        now = self.hall.now() // MS
        for stream in tuple(self.streams):
            match fact:
                case Order() if fact.number and stream.login:
                    stream.tell({"channel": "push.personal.order", "data": self._order(fact), "ts": now})
                case FillReport() if stream.login:
                    stream.tell({"channel": "push.personal.order.deal", "data": self._deal(fact), "ts": now})
                case PriceTick():
                    self._quote(stream, fact)

    def _quote(self, stream: Stream, tick: PriceTick) -> None:
        data = self._ticker(tick)
        if data["symbol"] in stream.topics:
            told = {"channel": "push.ticker", "symbol": data["symbol"], "data": data, "ts": data["timestamp"]}
            stream.tell(told)


def _page(rows: list[Any], query: dict[str, str]) -> list[Any]:
    size = min(int(query.get("page_size", "20")), PAGE)
    first = (int(query.get("page_num", "1")) - 1) * size
    return rows[first : first + size]


def _contract(row: Instrument) -> dict[str, Any]:
    return {
        "symbol": row.venue_symbol, "displayName": row.venue_symbol, "positionOpenType": 3, "baseCoin": row.base,
        "quoteCoin": row.quote, "settleCoin": "USDT", "contractSize": float(row.contract_size), "minLeverage": 1,
        "maxLeverage": 200, "priceScale": 1, "volScale": 0, "amountScale": 4, "priceUnit": float(row.rules.tick_size),
        "volUnit": 1, "minVol": 1, "maxVol": 10_000_000, "takerFeeRate": float(row.taker_fee),
        "makerFeeRate": float(row.maker_fee), "maintenanceMarginRate": 0.004, "initialMarginRate": 0.005, "state": 0,
        "apiAllowed": True,
    }  # fmt: skip

"""MEXC's spot interface on loopback: REST signed with HMAC, and streams that speak protocol buffers.

It refuses wrong keys and signatures, requests whose ``recvWindow`` is over, formats and amounts that break its rules, and a
client id that is in use.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.orders import Balance, FillReport, OrderRequest, OrderState
from protocol.values import OrderSide
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.http import HttpVenue, Stream
from tests.servers.venues.mexc_words import (
    ANONYMOUS,
    MS,
    REFUSALS,
    TYPES,
    Refused,
    account_frame,
    deal_frame,
    last_frame,
    number,
    order_body,
    order_frame,
    quote_frame,
    trade_body,
)

__all__ = ["KEY", "SECRET", "MexcServer", "mexc_hall"]

KEY: Final = "mx0vglTestKey"
SECRET: Final = "3f1cTestSecretOfMexc"
D = Decimal
MOST_TRADES: Final = 100
LONGEST_WINDOW_MS: Final = 60_000
MONTH_MS: Final = 30 * 86_400_000
SECONDS: Final = {"1m": 60, "5m": 300, "15m": 900, "60m": 3600, "4h": 14_400, "1d": 86_400}
BOOK: Final = "spot@public.aggre.bookTicker.v3.api.pb@100ms@"
PUBLIC_DEALS: Final = "spot@public.aggre.deals.v3.api.pb@100ms@"
ORDERS, DEALS, ACCOUNT = (f"spot@private.{name}.v3.api.pb" for name in ("orders", "deals", "account"))


def mexc_hall(**options: Any) -> Hall:
    """Return two markets and 100 000 USDT."""

    def made(symbol: str, step: str) -> Instrument:
        base, quote = symbol.split("/")
        return Instrument(
            venue="mexc", symbol=symbol, venue_symbol=base + quote, base=base, quote=quote,
            rules=PrecisionRules(D("0.01"), D(step), D(step), D(1)), maker_fee=D(0), taker_fee=D("0.0005"),
        )  # fmt: skip

    rows = [made("BTC/USDT", "0.000001"), made("ETH/USDT", "0.0001")]
    return Hall("mexc", rows, [Balance("USDT", D(100_000))], **options)


class MexcServer(HttpVenue):
    """The venue."""

    def __init__(self, hall: Hall) -> None:
        super().__init__(hall)
        self.secret = SECRET
        self.listen_keys: set[str] = set()
        self.refuse_keys = 0
        """How many of the next listen keys are no good."""
        self.refuse_orders: Refused | None = None
        self.windows: list[tuple[str, int]] = []
        """What was asked, and its window in ms."""
        self._rows = {each.venue_symbol: each for each in hall.instruments().values()}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the part of the interface that a trading program uses."""
        public = {
            "/time": lambda _: {"serverTime": self.hall.now() // MS},
            "/exchangeInfo": self._markets,
            "/ticker/bookTicker": self._quotes,
            "/ticker/24hr": self._tickers,
            "/klines": self._klines,
        }
        signed: list[tuple[str, str, Callable[[dict[str, str]], Any]]] = [
            ("GET", "/account", self._account),
            ("POST", "/order", self._place),
            ("DELETE", "/order", self._cancel),
            ("GET", "/order", self._query),
            ("GET", "/openOrders", self._open),
            ("GET", "/myTrades", self._trades),
            ("POST", "/userDataStream", self._new_listen_key),
            ("PUT", "/userDataStream", lambda query: {"listenKey": query["listenKey"]}),
        ]
        found = [web.get("/api/v3" + path, _answers(answer)) for path, answer in public.items()]
        found += [web.route(way, "/api/v3" + path, _answers(answer, self._check)) for way, path, answer in signed]
        return [*found, web.get("/ws", self._socket)]

    def kind_of(self, request: web.Request, body: str) -> On:
        """Orders and cancels are told by the method."""
        if request.path == "/api/v3/order":
            return {"POST": "orders", "DELETE": "cancels"}.get(request.method, "reads")  # type: ignore[return-value]
        return "reads"

    def refusal(self, fault: Fault) -> web.Response:
        """Say it in this venue's codes."""
        if fault is Fault.TOO_MANY:
            body = {"code": 429, "msg": "Too Many Requests"}
            return web.json_response(body, status=429, headers={"Retry-After": "7"})
        if fault is Fault.MAINTENANCE:
            text = "Under maintenance, please try again later"
            body = {"code": 500, "msg": text, "announcement": "https://www.mexc.com/support/articles/17827791510263"}
            return web.json_response(body, status=503)
        return web.json_response({"code": 500, "msg": "Internal error"}, status=500)

    def _check(self, request: web.Request, query: dict[str, str]) -> None:
        signed, _, signature = request.raw_path.partition("?")[2].rpartition("&signature=")
        if request.headers.get("X-MEXC-APIKEY") != KEY:
            raise Refused(10072, "Api key info invalid")
        if hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).hexdigest() != signature:
            raise Refused(700002, "Signature for this request is not valid.")
        self.windows.append((f"{request.method} {request.path}", int(query.get("recvWindow", "5000"))))
        window, now = int(query.get("recvWindow", "5000")), self.hall.now() // MS
        if window > LONGEST_WINDOW_MS:
            raise Refused(700005, "recvWindow must less than 60000")
        if not now - window <= int(query["timestamp"]) < now + 1000:
            raise Refused(700003, "Timestamp for this request is outside of the recvWindow.")

    # --- the market ----------------------------------------------------------------------------------------------------

    def _markets(self, _: dict[str, str]) -> Any:
        return {"timezone": "CST", "serverTime": self.hall.now() // MS, "rateLimits": [], "exchangeFilters": [],
                "symbols": [_market(each) for each in self._rows.values()]}  # fmt: skip

    def _quotes(self, query: dict[str, str]) -> Any:
        rows = [
            {"symbol": each.venue_symbol, "bidPrice": number(tick.bid), "bidQty": "1.5", "askPrice": number(tick.ask),
             "askQty": "2.5"}
            for each in self._rows.values() if (tick := self.hall.quote(each.symbol))
        ]  # fmt: skip
        return next(row for row in rows if row["symbol"] == query["symbol"]) if "symbol" in query else rows

    def _tickers(self, query: dict[str, str]) -> Any:
        rows = [
            {"symbol": each.venue_symbol, "bidPrice": number(tick.bid), "bidQty": "1.5", "askPrice": number(tick.ask),
             "askQty": "2.5", "lastPrice": number(tick.last), "openPrice": "59000", "highPrice": "61000",
             "lowPrice": "58000", "volume": "120", "quoteVolume": "7200000", "openTime": tick.at // MS - 86_400_000,
             "closeTime": tick.at // MS, "count": None}
            for each in self._rows.values() if (tick := self.hall.quote(each.symbol))
        ]  # fmt: skip
        return next(row for row in rows if row["symbol"] == query["symbol"]) if "symbol" in query else rows

    def _klines(self, query: dict[str, str]) -> Any:
        seconds, limit = SECONDS[query["interval"]], int(query.get("limit", "500"))
        since = int(query.get("startTime", "0")) * MS or self.hall.now() - limit * seconds * 1000 * MS
        bars = self.hall.candles(self._row(query).symbol, seconds, since, limit)
        return [
            [bar.at // MS, str(bar.open), str(bar.high), str(bar.low), str(bar.close), str(bar.volume),
             bar.at // MS + seconds * 1000, str(bar.volume * bar.close)]
            for bar in bars
        ]  # fmt: skip

    def _row(self, query: dict[str, str]) -> Instrument:
        if query.get("symbol") not in self._rows:
            raise Refused(-1121, "Invalid symbol.")
        return self._rows[query["symbol"]]

    # --- orders --------------------------------------------------------------------------------------------------------

    def _account(self, _: dict[str, str]) -> Any:
        rows = [
            {"asset": each.currency, "free": number(each.free), "locked": number(each.locked)}
            for each in self.hall.balances()
        ]
        return {"canTrade": True, "canWithdraw": False, "canDeposit": False, "updateTime": None, "accountType": "SPOT",
                "balances": rows, "permissions": ["SPOT"]}  # fmt: skip

    def _place(self, query: dict[str, str]) -> Any:
        if self.refuse_orders is not None:
            raise self.refuse_orders
        row, kinds = self._row(query), {name: kind for kind, name in TYPES.items()}
        key = query.get("newClientOrderId") or f"{ANONYMOUS}{self.hall.now()}"
        if (known := self.hall.find(client_order_id=key)) and known.number:
            raise Refused(603, "Repeated request")
        if query["type"] not in kinds:
            raise Refused(30041, "current order type can not place order")
        request = OrderRequest(
            client_order_id=key, symbol=row.symbol, side=OrderSide(query["side"].lower()), type=kinds[query["type"]],
            qty=D(query["quantity"]), price=D(query["price"]) if "price" in query else None,
        )  # fmt: skip
        order = self.hall.place(request)
        if order.state is OrderState.REJECTED:
            buying = request.side is OrderSide.BUY
            funds = (30004, "Insufficient position") if buying else (30005, "Oversold")
            raise Refused(*REFUSALS.get(order.code, funds))
        body = order_body(order, row)
        names = ("symbol", "orderId", "orderListId", "price", "origQty", "type", "side")
        return {name: body[name] for name in names} | {"transactTime": order.created_at // MS}

    def _known(self, query: dict[str, str], code: int, text: str) -> Order:
        self._row(query)
        number_text = query.get("orderId", "").removeprefix("C02__")
        order = self.hall.find(query.get("origClientOrderId", ""), int(number_text or 0))
        if order is None or not order.number:
            raise Refused(code, text)
        return order

    def _cancel(self, query: dict[str, str]) -> Any:
        order = self._known(query, -2011, "Unknown order sent.")
        if order.state.final:
            raise Refused(-2011, "Unknown order sent.")
        self.hall.cancel(order)
        return order_body(order, self._row(query))

    def _query(self, query: dict[str, str]) -> Any:
        return order_body(self._known(query, -2013, "Order does not exist."), self._row(query))

    def _open(self, query: dict[str, str]) -> Any:
        row = self._row(query)
        return [order_body(each, row) for each in self.hall.open_orders(row.symbol)]

    def _trades(self, query: dict[str, str]) -> Any:
        row, now = self._row(query), self.hall.now() // MS
        start = max(int(query.get("startTime", "0")), now - MONTH_MS)
        end = int(query.get("endTime", now + 1000))
        limit = min(int(query.get("limit", "100")), MOST_TRADES)
        found = [each for each in self.hall.fills_since(symbol=row.symbol) if start <= each.at // MS <= end]
        if "orderId" in query:
            found = [each for each in found if f"C02__{self.hall.number_of(each)}" == query["orderId"]]
        return [trade_body(self.hall, each, row) for each in found[: -limit - 1 : -1]]

    # --- streams -------------------------------------------------------------------------------------------------------

    def _new_listen_key(self, _: dict[str, str]) -> Any:
        key = f"pqia91ma19a5s61cv6a81va65sdf19v8a65a1{len(self.requests)}"
        if self.refuse_keys:
            self.refuse_keys -= 1
        else:
            self.listen_keys.add(key)
        return {"listenKey": key}

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        return await self.converse(request, self._asked, login=request.query.get("listenKey") in self.listen_keys)

    def _asked(self, stream: Stream, body: dict[str, Any]) -> None:
        method = str(body["method"]).upper()
        if method == "PING":
            stream.reply({"id": 0, "code": 0, "msg": "PONG"})
            return
        topics = [topic for topic in body["params"] if stream.login or "private" not in topic]
        if method == "UNSUBSCRIPTION":
            stream.topics -= set(topics)
        else:
            stream.topics |= set(topics)
        stream.reply({"id": 0, "code": 0, "msg": ",".join(topics) or "Not Subscribed successfully"})
        for tick in filter(None, (self.hall.quote(row.symbol) for row in self._rows.values())):
            self._quote(stream, tick)

    def hear(self, fact: Any) -> None:
        """Tell whoever asked."""
        for stream in tuple(self.streams):
            match fact:
                case Order() if fact.number:
                    if ORDERS in stream.topics:
                        stream.tell(order_frame(fact, self.hall.instruments()[fact.request.symbol]))
                    if ACCOUNT in stream.topics:
                        for each in self.hall.balances():
                            stream.tell(account_frame(each.currency, each.free, each.locked, self.hall.now()))
                case FillReport() if DEALS in stream.topics:
                    stream.tell(deal_frame(self.hall, fact, self.hall.instruments()[fact.symbol]))
                case PriceTick():
                    self._quote(stream, fact)

    def _quote(self, stream: Stream, tick: PriceTick) -> None:
        name = self.hall.instruments()[tick.symbol].venue_symbol
        if BOOK + name in stream.topics:
            stream.tell(quote_frame(BOOK + name, name, tick.bid, tick.ask, tick.at))
        if PUBLIC_DEALS + name in stream.topics:
            stream.tell(last_frame(PUBLIC_DEALS + name, name, tick.last, tick.at))


def _answers(
    answer: Callable[[dict[str, str]], Any], check: Callable[[web.Request, dict[str, str]], None] | None = None
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        query = dict(request.query)
        try:
            if check is not None:
                check(request, query)
            return web.json_response(answer(query))
        except Refused as refused:
            return web.json_response({"code": refused.code, "msg": refused.text}, status=refused.status)

    return handler


def _market(row: Instrument) -> dict[str, Any]:
    decimals = str(-int(row.rules.step_size.as_tuple().exponent))
    return {
        "symbol": row.venue_symbol, "status": "1", "baseAsset": row.base, "baseAssetPrecision": decimals,
        "quoteAsset": row.quote, "quotePrecision": "2", "quoteAssetPrecision": "2", "baseCommissionPrecision": "8",
        "quoteCommissionPrecision": "8", "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": False, "quoteAmountPrecision": "1",
        "baseSizePrecision": f"{row.rules.min_qty:f}", "permissions": ["SPOT"], "filters": [],
        "maxQuoteAmount": "2000000", "makerCommission": f"{row.maker_fee:f}", "takerCommission": f"{row.taker_fee:f}",
    }  # fmt: skip

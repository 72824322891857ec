"""Binance's trading interfaces on loopback: spot (``/api/v3``, WebSocket API) or USD-margined futures (``/fapi``)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import FillReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues import binance_wire as wire
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import NS, Hall, Order
from tests.servers.venues.http import HttpVenue, Stream

__all__ = ["KEY", "SECRET", "BinanceServer"]

KEY: Final = "binancetestkey"
SECRET: Final = "binancetestsecret"
MS: Final = 1_000_000
WEEK_MS: Final = 7 * 24 * 3600 * 1000
SECONDS: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
Query = dict[str, str]


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code, self.text, self.status = code, text, status


class BinanceServer(HttpVenue):
    """One account. ``perp``: futures instead of spot. ``skew_ms`` moves its clock, ``banned_s`` > 0: answers 418.

    ``elsewhere``: whoever asks does so from a country that is not served (451).
    """

    def __init__(self, hall: Hall, *, perp: bool = False, key: str = KEY, secret: str = SECRET) -> None:
        super().__init__(hall)
        self.perp = perp
        self.key, self.secret = key, secret
        self.skew_ms = 0
        self.banned_s = 0
        self.elsewhere = False
        self.rights = {"enableReading": True, "enableSpotAndMarginTrading": True, "enableWithdrawals": False}
        self.latest: list[int] = []
        """The recvWindow of each order that came, in ms."""
        self._listen_key = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"

    # --- the protocol --------------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return what a trading client uses of the interface."""
        base = "/fapi/v1" if self.perp else "/api/v3"
        public: dict[str, Callable[[Query], Any]] = {
            f"{base}/time": lambda _: {"serverTime": self._now_ms()},
            f"{base}/exchangeInfo": lambda _: wire.exchange_info(self._markets(), self._now_ms(), perp=self.perp),
            f"{base}/ticker/24hr": self._tickers,
            f"{base}/ticker/bookTicker": self._books,
            f"{base}/klines": self._klines,
            f"{base}/aggTrades": self._public_trades,
        }
        private: dict[str, Callable[[Query], Any]] = {
            f"{base}/order": self._query,
            f"{base}/openOrders": self._open,
            f"{base}/{'userTrades' if self.perp else 'myTrades'}": self._trades,
        }
        if self.perp:
            public |= {f"{base}/premiumIndex": self._premium, f"{base}/openInterest": self._interest}
            public |= {f"{base}/fundingInfo": self._funding_info, "/fapi/v2/ticker/price": self._tickers}
            private |= {
                "/fapi/v3/account": lambda _: wire.futures_account(self.hall),
                "/fapi/v2/account": lambda _: wire.futures_account(self.hall),
                "/fapi/v3/positionRisk": lambda _: wire.positions(self.hall),
                f"{base}/leverageBracket": lambda _: self._brackets(),
            }
            for method in (web.post, web.put):
                yield method(
                    f"{base}/listenKey", self._answering(lambda _: {"listenKey": self._listen_key}, signed=False)
                )
            yield web.put(f"{base}/order", self._answering(self._amend))
        else:
            private["/api/v3/account"] = lambda _: wire.account(self.hall)
            private["/sapi/v1/account/apiRestrictions"] = lambda _: dict(self.rights)
        for path, answer in public.items():
            yield web.get(path, self._answering(answer, signed=False))
        for path, answer in private.items():
            yield web.get(path, self._answering(answer))
        yield web.post(f"{base}/order", self._answering(self._place))
        yield web.delete(f"{base}/order", self._answering(self._cancel))
        for path in ("/ws-api/v3", "/ws/{name}", "/public/ws/{name}", "/market/ws/{name}", "/private/ws"):
            yield web.get(path, self._stream)

    def kind_of(self, request: web.Request, body: str) -> On:
        """Say what a request does."""
        if not request.path.endswith("/order") or request.method == "GET":
            return "reads"
        return "cancels" if request.method == "DELETE" else "orders"

    def refusal(self, fault: Fault) -> web.Response:
        """Return Binance's own words; 503 with this text leaves open whether the request was carried out."""
        if fault is Fault.TOO_MANY:
            text = "Too many requests; current limit of IP is 6000 request weight per 1 MINUTE."
            return self._error(Refused(-1003, text, 429), {"Retry-After": "1"})
        if fault is Fault.SERVER_ERROR:
            text = "Unknown error, please check your request or try again later."
            return self._error(Refused(-1000, text, 503))
        return web.json_response({"code": 0, "msg": "Service Unavailable."}, status=503)

    def _error(self, refused: Refused, headers: dict[str, str] | None = None) -> web.Response:
        return web.json_response({"code": refused.code, "msg": refused.text}, status=refused.status, headers=headers)

    def _now_ms(self) -> int:
        return self.hall.now() // MS + self.skew_ms

    def _answering(self, answer: Callable[[Query], Any], *, signed: bool = True) -> Any:
        async def handle(request: web.Request) -> web.Response:
            if self.elsewhere:
                text = "Service unavailable from a restricted location according to 'b. Eligibility'"
                return self._error(Refused(0, text, 451))
            if self.banned_s:
                text = f"Way too much request weight used; IP banned until {self._now_ms() + self.banned_s * 1000}."
                return self._error(Refused(-1003, text, 418), {"Retry-After": str(self.banned_s)})
            raw = "&".join(part for part in (request.rel_url.raw_query_string, await request.text()) if part)
            try:
                return web.json_response(answer(self._checked(request, raw) if signed else dict(parse_qsl(raw))))
            except Refused as refused:
                return self._error(refused)

        return handle

    def _sign(self, text: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def _checked(self, request: web.Request, raw: str) -> Query:
        if request.headers.get("X-MBX-APIKEY") != self.key:
            raise Refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        signed, _, signature = raw.rpartition("&signature=")
        if not hmac.compare_digest(signature, self._sign(signed)):
            raise Refused(-1022, "Signature for this request is not valid.")
        query = dict(parse_qsl(signed))
        window = int(query.get("recvWindow", "5000"))
        age = self._now_ms() - int(query["timestamp"])
        if age < -1000:
            raise Refused(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if age > window:
            raise Refused(-1021, "Timestamp for this request is outside of the recvWindow.")
        return query

    # --- orders --------------------------------------------------------------------------------------------------------

    def _name(self, symbol: str) -> str:
        return self.hall.instruments()[symbol].venue_symbol

    def _mine(self, symbol: str) -> bool:
        return (":" in symbol) == self.perp

    def _markets(self) -> dict[str, Instrument]:
        return {symbol: market for symbol, market in self.hall.instruments().items() if self._mine(symbol)}

    def _symbol(self, query: Query) -> str:
        for symbol, market in self._markets().items():
            if market.venue_symbol == query.get("symbol"):
                return symbol
        raise Refused(-1121, "Invalid symbol.")

    def _place(self, query: Query) -> Any:
        symbol, key = self._symbol(query), query["newClientOrderId"]
        known = self.hall.find(key)
        if known is not None and known.number:
            raise (
                Refused(-4116, "ClientOrderId is duplicated.") if self.perp else Refused(-2010, "Duplicate order sent.")
            )
        immediate = query.get("timeInForce") == "IOC"
        kind = {"LIMIT": OrderType.IOC if immediate else OrderType.LIMIT, "MARKET": OrderType.MARKET,
                "STOP_LOSS": OrderType.STOP, "STOP_MARKET": OrderType.STOP}[query["type"]]  # fmt: skip
        self.latest.append(int(query.get("recvWindow", "5000")))
        request = OrderRequest(
            client_order_id=key,
            symbol=symbol,
            side=OrderSide(query["side"].lower()),
            type=kind,
            qty=Decimal(query["quantity"]),
            price=Decimal(query["price"]) if "price" in query else None,
            stop_price=Decimal(query["stopPrice"]) if "stopPrice" in query else None,
            reduce_only=query.get("reduceOnly") == "true",
        )
        placed = self.hall.place(request)
        if placed.state is OrderState.REJECTED:
            raise self._refused(placed.code)
        said = wire.order(placed, self._name(symbol), perp=self.perp)
        return said if self.perp else said | wire.fills(self.hall, placed)

    def _refused(self, code: str) -> Refused:
        spot_code, spot_text, code_number, futures_text = wire.REFUSALS.get(code, (-2010, code, -2010, code))
        return Refused(code_number, futures_text) if self.perp else Refused(spot_code, spot_text)

    def _found(self, query: Query, missing: tuple[int, str]) -> Order:
        symbol = self._symbol(query)
        found = self.hall.find(query.get("origClientOrderId", ""), int(query.get("orderId", "0")))
        if found is None or not found.number or found.request.symbol != symbol:
            raise Refused(*missing)
        return found

    def _query(self, query: Query) -> Any:
        found = self._found(query, (-2013, "Order does not exist."))
        return wire.order(found, self._name(found.request.symbol), perp=self.perp)

    def _cancel(self, query: Query) -> Any:
        found = self._found(query, (-2011, "Unknown order sent."))
        if found.state.final:
            raise Refused(-2011, "Unknown order sent.")
        return wire.order(self.hall.cancel(found), self._name(found.request.symbol), perp=self.perp)

    def _open(self, query: Query) -> Any:
        symbol = self._symbol(query) if "symbol" in query else ""
        found = [each for each in self.hall.open_orders(symbol) if self._mine(each.request.symbol)]
        return [wire.order(each, self._name(each.request.symbol), perp=self.perp) for each in found]

    def _amend(self, query: Query) -> Any:
        found = self._found(query, (-2013, "Order does not exist."))
        if found.state.final:
            raise Refused(-2013, "Order does not exist.")
        self.hall.amend(found, price=Decimal(query["price"]), qty=Decimal(query["quantity"]))
        return wire.order(found, self._name(found.request.symbol), perp=True)

    def _trades(self, query: Query) -> Any:
        symbol, limit = self._symbol(query), int(query.get("limit", "500"))
        found = self.hall.fills_since(symbol=symbol)
        if "fromId" in query:
            if "startTime" in query or "endTime" in query:
                raise Refused(-1128, "Combination of optional parameters invalid.")
            found = [fill for fill in found if self.hall.trade_number(fill) >= int(query["fromId"])][:limit]
        elif "startTime" in query:
            start = int(query["startTime"])
            end = int(query.get("endTime", min(self._now_ms(), start + WEEK_MS)))
            if end - start > (WEEK_MS if self.perp else WEEK_MS // 7):
                raise Refused(-1127, "More than 24 hours between startTime and endTime.")
            found = [fill for fill in found if start <= fill.at // MS <= end][:limit]
        else:
            found = found[-limit:]
        return [wire.trade(self.hall, fill, self._name(symbol), perp=self.perp) for fill in found]

    # --- markets -------------------------------------------------------------------------------------------------------

    def _tickers(self, query: Query) -> Any:
        named = json.loads(query["symbols"]) if "symbols" in query else None
        found = []
        for symbol, market in self._markets().items():
            quote = self.hall.quote(symbol)
            if quote is None or (named is not None and market.venue_symbol not in named):
                continue
            row = {"symbol": market.venue_symbol, "lastPrice": wire.text(quote.last), "closeTime": self._now_ms(),
                   "openPrice": wire.text(quote.last), "highPrice": wire.text(quote.last), "volume": "1.0",
                   "lowPrice": wire.text(quote.last), "quoteVolume": "1.0"}  # fmt: skip
            row |= {"price": row["lastPrice"], "time": row["closeTime"]}
            # The 24 h statistics of futures carry no book.
            book = {} if self.perp else {"bidPrice": wire.text(quote.bid), "askPrice": wire.text(quote.ask)}
            found.append(row | book)
        return found

    def _books(self, _: Query) -> Any:
        quotes = [(market, self.hall.quote(symbol)) for symbol, market in self._markets().items()]
        return [
            {"symbol": market.venue_symbol, "bidPrice": wire.text(quote.bid), "bidQty": "1.0", "time": self._now_ms(),
             "askPrice": wire.text(quote.ask), "askQty": "1.0"}
            for market, quote in quotes if quote is not None
        ]  # fmt: skip

    def _klines(self, query: Query) -> Any:
        seconds, symbol = SECONDS[query["interval"]], self._symbol(query)
        limit = int(query.get("limit", "500"))
        rows = self.hall.candles(symbol, seconds, int(query.get("startTime", "0")) * MS, limit)
        return [
            [bar.at // MS, wire.text(bar.open), wire.text(bar.high), wire.text(bar.low), wire.text(bar.close),
             wire.text(bar.volume), bar.at // MS + seconds * 1000 - 1, "1.0", 42, "0.5", "30000.0", "0"]
            for bar in rows
        ]  # fmt: skip

    def _public_trades(self, query: Query) -> Any:
        symbol = self._symbol(query)
        # Aggregate trades; "m": whether the buyer was resting.
        return [
            {"a": self.hall.trade_number(fill), "p": wire.text(fill.price), "q": wire.text(fill.qty), "f": 1, "l": 1,
             "T": fill.at // MS, "m": (fill.side is OrderSide.BUY) == fill.maker, "M": True}
            for fill in self.hall.fills_since(symbol=symbol)[-int(query.get("limit", "500")):]
        ]  # fmt: skip

    def _premium(self, query: Query) -> Any:
        symbol = self._symbol(query)
        quote = self.hall.quote(symbol)
        price = wire.text(quote.last if quote else Decimal(0))
        return {"symbol": self._name(symbol), "markPrice": price, "indexPrice": price, "estimatedSettlePrice": price,
                "lastFundingRate": "0.00010000", "interestRate": "0.00010000", "time": self._now_ms(),
                "nextFundingTime": 1_800_000_000_000}  # fmt: skip

    def _funding_info(self, _: Query) -> Any:
        # Only markets whose interval is not eight hours are listed.
        return [{"symbol": "ETHUSDT", "adjustedFundingRateCap": "0.02", "adjustedFundingRateFloor": "-0.02",
                 "fundingIntervalHours": 4, "disclaimer": False}]  # fmt: skip

    def _interest(self, query: Query) -> Any:
        return {"openInterest": "10659.509", "symbol": self._name(self._symbol(query)), "time": self._now_ms()}

    def _brackets(self) -> Any:
        step = {"bracket": 1, "initialLeverage": 125, "notionalCap": 50000, "notionalFloor": 0,
                "maintMarginRatio": 0.004, "cum": 0.0}  # fmt: skip
        return [{"symbol": each.venue_symbol, "brackets": [step]} for each in self._markets().values()]

    # --- streams -------------------------------------------------------------------------------------------------------

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        stream = await self.open_stream(request)
        if request.path == "/private/ws":
            stream.login = request.query.get("listenKey") == self._listen_key
        try:
            async for message in stream.socket:
                if message.type is not WSMsgType.TEXT:
                    break
                self._asked(stream, json.loads(message.data))
        finally:
            self.close_stream(stream)
        return stream.socket

    def _asked(self, stream: Stream, frame: dict[str, Any]) -> None:
        if frame["method"] == "userDataStream.subscribe.signature":
            stream.reply(self._subscribed(stream, frame))
        elif frame["method"] == "SUBSCRIBE":
            stream.topics.update(frame["params"])
            stream.reply({"result": None, "id": frame["id"]})
        else:
            stream.reply({"error": {"code": 2, "msg": "Invalid request: unknown method"}, "id": frame["id"]})

    def _subscribed(self, stream: Stream, frame: dict[str, Any]) -> dict[str, Any]:
        params = dict(frame["params"])
        signature = params.pop("signature", "")
        signed = "&".join(f"{name}={params[name]}" for name in sorted(params))
        if params.get("apiKey") != self.key or signature != self._sign(signed):
            error = {"code": -1022, "msg": "Signature for this request is not valid."}
            return {"id": frame["id"], "status": 400, "error": error}
        stream.login = True
        return {"id": frame["id"], "status": 200, "result": {"subscriptionId": 0}, "rateLimits": []}

    def hear(self, fact: Any) -> None:
        """Tell orders and fills to the account's streams, quotes to those who subscribed them."""
        if not self._mine(fact.request.symbol if isinstance(fact, Order) else fact.symbol):
            return
        if isinstance(fact, PriceTick):
            self._quoted(fact)
        elif isinstance(fact, FillReport):
            each = self.hall.orders[fact.client_order_id]
            self._to_account(wire.event(self.hall, each, self._name(fact.symbol), fact, perp=self.perp))
        elif fact.number and fact.state not in (OrderState.PARTIALLY_FILLED, OrderState.FILLED):
            self._to_account(wire.event(self.hall, fact, self._name(fact.request.symbol), None, perp=self.perp))

    def _to_account(self, event: dict[str, Any]) -> None:
        for stream in self.streams:
            if stream.login:
                stream.tell(event if self.perp else {"subscriptionId": 0, "event": event})

    def _quoted(self, tick: PriceTick) -> None:
        name, at = self._name(tick.symbol), tick.at // MS
        book: dict[str, Any] = {"u": tick.at // NS, "s": name, "b": wire.text(tick.bid), "B": "1.0",
                                "a": wire.text(tick.ask), "A": "1.0"}  # fmt: skip
        if self.perp:
            book |= {"e": "bookTicker", "E": at, "T": at}
        last = wire.text(tick.last)
        mini = {
            "e": "24hrMiniTicker",
            "E": at,
            "s": name,
            "c": last,
            "o": last,
            "h": last,
            "l": last,
            "v": "1.0",
            "q": "1.0",
        }
        for stream in self.streams:
            if f"{name.lower()}@bookTicker" in stream.topics:
                stream.tell(book)
            if f"{name.lower()}@miniTicker" in stream.topics:
                stream.tell(mini)

"""Bybit v5 on loopback: REST and the public and private streams of a unified account."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from aiohttp import web

from protocol.orders import OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues import bybit_wire as wire
from tests.servers.venues.bybit_streams import BybitStreams
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import Hall, Order

__all__ = ["KEY", "SECRET", "BybitServer"]

KEY: Final = "bybittestkey"
SECRET: Final = "bybittestsecret"
MS: Final = 1_000_000
WEEK_MS: Final = 7 * 24 * 3600 * 1000
DAY_NS: Final = 24 * 3600 * 10**9
RECENT_ORDERS: Final = 500
SECONDS: Final = {"1": 60, "5": 300, "15": 900, "60": 3600, "240": 14400, "D": 86400}


class Refused(Exception):
    """A request that is answered with a ``retCode``."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class BybitServer(BybitStreams):
    """One unified account. ``key`` and ``secret`` are what it was made with; nobody else gets in."""

    def __init__(self, hall: Hall, key: str = KEY, secret: str = SECRET) -> None:
        super().__init__(hall, key, secret)
        self.unified = True
        """Whether the account is a unified one."""
        self.banned = False
        """Whether the client's address has asked too much."""
        self.answer_orders_with: tuple[int, str] | None = None
        """What new orders are answered with instead of being taken."""
        self._anonymous = 0

    # --- the protocol --------------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of v5 that a trading client uses."""
        public = {
            "/v5/market/time": lambda _: {
                "timeSecond": str(self.hall.now() // 10**9),
                "timeNano": str(self.hall.now()),
            },
            "/v5/market/instruments-info": self._instruments,
            "/v5/market/tickers": self._tickers,
            "/v5/market/kline": self._kline,
            "/v5/market/open-interest": self._open_interest,
            "/v5/market/recent-trade": self._recent,
        }
        private = {
            "/v5/user/query-api": lambda _: {"readOnly": 0, "unified": 0, "uta": int(self.unified), "userID": 24600000},
            "/v5/account/info": lambda _: {"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 6},
            "/v5/account/wallet-balance": lambda _: {"list": [wire.wallet(self.hall)]},
            "/v5/order/realtime": self._realtime,
            "/v5/order/history": self._history,
            "/v5/execution/list": self._executions,
            "/v5/position/list": self._positions,
        }
        posts = {
            "/v5/order/create": self._create,
            "/v5/order/cancel": self._cancel,
            "/v5/order/amend": self._amend,
        }
        for path, answer in public.items():
            yield web.get(path, self._answering(answer))
        for path, answer in private.items():
            yield web.get(path, self._answering(answer, signed=True))
        for path, answer in posts.items():
            yield web.post(path, self._answering(answer, signed=True))
        for path in ("/v5/public/spot", "/v5/public/linear", "/v5/private"):
            yield web.get(path, self.stream)

    def kind_of(self, request: web.Request, body: str) -> On:
        """Say what a request does."""
        if request.method == "POST":
            return "cancels" if request.path.endswith("cancel") else "orders"
        return "reads"

    def refusal(self, fault: Fault) -> web.Response:
        """Return Bybit's own words for too many calls, a failure and maintenance."""
        now = self.hall.now() // MS
        if fault is Fault.TOO_MANY:
            headers = {"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "0", "X-Bapi-Limit-Reset-Timestamp": str(now + 700)}
            return self._said(10006, "Too many visits. Exceeded the API Rate Limit.", headers=headers)
        if fault is Fault.SERVER_ERROR:
            return web.Response(status=502, text="<html><body>502 Bad Gateway</body></html>", content_type="text/html")
        return self._said(10016, "Service is restarting", status=503)

    def _said(
        self, code: int, text: str, result: Any = None, *, headers: dict[str, str] | None = None, status: int = 200
    ) -> web.Response:
        whole = {"retCode": code, "retMsg": text, "result": {} if result is None else result, "retExtInfo": {},
                 "time": self.hall.now() // MS}  # fmt: skip
        return web.json_response(whole, headers=headers, status=status)

    def _answering(self, answer: Callable[[dict[str, str]], Any], *, signed: bool = False) -> Any:
        async def handle(request: web.Request) -> web.Response:
            body = await request.text()
            if self.banned:
                return web.Response(status=403, text="access too frequent", content_type="text/html")
            try:
                if signed:
                    self._check(request, body)
                query = json.loads(body) if request.method == "POST" else dict(request.query)
                return self._said(0, "OK", answer(query))
            except Refused as refused:
                return self._said(refused.code, refused.text)

        return handle

    def _check(self, request: web.Request, body: str) -> None:
        head = {name: request.headers.get(f"X-BAPI-{name}", "") for name in ("API-KEY", "TIMESTAMP", "RECV-WINDOW")}
        if head["API-KEY"] != self.key:
            raise Refused(10003, "API key is invalid.")
        signed = body if request.method == "POST" else request.rel_url.raw_query_string
        if request.headers.get("X-BAPI-SIGN") != self.sign(head["TIMESTAMP"] + self.key + head["RECV-WINDOW"] + signed):
            raise Refused(10004, "Error sign, please check your signature generation algorithm.")
        now, sent, window = self.hall.now() // MS, int(head["TIMESTAMP"]), int(head["RECV-WINDOW"] or 5000)
        if not now - window <= sent < now + 1000:
            raise Refused(
                10002,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{sent}],server_timestamp[{now}],recv_window[{window}]",
            )

    # --- markets -------------------------------------------------------------------------------------------------------

    def _symbol(self, query: dict[str, str]) -> str:
        """Return the unified symbol of a request; Bybit's name alone does not tell spot from perpetual."""
        category, name = query.get("category", ""), query.get("symbol", "")
        for symbol, market in self.hall.instruments().items():
            if market.venue_symbol == name and wire.category_of(symbol) == category:
                return symbol
        raise Refused(*wire.refused(category if category == "spot" else "linear", "UnknownSymbol"))

    def _instruments(self, query: dict[str, str]) -> Any:
        category = query["category"]
        row = wire.spot_row if category == "spot" else wire.linear_row
        markets = [
            row(market)
            for symbol, market in self.hall.instruments().items()
            if wire.category_of(symbol) == category and query.get("status", "Trading") == "Trading"
        ]
        return {"category": category, "list": markets, "nextPageCursor": ""}

    def _tickers(self, query: dict[str, str]) -> Any:
        wanted = [self._symbol(query)] if "symbol" in query else list(self.hall.instruments())
        found = []
        for symbol in wanted:
            tick = self.hall.quote(symbol)
            if tick is not None and wire.category_of(symbol) == query["category"]:
                found.append(wire.ticker(self.hall.instruments()[symbol], tick))
        return {"category": query["category"], "list": found}

    def _kline(self, query: dict[str, str]) -> Any:
        symbol, seconds = self._symbol(query), SECONDS[query["interval"]]
        limit = int(query.get("limit", 200))
        now = self.hall.now() // MS
        end = min(int(query.get("end", now)), now)
        # From the start on, where there is one; else the newest.
        since = int(query["start"]) if "start" in query else end - limit * seconds * 1000 + 1
        bars = [
            [wire.ms(bar.at), *(wire.plain(each) for each in (bar.open, bar.high, bar.low, bar.close, bar.volume)), "1"]
            for bar in self.hall.candles(symbol, seconds, since * MS, limit)
            if bar.at // MS <= end
        ]
        return {"category": query["category"], "symbol": query["symbol"], "list": bars[::-1]}

    def _open_interest(self, query: dict[str, str]) -> Any:
        self._symbol(query)
        row = {"openInterest": "53417.6", "timestamp": wire.ms(self.hall.now())}
        return {"category": query["category"], "symbol": query["symbol"], "list": [row], "nextPageCursor": ""}

    def _recent(self, query: dict[str, str]) -> Any:
        tick = self.hall.quote(self._symbol(query))
        row = {"execId": "1", "symbol": query["symbol"], "price": wire.plain(tick.last) if tick else "1", "size": "0.1",
               "side": "Buy", "time": wire.ms(self.hall.now()), "isBlockTrade": False}  # fmt: skip
        return {"category": query["category"], "list": [row]}

    # --- orders --------------------------------------------------------------------------------------------------------

    def _create(self, body: dict[str, Any]) -> Any:
        if self.answer_orders_with is not None:
            raise Refused(*self.answer_orders_with)
        symbol = self._symbol(body)
        category = body["category"]
        key = body.get("orderLinkId", "")
        if key and self._known(key):
            raise Refused(*wire.refused(category, "Duplicate"))
        if not key:
            self._anonymous += 1
            key = f"{wire.ANONYMOUS}{self._anonymous}"
        order = self.hall.place(self._request(body, symbol, key))
        if order.state is OrderState.REJECTED:
            del self.hall.orders[key]
            raise Refused(*wire.refused(category, order.code))
        return {"orderId": wire.order_id(symbol, order.number), "orderLinkId": body.get("orderLinkId", "")}

    def _known(self, key: str) -> bool:
        order = self.hall.find(key)
        return order is not None and order.number > 0

    def _request(self, body: dict[str, Any], symbol: str, key: str) -> OrderRequest:
        category = body["category"]
        try:
            qty, market = Decimal(body["qty"]), body["orderType"] == "Market"
            price = None if market else Decimal(body["price"])
            stop = Decimal(body["triggerPrice"]) if body.get("triggerPrice") else None
        except (KeyError, TypeError, InvalidOperation) as error:
            raise Refused(10001, "params error: qty or price invalid") from error
        if qty <= 0 or (price is not None and price <= 0):
            raise Refused(*wire.refused(category, "MinQty"))
        if category == "spot" and market and body["side"] == "Buy" and body.get("marketUnit") != "baseCoin":
            # A spot market buy counts in quote currency unless it is told otherwise.
            quote, rules = self.hall.quote(symbol), self.hall.instruments()[symbol].rules
            if quote is None:
                raise Refused(*wire.refused(category, "NoMarketPrice"))
            qty = qty / quote.ask // rules.step_size * rules.step_size
        kind = OrderType.LIMIT
        if stop is not None:
            kind = OrderType.STOP
        elif market:
            kind = OrderType.MARKET
        elif body.get("timeInForce") == "IOC":
            kind = OrderType.IOC
        return OrderRequest(
            client_order_id=key,
            symbol=symbol,
            side=OrderSide(body["side"].lower()),
            type=kind,
            qty=qty,
            price=price,
            stop_price=stop,
            reduce_only=category == "linear" and body.get("reduceOnly") is True,
        )

    def _find(self, query: dict[str, Any]) -> Order | None:
        if query.get("orderId"):
            order = self.hall.find(number=wire.number_of(query["orderId"]))
        else:
            order = self.hall.find(query.get("orderLinkId", ""))
        if order is None or not order.number or wire.category_of(order.request.symbol) != query["category"]:
            return None
        return order

    def _cancel(self, body: dict[str, Any]) -> Any:
        self._symbol(body)
        order = self._working(body)
        self.hall.cancel(order)
        return {
            "orderId": wire.order_id(order.request.symbol, order.number),
            "orderLinkId": body.get("orderLinkId", ""),
        }

    def _working(self, body: dict[str, Any]) -> Order:
        category = body["category"]
        order = self._find(body)
        if order is None:
            raise Refused(*wire.refused(category, "NotFound"))
        if order.state.final:
            # Perpetuals forget a final order at once where it would be cancelled.
            code = "Filled" if order.state is OrderState.FILLED else "Cancelled"
            raise Refused(*wire.refused(category, code if category == "spot" else "NotFound"))
        return order

    def _realtime(self, query: dict[str, str]) -> Any:
        category = query["category"]
        if "orderId" in query or "orderLinkId" in query:
            order = self._find(query)
            recent = order is not None and (not order.state.final or order in self._recent_orders())
            return self._page(query, wire.rows([order] if order is not None and recent else []))
        symbol = self._symbol(query) if "symbol" in query else ""
        if category == "linear" and not symbol and "settleCoin" not in query:
            raise Refused(10001, "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin")
        found = [each for each in self.hall.open_orders(symbol) if wire.category_of(each.request.symbol) == category]
        return self._page(query, wire.rows(found))

    def _amend(self, body: dict[str, Any]) -> Any:
        rules = self.hall.instruments()[self._symbol(body)].rules
        order = self._working(body)
        price, qty = (Decimal(body[name]) if body.get(name) else None for name in ("price", "qty"))
        for value, step, code in ((price, rules.tick_size, "TickSize"), (qty, rules.step_size, "StepSize")):
            if value is not None and value % step:
                raise Refused(*wire.refused(body["category"], code))
        if price in (None, order.request.price) and qty in (None, order.request.qty):
            raise Refused(10001, "order not modified")
        self.hall.amend(order, price=price, qty=qty)
        return {
            "orderId": wire.order_id(order.request.symbol, order.number),
            "orderLinkId": body.get("orderLinkId", ""),
        }

    def _recent_orders(self) -> list[Order]:
        """Return the final orders that are still at hand: the newest, and none of yesterday."""
        at = self.hall.now() - DAY_NS
        return [each for each in self.hall.orders.values() if each.updated_at > at][-RECENT_ORDERS:]

    def _history(self, query: dict[str, str]) -> Any:
        symbol = self._symbol(query) if "symbol" in query else ""
        since, until = self._week(query)
        if "orderId" in query or "orderLinkId" in query:
            order = self._find(query)
            candidates = [order] if order is not None else []
        else:
            candidates = [each for each in self.hall.orders.values() if symbol in ("", each.request.symbol)]
        found = [
            each
            for each in candidates
            if each.state.final and each.number and since <= each.created_at // MS <= until
            and wire.category_of(each.request.symbol) == query["category"]
        ]  # fmt: skip
        return self._page(query, wire.rows(found))

    def _week(self, query: dict[str, str]) -> tuple[int, int]:
        """Return the span that a question about history is about: a week at most, the last one unless it says."""
        now = self.hall.now() // MS
        since = int(query.get("startTime", int(query.get("endTime", now)) - WEEK_MS))
        until = int(query.get("endTime", since + WEEK_MS))
        if until - since > WEEK_MS:
            raise Refused(10001, "The time range between startTime and endTime cannot exceed 7 days")
        return since, until

    def _executions(self, query: dict[str, str]) -> Any:
        symbol = self._symbol(query) if "symbol" in query else ""
        since, until = self._week(query)
        order = self._find(query) if "orderId" in query or "orderLinkId" in query else None
        if order is None and ("orderId" in query or "orderLinkId" in query):
            return self._page(query, [])
        found = [
            wire.execution(self.hall, each)
            for each in reversed(self.hall.fills)
            if since <= each.at // MS <= until
            and wire.category_of(each.symbol) == query["category"]
            and symbol in ("", each.symbol)
            and (order is None or each.client_order_id == order.request.client_order_id)
        ]
        return self._page(query, found)

    def _positions(self, query: dict[str, str]) -> Any:
        symbol = self._symbol(query) if "symbol" in query else ""
        found = [wire.position_row(self.hall, each) for each in self.hall.positions() if symbol in ("", each.symbol)]
        return self._page(query, found)

    def _page(self, query: dict[str, str], rows: list[Any]) -> Any:
        start, limit = int(query.get("cursor") or 0), int(query.get("limit", 50))
        following = str(start + limit) if start + limit < len(rows) else ""
        return {"category": query["category"], "list": rows[start : start + limit], "nextPageCursor": following}

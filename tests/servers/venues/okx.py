"""OKX v5 on loopback: REST and the public and private streams of a trading account in net mode."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from aiohttp import web

from protocol.instruments import Instrument
from protocol.orders import OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues import okx_wire as wire
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.okx_streams import MAX_AGE_S, OkxStreams

__all__ = ["KEY", "PASSPHRASE", "SECRET", "OkxServer"]

KEY: Final = "okxtestkey"
SECRET: Final = "okxtestsecret"
PASSPHRASE: Final = "okxtestphrase"
MS: Final = 1_000_000
DAY_MS: Final = 24 * 3600 * 1000
UNAUTHORIZED: Final = 401
SECONDS: Final = {"1m": 60, "5m": 300, "15m": 900, "1H": 3600, "4H": 14400, "1D": 86400, "1Dutc": 86400}
KINDS: Final = {"market": OrderType.MARKET, "limit": OrderType.LIMIT, "ioc": OrderType.IOC}


class Refused(Exception):
    """A request that is answered with a code."""

    def __init__(self, code: str, text: str, status: int = 200) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status


class OkxServer(OkxStreams):
    """One account, open to who has its key, secret and passphrase. ``level`` is its account mode, ``1`` for spot only."""

    def __init__(
        self, hall: Hall, key: str = KEY, secret: str = SECRET, passphrase: str = PASSPHRASE, level: str = "2"
    ) -> None:
        super().__init__(hall, key, secret, passphrase, level)
        self.forgets_after_ms = 7 * DAY_MS
        """How long a final order is shown."""
        self._numbered = 0

    # --- the protocol --------------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of v5 that a trading client uses."""
        config = {"acctLv": self.level, "posMode": "net_mode", "uid": "1", "perm": "read_only,trade"}
        public = {
            "public/time": lambda _: [{"ts": wire.ms(self.hall.now())}],
            "public/instruments": self._instruments,
            "public/funding-rate": self._funding,
            "public/open-interest": self._open_interest,
            "market/ticker": self._tickers,
            "market/tickers": self._tickers,
            "market/candles": self._candles,
            "market/history-candles": self._candles,
            "market/trades": self._trades,
        }
        private = {
            "account/config": lambda _: [config],
            "account/balance": lambda _: [wire.balances(self.hall, self.level)],
            "account/positions": lambda _: [wire.position_row(self.hall, each) for each in self.hall.positions()],
            "trade/order": self._one_order,
            "trade/orders-pending": self._pending,
            "trade/orders-history": self._history,
            "trade/fills": lambda query: self._fills(query, 3 * DAY_MS),
            "trade/fills-history": lambda query: self._fills(query, 90 * DAY_MS),
        }
        for path, answer in public.items():
            yield web.get(f"/api/v5/{path}", self._answering(answer))
        for path, answer in private.items():
            yield web.get(f"/api/v5/{path}", self._answering(answer, signed=True))
        for path in ("trade/order", "trade/batch-orders"):
            yield web.post(f"/api/v5/{path}", self._acting(self._create))
        yield web.post("/api/v5/trade/cancel-order", self._acting(self._cancel))
        yield web.post("/api/v5/trade/amend-order", self._acting(self._amend))
        for path in ("public", "private", "business"):
            yield web.get(f"/ws/v5/{path}", self.stream)

    def kind_of(self, request: web.Request, body: str) -> On:
        """Say what a request does."""
        if request.method == "POST":
            return "cancels" if "cancel" in request.path else "orders"
        return "reads"

    def refusal(self, fault: Fault) -> web.Response:
        """Return OKX's own words for too many calls, a failure and maintenance."""
        code, text, status = {
            Fault.TOO_MANY: ("50011", "Too Many Requests", 429),
            Fault.SERVER_ERROR: ("50026", "System error. Try again later.", 500),
        }.get(fault, ("50001", "Service temporarily unavailable. Try again later.", 503))
        return self._said(code, text, [], status)

    def _said(self, code: str, text: str, data: list[Any], status: int = 200) -> web.Response:
        return web.json_response({"code": code, "msg": text, "data": data}, status=status)

    def _answering(self, answer: Callable[[dict[str, str]], list[Any]], *, signed: bool = False) -> Any:
        async def handle(request: web.Request) -> web.Response:
            try:
                if signed:
                    self._check(request, "")
                return self._said("0", "", answer(dict(request.query)))
            except Refused as refused:
                return self._said(refused.code, refused.text, [], refused.status)

        return handle

    def _acting(self, act: Callable[[dict[str, Any]], dict[str, str]]) -> Any:
        """Answer requests that change something: one or a list; each has a code of its own."""

        async def handle(request: web.Request) -> web.Response:
            body = await request.text()
            try:
                self._check(request, body)
            except Refused as refused:
                return self._said(refused.code, refused.text, [], refused.status)
            said = json.loads(body)
            late = int(request.headers.get("expTime", 0)) and self.hall.now() // MS > int(request.headers["expTime"])
            rows = [self._acted(act, each, late=bool(late)) for each in (said if isinstance(said, list) else [said])]
            failed = any(row["sCode"] != "0" for row in rows)
            return self._said("1" if failed else "0", "All operations failed" if failed else "", rows)

        return handle

    def _acted(
        self, act: Callable[[dict[str, Any]], dict[str, str]], body: dict[str, Any], *, late: bool
    ) -> dict[str, str]:
        row = {"clOrdId": body.get("clOrdId", ""), "ordId": "", "tag": "", "ts": wire.ms(self.hall.now())}
        try:
            if late:
                raise Refused(*wire.refused("Late"))
            return row | {"sCode": "0", "sMsg": ""} | act(body)
        except Refused as refused:
            return row | {"sCode": refused.code, "sMsg": refused.text}

    def _check(self, request: web.Request, body: str) -> None:
        head = {
            name: request.headers.get(f"OK-ACCESS-{name}", "") for name in ("KEY", "SIGN", "TIMESTAMP", "PASSPHRASE")
        }
        if head["KEY"] != self.key:
            raise Refused("50111", "Invalid OK-ACCESS-KEY", UNAUTHORIZED)
        if head["PASSPHRASE"] != self.passphrase:
            raise Refused("50105", "OK-ACCESS-PASSPHRASE incorrect", UNAUTHORIZED)
        if head["SIGN"] != self.sign(head["TIMESTAMP"] + request.method + request.raw_path + body):
            raise Refused("50113", "Invalid Sign", UNAUTHORIZED)
        age_s = self.hall.now() / 10**9 - datetime.fromisoformat(head["TIMESTAMP"]).timestamp()
        if abs(age_s) > MAX_AGE_S:
            raise Refused("50102", "Timestamp request expired", UNAUTHORIZED)

    # --- markets -------------------------------------------------------------------------------------------------------

    def _market(self, name: str) -> Instrument:
        for market in self.hall.instruments().values():
            if market.venue_symbol == name:
                return market
        raise Refused(*wire.refused("UnknownSymbol"))

    def _instruments(self, query: dict[str, str]) -> list[Any]:
        return [wire.instrument_row(each) for each in self._of_type(query)]

    def _of_type(self, query: dict[str, str]) -> list[Instrument]:
        if "instId" in query:
            return [self._market(query["instId"])]
        return [each for each in self.hall.instruments().values() if wire.type_of(each.symbol) == query["instType"]]

    def _tickers(self, query: dict[str, str]) -> list[Any]:
        quoted = [(each, self.hall.quote(each.symbol)) for each in self._of_type(query)]
        return [wire.ticker(market, tick) for market, tick in quoted if tick is not None]

    def _candles(self, query: dict[str, str]) -> list[Any]:
        market, seconds = self._market(query["instId"]), SECONDS[query["bar"]]
        limit, now = int(query.get("limit", 100)), self.hall.now()
        before = int(query.get("after", now // MS + 1))
        since = max(int(query.get("before", 0)) + 1, before - limit * seconds * 1000)
        bars = [each for each in self.hall.candles(market.symbol, seconds, since * MS, limit) if each.at // MS < before]
        return [wire.candle(each, now) for each in reversed(bars)]

    def _trades(self, query: dict[str, str]) -> list[Any]:
        tick = self.hall.quote(self._market(query["instId"]).symbol)
        return [{"instId": query["instId"], "side": "sell", "sz": "0.1", "px": wire.plain(tick.last) if tick else "1",
                 "tradeId": "1", "ts": wire.ms(self.hall.now())}]  # fmt: skip

    def _funding(self, query: dict[str, str]) -> list[Any]:
        due = (self.hall.now() // MS // (DAY_MS // 3) + 1) * (DAY_MS // 3)
        return [{"instId": self._market(query["instId"]).venue_symbol, "instType": "SWAP", "fundingRate": "0.0001",
                 "fundingTime": str(due), "nextFundingRate": "", "nextFundingTime": str(due + DAY_MS // 3),
                 "ts": wire.ms(self.hall.now()), "method": "current_period"}]  # fmt: skip

    def _open_interest(self, query: dict[str, str]) -> list[Any]:
        return [{"instId": query["instId"], "instType": "SWAP", "oi": "5000", "oiCcy": "50", "oiUsd": "3000000",
                 "ts": wire.ms(self.hall.now())}]  # fmt: skip

    # --- orders --------------------------------------------------------------------------------------------------------

    def _create(self, body: dict[str, Any]) -> dict[str, str]:
        market, name = self._market(body["instId"]), body.get("clOrdId", "")
        if not (name.isalnum() or not name) or len(name) > 32:
            raise Refused("51000", "Parameter clOrdId error")
        before = self._latest(name) if name else None
        if before is not None and not before.state.final:
            raise Refused(*wire.refused("Duplicate"))
        swap = wire.type_of(market.symbol) == "SWAP"
        if body.get("tdMode") not in (("cross", "isolated") if swap else ("cash", "cross")):
            raise Refused("51000", "Parameter tdMode error")
        if body.get("posSide", "net") not in ("", "net"):
            raise Refused(*wire.refused("PosSide"))
        self._numbered += 1
        key = name or f"{wire.ANONYMOUS}{self._numbered}"
        if before is not None:  # A client id is unique among open orders only: one that is final may come back.
            key = f"{name}{wire.AGAIN}{self._numbered}"
        order = self.hall.place(self._request(body, market, key))
        if order.state is OrderState.REJECTED:
            del self.hall.orders[key]
            raise Refused(*wire.refused(order.code))
        return {"ordId": str(order.number), "clOrdId": name}

    def _request(self, body: dict[str, Any], market: Instrument, key: str) -> OrderRequest:
        try:
            kind = KINDS[body["ordType"]]
            qty = Decimal(body["sz"]) * market.contract_size
            price = None if kind is OrderType.MARKET else Decimal(body["px"])
        except (KeyError, TypeError, InvalidOperation) as error:
            raise Refused("51000", "Parameter sz, px or ordType error") from error
        if qty <= 0 or (price is not None and price <= 0):
            raise Refused(*wire.refused("MinQty"))
        spot_buy = market.contract_size == 1 and kind is OrderType.MARKET and body["side"] == "buy"
        if spot_buy and body.get("tgtCcy") != "base_ccy":
            # The size of a spot market buy counts in quote currency unless it is told otherwise.
            quote = self.hall.quote(market.symbol)
            if quote is None:
                raise Refused(*wire.refused("NoMarketPrice"))
            qty = qty / quote.ask // market.rules.step_size * market.rules.step_size
        return OrderRequest(
            client_order_id=key,
            symbol=market.symbol,
            side=OrderSide(body["side"]),
            type=kind,
            qty=qty,
            price=price,
            reduce_only=market.contract_size != 1 and str(body.get("reduceOnly", "")).lower() == "true",
        )

    def _latest(self, name: str) -> Order | None:
        """Return the newest order of a client id."""
        found = [each for key, each in self.hall.orders.items() if each.number and wire.client_id(key) == name and name]
        return max(found, key=lambda each: each.number, default=None)

    def _named(self, query: dict[str, Any]) -> Order | None:
        market = self._market(query["instId"])
        number = query.get("ordId", "")
        order = self.hall.find(number=int(number)) if number else self._latest(query.get("clOrdId", ""))
        return order if order is not None and order.request.symbol == market.symbol else None

    def _cancel(self, body: dict[str, Any]) -> dict[str, str]:
        order = self._named(body)
        if order is None or order.state.final:
            raise Refused(*wire.refused("NotCancelled"))
        self.hall.cancel(order)
        return {"ordId": str(order.number), "clOrdId": wire.client_id(order.request.client_order_id)}

    def _amend(self, body: dict[str, Any]) -> dict[str, str]:
        market, order = self._market(body["instId"]), self._named(body)
        if order is None or order.state.final:
            raise Refused("51503", "Your order has already been filled or canceled.")
        price = Decimal(body["newPx"]) if body.get("newPx") else None
        qty = Decimal(body["newSz"]) * market.contract_size if body.get("newSz") else None
        for value, step, code in (
            (price, market.rules.tick_size, "TickSize"),
            (qty, market.rules.step_size, "StepSize"),
        ):
            if value is not None and value % step:
                raise Refused(*wire.refused(code))
        self.hall.amend(order, price=price, qty=qty)
        return {"ordId": str(order.number), "clOrdId": wire.client_id(order.request.client_order_id)}

    def _one_order(self, query: dict[str, str]) -> list[Any]:
        order = self._named(query)
        if order is None or (order.state.final and order.updated_at < self.hall.now() - self.forgets_after_ms * MS):
            raise Refused("51603", "Order does not exist")
        return [wire.order_row(self.hall, order, order.fills[-1] if order.fills else None)]

    def _pending(self, query: dict[str, str]) -> list[Any]:
        return self._page(query, [each for each in self.hall.open_orders() if self._asked_for(query, each)])

    def _history(self, query: dict[str, str]) -> list[Any]:
        final = [each for each in self.hall.orders.values() if each.state.final and each.number]
        return self._page(query, [each for each in final if self._asked_for(query, each)])

    def _asked_for(self, query: dict[str, str], order: Order) -> bool:
        market = self.hall.instruments()[order.request.symbol]
        return query.get("instId", market.venue_symbol) == market.venue_symbol and query.get(
            "instType", wire.type_of(market.symbol)
        ) == wire.type_of(market.symbol)

    def _page(self, query: dict[str, str], orders: list[Order]) -> list[Any]:
        """Return orders, newest first; ``after`` is the number of the last that was seen."""
        before = int(query.get("after") or 10**18)
        found = sorted((each for each in orders if each.number < before), key=lambda each: -each.number)
        return [wire.order_row(self.hall, each) for each in found[: int(query.get("limit", 100))]]

    def _fills(self, query: dict[str, str], memory_ms: int) -> list[Any]:
        now = self.hall.now() // MS
        since = max(int(query.get("begin", 0)), now - memory_ms)
        until, before = int(query.get("end", now)), int(query.get("after") or 10**18)
        found = [
            wire.fill_row(self.hall, each)
            for each in reversed(self.hall.fills)
            if since <= each.at // MS <= until
            and query.get("instType", wire.type_of(each.symbol)) == wire.type_of(each.symbol)
            and query.get("instId", self.hall.instruments()[each.symbol].venue_symbol)
            == self.hall.instruments()[each.symbol].venue_symbol
        ]
        return [each for each in found if int(each["billId"]) < before][: int(query.get("limit", 100))]

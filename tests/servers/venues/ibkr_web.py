"""Interactive Brokers' Web API v1.0 on loopback: OAuth 1.0a checked for real, sessions, orders with questions, stream."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from aiohttp import WSMsgType, web

from protocol.market import PriceTick
from protocol.orders import FillReport, OrderState
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import NS, Hall, Order
from tests.servers.venues.http import HttpVenue, Stream
from tests.servers.venues.ibkr_web_words import ACCOUNT, TOKEN, OAuth, contract_row, order_row, request_of, trade_row
from tests.servers.venues.tws_words import Listed

__all__ = ["IbkrWebServer"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_BASE: Final = "/v1/api/"
_BARS: Final = {"1min": 60, "5min": 300, "15min": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
_UNITS: Final = {"min": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}
_REFUSED: Final = {
    "TickSize": "The price does not conform to the minimum price variation for this contract.",
    "StepSize": "The quantity does not conform to the size increment of this contract.",
    "MinQty": "The quantity is below the minimum size of this contract.",
    "InsufficientFunds": "YOUR ORDER IS NOT ACCEPTED. YOUR AVAILABLE FUNDS ARE INSUFFICIENT TO COVER THE INITIAL MARGIN.",
}


class IbkrWebServer(HttpVenue):
    """One user with one account. ``oauth`` None is a gateway; ``ask`` are questions that the next order is asked first."""

    def __init__(self, hall: Hall, contracts: Iterable[Listed], *, gateway: bool = False) -> None:
        super().__init__(hall)
        self.contracts = {each.con_id: each for each in contracts}
        self.token = TOKEN
        self.oauth = None if gateway else OAuth(lambda: self.token)
        self.session = "ce109cbeb462a76dc3f6f4182c830cc1"
        self.authenticated = False
        self.competing = False
        self.account = ACCOUNT
        self.ask: list[str] = []
        self.declined: list[str] = []
        self.cached = True
        self.expires_ms = 4_000_000_000_000
        self._questions: dict[str, tuple[dict[str, Any], list[str]]] = {}
        self._asked = 0

    @property
    def address(self) -> str:
        """The base address of the API."""
        return self.url + _BASE

    def listed(self, symbol: str) -> Listed:
        """Return the contract of a market of the hall."""
        return next(each for each in self.contracts.values() if each.market == symbol)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        acct = f"iserver/account/{ACCOUNT}"
        told: list[tuple[str, str, Handler]] = [
            ("POST", "iserver/auth/ssodh/init", self._init), ("POST", "iserver/auth/status", self._authenticated),
            ("POST", "tickle", self._tickle), ("GET", "iserver/accounts", self._accounts),
            ("POST", f"{acct}/orders", self._place), ("POST", "iserver/reply/{id}", self._reply),
            ("POST", f"{acct}/order/{{id}}", self._modify), ("DELETE", f"{acct}/order/{{id}}", self._cancel),
            ("GET", "iserver/account/orders", self._orders), ("GET", "iserver/account/trades", self._trades),
            ("GET", "portfolio/accounts", self._portfolios), ("GET", f"portfolio/{ACCOUNT}/ledger", self._ledger),
            ("POST", f"portfolio/{ACCOUNT}/positions/invalidate", self._nothing),
            ("GET", f"portfolio/{ACCOUNT}/positions/{{page}}", self._positions),
            ("GET", f"portfolio/{ACCOUNT}/summary", self._summary), ("GET", "trsrv/stocks", self._stocks),
            ("GET", "trsrv/futures", self._futures), ("GET", "iserver/currency/pairs", self._pairs),
            ("GET", "iserver/secdef/search", self._search), ("GET", "iserver/secdef/info", self._info),
            ("GET", "iserver/contract/{id}/info-and-rules", self._contract),
            ("GET", "iserver/marketdata/history", self._history),
            ("GET", "iserver/marketdata/snapshot", self._snapshot),
        ]  # fmt: skip
        return (
            web.post(f"{_BASE}oauth/live_session_token", self._token),
            web.get(f"{_BASE}ws", self._stream),
            *(web.route(method, _BASE + path, self._checked(handler)) for method, path, handler in told),
        )

    def kind_of(self, request: web.Request, body: str) -> On:
        if request.method == "DELETE":
            return "cancels"
        orders = re.search(r"/orders$|/order/|/reply/", request.path) is not None
        return "orders" if request.method == "POST" and orders else "reads"

    def refusal(self, fault: Fault) -> web.Response:
        if fault is Fault.TOO_MANY:
            return web.json_response({"error": "Too many requests"}, status=429, headers={"Retry-After": "0.2"})
        status = 503 if fault is Fault.MAINTENANCE else 500
        return web.json_response({"error": "Service Unavailable", "statusCode": status}, status=status)

    # --- the session -----------------------------------------------------------------------------------------------------

    def _checked(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            url = f"{self.url}{request.path}"
            header = request.headers.get("Authorization", "")
            if self.oauth is not None and not self.oauth.good(request.method, url, dict(request.query), header):
                return web.json_response({"error": "not authenticated"}, status=401)
            if "/iserver/" in request.path and "/auth/" not in request.path and not self.authenticated:
                return web.json_response({"error": "Bad Request: no bridge", "statusCode": 400}, status=400)
            if "/reply/" not in request.path:
                self._questions.clear()  # whatever else is asked voids a question
            return await handler(request)

        return checked

    async def _token(self, request: web.Request) -> web.Response:
        header = request.headers.get("Authorization", "")
        told = None if self.oauth is None else self.oauth.exchange(f"{self.url}{request.path}", header, self.expires_ms)
        return web.json_response(told) if told else web.json_response({"error": "invalid signature"}, status=401)

    def _status(self) -> dict[str, Any]:
        return {
            "authenticated": self.authenticated, "competing": self.competing, "connected": True, "message": "", "fail": "",
            "MAC": "F4:03:43:CD:BD:C0", "hardware_info": "1c4558e8|F4:03:43:CD:BD:C0",
            "serverInfo": {"serverName": "JifC11113", "serverVersion": "Build 10.25.0m"},
        }  # fmt: skip

    async def _authenticated(self, _: web.Request) -> web.Response:
        return web.json_response(self._status())

    async def _init(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.authenticated = bool(asked["publish"]) and not self.competing
        self.cached = False
        return web.json_response(self._status())

    async def _tickle(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"session": self.session, "ssoExpires": 585695, "collission": False, "userId": 99996016,
             "hmds": {"error": "no bridge"}, "iserver": {"authStatus": self._status()}}
        )  # fmt: skip

    async def _accounts(self, _: web.Request) -> web.Response:
        told = {"accounts": [self.account], "selectedAccount": self.account, "isFT": False, "isPaper": True}
        return web.json_response(told)

    # --- orders --------------------------------------------------------------------------------------------------------

    async def _place(self, request: web.Request) -> web.Response:
        (asked,) = (await request.json(loads=_exact))["orders"]
        if (known := self.hall.find(asked["cOID"])) is not None and known.number:
            why = f"Order couldn't be submitted: Local order ID={asked['cOID']} is already registered."
            return web.json_response({"error": why}, status=400)
        if asked["conid"] not in self.contracts or asked["acctId"] != self.account:
            return web.json_response({"error": "invalid conid"}, status=400)
        return self._next(asked, list(self.ask))

    def _next(self, asked: dict[str, Any], left: list[str]) -> web.Response:
        """Ask the next question, or take the order."""
        if left:
            self._asked += 1
            name = f"07a13a5a-4a48-44a5-bb25-{self._asked:012d}"
            self._questions[name] = (asked, left[1:])
            text = f'The following order "{asked["side"]} {asked["quantity"]}" meets {left[0]}. Are you sure?'
            told = {"id": name, "message": [text], "isSuppressed": False, "messageIds": [left[0]]}
            return web.json_response([told])
        order = self.hall.place(request_of(asked, self.contracts[asked["conid"]].market))
        if order.state is OrderState.REJECTED:
            self.hall.orders.pop(order.request.client_order_id)
            return web.json_response({"error": _REFUSED.get(order.code, order.reason)})
        return self._acknowledged(order)

    def _acknowledged(self, order: Order) -> web.Response:
        told = {"order_id": str(order.number), "order_status": self._row(order)["status"], "encrypt_message": "1"}
        return web.json_response([told])

    def _row(self, order: Order) -> dict[str, Any]:
        return order_row(order, self.listed(order.request.symbol))

    async def _reply(self, request: web.Request) -> web.Response:
        name, told = request.match_info["id"], await request.json()
        if name not in self._questions:
            return web.json_response({"error": f"reply id not found: '{name}'"}, status=400)
        asked, left = self._questions.pop(name)
        if not told["confirmed"]:
            self.declined.append(asked["cOID"])
            return web.json_response({"error": "order discarded"})
        return self._next(asked, left)

    async def _cancel(self, request: web.Request) -> web.Response:
        order = self.hall.find(number=int(request.match_info["id"]))
        if order is None or order.state.final:
            return web.json_response({"error": f"OrderID {request.match_info['id']} doesn't exist"})
        self.hall.cancel(order)
        told = {"msg": "Request was submitted", "order_id": order.number, "conid": -1, "account": self.account}
        return web.json_response(told)

    async def _modify(self, request: web.Request) -> web.Response:
        order = self.hall.find(number=int(request.match_info["id"]))
        asked = await request.json(loads=_exact)
        if order is None or order.state.final:
            return web.json_response({"error": f"OrderID {request.match_info['id']} doesn't exist"}, status=400)
        self.hall.amend(order, price=Decimal(str(asked["price"])), qty=Decimal(str(asked["quantity"])))
        return self._acknowledged(order)

    async def _orders(self, request: web.Request) -> web.Response:
        if request.query.get("force") == "true" or not self.cached:
            self.cached = request.query.get("force") != "true"
            return web.json_response({"orders": [], "snapshot": False})
        rows = [self._row(each) for each in self.hall.orders.values() if each.number]
        return web.json_response({"orders": rows, "snapshot": True})

    async def _trades(self, request: web.Request) -> web.Response:
        since = self.hall.now() - int(request.query.get("days", "1")) * 86_400 * NS
        return web.json_response([self._trade(each) for each in self.hall.fills_since(since)])

    def _trade(self, fill: FillReport) -> dict[str, Any]:
        return trade_row(fill, self.hall.trade_number(fill), self.listed(fill.symbol))

    # --- the account -----------------------------------------------------------------------------------------------------

    async def _portfolios(self, _: web.Request) -> web.Response:
        return web.json_response([{"id": self.account, "accountId": self.account, "currency": "USD", "type": "DEMO"}])

    async def _nothing(self, _: web.Request) -> web.Response:
        return web.json_response({"message": "success"})

    def _cash(self) -> dict[str, Decimal]:
        told = {each.currency: each.free + each.locked for each in self.hall.balances()}
        held = {each.symbol for each in self.contracts.values()} | {each.market for each in self.contracts.values()}
        return {key: value for key, value in told.items() if key not in held}

    async def _ledger(self, _: web.Request) -> web.Response:
        cash = self._cash()
        rows = [
            f'"{key}": {{"currency": "{key}", "acctcode": "{self.account}", "cashbalance": {value:f}, "exchangerate": 1}}'
            for key, value in (cash | {"BASE": cash.get("USD", Decimal(0))}).items()
        ]
        return web.Response(text="{" + ", ".join(rows) + "}", content_type="application/json")

    async def _positions(self, request: web.Request) -> web.Response:
        totals = {each.currency: each.free + each.locked for each in self.hall.balances()}
        netted = {each.symbol: each.qty for each in self.hall.positions()}
        rows = []
        for each in self.contracts.values():
            held = netted.get(each.market) or totals.get(each.symbol if each.kind != "OPT" else each.market)
            if (held and each.kind in ("STK", "CRYPTO", "OPT")) or each.market in netted:
                size = Decimal(each.multiplier or 1)
                rows.append(
                    {"acctId": self.account, "conid": each.con_id, "contractDesc": each.symbol,
                     "position": float((held or Decimal(0)) / size), "currency": each.currency, "assetClass": each.kind}
                )  # fmt: skip
        return web.json_response(rows if request.match_info["page"] == "0" else [])

    async def _summary(self, _: web.Request) -> web.Response:
        cash = float(self._cash().get("USD", Decimal(0)))
        names = ("netliquidation", "totalcashvalue", "availablefunds", "maintmarginreq")
        told = {each: {"amount": cash, "currency": "USD", "isNull": False, "value": None} for each in names}
        return web.json_response(told | {"maintmarginreq": {"amount": 0.0, "currency": "USD"}})

    # --- contracts -------------------------------------------------------------------------------------------------------

    def _of(self, kind: str, symbol: str = "") -> list[Listed]:
        return [each for each in self.contracts.values() if each.kind == kind and symbol in ("", each.symbol)]

    async def _stocks(self, request: web.Request) -> web.Response:
        symbol = request.query["symbols"]
        listed = [{"conid": each.con_id, "exchange": each.exchange, "isUS": True} for each in self._of("STK", symbol)]
        told = {"name": symbol, "contracts": [*listed, {"conid": 38708077, "exchange": "MEXI", "isUS": False}]}
        return web.json_response({symbol: [told] if listed else []})

    async def _futures(self, request: web.Request) -> web.Response:
        symbol = request.query["symbols"]
        rows = [
            {"symbol": each.symbol, "conid": each.con_id, "expirationDate": int(each.expiry), "ltd": int(each.expiry)}
            for each in self._of("FUT", symbol)
        ]
        return web.json_response({symbol: rows})

    async def _pairs(self, request: web.Request) -> web.Response:
        rows = [
            {"symbol": f"{each.symbol}.{each.currency}", "conid": each.con_id, "ccyPair": each.currency}
            for each in self._of("CASH", request.query["currency"])
        ]
        return web.json_response({request.query["currency"]: rows})

    async def _search(self, request: web.Request) -> web.Response:
        symbol = request.query["symbol"]
        rows = [
            {"conid": str(each.con_id), "companyHeader": f"{symbol} - {each.exchange}", "symbol": symbol,
             "description": each.exchange, "sections": [{"secType": each.kind}, {"secType": "OPT", "months": "DEC25"}]}
            for each in self.contracts.values() if each.symbol == symbol and each.kind in ("STK", "CRYPTO")
        ]  # fmt: skip
        return web.json_response(rows)

    async def _info(self, request: web.Request) -> web.Response:
        asked = request.query
        month = asked["month"]
        rows = [
            {
                "conid": each.con_id,
                "symbol": each.symbol,
                "secType": "OPT",
                "right": each.right,
                "maturityDate": each.expiry,
            }
            for each in self._of("OPT")
            if (each.strike, each.right) == (asked["strike"], asked["right"])
            and f"{datetime.strptime(each.expiry, '%Y%m%d').replace(tzinfo=UTC):%b%y}".upper() == month
        ]
        return web.json_response(rows)

    async def _contract(self, request: web.Request) -> web.Response:
        found = self.contracts.get(int(request.match_info["id"]))
        if found is None:
            return web.json_response({"error": "no contract"}, status=404)
        return web.json_response(contract_row(found))

    # --- the market ------------------------------------------------------------------------------------------------------

    async def _history(self, request: web.Request) -> web.Response:
        asked = request.query
        seconds, listed = _BARS[asked["bar"]], self.contracts[int(asked["conid"])]
        found = re.fullmatch(r"(\d+)(\D+)", asked["period"])
        assert found is not None
        since = self.hall.now() - int(found[1]) * _UNITS[found[2]] * NS
        bars = list(self.hall.candles(listed.market, seconds, since, 5000))[-1000:]
        data = [
            {"t": each.at // 1_000_000, "o": float(each.open), "c": float(each.close), "h": float(each.high),
             "l": float(each.low), "v": float(each.volume)}
            for each in bars
        ]  # fmt: skip
        told = {"symbol": listed.symbol, "barLength": seconds, "timePeriod": asked["period"], "data": data}
        return web.json_response(told | {"points": len(data), "volumeFactor": 1, "priceFactor": 100})

    async def _snapshot(self, request: web.Request) -> web.Response:
        ids = map(int, request.query["conids"].split(","))
        ticks = {con_id: self.hall.quote(self.contracts[con_id].market) for con_id in ids}
        return web.json_response(
            [{"conid": key} if tick is None else self._quote(key, tick) for key, tick in ticks.items()]
        )

    def _quote(self, con_id: int, tick: PriceTick) -> dict[str, Any]:
        return {
            "31": f"{tick.last:f}", "84": f"{tick.bid:f}", "86": f"{tick.ask:f}", "6509": "RpB", "6119": "q1",
            "_updated": tick.at // 1_000_000, "conid": con_id, "conidEx": str(con_id), "server_id": "q1",
        }  # fmt: skip

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.oauth is not None and request.query.get("oauth_token") != self.token:
            return web.json_response({"error": "not authenticated"}, status=401)
        stream = await self.open_stream(request)
        stream.login = request.cookies.get("api") == self.session
        stream.reply({"topic": "system", "success": "user1234", "isFT": False, "isPaper": True})
        async for message in stream.socket:
            if message.type is WSMsgType.TEXT:
                self._said(stream, message.data)
        self.close_stream(stream)
        return stream.socket

    def _said(self, stream: Stream, text: str) -> None:
        topic, _, arguments = text.partition("+")
        if text.startswith("{"):
            stream.login = json.loads(text).get("session") == self.session
        elif topic in ("sor", "str"):
            stream.topics.add(topic)
        elif topic == "smd":
            con_id = int(arguments.partition("+")[0])
            stream.topics.add(f"smd+{con_id}")
            if (tick := self.hall.quote(self.contracts[con_id].market)) is not None:
                stream.tell(self._quote(con_id, tick) | {"topic": f"smd+{con_id}"})
        elif topic == "tic":
            stream.tell({"topic": "system", "hb": self.hall.now() // 1_000_000})

    def hear(self, fact: Any) -> None:
        if isinstance(fact, FillReport):
            self._tell("str", {"topic": "str", "args": [self._trade(fact)]})
        elif isinstance(fact, PriceTick):
            con_id = self.listed(fact.symbol).con_id
            self._tell(f"smd+{con_id}", self._quote(con_id, fact) | {"topic": f"smd+{con_id}"})
        elif fact.number:
            self._tell("sor", {"topic": "sor", "args": [self._row(fact)]})

    def _tell(self, topic: str, message: dict[str, Any]) -> None:
        for stream in tuple(self.streams):
            if stream.login and topic in stream.topics:
                stream.tell(message)


def _exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)

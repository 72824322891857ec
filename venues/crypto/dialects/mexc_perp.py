"""MEXC: perpetuals settled in USDT, of keys that may order there (verified accounts).

Its contract interface is another one than spot's: signatures in headers, contracts instead of coins, one WebSocket in JSON.
ccxt's own ways are used for signing, markets, positions and streams; orders, trades and questions about them are put and
read here, for ccxt reads the side of a contract order for that of a spot order, has no word for its client id, and sends
market orders as limit orders at the present price.

Only accounts in one-way mode are traded: with a long and a short side at once no position is one number.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from protocol.orders import OrderRequest, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from venues.access import Access
from venues.contract import CallLimit
from venues.crypto.dialect import Dialect, Exchange, Row
from venues.crypto.exchange import TooLateToSend
from venues.errors import PermissionDenied

__all__ = ["MexcPerpDialect"]

_CODE: Final = re.compile(r'"code":\s*(-?\d+)')
_LATE: Final = 513
_DUPLICATE: Final = 2042
_NOT_THERE: Final = (2040, 2041)
_CODES: Final = {
    **dict.fromkeys((2007, 2011, 2015), "PrecisionRejected"),
    **dict.fromkeys((2005, 2018), "InsufficientFunds"),
    **dict.fromkeys((2008, 2009), "ReduceOnly"),
    **dict.fromkeys((1002, 6001, 6002, 6005), "MarketHalted"),
}
"""Our codes by the venue's."""
_MEANT: Final = {
    "500": "ExchangeNotAvailable",
    "513": "InvalidNonce",
    "2037": "RateLimitExceeded",
    "2040": "OrderNotFound",
    "2041": "OrderNotFound",
    "9999": "ExchangeNotAvailable",
}
"""Codes that ccxt takes for something else: class of ccxt's errors."""
_TYPES: Final = {OrderType.LIMIT: 1, OrderType.IOC: 3, OrderType.MARKET: 5}
_SIDES: Final = {
    (OrderSide.BUY, False): 1,
    (OrderSide.BUY, True): 2,
    (OrderSide.SELL, False): 3,
    (OrderSide.SELL, True): 4,
}
"""Open long, close short, open short, close long."""
_CROSS, _ONE_WAY = 2, 2
_INVALID: Final = 5
_PAGE: Final = 100
_MEMORY_MS: Final = 90 * 86_400_000
_AHEAD_MS: Final = 60_000


class _Timed(list[Any]):
    """A body that is a list, with the latest time of its request."""

    latest_ms = 0


def _code(error: BaseException) -> int:
    found = _CODE.search(str(error))
    return int(found[1]) if found else 0


class MexcPerpDialect(Dialect):
    """MEXC's perpetuals. Client ids (``externalOid``, up to 32 characters) are never taken twice."""

    venue = "mexc"
    exchange_ids = {MarketType.PERP: "mexc"}  # noqa: RUF012 - a ClassVar of the base
    call_limits = {MarketType.PERP: CallLimit(16, 2.0)}  # noqa: RUF012 - a ClassVar of the base
    trades_by_symbol = True

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._one_way = False

    # --- the ccxt object -----------------------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """Count weights over ten seconds: in ccxt's usual throttle an order waits five for the rules of all markets."""
        return {**super().config(), "rateLimiterAlgorithm": "rollingWindow", "rollingWindowSize": 10_000.0}

    def prepare(self, exchange: Exchange) -> None:
        """Load perpetuals only, sign with the time that is left, read orders and trades of contracts."""
        super().prepare(exchange)
        exchange.has["fetchCurrencies"] = False
        exchange.fetch_markets = exchange.fetch_swap_markets
        errors = importlib.import_module("ccxt.base.errors")
        for code, name in _MEANT.items():
            exchange.exceptions["exact"][code] = getattr(errors, name)
        exchange.sign = _timely(exchange, exchange.sign)
        exchange.parse_order = _of_contracts(exchange.parse_order)
        exchange.parse_trade = _trade_of(exchange)

        async def fetch_open_interest(symbol: str) -> Row:
            found = await exchange.contractPublicGetTicker({"symbol": exchange.market(symbol)["id"]})
            return {"openInterestAmount": found["data"]["holdVol"], "timestamp": int(found["data"]["timestamp"])}

        exchange.fetch_open_interest = fetch_open_interest

    def trades_here(self, market: Row) -> bool:
        """Whether a market is of this family and takes orders by key."""
        return super().trades_here(market) and market["info"].get("apiAllowed") is not False

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:  # noqa: ARG002 - the base's signature
        """Return when the request may arrive at the latest; its window (whole seconds) is taken when it is signed."""
        return {"latestMs": latest_ms}

    # --- orders --------------------------------------------------------------------------------------------------------

    async def place(self, exchange: Exchange, request: OrderRequest, amount: str, params: dict[str, Any]) -> Row:
        """Send a new order, once. The venue only says that it was taken."""
        body: Row = {
            "symbol": exchange.market(request.symbol)["id"],
            "vol": _bare(amount),
            "side": _SIDES[request.side, request.reduce_only],
            "type": _TYPES[request.type],
            "openType": _CROSS,
            "positionMode": _ONE_WAY,
            "externalOid": params["clientOrderId"],
            "latestMs": params["latestMs"],
        }
        if request.price is not None and request.type is not OrderType.MARKET:
            body["price"] = _bare(f"{request.price:f}")
        if request.reduce_only:
            body["reduceOnly"] = True
        answer = await exchange.contractPrivatePostOrderCreate(body)
        data = answer.get("data") if isinstance(answer, dict) else None
        number = data.get("orderId") if isinstance(data, dict) else data
        return {"id": str(number or ""), "status": None, "info": {}}

    async def cancel(self, exchange: Exchange, client_id: str, symbol: str, params: dict[str, Any]) -> None:
        """Cancel by external id; what the venue says of the one order is an error of its own in the answer."""
        body = _Timed([{"symbol": exchange.market(symbol)["id"], "externalOid": client_id}])
        body.latest_ms = params["latestMs"]
        answer = await exchange.contractPrivatePostOrderCancelWithExternal(body)
        for row in answer.get("data") or ():
            if isinstance(row, dict) and int(row.get("errorCode") or 0) in _NOT_THERE:
                raise _missing(str(row.get("errorMsg")))

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        """Ask by external id; an answer without an order means that there is none."""
        asked = {"symbol": exchange.market(symbol)["id"], "external_oid": client_id}
        return _found(exchange, await exchange.contractPrivateGetOrderExternalSymbolExternalOid(asked))

    async def order_by_number(self, exchange: Exchange, number: str, symbol: str) -> Row:  # noqa: ARG002 - the base's
        """Ask whose order a trade is of."""
        return _found(exchange, await exchange.contractPrivateGetOrderGetOrderId({"order_id": number}))

    async def open_orders(self, exchange: Exchange, symbol: str | None) -> list[Row]:  # noqa: ARG002 - the base's
        """Return all open orders, page by page."""
        found: dict[str, Row] = {}
        for page in range(1, 1000):
            answer = await exchange.contractPrivateGetOrderListOpenOrders({"page_num": page, "page_size": _PAGE})
            rows = exchange.parse_orders(answer.get("data") or [])
            found |= {row["id"]: row for row in rows}
            if len(rows) < _PAGE:
                break
        return list(found.values())

    def order_state(self, order: Row) -> OrderState:
        """Return the state; the venue keeps orders that it found invalid."""
        if str((order.get("info") or {}).get("state")) == str(_INVALID):
            return OrderState.REJECTED
        return super().order_state(order)

    def client_id_of_trade(self, trade: Row) -> str:
        """Return the external id that the stream tells; the history of trades tells none."""
        return _given(trade["info"]) or ""

    # --- the account ---------------------------------------------------------------------------------------------------

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:
        """Return all trades of a market that the venue still tells (90 days), page by page."""
        found: dict[str, Row] = {}
        wanted = {"symbol": exchange.market(symbol)["id"], "page_size": _PAGE}
        wanted |= {"start_time": max(since_ms, now_ms + _AHEAD_MS - _MEMORY_MS), "end_time": now_ms + _AHEAD_MS}
        for page in range(1, 1000):
            answer = await exchange.contractPrivateGetOrderListOrderDeals(wanted | {"page_num": page})
            rows = exchange.parse_trades(answer.get("data") or [])
            found |= {row["id"]: row for row in rows}
            if len(rows) < _PAGE:
                break
        return list(found.values())

    async def balance(self, exchange: Exchange) -> Row:
        """Return free and bound money; raises PermissionDenied for an account that holds both sides of a market."""
        if not self._one_way:
            mode = (await exchange.contractPrivateGetPositionPositionMode()).get("data")
            if str(mode) != str(_ONE_WAY):
                raise PermissionDenied(self.venue, "the account is in hedge mode; set it to one-way mode at the venue")
            self._one_way = True
        row: Row = await exchange.fetch_balance()
        for asset in row["info"].get("data") or ():
            bound = Decimal(str(asset["frozenBalance"])) + Decimal(str(asset.get("positionMargin") or 0))
            row["used"][exchange.safe_currency_code(asset["currency"])] = f"{bound:f}"
        return row

    # --- streams -------------------------------------------------------------------------------------------------------

    def private_watches(self, exchange: Exchange) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return orders and trades; one login brings both, and balances and positions too."""
        return (exchange.watch_orders, exchange.watch_my_trades)

    def private_confirmations(self) -> int:
        """Return one: the login."""
        return 1

    def confirms(self, frame: Any) -> bool:
        """Whether a frame says that the login was taken."""
        return isinstance(frame, dict) and frame.get("channel") == "rs.login"

    def ends(self, frame: Any) -> bool:
        """Whether a frame says that something was refused."""
        return isinstance(frame, dict) and frame.get("channel") == "rs.error"

    def public_watches(self, exchange: Exchange, symbols: list[str]) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return a ticker a market: best bid and ask and last price, once a second."""
        return [_ticker(exchange, symbol) for symbol in symbols]

    # --- errors --------------------------------------------------------------------------------------------------------

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether the external id is taken."""
        return _code(error) == _DUPLICATE

    def did_nothing(self, error: BaseException) -> bool:
        """Whether the request was refused for its time."""
        return _code(error) == _LATE

    def refusal_code(self, error: BaseException) -> str:
        """Return our code of the venue's."""
        return _CODES.get(_code(error)) or super().refusal_code(error)


def _bare(text: str) -> int | float:
    """Return a number without quotes; as many digits as amounts and prices have come through unchanged."""
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else float(text)


def _missing(text: str) -> Exception:
    found: Exception = importlib.import_module("ccxt.base.errors").OrderNotFound(text)
    return found


def _found(exchange: Exchange, answer: Any) -> Row:
    data = answer.get("data")
    if not isinstance(data, dict) or not data.get("orderId"):
        raise _missing("the venue shows no such order")
    order: Row = exchange.parse_order(data)
    return order


def _given(raw: Row) -> str | None:
    """Return the external id that an order was given; the venue makes one (``_m_...``) for those without."""
    text = str(raw.get("externalOid") or "")
    return None if not text or text.startswith("_m_") else text


def _side(raw: Any) -> str:
    return "buy" if str(raw) in ("1", "2") else "sell"


def _of_contracts(parse: Callable[..., Row]) -> Callable[..., Row]:
    """Wrap ccxt's reading of orders: side, client id and kind of a contract order."""

    def parsed(raw: Row, market: Row | None = None) -> Row:
        order = parse(raw, market)
        order["clientOrderId"] = _given(raw)
        order["side"] = _side(raw.get("side"))
        order["type"] = "market" if str(raw.get("orderType")) in ("5", "6") else "limit"
        order["timeInForce"] = "IOC" if str(raw.get("orderType")) == "3" else "GTC"
        return order

    return parsed


def _trade_of(exchange: Exchange) -> Callable[..., Row]:
    def parsed(raw: Row, market: Row | None = None) -> Row:  # noqa: ARG001 - ccxt's signature
        taker = raw.get("isTaker", raw.get("taker"))
        trade: Row = {
            "id": str(raw["id"]),
            "order": str(raw["orderId"]),
            "symbol": exchange.safe_market(raw["symbol"])["symbol"],
            "timestamp": int(raw["timestamp"]),
            "side": _side(raw["side"]),
            "takerOrMaker": "taker" if taker in (True, "true") else "maker",
            "price": str(raw["price"]),
            "amount": str(raw["vol"]),
            "fee": {"cost": str(raw["fee"]), "currency": exchange.safe_currency_code(raw.get("feeCurrency"))},
            "info": raw,
        }
        return trade

    return parsed


def _ticker(exchange: Exchange, symbol: str) -> Callable[[], Awaitable[Any]]:
    return lambda: exchange.watch_ticker(symbol)


def _timely(exchange: Exchange, sign: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ccxt's signing: the window of an order is what is left of its time when it is signed, in whole seconds."""

    def signed(path: str, api: Any = "public", method: str = "GET", params: Any = None, *rest: Any) -> Any:
        latest = params.latest_ms if isinstance(params, _Timed) else (params or {}).get("latestMs")
        if not latest:
            return sign(path, api, method, params or {}, *rest)
        window_s = (latest - exchange.nonce()) // 1000
        if window_s < 1:
            raise TooLateToSend
        body = list(params) if isinstance(params, _Timed) else {k: v for k, v in params.items() if k != "latestMs"}
        request = sign(path, api, method, body, *rest)
        request["headers"]["Recv-Window"] = str(window_s)
        return request

    return signed

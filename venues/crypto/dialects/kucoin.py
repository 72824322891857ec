"""KuCoin: spot over the HF order endpoints, and USDT and USDC perpetuals in contracts.

A request is refused when it was signed more than 5 s ago: that is what makes an order certainly late, and one that has less
time than that is signed with an earlier instant. Client ids (``clientOid``) are unique among working orders only: the core
never sends one twice. An order is told taken and no more; how it stands is asked. The order stream tells a trade without its
fee, so the trade itself is asked for too, by the history that has it. Trades name no client id, only the order's number.

Isolated positions are opened with a leverage of 1, for KuCoin has every order say one; the leverage of cross margin is what
the account is set to. Spot history can only be asked by market. Orders that were cancelled without a fill are forgotten
after three days, all others stay: nobody asks later whether an order ever was. Accounts in the unified mode are not served.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from decimal import Decimal
from typing import Any, ClassVar, Final

from protocol.orders import OrderRequest, OrderState
from protocol.values import MarketType, OrderType
from venues.access import Access
from venues.contract import CallLimit
from venues.crypto.dialect import Dialect, Exchange, Row, plain
from venues.crypto.dialects.kucoin_streams import tell_exactly
from venues.crypto.words import LATEST, ccxt_error, code_of, of_both, take_for
from venues.facets import KeyRights

__all__ = ["KucoinDialect"]

_CODE: Final = re.compile(r'"code":\s*"(\d+)"')
_AGE_MS: Final = 5000
_STAMP: Final[ContextVar[int | None]] = ContextVar("KUCOIN_STAMP", default=None)
"""With which instant the request on its way is signed, None for now."""
_DUPLICATES: Final = ("102411", "126044", "300018")
_TAKEN: Final = re.compile(r"clientOid\W*(is |was )?(duplicat|repeat|already)", re.IGNORECASE)
_NO_ORDER: Final = ("100001", "126043", "400100")
_MISSING: Final = re.compile(r"order\W*(does )?not\W*(exist|found)", re.IGNORECASE)
_UNSURE: Final = ("408000", "126038", "126039")
"""Time-outs and failures inside the venue: what became of the request, it does not say."""
_OF_ONE_MARKET: Final = ("400500", "126005", "126021", "126045", "126046")
"""Refusals that ccxt takes for the end of the whole account."""
_MEANINGS: Final = {
    "DuplicateOrderId": _DUPLICATES,
    "RequestTimeout": _UNSURE,
    "InvalidOrder": _OF_ONE_MARKET,
    "OrderNotFound": ("100004",),  # a cancel that comes too late: how the order ended is asked then
}
_PRECISION: Final = ("600100", "600101", "300011", "300012")
_FORMAT: Final = re.compile(r"increment|minimum|multiple of|lot size|order funds should", re.IGNORECASE)
_HALTED: Final = ("400600", "126006", "126007", "126009", "126015", "300010")
_REDUCE_ONLY: Final = ("300009",)
_MARGIN_MODE: Final = "330005"
_DAY_MS: Final = 86_400_000
_WINDOW_MS: Final = 7 * _DAY_MS
_MEMORY_MS: Final = 180 * _DAY_MS
_PAGE: Final = 100
_FUTURES_PAGE: Final = 1000


def _code(error: BaseException) -> str:
    return code_of(error, _CODE)


class KucoinDialect(Dialect):
    """KuCoin."""

    venue = "kucoin"
    exchange_ids: ClassVar[dict[MarketType, str]] = of_both("kucoin")
    call_limits: ClassVar[dict[MarketType, CallLimit]] = {
        MarketType.SPOT: CallLimit(4000 // 3, 30.0),
        MarketType.PERP: CallLimit(2000 // 3, 30.0),
    }
    late_refusal_s: ClassVar[float | None] = _AGE_MS / 1000
    fill_looks_s: ClassVar[tuple[float, ...]] = (0.0, 0.1, 0.3, 1.0, 2.0)

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self.trades_by_symbol = not self.perp  # type: ignore[misc] # one class a venue: futures can be asked for all at once
        self._modes: dict[str, str] = {}

    # --- the ccxt object -----------------------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """Return options: one market family, classic accounts, HF orders, nothing asked that is not used."""
        kinds = ["swap", "future", "contract"] if self.perp else ["spot"]
        return self.one_family(
            fetchMarkets={"types": kinds},
            fetchTickers={"method": "futuresPublicGetAllTickers"},
            uta=False,
            hf=True,
            watchBalance={"fetchBalanceSnapshot": False, "awaitBalanceSnapshot": False},
        )

    def prepare(self, exchange: Exchange) -> None:
        """Correct what ccxt makes of this venue's words, and let its time stamp be ours."""
        super().prepare(exchange)
        take_for(exchange, _MEANINGS)
        now, ask_markets = exchange.nonce, exchange.fetch_markets
        exchange.nonce = lambda: _STAMP.get() or now()
        exchange.fetch_markets = lambda params=None: ask_markets({"marginables": False, **(params or {})})
        tell_exactly(exchange)

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:  # noqa: ARG002 - an age to KuCoin
        """Return the latest time; ``place`` and ``cancel`` take it out again."""
        return {LATEST: latest_ms}

    # --- orders --------------------------------------------------------------------------------------------------------

    def client_id_of_trade(self, trade: Row) -> str:
        """Return what the venue itself says: nothing in its history."""
        return str(trade["info"].get("clientOid") or "")

    async def place(self, exchange: Exchange, request: OrderRequest, amount: str, params: dict[str, Any]) -> Row:
        """Send an order; spot answers how it stands, futures only that it was taken."""
        body: dict[str, Any] = {
            "clientOid": params["clientOrderId"],
            "side": request.side.value,
            "symbol": exchange.market(request.symbol)["id"],
            "type": "market" if request.type is OrderType.MARKET else "limit",
            "size": amount,
        }
        if request.type is not OrderType.MARKET and request.price is not None:
            body["price"] = plain(request.price)
            body["timeInForce"] = "IOC" if request.type is OrderType.IOC else "GTC"
        if self.perp:
            body |= await self._futures_fields(exchange, request, amount)
        send = exchange.futuresPrivatePostOrders if self.perp else exchange.privatePostHfOrdersSync
        try:
            answer = await _signed_for(params.get(LATEST), lambda: send(body))
        except Exception as error:
            if _code(error) == _MARGIN_MODE:
                self._modes.pop(request.symbol, None)  # it was changed at the venue: the next order asks for it
            raise
        data = answer.get("data") if isinstance(answer, dict) else None
        return _taken(data if isinstance(data, dict) else {}, request)

    async def _futures_fields(self, exchange: Exchange, request: OrderRequest, amount: str) -> dict[str, Any]:
        contracts = Decimal(amount)
        if contracts != int(contracts):
            raise ccxt_error("InvalidOrder")(f"a quantity must be a multiple of the lot size: {amount} contracts")
        mode = self._modes.get(request.symbol)
        if mode is None:
            market = exchange.market(request.symbol)
            answer = await exchange.futuresPrivateGetPositionGetMarginMode({"symbol": market["id"]})
            mode = self._modes[request.symbol] = str(answer["data"]["marginMode"])
        fields: dict[str, Any] = {"size": int(contracts), "marginMode": mode, "leverage": 1}
        if request.reduce_only:
            fields["reduceOnly"] = True
        return fields

    async def cancel(self, exchange: Exchange, client_id: str, symbol: str, params: dict[str, Any]) -> None:
        """Cancel by client id."""
        await _signed_for(params.get(LATEST), lambda: exchange.cancel_order("", symbol, {"clientOrderId": client_id}))

    async def open_orders(self, exchange: Exchange, symbol: str | None) -> list[Row]:
        """Return every open order: of spot, by market, for KuCoin says which markets have some."""
        if self.perp:
            rows = await _numbered(exchange.futuresPrivateGetOrders, {"status": "active"})
            return [exchange.parse_order(row) for row in rows]
        markets = (await exchange.privateGetHfOrdersActiveSymbols())["data"]["symbols"] or []
        found: list[Row] = []
        for market_id in markets if symbol is None else [exchange.market(symbol)["id"]]:
            answer = await exchange.privateGetHfOrdersActive({"symbol": market_id})
            found += [exchange.parse_order(row) for row in answer["data"] or []]
        return found

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        """Return an order by client id; an answer without one means that there is none."""
        order = await super().query(exchange, client_id, symbol)
        if not order.get("id"):
            raise ccxt_error("OrderNotFound")(f"no order {client_id}")
        return order

    def order_state(self, order: Row) -> OrderState:
        """Return the state; an order that is done has filled only if nothing of it is left."""
        state = super().order_state(order)
        short = Decimal(order.get("filled") or 0) < Decimal(order.get("amount") or 0)
        return OrderState.CANCELLED if state is OrderState.FILLED and short else state

    # --- the account ---------------------------------------------------------------------------------------------------

    async def key_rights(self, exchange: Exchange) -> KeyRights:
        """Return the permissions of the key; Transfer is an older word for withdrawals too."""
        words = (await exchange.privateGetUserApiKey())["data"].get("permission")
        if not words:
            return KeyRights()
        given = {each.strip() for each in words.split(",")}
        trades = {"Futures", "Trade"} if self.perp else {"Spot", "Trade"}
        return KeyRights(bool(given & trades), bool(given & {"Withdrawal", "Transfer"}))

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:
        """Return trades, a week at a time: that is as much as one question may span."""
        market = exchange.market(symbol) if symbol is not None else None
        scope = {"symbol": market["id"]} if market is not None else {}
        begin, rows = max(since_ms, now_ms - _MEMORY_MS), []
        while begin <= now_ms:
            window = {**scope, "startAt": begin, "endAt": min(begin + _WINDOW_MS, now_ms + 1000) - 1}
            if self.perp:
                rows += await _numbered(exchange.futuresPrivateGetFills, window)
            else:
                rows += await _by_last_id(exchange.privateGetHfFills, window)
            begin += _WINDOW_MS
        return [exchange.parse_trade(row, market) for row in rows]

    async def balance(self, exchange: Exchange) -> Row:
        """Return what can be traded with: the trading accounts of spot, the margin accounts of futures."""
        free: dict[str, Decimal] = {}
        used: dict[str, Decimal] = {}
        for currency, available, total in await self._accounts(exchange):
            free[currency] = free.get(currency, Decimal(0)) + available
            used[currency] = used.get(currency, Decimal(0)) + total - available
        return {"free": free, "used": used, "total": {each: free[each] + used[each] for each in free}}

    async def _accounts(self, exchange: Exchange) -> list[tuple[str, Decimal, Decimal]]:
        if not self.perp:
            rows = (await exchange.privateGetAccounts())["data"]
            trading = [row for row in rows if row["type"] in ("trade", "trade_hf")]
            return [
                (exchange.safe_currency_code(row["currency"]), Decimal(row["available"]), Decimal(row["balance"]))
                for row in trading
            ]
        found = []
        for currency in sorted(
            {market["settleId"] for market in exchange.markets.values() if self.trades_here(market)}
        ):
            row = (await exchange.futuresPrivateGetAccountOverview({"currency": currency}))["data"]
            parts = (
                row.get(name) or 0 for name in ("availableBalance", "orderMargin", "positionMargin", "frozenFunds")
            )
            free, *held = (Decimal(part) for part in parts)
            found.append((exchange.safe_currency_code(currency), free, free + sum(held, Decimal(0))))
        return found

    # --- streams -------------------------------------------------------------------------------------------------------

    def private_watches(self, exchange: Exchange) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return two: the order topic tells of trades too."""
        return (exchange.watch_orders, exchange.watch_balance)

    def private_confirmations(self) -> int:
        """Return the number of topics."""
        return 2

    def confirms(self, frame: Any) -> bool:
        """Whether a topic was joined."""
        return isinstance(frame, dict) and frame.get("type") == "ack"

    def public_watches(self, exchange: Exchange, symbols: list[str]) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return one for spot, whose tickers hold bid, ask and last; futures tell a new book by a topic of its own."""
        return super().public_watches(exchange, symbols)[0 if self.perp else 1 :]

    # --- errors --------------------------------------------------------------------------------------------------------

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether the client id is taken, by code or by words."""
        return super().is_duplicate(error) or bool(_TAKEN.search(str(error)))

    def is_missing(self, error: BaseException) -> bool:
        """Whether there is no such order, by code or by words."""
        return super().is_missing(error) or (_code(error) in _NO_ORDER and bool(_MISSING.search(str(error))))

    def leaves_open(self, error: BaseException) -> bool:
        """Whether a code that ccxt does not know is of the kind that tells of failures inside the venue."""
        return type(error).__name__ == "ExchangeError" and _code(error).startswith("5")

    def did_nothing(self, error: BaseException) -> bool:
        """Whether the venue refused a request for its age, before it looked at it."""
        return self.is_late(error)

    def retry_after_s(self, headers: dict[str, str], now_ms: int) -> float | None:  # noqa: ARG002 - a duration to KuCoin
        """Return how long until KuCoin's window of requests begins anew."""
        wait = headers.get("gw-ratelimit-reset", "")
        return int(wait) / 1000 if wait.isdigit() else None

    def refusal_code(self, error: BaseException) -> str:
        """Return our word for a code."""
        code = _code(error)
        if code in _REDUCE_ONLY:
            return "ReduceOnly"
        if code in _HALTED:
            return "MarketHalted"
        if code in _PRECISION or _FORMAT.search(str(error)):
            return "PrecisionRejected"
        return super().refusal_code(error)


async def _signed_for(latest_ms: int | None, send: Callable[[], Awaitable[Any]]) -> Any:
    """Send a request so that KuCoin refuses it after ``latest_ms``: it takes what was signed within the last 5 s."""
    token = _STAMP.set(None if latest_ms is None else latest_ms - _AGE_MS)
    try:
        return await send()
    finally:
        _STAMP.reset(token)


def _taken(data: Row, request: OrderRequest) -> Row:
    """Return an answer to a new order as a unified order; without a state where it has none."""
    order: Row = {
        "id": data.get("orderId"),
        "clientOrderId": data.get("clientOid"),
        "symbol": request.symbol,
        "info": data,
    }
    if "status" not in data:
        return order
    status = "open" if data["status"] == "open" else "closed"
    filled = {"amount": data["originSize"], "filled": data["dealSize"]}
    return {**order, **filled, "status": status, "timestamp": data.get("matchTime")}


async def _by_last_id(ask: Any, request: dict[str, Any]) -> list[Row]:
    """Return every row of a list that goes on from the last id of the page before."""
    found: list[Row] = []
    scope: dict[str, Any] = {}
    while True:
        data = (await ask({**request, "limit": _PAGE, **scope}))["data"]
        found += data["items"]
        if len(data["items"]) < _PAGE:
            return found
        scope = {"lastId": data["lastId"]}


async def _numbered(ask: Any, request: dict[str, Any]) -> list[Row]:
    """Return every row of a list in numbered pages."""
    found: list[Row] = []
    number = 1
    while True:
        data = (await ask({**request, "pageSize": _FUTURES_PAGE, "currentPage": number}))["data"]
        found += data["items"]
        if number >= int(data["totalPage"]):
            return found
        number += 1

"""Bybit v5: spot and linear perpetuals of a unified trading account.

Creating and cancelling are acknowledged before they are done, so the core asks how an order stands. Client ids
(``orderLinkId``) are never taken twice. A request is refused once the venue's clock is past its signing time by more than
``recv_window``, which is therefore made to end at the latest time of the order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from protocol.orders import OrderState
from protocol.values import MarketType
from venues.contract import CallLimit
from venues.crypto.dialect import Dialect, Exchange, Row
from venues.crypto.words import LATEST, ccxt_error, code_of, of_both, take_for
from venues.errors import PermissionDenied
from venues.facets import KeyRights

__all__ = ["BybitDialect"]

_CODE: Final = re.compile(r'"ret_?[cC]ode":\s*"?(-?\d+)')
_WINDOW_MS: Final = 5000
_WEEK_MS: Final = 7 * 86_400_000
_MEMORY_MS: Final = 2 * 365 * 86_400_000
_WEEKS_SEARCHED: Final = 5
"""How far back an order is looked for by its id: longer than any of ours is left without a look at it."""
_PAGE: Final = 100
_TRADES: Final = ("Trade", "AdlTrade", "BustTrade")
_DUPLICATES: Final = ("110072", "170141", "110030")
_LATE: Final = "10002"
_GONE: Final = ("110001", "110008", "110010", "110019", "170139", "170142", "170143", "170190", "170213")
"""Answers to a cancel: there is no such open order any more."""
_UNSURE: Final = (
    "429", "5004", "10000", "10016", "10429", "110079", "170007", "170032", "170146", "170147", "170149", "170150",
    "170191", "170234", "340099", "3400214",
)  # fmt: skip
"""Failures inside the venue: what became of the request, it does not say."""
_OF_ONE_MARKET: Final = ("10029", "170209", "170224")
"""Refusals that ccxt takes for the end of the whole account."""
_MEANINGS: Final = {
    "ExchangeNotAvailable": _UNSURE,
    "DuplicateOrderId": _DUPLICATES,
    "OrderNotFound": _GONE,
    "InvalidOrder": _OF_ONE_MARKET,
}
_PRECISION: Final = (
    "110003", "110017", "110049", "110094", "170124", "170130", "170132", "170133", "170134", "170135", "170136", "170137",
    "170140", "170148",
)  # fmt: skip
_BANNED: Final = "403"
_BAN_S: Final = 600.0
"""A status, not a code, says that an address has asked too much: nothing is heard for ten minutes."""
_REDUCE_ONLY: Final = re.compile(r"(?i)reduce.?only|current position is zero")
_HALTED: Final = ("110063", "110066", "170151", "170157", "170159", "170217")
_NO_REASON: Final = ("EC_NoError", "EC_PerCancelRequest", "UNKNOWN")
_STATES: Final = {
    "Created": OrderState.OPEN,
    "New": OrderState.OPEN,
    "Untriggered": OrderState.OPEN,
    "Triggered": OrderState.OPEN,
    "Active": OrderState.OPEN,
    "PartiallyFilled": OrderState.PARTIALLY_FILLED,
    "Filled": OrderState.FILLED,
    "Cancelled": OrderState.CANCELLED,
    "PartiallyFilledCanceled": OrderState.CANCELLED,
    "Deactivated": OrderState.CANCELLED,
    "Rejected": OrderState.REJECTED,
}


def _code(error: BaseException) -> str:
    return code_of(error, _CODE)


class BybitDialect(Dialect):
    """Bybit."""

    venue = "bybit"
    amends = True
    order_weight = 2.5
    exchange_ids: ClassVar[dict[MarketType, str]] = of_both("bybit")
    call_limits: ClassVar[dict[MarketType, CallLimit]] = of_both(CallLimit(600, 5.0))
    lag_s = 3.0

    # --- the ccxt object -----------------------------------------------------------------------------------------------

    @property
    def _category(self) -> str:
        return "linear" if self.perp else "spot"

    def config(self) -> dict[str, Any]:
        """Return options: one market family, one way to ask."""
        return self.one_family(
            defaultSubType="linear",
            fetchMarkets={"types": [self._category]},
            watchMyTrades={"execType": list(_TRADES)},
            recvWindow=_WINDOW_MS,
        )

    def prepare(self, exchange: Exchange) -> None:
        """Correct what ccxt makes of this venue's words."""
        super().prepare(exchange)
        take_for(exchange, _MEANINGS)
        exchange.httpExceptions = {**exchange.httpExceptions, _BANNED: ccxt_error("RateLimitExceeded")}
        exchange.sign = _windowed(exchange, exchange.sign)
        exchange.parse_trade = _charged(exchange.parse_trade)
        exchange.handle_order = _of_category(self._category, exchange.handle_order)
        exchange.handle_my_trades = _of_category(self._category, exchange.handle_my_trades)

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:  # noqa: ARG002 - counted when it is signed
        """Return the latest time; it is taken out again where the request is signed."""
        return {LATEST: latest_ms}

    async def key_rights(self, exchange: Exchange) -> KeyRights:
        """Return the permissions of the key; a read-only one has none of them."""
        found = (await exchange.privateGetV5UserQueryApi())["result"]
        if int(found["readOnly"]):
            return KeyRights(trade=False, withdraw=False)
        permissions = found.get("permissions")
        if permissions is None:
            return KeyRights()
        areas = ("ContractTrade", "Derivatives") if self.perp else ("Spot",)
        return KeyRights(any(permissions.get(each) for each in areas), "Withdraw" in permissions.get("Wallet", ()))

    # --- orders --------------------------------------------------------------------------------------------------------

    def client_id_of_trade(self, trade: Row) -> str:
        """Return what the venue itself says."""
        return str(trade["info"].get("orderLinkId") or "")

    async def cancel(self, exchange: Exchange, client_id: str, symbol: str, params: dict[str, Any]) -> None:
        """Cancel by client id."""
        await exchange.cancel_order(None, symbol, {"orderLinkId": client_id, **params})

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        """Return an order by client id."""
        return await self._one(exchange, {"orderLinkId": client_id}, symbol)

    async def order_by_number(self, exchange: Exchange, number: str, symbol: str) -> Row:
        """Return an order by the venue's id."""
        return await self._one(exchange, {"orderId": number}, symbol)

    async def _one(self, exchange: Exchange, name: dict[str, str], symbol: str) -> Row:
        """Return an order: the newest five hundred are told at once, older final ones are in the history, week by week.

        All weeks are asked before an order is called missing: one that filled must never be taken for one that never was.
        """
        market = exchange.market(symbol)
        request = {"category": self._category, "symbol": market["id"], **name}
        rows = (await exchange.privateGetV5OrderRealtime(request))["result"]["list"]
        end = exchange.milliseconds() + _WEEK_MS // 7
        for _ in range(_WEEKS_SEARCHED):
            if rows:
                break
            window = {"startTime": end - _WEEK_MS, "endTime": end}
            rows = (await exchange.privateGetV5OrderHistory({**request, **window}))["result"]["list"]
            end -= _WEEK_MS
        if not rows:
            raise ccxt_error("OrderNotFound")(f"bybit has no order {next(iter(name.values()))}")
        found: Row = exchange.parse_order(rows[0], market)
        return found

    async def open_orders(self, exchange: Exchange, symbol: str | None) -> list[Row]:
        """Return every open order, page by page."""
        found: list[Row] = []
        for scope in self._scopes(exchange, symbol):
            request = {"category": self._category, "limit": 50, **scope}
            rows = await _pages(exchange.privateGetV5OrderRealtime, request)
            found += [exchange.parse_order(row, self._market(exchange, row)) for row in rows]
        return found

    def _scopes(self, exchange: Exchange, symbol: str | None) -> list[dict[str, str]]:
        """Return what must be asked one by one: perpetuals are listed by the coin that they are settled in."""
        if symbol is not None:
            return [{"symbol": exchange.market(symbol)["id"]}]
        if not self.perp:
            return [{}]
        coins = {market["settleId"] for market in exchange.markets.values() if self.trades_here(market)}
        return [{"settleCoin": coin} for coin in sorted(coins)]

    def _market(self, exchange: Exchange, row: Row) -> Row:
        found: Row = exchange.safe_market(row["symbol"], None, None, self.family)
        return found

    def order_state(self, order: Row) -> OrderState:
        """Read the venue's own word: ccxt has one for a full fill and for a part that was cancelled."""
        return _STATES.get(str((order.get("info") or {}).get("orderStatus") or ""), OrderState.UNKNOWN)

    def reason(self, order: Row) -> str:
        """Return what the matching engine said: orders are refused after they were acknowledged, too."""
        told = str((order.get("info") or {}).get("rejectReason") or "")
        return "" if told in _NO_REASON else told

    # --- the account ---------------------------------------------------------------------------------------------------

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:
        """Return trades by weeks, the longest that one question may span."""
        found: list[Row] = []
        start = max(since_ms, now_ms - _MEMORY_MS)
        scope = {"symbol": exchange.market(symbol)["id"]} if symbol is not None else {}
        while start <= now_ms + _WEEK_MS:
            request = {
                "category": self._category,
                "limit": _PAGE,
                "startTime": start,
                "endTime": start + _WEEK_MS,
                **scope,
            }
            rows = await _pages(exchange.privateGetV5ExecutionList, request)
            traded = [row for row in rows if row.get("execType") in _TRADES]
            found += [exchange.parse_trade(row, self._market(exchange, row)) for row in traded]
            start += _WEEK_MS
            if start > now_ms:
                break
        return found

    async def balance(self, exchange: Exchange) -> Row:
        """Return the balance of the unified account; refuse every other kind."""
        found: Row = await exchange.fetch_balance()
        if not (exchange.options["enableUnifiedAccount"] or exchange.options["enableUnifiedMargin"]):
            # Sizes of a classic account's market orders mean something else.
            raise PermissionDenied(self.venue, "only unified trading accounts are supported: upgrade this one")
        return found

    async def positions(self, exchange: Exchange) -> list[Row]:
        """Return every open position, page by page."""
        found: list[Row] = []
        for scope in self._scopes(exchange, None):
            request = {"category": self._category, "limit": 200, **scope}
            rows = await _pages(exchange.privateGetV5PositionList, request)
            found += [exchange.parse_position(row, self._market(exchange, row)) for row in rows]
        return found

    # --- streams -------------------------------------------------------------------------------------------------------

    def private_confirmations(self) -> int:
        """Return the number of channels."""
        return 3

    def confirms(self, frame: Any) -> bool:
        """Whether a channel was opened."""
        return isinstance(frame, dict) and frame.get("op") == "subscribe" and frame.get("success") is True

    # --- errors --------------------------------------------------------------------------------------------------------

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether the client id was taken before."""
        return _code(error) in _DUPLICATES

    def did_nothing(self, error: BaseException) -> bool:
        """Whether the venue refused for lateness, before it looked at the request."""
        return _code(error) == _LATE

    def retry_after_s(self, headers: dict[str, str], now_ms: int) -> float | None:
        """Return the time until the limit of this kind of requests is lifted; an address that is banned waits longest."""
        if headers.get(":status") == _BANNED:
            return _BAN_S
        reset = headers.get("x-bapi-limit-reset-timestamp", "")
        return max(0.0, (int(reset) - now_ms) / 1000) if reset.isdigit() else super().retry_after_s(headers, now_ms)

    def refusal_code(self, error: BaseException) -> str:
        """Return our word for a code."""
        code, text = _code(error), str(error)
        if code in ("110017", "10001") and _REDUCE_ONLY.search(text):
            return "ReduceOnly"
        if code in _PRECISION or (code == "10001" and re.search(r"(?i)qty|price|contracts", text)):
            return "PrecisionRejected"
        if code in _HALTED:
            return "MarketHalted"
        return super().refusal_code(error)


async def _pages(ask: Any, request: Mapping[str, Any]) -> list[Row]:
    """Return every row of a list that comes in pages."""
    found: list[Row] = []
    cursor = ""
    while True:
        result = (await ask({**request, **({"cursor": cursor} if cursor else {})}))["result"]
        found += result["list"]
        following = result.get("nextPageCursor") or ""
        if following in ("", cursor) or not result["list"]:
            return found
        cursor = following


def _windowed(exchange: Exchange, sign: Any) -> Any:
    """Sign with a window that ends at the latest time of a request."""

    def windowed(path: str, api: Any = "public", method: str = "GET", params: Any = None, *rest: Any) -> Any:
        known = dict(params or {})
        latest = known.pop(LATEST, None)
        if latest is None:
            return sign(path, api, method, known, *rest)
        exchange.options["recvWindow"] = max(1, min(_WINDOW_MS, latest - exchange.nonce()))
        try:
            return sign(path, api, method, known, *rest)
        finally:
            exchange.options["recvWindow"] = _WINDOW_MS

    return windowed


def _charged(parse: Any) -> Any:
    """Read the fee's currency where Bybit says it; ccxt guesses it from the side."""

    def charged(trade: Row, market: Any = None) -> Any:
        currency = trade.get("feeCurrency")
        return parse({**trade, "feeCoin": currency} if currency else trade, market)

    return charged


def _of_category(category: str, handle: Any) -> Any:
    """Hear of one market family only: a spot market and its perpetual have the same name."""

    def of_category(client: Any, message: Row) -> None:
        rows = [row for row in message["data"] if row.get("category", category) == category]
        if rows:
            handle(client, {**message, "data": rows})

    return of_category

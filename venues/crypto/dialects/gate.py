"""Gate v4: spot, and USDT perpetuals in signed contracts.

A client id is a ``text`` of "t-" and at most 28 characters. Gate refuses no second order with the same text: the core's
memory, and the orders that were pending when a connection began, keep an id from being sent twice. And it finds an order by
its text for certain only while it is pending (documented for an hour after its end, a minute on futures; in practice not at
all once it has filled). Orders are therefore asked for by number, which every answer and every fact of the stream teaches;
one whose number is unknown is looked for by text, and then among the finished ones of its market.

What proves that an order never was: its header ``x-gate-exptime`` has passed, no pending and no finished order has its
text, and that was so twice, two seconds apart, for an order may be on its way from one list to the other. A perpetual order
that was cancelled without a fill leaves the list of finished ones after ten minutes; it can do nothing any more either.

A market buy of spot says how much quote currency to spend, never how much to buy: it is sent as an immediate-or-cancel limit
order for the exact quantity, at most 2 % above the best ask.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from protocol.orders import OrderRequest, OrderState
from protocol.values import MarketType
from venues.access import Access
from venues.contract import CallLimit
from venues.crypto.dialect import Dialect, Exchange, Row
from venues.crypto.dialects.gate_words import (
    SETTLE,
    expiring,
    few_tickers,
    futures_fields,
    last_prices,
    open_interest,
    spot_fields,
)
from venues.crypto.memory import Bounded
from venues.crypto.words import LATEST, ccxt_error, code_of, of_both, take_for

__all__ = ["GateDialect"]

_LABEL: Final = re.compile(r'"label":\s*"(\w+)"')
_TWICE_MS: Final = 2000
_MEANINGS: Final = {
    "InvalidNonce": ("REQUEST_EXPIRED",),  # late, not unauthorised
    "OrderNotFound": ("ORDER_FINISHED", "ORDER_CLOSED", "ORDER_CANCELLED"),
    "InvalidOrder": ("TRADE_RESTRICTED",),  # of one market, not of the account
}
_PRECISION: Final = ("INVALID_PRECISION", "AMOUNT_TOO_LITTLE", "AMOUNT_TOO_MUCH", "SIZE_TOO_SMALL", "SIZE_TOO_LARGE")
_FORMAT: Final = re.compile(r"order size|argument: size|precision", re.IGNORECASE)
_REDUCE_ONLY: Final = ("POSITION_EMPTY", "INCREASE_POSITION", "REDUCE_EXCEEDED", "EMPTY_POSITION")
_HALTED: Final = ("CONTRACT_IN_DELISTING", "CONTRACT_NO_COUNTER", "TRADE_RESTRICTED")
_DAY_S: Final = 86_400
_WINDOW_S: Final = 30 * _DAY_S - 1
_MEMORY_S: Final = 180 * _DAY_S
_PAGE: Final = 100
_TRADES_PAGE: Final = 1000
_FINISHED_PAGES: Final = 10


def _label(error: BaseException) -> str:
    return code_of(error, _LABEL)


class GateDialect(Dialect):
    """Gate."""

    venue = "gate"
    exchange_ids: ClassVar[dict[MarketType, str]] = of_both("gate")
    call_limits: ClassVar[dict[MarketType, CallLimit]] = of_both(CallLimit(150, 10.0))

    lag_s: ClassVar[float] = 4.0
    amends: bool = True

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._numbers: Bounded[str, str] = Bounded()
        """Text -> number of the newest order with it."""
        self._missed: Bounded[str, int] = Bounded()
        """Text -> when it was first looked for in vain (ms)."""
        self._acquainted = False
        """Whether the pending orders of an earlier life are known."""

    # --- the ccxt object -----------------------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """Return options: one market family, dollar-settled."""
        return self.one_family(
            fetchMarkets={"types": [self.family]}, swap={"fetchMarkets": {"settlementCurrencies": ["usdt"]}}
        )

    def credentials(self) -> dict[str, str]:
        """Return ccxt's names; the number of the user is asked for when it was not configured."""
        uid = {"uid": self.access.account_id} if self.access.account_id else {}
        return super().credentials() | uid

    def prepare(self, exchange: Exchange) -> None:
        """Correct what ccxt makes of this venue's words, learn the number of every order, sign latest times."""
        super().prepare(exchange)
        take_for(exchange, _MEANINGS)
        exchange.sign = expiring(exchange.sign)
        exchange.parse_order = self._learning(exchange.parse_order)
        exchange.handle_ticker = last_prices(exchange)
        exchange.fetch_tickers = few_tickers(exchange, exchange.fetch_tickers)
        exchange.fetch_open_interest = lambda symbol: open_interest(exchange, symbol)

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:  # noqa: ARG002 - an instant to Gate
        """Return the latest time; it is taken out again where the request is signed."""
        return {LATEST: latest_ms}

    # --- client ids ----------------------------------------------------------------------------------------------------

    def client_id_out(self, client_order_id: str) -> str:
        """Return our id as a text."""
        return f"t-{client_order_id}"

    def client_id_in(self, text: str) -> str | None:
        """Return our id of a text."""
        return super().client_id_in(text.removeprefix("t-")) if text.startswith("t-") else None

    def client_id_of_trade(self, trade: Row) -> str:
        """Return what the venue itself says; of trades made elsewhere it only says where, so their order names them."""
        text = str(trade["info"].get("text") or "")
        return text if text.startswith("t-") else f"gate-{trade.get('order')}"

    def _learning(self, parse: Any) -> Any:
        def learning(order: Row, market: Any = None) -> Any:
            parsed = parse(order, market)
            text = str(parsed.get("clientOrderId") or "")
            if not text.startswith("t-"):
                return {
                    **parsed,
                    "clientOrderId": None,
                }  # "web", "app", "api": where it was made, not what it is called
            if parsed.get("id"):
                self._numbers[text] = parsed["id"]
            return parsed

        return learning

    # --- orders --------------------------------------------------------------------------------------------------------

    async def place(self, exchange: Exchange, request: OrderRequest, amount: str, params: dict[str, Any]) -> Row:
        """Send an order; its answer says how it stands."""
        market = exchange.market(request.symbol)
        text = params["clientOrderId"]
        if not self._acquainted:
            await self.open_orders(exchange, None)
            self._acquainted = True
        if text in self._numbers:
            raise ccxt_error("DuplicateOrderId")(f"{text} was sent before")
        body = {"text": text, LATEST: params[LATEST]}
        if self.perp:
            send, body = exchange.privateFuturesPostSettleOrders, {**body, **SETTLE}
            body |= futures_fields(market, request, amount)
        else:
            send = exchange.privateSpotPostOrders
            body["account"] = "unified" if exchange.options.get("unifiedAccount") else "spot"
            body |= await spot_fields(exchange, market, request, amount)
        try:
            answer = await send(body)
        except Exception as error:
            if self.is_late(error):
                self._missed.setdefault(text, exchange.milliseconds())  # that it has no order is the venue's own word
            raise
        self._missed.pop(text, None)
        known = isinstance(answer, dict) and "id" in answer
        order: Row = exchange.parse_order(answer, market) if known else _nowhere(request.symbol)
        return order

    async def cancel(self, exchange: Exchange, client_id: str, symbol: str, params: dict[str, Any]) -> None:
        """Cancel by number where it is known, else by text."""
        await exchange.cancel_order(self._numbers.get(client_id, client_id), symbol, params)

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        """Return an order; one that was missed but once is in no state yet."""
        missing = ccxt_error("OrderNotFound")
        number = self._numbers.get(client_id)
        try:
            order: Row = await exchange.fetch_order(number or client_id, symbol)
        except missing:
            if number is not None:
                return _forgotten(number, client_id, symbol) if self.perp else _nowhere(symbol)
        else:
            return order
        found = await self._finished(exchange, client_id, symbol)
        if found is not None:
            return found
        now = exchange.milliseconds()
        first = self._missed.setdefault(client_id, now)
        if now - first < _TWICE_MS:
            return _nowhere(symbol)
        raise missing(f"no order {client_id}")

    async def _finished(self, exchange: Exchange, text: str, symbol: str) -> Row | None:
        """Look for an order among the newest finished ones of its market; fail when there are too many to tell."""
        market = exchange.market(symbol)
        for page in range(_FINISHED_PAGES):
            if self.perp:
                scope = {**SETTLE, "contract": market["id"], "offset": page * _PAGE}
                rows = await exchange.privateFuturesGetSettleOrders({**scope, "status": "finished", "limit": _PAGE})
            else:
                since = exchange.seconds() - _WINDOW_S + _DAY_S
                scope = {"currency_pair": market["id"], "page": page + 1, "from": since}
                rows = await exchange.privateSpotGetOrders({**scope, "status": "finished", "limit": _PAGE})
            for row in rows:
                if row.get("text") == text:
                    order: Row = exchange.parse_order(row, market)
                    return order
            if len(rows) < _PAGE:
                return None
        raise ccxt_error("ExchangeNotAvailable")("too many finished orders")

    async def open_orders(self, exchange: Exchange, symbol: str | None) -> list[Row]:
        """Return every open order, page by page."""
        rows: list[Row] = []
        for page in range(1, 101):
            if self.perp:
                scope = {**SETTLE, "offset": (page - 1) * _PAGE}
                found = await exchange.privateFuturesGetSettleOrders({**scope, "status": "open", "limit": _PAGE})
                rows, full = rows + found, len(found) >= _PAGE
            else:
                pairs = await exchange.privateSpotGetOpenOrders({"page": page, "limit": _PAGE})
                rows, full = (
                    rows + [row for pair in pairs for row in pair["orders"]],
                    any(len(pair["orders"]) >= _PAGE for pair in pairs),
                )
            if not full:
                break
        orders = [exchange.parse_order(row) for row in rows]
        return [order for order in orders if symbol in (None, order["symbol"])]

    def order_state(self, order: Row) -> OrderState:
        """Read the venue's own words: ccxt knows only some of the ways in which an order ends."""
        info = order.get("info") or {}
        status, ended, event = info.get("status"), info.get("finish_as"), info.get("event")
        if status == "open" or event in ("put", "update") or ended in ("open", "_new"):
            return OrderState.PARTIALLY_FILLED if Decimal(order.get("filled") or 0) > 0 else OrderState.OPEN
        if ended == "filled" or (ended is None and status == "closed"):
            return OrderState.FILLED
        return OrderState.CANCELLED if ended or status in ("cancelled", "finished") else OrderState.UNKNOWN

    # --- the account ---------------------------------------------------------------------------------------------------

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:
        """Return trades, a month at a time: that is as much as one question may span."""
        market = exchange.market(symbol) if symbol is not None else None
        name = "contract" if self.perp else "currency_pair"
        scope = {name: market["id"]} if market is not None else {}
        begin, now, rows = max(since_ms // 1000, now_ms // 1000 - _MEMORY_S), now_ms // 1000 + 1, []
        while begin <= now:
            rows += await self._trades(exchange, {**scope, "from": begin, "to": min(begin + _WINDOW_S, now)})
            begin += _WINDOW_S + 1
        return [exchange.parse_trade(row, market) for row in rows]

    async def _trades(self, exchange: Exchange, window: dict[str, Any]) -> list[Row]:
        found: list[Row] = []
        while True:
            if self.perp:
                page = {**SETTLE, "offset": len(found)}
                rows = await exchange.privateFuturesGetSettleMyTradesTimerange(
                    {**window, **page, "limit": _TRADES_PAGE}
                )
            else:
                page = {"page": len(found) // _TRADES_PAGE + 1}
                rows = await exchange.privateSpotGetMyTrades({**window, **page, "limit": _TRADES_PAGE})
            found += rows
            if len(rows) < _TRADES_PAGE:
                return found

    # --- streams -------------------------------------------------------------------------------------------------------

    def private_watches(self, exchange: Exchange) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return three; those of futures need the number of the user."""
        watches = (exchange.watch_orders, exchange.watch_my_trades, exchange.watch_balance)
        return tuple(_known_user(exchange, watch) for watch in watches) if self.perp else watches

    def private_confirmations(self) -> int:
        """Return the number of channels."""
        return 3

    def confirms(self, frame: Any) -> bool:
        """Whether a channel was joined."""
        return isinstance(frame, dict) and frame.get("event") == "subscribe" and frame.get("error") is None

    # --- errors --------------------------------------------------------------------------------------------------------

    def did_nothing(self, error: BaseException) -> bool:
        """Whether the venue refused a request for its lateness, before it looked at it."""
        return self.is_late(error)

    def retry_after_s(self, headers: dict[str, str], now_ms: int) -> float | None:
        """Return how long until Gate's window of requests begins anew; told as an instant, in seconds or milliseconds."""
        reset = headers.get("x-gate-ratelimit-reset-timestamp", "")
        if not reset.isdigit():
            return super().retry_after_s(headers, now_ms)
        reset_ms = int(reset) if len(reset) > len("1750000000") else int(reset) * 1000
        return max(0.0, (reset_ms - now_ms) / 1000)

    def refusal_code(self, error: BaseException) -> str:
        """Return our word for a label."""
        label = _label(error)
        if label in _REDUCE_ONLY:
            return "ReduceOnly"
        if label in _HALTED:
            return "MarketHalted"
        if label in _PRECISION or (label == "INVALID_PARAM_VALUE" and _FORMAT.search(str(error))):
            return "PrecisionRejected"
        return super().refusal_code(error)


def _known_user(exchange: Exchange, watch: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    async def watching() -> Any:
        if not exchange.uid:
            exchange.uid = str((await exchange.privateFuturesGetSettleAccounts(dict(SETTLE)))["user"])
        return await watch()

    return watching


def _forgotten(number: str, text: str, symbol: str) -> Row:
    """Return a perpetual order that was there and is remembered no more: cancelled, and nothing of it had traded."""
    info = {"status": "finished", "finish_as": "cancelled"}
    return {"id": number, "clientOrderId": text, "symbol": symbol, "filled": "0", "info": info}


def _nowhere(symbol: str) -> Row:
    """Return an order of which nothing can be told."""
    return {"id": None, "symbol": symbol, "info": {}}

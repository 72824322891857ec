"""OKX v5: spot and linear swaps of a trading account in net mode.

Client ids (``clOrdId``) are unique among open orders only: the core never sends one twice. Every request is refused when it
was signed more than 30 s ago, an order also after the header ``expTime``. Swaps count in contracts. A message of the order
stream carries the trade that it tells of.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from protocol.orders import OrderState
from protocol.values import MarketType
from venues.contract import CallLimit
from venues.crypto.dialect import Dialect, Exchange, Row
from venues.crypto.words import LATEST, ccxt_error, code_of, of_both, take_for
from venues.errors import VenueError
from venues.facets import KeyRights

__all__ = ["OkxDialect"]

_CODE: Final = re.compile(r'"code":\s*"(\d+)"')
_ORDER_CODE: Final = re.compile(r'"sCode":\s*"(\d+)"')
_DAY_MS: Final = 86_400_000
_RECENT_MS: Final = 3 * _DAY_MS - 600_000
_MEMORY_MS: Final = 90 * _DAY_MS
_PAGE: Final = 100
_DUPLICATES: Final = ("51016",)
_EXPIRED: Final = "50102"
_GONE: Final = ("51400", "51401", "51402", "51410", "51503", "51603")
_UNSURE: Final = ("50001", "50004", "50005", "50013", "50026", "51149", "51054")
"""Failures inside the venue, and time-outs: what became of the request, it does not say."""
_TOO_MANY: Final = ("50011", "50040", "50061")
_OF_ONE_MARKET: Final = ("51009", "51155")
"""Refusals that ccxt takes for the end of the whole account."""
_MEANINGS: Final = {
    "ExchangeNotAvailable": _UNSURE,
    "DuplicateOrderId": _DUPLICATES,
    "OrderNotFound": _GONE,
    "RateLimitExceeded": _TOO_MANY,
    "InvalidOrder": _OF_ONE_MARKET,
}
_PRECISION: Final = ("51005", "51006", "51007", "51020", "51100", "51116", "51118", "51120", "51121", "51122", "51137",
                     "51138")  # fmt: skip
_REDUCE_ONLY: Final = ("51112", "51169", "51170", "51205")
_HALTED: Final = ("51021", "51022", "51027", "51028", "51029", "51030")
_STATES: Final = {
    "live": OrderState.OPEN,
    "partially_filled": OrderState.PARTIALLY_FILLED,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "mmp_canceled": OrderState.CANCELLED,
}


def _code(error: BaseException) -> str:
    """Return the code of one order where there is one, else that of the whole answer."""
    return code_of(error, _ORDER_CODE, _CODE)


class OkxDialect(Dialect):
    """OKX."""

    venue = "okx"
    amends = True
    order_weight = 1 / 3
    exchange_ids: ClassVar[dict[MarketType, str]] = of_both("okx")
    call_limits: ClassVar[dict[MarketType, CallLimit]] = of_both(CallLimit(60, 2.0))

    # --- the ccxt object -----------------------------------------------------------------------------------------------

    @property
    def _type(self) -> str:
        return "SWAP" if self.perp else "SPOT"

    def config(self) -> dict[str, Any]:
        """Return options: one market family, one way to ask."""
        return self.one_family(fetchMarkets={"types": [self.family]}, createOrder="privatePostTradeOrder")

    def prepare(self, exchange: Exchange) -> None:
        """Correct what ccxt makes of this venue's words."""
        super().prepare(exchange)
        take_for(exchange, _MEANINGS)
        exchange.sign = _expiring(exchange.sign)
        exchange.order_to_trade = _charged(exchange.order_to_trade)

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:  # noqa: ARG002 - an instant to OKX
        """Return the latest time; it is taken out again where the request is signed."""
        return {LATEST: latest_ms}

    # --- orders --------------------------------------------------------------------------------------------------------

    def client_id_of_trade(self, trade: Row) -> str:
        """Return what the venue itself says."""
        return str(trade["info"].get("clOrdId") or "")

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        """Return an order by client id; one that OKX shows no more is looked for among the trades of three months.

        An order that filled must never be taken for one that never was.
        """
        missing = ccxt_error("OrderNotFound")
        try:
            return await super().query(exchange, client_id, symbol)
        except missing:
            number = await self._traded_as(exchange, client_id, symbol)
            if not number:
                raise
        try:
            return await self.order_by_number(exchange, number, symbol)
        except missing:
            raise VenueError(self.venue, f"order {number} has traded and is not shown any more") from None

    async def _traded_as(self, exchange: Exchange, client_id: str, symbol: str) -> str:
        begin = exchange.milliseconds() - _MEMORY_MS
        request = {"instType": self._type, "instId": exchange.market(symbol)["id"], "begin": begin}
        rows = await _pages(exchange.privateGetTradeFillsHistory, request, "billId")
        return next((str(row["ordId"]) for row in rows if row.get("clOrdId") == client_id), "")

    async def open_orders(self, exchange: Exchange, symbol: str | None) -> list[Row]:
        """Return every open order, page by page."""
        scope = {"instId": exchange.market(symbol)["id"]} if symbol is not None else {}
        rows = await _pages(exchange.privateGetTradeOrdersPending, {"instType": self._type, **scope}, "ordId")
        return [exchange.parse_order(row) for row in rows]

    def order_state(self, order: Row) -> OrderState:
        """Read the venue's own word: ccxt has one for a full fill and for a part that was cancelled."""
        return _STATES.get(str((order.get("info") or {}).get("state") or ""), OrderState.UNKNOWN)

    def reason(self, order: Row) -> str:
        """Return why an order was cancelled that nobody asked to cancel."""
        return str((order.get("info") or {}).get("cancelSourceReason") or "")[:200]

    # --- the account ---------------------------------------------------------------------------------------------------

    async def key_rights(self, exchange: Exchange) -> KeyRights:
        """Return the permissions of the key."""
        words = (await exchange.privateGetAccountConfig())["data"][0].get("perm")
        return KeyRights() if not words else KeyRights("trade" in words.split(","), "withdraw" in words.split(","))

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:
        """Return trades: those of three days are told at once, those of three months from the history."""
        begin = max(since_ms, now_ms - _MEMORY_MS)
        request = {"instType": self._type, "begin": begin}
        if symbol is not None:
            request["instId"] = exchange.market(symbol)["id"]
        rows = await _pages(exchange.privateGetTradeFills, request, "billId")
        if begin < now_ms - _RECENT_MS:
            rows += await _pages(exchange.privateGetTradeFillsHistory, request, "billId")
        unique = {(row["instId"], row["tradeId"], row["ordId"]): row for row in rows}
        return [exchange.parse_trade({**row, "ts": row.get("fillTime") or row["ts"]}) for row in unique.values()]

    # --- streams -------------------------------------------------------------------------------------------------------

    def private_watches(self, exchange: Exchange) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return two: what comes to the order channel holds the trades. Of the other family ccxt knows no market."""
        family = {"type": self.family}
        return (lambda: exchange.watch_orders(None, None, None, family), exchange.watch_balance)

    def private_confirmations(self) -> int:
        """Return the number of channels."""
        return 2

    def confirms(self, frame: Any) -> bool:
        """Whether a channel was opened."""
        if not isinstance(frame, dict) or frame.get("event") != "subscribe":
            return False
        return (frame.get("arg") or {}).get("channel") in ("orders", "account")

    def public_watches(self, exchange: Exchange, symbols: list[str]) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return one: tickers hold bid, ask and last; of ``bbo-tbt`` ccxt makes an order book and no quote."""
        return (lambda: exchange.watch_tickers(symbols),)

    # --- errors --------------------------------------------------------------------------------------------------------

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether the client id was taken before."""
        return _code(error) in _DUPLICATES

    def did_nothing(self, error: BaseException) -> bool:
        """Whether the venue refused for lateness, before it looked at the request."""
        return _code(error) == _EXPIRED

    def refusal_code(self, error: BaseException) -> str:
        """Return our word for a code."""
        code, text = _code(error), str(error)
        if code in _REDUCE_ONLY:
            return "ReduceOnly"
        if code in _PRECISION or (code == "51000" and re.search(r"Parameter (px|sz) error", text)):
            return "PrecisionRejected"
        if code in _HALTED:
            return "MarketHalted"
        return super().refusal_code(error)


async def _pages(ask: Any, request: dict[str, Any], key: str) -> list[Row]:
    """Return every row of a list that is told newest first, ``key`` naming where the next page begins."""
    found: list[Row] = []
    scope: dict[str, Any] = {}
    while True:
        rows = (await ask({**request, "limit": _PAGE, **scope}))["data"]
        found += rows
        following = {"after": rows[-1][key]} if len(rows) >= _PAGE else scope
        if following == scope:
            return found
        scope = following


def _expiring(sign: Any) -> Any:
    """Give a request the header after whose instant the venue refuses it."""

    def expiring(path: str, api: Any = "public", method: str = "GET", params: Any = None, *rest: Any) -> Any:
        known = dict(params) if isinstance(params, dict) else params or {}
        latest = known.pop(LATEST, None) if isinstance(known, dict) else None
        signed = sign(path, api, method, known, *rest)
        if latest is not None:
            signed["headers"] = {**(signed["headers"] or {}), "expTime": str(latest)}
        return signed

    return expiring


def _charged(to_trade: Any) -> Any:
    """Turn the sign of a streamed fee: OKX says what the account got, ccxt does so only with the trades of REST."""

    def charged(order: Row, market: Any = None) -> Any:
        trade = to_trade(order, market)
        fee = trade.get("fee") or {}
        if fee.get("cost") is not None:
            fee = {**fee, "cost": -Decimal(str(fee["cost"]))}
            trade = {**trade, "fee": fee, "fees": [fee]}
        return trade

    return charged

"""MEXC: spot markets here, perpetuals in ``mexc_perp``: the venue has two interfaces that have little in common.

What the venue leaves open on spot: what it answers to a client id that was used before is not published, so no order is ever
sent twice from here; trades are told for a month back, orders and trades only by market.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from protocol.orders import OrderRequest, OrderState
from protocol.values import MarketType
from venues.access import Access
from venues.contract import CallLimit
from venues.crypto.dialect import Dialect, Exchange, Row
from venues.crypto.dialects.mexc_frames import read_frame
from venues.crypto.dialects.mexc_perp import MexcPerpDialect
from venues.crypto.exchange import TooLateToSend

__all__ = ["MexcDialect", "MexcSpotDialect"]

_CODE: Final = re.compile(r'"code":\s*(-?\d+)')
_REPEATED: Final = 603
_LATE: Final = (700003, 700005)
_CODES: Final = {
    **dict.fromkeys((30002, 30003, 10095, 10096, 10097, 10102), "PrecisionRejected"),
    **dict.fromkeys((30004, 30005, 10101), "InsufficientFunds"),
    **dict.fromkeys((30000, 30001, 30016, 30041, 10007, 11444), "MarketHalted"),
}
"""Our codes by the venue's."""
_MEANT: Final = {
    "-2011": "OrderNotFound",
    "-2013": "OrderNotFound",
    "30005": "InsufficientFunds",
    "500": "ExchangeNotAvailable",
    "10072": "AuthenticationError",
    "700006": "PermissionDenied",
    "700007": "PermissionDenied",
}
"""Codes that ccxt takes for something else: class of ccxt's errors."""
_WINDOW_MS: Final = 5000
_PAGE: Final = 100
_MONTH_MS: Final = 30 * 86_400_000
_AHEAD_MS: Final = 60_000
_PART_CANCELLED: Final = 5
_A_LINE: Final = 15
"""Markets a connection: the venue takes 30 subscriptions each, a market has two."""
_BOOK: Final = "spot@public.aggre.bookTicker.v3.api.pb@100ms@"
_DEALS: Final = "spot@public.aggre.deals.v3.api.pb@100ms@"


def _code(error: BaseException) -> int:
    found = _CODE.search(str(error))
    return int(found[1]) if found else 0


def MexcDialect(access: Access) -> Dialect:  # noqa: N802 - found by this name, as the classes of other venues are
    """Return the dialect of an account's family of markets."""
    return MexcPerpDialect(access) if access.market is MarketType.PERP else MexcSpotDialect(access)


class MexcSpotDialect(Dialect):
    """MEXC. Client ids are taken as they are (up to 32 characters)."""

    venue = "mexc"
    exchange_ids = {MarketType.SPOT: "mexc"}  # noqa: RUF012 - a ClassVar of the base
    call_limits = {MarketType.SPOT: CallLimit(200, 10.0)}  # noqa: RUF012 - a ClassVar of the base
    trades_by_symbol = True
    orders_by_symbol = True

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._lines = 0

    # --- the ccxt object -----------------------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """Count weights over the venue's own ten seconds: ccxt's usual throttle lets an order wait for old questions."""
        return {**super().config(), "rateLimiterAlgorithm": "rollingWindow", "rollingWindowSize": 10_000.0}

    def prepare(self, exchange: Exchange) -> None:
        """Load spot markets only, read frames ourselves, sign with the time that is left, put errors right."""
        super().prepare(exchange)
        exchange.has["fetchCurrencies"] = False
        exchange.fetch_markets = exchange.fetch_spot_markets
        exchange.decode_proto_msg = read_frame
        errors = importlib.import_module("ccxt.base.errors")
        for code, name in _MEANT.items():
            exchange.exceptions["exact"][code] = getattr(errors, name)
        exchange.exceptions["broad"].pop("Oversold", None)
        exchange.sign = _timely(exchange, exchange.sign)
        exchange.handle_protobuf_message = _with_last(exchange, exchange.handle_protobuf_message)

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:  # noqa: ARG002 - the base's signature
        """Return when the request may arrive at the latest; its window is taken when it is signed."""
        return {"latestMs": latest_ms}

    # --- orders and trades ---------------------------------------------------------------------------------------------

    async def place(self, exchange: Exchange, request: OrderRequest, amount: str, params: dict[str, Any]) -> Row:
        """Send a new order, once; an answer that cannot be read says nothing: ccxt takes its text for an order's id."""
        order = await super().place(exchange, request, amount, params)
        return order if isinstance(order.get("info"), dict) else {"id": "", "status": None, "info": {}}

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        """Ask for an order."""
        return _readable(await super().query(exchange, client_id, symbol))

    async def order_by_number(self, exchange: Exchange, number: str, symbol: str) -> Row:
        """Ask whose order a trade is of."""
        return _readable(await super().order_by_number(exchange, number, symbol))

    def order_state(self, order: Row) -> OrderState:
        """Return the state; an order that was cancelled after a part of it had traded is no filled one, as ccxt has it."""
        if (order.get("info") or {}).get("status") == _PART_CANCELLED:
            return OrderState.CANCELLED
        return super().order_state(order)

    def client_id_of_trade(self, trade: Row) -> str:
        """Return the client id that the stream tells."""
        return str(trade["info"].get("clientOrderId") or "")

    def maker(self, trade: Row) -> bool:
        """Whether our side was resting; ccxt does not read it from the stream."""
        return bool(trade["info"].get("isMaker"))

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:
        """Return all trades of a market that the venue still tells; a window that fills a page is asked for in halves."""
        found: dict[str, Row] = {}
        windows = [(max(since_ms, now_ms - _MONTH_MS), now_ms + _AHEAD_MS)]
        while windows:
            start, end = windows.pop()
            page = await exchange.fetch_my_trades(symbol, start, _PAGE, {"until": end})
            found |= {trade["id"]: trade for trade in page}
            if len(page) >= _PAGE and end > start:
                middle = (start + end) // 2
                windows += [(start, middle), (middle + 1, end)]
        return list(found.values())

    # --- streams -------------------------------------------------------------------------------------------------------

    def private_confirmations(self) -> int:
        """Return three: orders, trades, balances."""
        return 3

    def ends(self, frame: Any) -> bool:
        """Whether a frame says that a private channel is refused: the listen key is no longer good."""
        return isinstance(frame, dict) and str(frame.get("msg", "")).startswith("Not Subscribed")

    def forget(self, exchange: Exchange) -> None:
        """Drop the listen key: each connection has its own, which is kept alive for as long as the connection lasts."""
        exchange.options["listenKey"] = None
        exchange.options["listenKeyFetching"] = False

    def confirms(self, frame: Any) -> bool:
        """Whether a frame says that a private channel is subscribed."""
        return isinstance(frame, dict) and str(frame.get("msg", "")).startswith("spot@private")

    def public_watches(self, exchange: Exchange, symbols: list[str]) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return best bid and ask, and trades for the last price, so many markets a connection."""
        return [self._watch(exchange, symbols[at : at + _A_LINE]) for at in range(0, len(symbols), _A_LINE)]

    def _watch(self, exchange: Exchange, symbols: list[str]) -> Callable[[], Awaitable[Any]]:
        self._lines += 1
        # ccxt has one connection an address; what stands behind the # is not sent.
        url = f"{exchange.urls['api']['ws']['spot']}#{self._lines}"
        names = [kind + exchange.market(symbol)["id"] for symbol in symbols for kind in (_BOOK, _DEALS)]
        wanted = {"method": "SUBSCRIPTION", "params": names}
        return lambda: exchange.watch_multiple(url, names, wanted, names)

    # --- errors --------------------------------------------------------------------------------------------------------

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether a refusal speaks of a request that was made before."""
        text = str(error).lower()
        return _code(error) == _REPEATED or "duplicate" in text

    def did_nothing(self, error: BaseException) -> bool:
        """Whether the request was refused for its time."""
        return _code(error) in _LATE

    def refusal_code(self, error: BaseException) -> str:
        """Return our code of the venue's."""
        if "scale" in str(error) or "precision" in str(error):
            return "PrecisionRejected"
        return _CODES.get(_code(error)) or super().refusal_code(error)


def _readable(order: Row) -> Row:
    if not isinstance(order.get("info"), dict):
        raise ValueError("an order that cannot be read")
    return order


def _timely(exchange: Exchange, sign: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ccxt's signing: the window of an order is what is left of its time when it is signed, after all waiting."""

    def signed(path: str, api: Any = "public", method: str = "GET", params: Any = None, *rest: Any) -> Any:
        latest = (params or {}).get("latestMs")
        if latest is None:
            return sign(path, api, method, params or {}, *rest)
        window = latest - exchange.nonce()
        if window <= 0:
            raise TooLateToSend
        before = exchange.options.get("recvWindow", _WINDOW_MS)
        exchange.options["recvWindow"] = min(window, before)
        try:
            return sign(path, api, method, {name: params[name] for name in params if name != "latestMs"}, *rest)
        finally:
            exchange.options["recvWindow"] = before

    return signed


def _with_last(exchange: Exchange, handle: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ccxt's handler of frames: trades of a market tell its last price."""

    def heard(client: Any, frame: Any) -> Any:
        deals = (frame.get("publicAggreDeals") or {}).get("deals")
        if not deals:
            return handle(client, frame)
        market = exchange.safe_market(frame.get("symbol"))
        row = {"symbol": market["symbol"], "timestamp": int(deals[-1]["time"]), "last": deals[-1]["price"],
               "bid": None, "ask": None, "info": frame}  # fmt: skip
        exchange.tickers[market["symbol"]] = row
        return True

    return heard

"""Binance: spot (``/api/v3``, orders told over the WebSocket API) and USD-margined perpetuals (``/fapi``, listen keys)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, ClassVar, Final

from protocol.values import MarketType
from venues.access import Access
from venues.contract import CallLimit
from venues.crypto.dialect import Dialect, Exchange, Row
from venues.facets import KeyRights

__all__ = ["BinanceDialect"]

_CODE: Final = re.compile(r'"code":\s*(-?\d+)')
_DUPLICATES: Final = (-4116, -4111)
_PRECISION: Final = (-1111, -4014, -4023, -4164, -4003, -4005)
_LATE: Final = -1021
_MISSING: Final = (-2011, -2013)
_NOT_DONE: Final = (_LATE, -1008, -1015, -1016)
"""Answers to a request that was certainly not carried out: late, overload, too many orders, shut down."""
_OPEN: Final = (-1000, -1001, -1006, -1007)
"""Answers that leave open what became of a request ("execution status unknown"); ccxt's tables of the several market
families call some of them refusals."""
_REDUCE_ONLY: Final = -2022
_NEW_ORDER_REJECTED: Final = -2010
_PAGE: Final = 1000
_DAY_MS: Final = 86_400_000
_ENDS: Final = ("listenKeyExpired", "eventStreamTerminated")


def _code(error: BaseException) -> int:
    found = _CODE.search(str(error))
    return int(found[1]) if found else 0


def _forced_trade_as_trade(message: Row) -> Row:
    """Return an order's event, a liquidation or deleveraging in the words of a trade: ccxt takes none for a fill else."""
    order = message.get("o")
    if not isinstance(order, dict) or order.get("x") != "CALCULATED" or not Decimal(order.get("l") or 0):
        return message
    done = Decimal(order["z"]) >= Decimal(order["q"])
    return {**message, "o": {**order, "x": "TRADE", "X": "FILLED" if done else "PARTIALLY_FILLED"}}


class BinanceDialect(Dialect):
    """Binance. A client id is unique among open orders only: the core never sends one twice."""

    venue = "binance"
    exchange_ids: ClassVar = {MarketType.SPOT: "binance", MarketType.PERP: "binance"}
    call_limits: ClassVar = {MarketType.SPOT: CallLimit(6000, 60.0), MarketType.PERP: CallLimit(2400, 60.0)}
    trades_by_symbol = True
    loads_apart = True

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self.takes_stops = not self.perp
        self.amends = self.perp
        asked = max(1, len(access.symbols))
        self.weights = (
            {"cancel": 2, "open_orders": 40, "balances": 5, "positions": 6, "fills_since": 5 * asked, "candles": 5,
             "subscribe": 6}
            if self.perp
            else {"cancel": 5, "query": 4, "open_orders": 80, "balances": 20, "fills_since": 20 * asked,
                  "instruments": 20, "candles": 2, "subscribe": 40}
        )  # fmt: skip

    def config(self) -> dict[str, Any]:
        """Ask for one market family, and for nothing that needs another interface."""
        kinds = ["linear"] if self.perp else ["spot"]
        return {
            "options": {
                "defaultType": "swap" if self.perp else "spot",
                "defaultSubType": "linear" if self.perp else None,
                "fetchMarkets": {"types": kinds},
                "fetchCurrencies": False,
                "fetchMargins": False,
                "watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False},
                "warnOnFetchOpenOrdersWithoutSymbol": False,
                "disableFuturesSandboxWarning": True,
                "streamLimits": {"spot": 4, "linear": 4},
                "subscriptionLimitByStream": {"spot": 400, "linear": 400},
            }
        }

    def prepare(self, exchange: Exchange) -> None:
        """Have forced trades of futures told as trades too."""
        super().prepare(exchange)
        hear = exchange.handle_order_update
        exchange.handle_order_update = lambda client, message: hear(client, _forced_trade_as_trade(message))

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:
        """Return ``recvWindow``: what arrives later is refused with -1021."""
        return {"recvWindow": max(1, min(5000, latest_ms - now_ms))}

    async def cancel(self, exchange: Exchange, client_id: str, symbol: str, params: dict[str, Any]) -> None:
        """Cancel by client id."""
        await exchange.cancel_order("", symbol, {"origClientOrderId": client_id, **params})

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        """Ask by client id."""
        order: Row = await exchange.fetch_order("", symbol, {"origClientOrderId": client_id})
        return order

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:
        """Return all trades: by time within the window that one question may span, else the whole history by id."""
        found: list[Row] = []
        window = 7 * _DAY_MS if self.perp else _DAY_MS
        recent = now_ms - since_ms < window
        params: dict[str, Any] = {"startTime": since_ms} if recent else {"fromId": 0}
        while True:
            page = await exchange.fetch_my_trades(symbol, None, _PAGE, params)
            found += page
            if len(page) < _PAGE:
                return found
            params = {"fromId": max(int(trade["id"]) for trade in page) + 1}

    def client_id_of_trade(self, trade: Row) -> str:
        """Return what the stream says; history does not say it."""
        return str(trade["info"].get("c") or "")

    async def key_rights(self, exchange: Exchange) -> KeyRights:
        """Return the restrictions of the key; the test network has none to ask for."""
        if self.access.testnet:
            return KeyRights()
        found = await exchange.sapiGetAccountApiRestrictions()
        trades = "enableFutures" if self.perp else "enableSpotAndMarginTrading"
        return KeyRights(found.get(trades), found.get("enableWithdrawals"))

    async def quotes(self, exchange: Exchange, symbols: list[str]) -> dict[str, Row]:
        """Return tickers; futures' own carry no book, so books and last prices are asked for."""
        if not self.perp:
            return await super().quotes(exchange, symbols)
        books: dict[str, Row] = await exchange.fetch_bids_asks(symbols)
        lasts = await exchange.fetch_last_prices(symbols)
        return {symbol: {**book, "last": lasts.get(symbol, {}).get("price")} for symbol, book in books.items()}

    async def funding(self, exchange: Exchange, symbol: str) -> Row:
        """Return the funding rate with its interval, which Binance tells elsewhere and only where it is not eight hours."""
        found = await super().funding(exchange, symbol)
        intervals = await exchange.fetch_funding_intervals([symbol])
        return {**found, "interval": (intervals.get(symbol) or {}).get("interval")}

    def confirms(self, frame: Any) -> bool:
        """Whether the WebSocket API has taken the subscription (spot)."""
        return isinstance(frame, dict) and isinstance(frame.get("result"), dict) and "subscriptionId" in frame["result"]

    def private_confirmations(self) -> int:
        """Return one on spot; futures' stream is its address."""
        return 0 if self.perp else 1

    def ends(self, frame: Any) -> bool:
        """Whether a key of the stream has expired, or its subscription has ended."""
        if not isinstance(frame, dict):
            return False
        event = frame.get("event", frame)
        return isinstance(event, dict) and event.get("e") in _ENDS

    def forget(self, exchange: Exchange) -> None:
        """Drop the listen key: the next connection asks for its own, a used-up one would be connected and mute."""
        for kind in ("linear", "spot"):
            if isinstance(exchange.options.get(kind), dict):
                exchange.options[kind] = {**exchange.options[kind], "listenKey": None, "lastAuthenticatedTime": 0}

    def is_duplicate(self, error: BaseException) -> bool:
        """Say yes to futures' code, and to the text of spot's code for any refusal."""
        return _code(error) in _DUPLICATES or "Duplicate order sent" in str(error)

    def is_missing(self, error: BaseException) -> bool:
        """Say yes to "no such order" of questions and of cancels."""
        return _code(error) in _MISSING

    def is_late(self, error: BaseException) -> bool:
        """Say yes to a time outside of recvWindow."""
        return _code(error) == _LATE

    def leaves_open(self, error: BaseException) -> bool:
        """Say yes to "execution status unknown"."""
        return _code(error) in _OPEN

    def refuses_order_only(self, error: BaseException) -> bool:
        """Say yes to every refusal of a new order: ccxt takes some texts for a lack of the key's rights."""
        return _code(error) == _NEW_ORDER_REJECTED and not self.is_duplicate(error)

    def did_nothing(self, error: BaseException) -> bool:
        """Say yes to what Binance documents as failed for certain."""
        return _code(error) in _NOT_DONE or "Service Unavailable" in str(error)

    def refusal_code(self, error: BaseException) -> str:
        """Return our code by Binance's: filters, margin, reduce-only, halts."""
        text, code = str(error), _code(error)
        if any(name in text for name in ("NOTIONAL", "LOT_SIZE", "PRICE_FILTER")) or code in _PRECISION:
            return "PrecisionRejected"
        if code == _REDUCE_ONLY:
            return "ReduceOnly"
        if "insufficient" in text.lower():
            return "InsufficientFunds"
        if "Market is closed" in text:
            return "MarketHalted"
        return super().refusal_code(error)

"""Binance: spot (``/api/v3``, orders told over the WebSocket API) and USD-margined perpetuals (``/fapi``, listen keys)."""

from __future__ import annotations

import re
from typing import Any, Final

from protocol.values import MarketType
from venues.contract import CallLimit
from venues.crypto.dialect import Dialect, Exchange, Row

__all__ = ["BinanceDialect"]

_CODE: Final = re.compile(r'"code":\s*(-?\d+)')
_DUPLICATES: Final = (-4116, -4111)
_PRECISION: Final = (-1013, -1111, -4014, -4023, -4164, -4003, -4005)
_LATE: Final = (-1021,)
_NOT_DONE: Final = (-1008, -1015, -1016)
"""Answers to a request that was certainly not carried out: overload, too many orders, shut down."""
_PAGE: Final = 1000
_DAY_MS: Final = 86_400_000


def _code(error: BaseException) -> int:
    found = _CODE.search(str(error))
    return int(found[1]) if found else 0


class BinanceDialect(Dialect):
    """Binance. A client id is unique among open orders only: the core never sends one twice."""

    venue = "binance"
    exchange_ids = {MarketType.SPOT: "binance", MarketType.PERP: "binance"}
    call_limits = {MarketType.SPOT: CallLimit(6000 // 5, 60.0), MarketType.PERP: CallLimit(2400 // 2, 60.0)}
    trades_by_symbol = True
    takes_stops = True
    amends = True

    def config(self) -> dict[str, Any]:
        kinds = ["linear"] if self.perp else ["spot"]
        return {
            "options": {
                "defaultType": "swap" if self.perp else "spot",
                "defaultSubType": "linear" if self.perp else None,
                "fetchMarkets": {"types": kinds},
                "fetchCurrencies": False,
                "fetchMargins": False,
                "warnOnFetchOpenOrdersWithoutSymbol": False,
                "disableFuturesSandboxWarning": True,
                "streamLimits": {"spot": 1, "future": 1},
            }
        }

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:
        return {"recvWindow": max(1, min(5000, latest_ms - now_ms))}

    async def cancel(self, exchange: Exchange, client_id: str, symbol: str, params: dict[str, Any]) -> None:
        await exchange.cancel_order("", symbol, {"origClientOrderId": client_id, **params})

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        order: Row = await exchange.fetch_order("", symbol, {"origClientOrderId": client_id})
        return order

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:
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
        return str(trade["info"].get("c") or "")

    def confirms(self, frame: Any) -> bool:
        return isinstance(frame, dict) and isinstance(frame.get("result"), dict) and "subscriptionId" in frame["result"]

    def private_confirmations(self) -> int:
        return 0 if self.perp else 1

    def is_duplicate(self, error: BaseException) -> bool:
        return _code(error) in _DUPLICATES or "Duplicate order sent" in str(error)

    def did_nothing(self, error: BaseException) -> bool:
        return _code(error) in (*_LATE, *_NOT_DONE) or "Service Unavailable" in str(error)

    def refusal_code(self, error: BaseException) -> str:
        text, code = str(error), _code(error)
        if "NOTIONAL" in text or "LOT_SIZE" in text or "PRICE_FILTER" in text or code in _PRECISION:
            return "PrecisionRejected"
        if code in (-2022,):
            return "ReduceOnly"
        if "MARKET_IS_CLOSED" in text or "Market is closed" in text or code in (-1013,):
            return "MarketHalted"
        return super().refusal_code(error)

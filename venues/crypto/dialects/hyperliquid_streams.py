"""Hyperliquid's frames on their way to ccxt: best bid and ask, which it does not know, and no other family of markets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from venues.crypto.dialect import Exchange, Row

__all__ = ["listen"]


def listen(exchange: Exchange, touched: Callable[[Row], None]) -> None:
    """Put ourselves before ccxt's handler of frames; ``touched`` hears best bid and ask."""
    handle = exchange.handle_message

    def heard(client: Any, frame: Any) -> None:
        channel = frame.get("channel") if isinstance(frame, dict) else None
        if channel == "bbo":
            _best(exchange, frame["data"], touched)
        elif channel == "trades":
            _last(exchange, frame["data"])
        elif channel == "orderUpdates":
            rows = [row for row in frame["data"] if _ours(exchange, row["order"]["coin"])]
            handle(client, {**frame, "data": rows})
        elif channel == "userFills":
            _fills(exchange, client, frame, handle)
        else:
            handle(client, frame)

    exchange.handle_message = heard


def _fills(exchange: Exchange, client: Any, frame: Any, handle: Any) -> None:
    """Pass on what is new: the history comes with the comparison that follows each connection."""
    data = frame["data"]
    if data.get("isSnapshot"):
        return
    fills = [fill for fill in data["fills"] if _ours(exchange, fill["coin"])]
    handle(client, {**frame, "data": {**data, "fills": fills}})


def _symbol(exchange: Exchange, coin: str) -> str:
    """Return the unified symbol of a coin, empty for a market that is not loaded."""
    found = exchange.safe_market(exchange.coin_to_market_id(coin))["symbol"]
    return found if found in exchange.markets else ""


def _ours(exchange: Exchange, coin: str) -> bool:
    return bool(_symbol(exchange, coin))


def _best(exchange: Exchange, data: Any, touched: Callable[[Row], None]) -> None:
    symbol, (bid, ask) = _symbol(exchange, data["coin"]), data["bbo"]
    if symbol and bid and ask:
        row = {
            "symbol": symbol,
            "timestamp": data["time"],
            "bid": bid["px"],
            "ask": ask["px"],
            "last": None,
            "info": data,
        }
        exchange.bidsasks[symbol] = row
        touched(row)


def _last(exchange: Exchange, rows: Any) -> None:
    newest: dict[str, Any] = max(rows, key=lambda row: row["time"], default={})
    if newest and (symbol := _symbol(exchange, newest["coin"])):
        row = {
            "symbol": symbol,
            "timestamp": newest["time"],
            "last": newest["px"],
            "bid": None,
            "ask": None,
            "info": newest,
        }
        exchange.tickers[symbol] = row

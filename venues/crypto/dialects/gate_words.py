"""Gate's words for an order, and for what ccxt asks otherwise than it should."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Any, Final

from protocol.orders import OrderRequest
from protocol.values import OrderSide, OrderType
from venues.crypto.dialect import Exchange, Row, plain
from venues.crypto.words import LATEST

__all__ = [
    "SETTLE",
    "expiring",
    "few_tickers",
    "futures_fields",
    "last_prices",
    "open_interest",
    "spot_fields",
]

SETTLE: Final = {"settle": "usdt"}
_COLLAR: Final = Decimal("1.02")
_FEW: Final = 3


def futures_fields(market: Row, request: OrderRequest, amount: str) -> dict[str, Any]:
    """Return what a futures order says; a price of 0 is the market."""
    signed = Decimal(amount) if request.side is OrderSide.BUY else -Decimal(amount)
    decimal_size = bool(market["info"].get("enable_decimal"))
    whole = not decimal_size and signed == int(signed)
    limit = request.price if request.type is not OrderType.MARKET else None
    fields: dict[str, Any] = {
        "contract": market["id"],
        "size": int(signed) if whole else plain(signed),
        "price": plain(limit) if limit is not None else "0",
        "tif": "gtc" if request.type is OrderType.LIMIT else "ioc",
    }
    return fields | ({"reduce_only": True} if request.reduce_only else {})


async def spot_fields(exchange: Exchange, market: Row, request: OrderRequest, amount: str) -> dict[str, Any]:
    """Return what a spot order says; a purchase at the market becomes a limit order somewhat above it."""
    fields: dict[str, Any] = {"currency_pair": market["id"], "side": request.side.value, "amount": amount}
    if request.type is OrderType.MARKET and request.side is OrderSide.SELL:
        return {**fields, "type": "market", "time_in_force": "ioc"}
    price = request.price
    if request.type is OrderType.MARKET or price is None:
        (ticker,) = await exchange.publicSpotGetTickers({"currency_pair": market["id"]})
        tick = Decimal(market["precision"]["price"])
        price = (Decimal(ticker["lowest_ask"]) * _COLLAR / tick).to_integral_value(ROUND_UP) * tick
    tif = "gtc" if request.type is OrderType.LIMIT else "ioc"
    return {**fields, "type": "limit", "price": plain(price), "time_in_force": tif}


def few_tickers(exchange: Exchange, ask_all: Any) -> Any:
    """Ask for a few tickers one by one: the alternative is all two thousand."""

    async def few(symbols: list[str], params: Any = None) -> dict[str, Row]:
        if len(symbols) > _FEW:
            found: dict[str, Row] = await ask_all(symbols, params or {})
            return found
        return {symbol: await exchange.fetch_ticker(symbol) for symbol in symbols}

    return few


def last_prices(exchange: Exchange) -> Any:
    """Take nothing but the last price of a ticker, dated by its message: the book has a channel of its own, and is newer."""

    def heard(client: Any, message: Any) -> None:
        rows = message["result"] if isinstance(message["result"], list) else [message["result"]]
        for row in rows:
            kind = "contract" if "contract" in row else "spot"
            market = exchange.safe_market(row.get("contract") or row["currency_pair"], None, "_", kind)
            dated = {"timestamp": message.get("time_ms"), "bid": None, "ask": None}
            ticker = {**exchange.parse_ticker(row, market), **dated}
            exchange.tickers[market["symbol"]] = ticker
            client.resolve(ticker, f"ticker:{market['symbol']}")

    return heard


async def open_interest(exchange: Exchange, symbol: str) -> Row:
    """Return the contracts that are held, as the list of contracts says."""
    market = exchange.market(symbol)
    row = await exchange.publicFuturesGetSettleContractsContract({**SETTLE, "contract": market["id"]})
    return {"symbol": symbol, "openInterestAmount": str(row["position_size"]), "openInterestValue": None}


def expiring(sign: Any) -> Any:
    """Give a request the header after whose instant the venue refuses it."""

    def expiring(path: str, api: Any = "public", method: str = "GET", params: Any = None, *rest: Any) -> Any:
        known = dict(params) if isinstance(params, dict) else params or {}
        latest = known.pop(LATEST, None) if isinstance(known, dict) else None
        signed = sign(path, api, method, known, *rest)
        if latest is not None:
            signed["headers"] = {**(signed["headers"] or {}), "x-gate-exptime": str(latest)}
        return signed

    return expiring

"""Binance spot payloads: recorded where the shared recordings are present, generated with the same shape otherwise."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
RECORDED = SHARED / "api" / "gocryptotrader" / "binance"
CAPTURE = SHARED / "crypto" / "l2_raw" / "binance_spot_btcusdt_20240808.jsonl.gz"

INTERVALS_MS = {"1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000, "4h": 14_400_000,
                "1d": 86_400_000}  # fmt: skip

RATE_LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
    {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
    {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
]


def listing(base: str, quote: str, tick: str, step: str, min_notional: str, status: str = "TRADING") -> dict[str, Any]:
    """Return one ``exchangeInfo`` symbol with the filters a spot order must obey."""
    return {
        "symbol": base + quote, "status": status, "baseAsset": base, "baseAssetPrecision": 8, "quoteAsset": quote,
        "quotePrecision": 8, "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT"], "icebergAllowed": True,
        "ocoAllowed": True, "otoAllowed": True, "quoteOrderQtyMarketAllowed": True, "allowTrailingStop": True,
        "cancelReplaceAllowed": True, "amendAllowed": True, "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True, "permissions": [], "permissionSets": [["SPOT", "MARGIN"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER", "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000.00000000", "stepSize": step},
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "120.4", "stepSize": "0.00000000"},
            {"filterType": "NOTIONAL", "minNotional": min_notional, "applyMinToMarket": True,
             "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
    }  # fmt: skip


@cache
def recorded_listings() -> tuple[dict[str, Any], ...]:
    """Return the symbols of a recorded ``exchangeInfo``, or none where the recording is absent."""
    path = RECORDED / "GET_api_v3_exchangeInfo.json"
    if not path.exists():
        return ()
    recording = json.loads(path.read_text())["recordings"][0]["response"]
    return tuple(recording["symbols"])


def listings() -> dict[str, dict[str, Any]]:
    """Return all symbols of the server: recorded ones, and generated ones whose filters the tests rely on."""
    generated = (
        listing("BTC", "USDT", "0.01000000", "0.00001000", "5.00000000"),
        listing("ETH", "USDT", "0.01000000", "0.00010000", "5.00000000"),
        listing("SHIB", "USDT", "0.00000001", "1.00000000", "1.00000000"),
        listing("LUNA", "USDT", "0.00010000", "0.01000000", "5.00000000", status="BREAK"),
    )
    return {item["symbol"]: item for item in (*recorded_listings(), *generated)}


def kline(start_ms: int, interval: str, base: Decimal = Decimal("60000.10")) -> list[Any]:
    """Return one REST kline; its prices follow from its start alone, so that pages can be compared exactly."""
    step = INTERVALS_MS[interval]
    drift = Decimal(start_ms // step % 997) / 100
    opening, closing = base + drift, base + drift + Decimal("0.03")
    volume = Decimal("1.5") + drift
    return [
        start_ms, f"{opening:.8f}", f"{closing + 1:.8f}", f"{opening - 1:.8f}", f"{closing:.8f}", f"{volume:.8f}",
        start_ms + step - 1, f"{volume * closing:.8f}", 42, "0.50000000", "30000.00000000", "0",
    ]  # fmt: skip


def kline_event(symbol: str, row: list[Any], interval: str, event_ms: int, *, closed: bool) -> dict[str, Any]:
    """Return the stream form of a REST kline."""
    return {
        "e": "kline", "E": event_ms, "s": symbol,
        "k": {"t": row[0], "T": row[6], "s": symbol, "i": interval, "f": 100, "L": 200, "o": row[1], "c": row[4],
              "h": row[2], "l": row[3], "v": row[5], "n": row[8], "x": closed, "q": row[7], "V": row[9],
              "Q": row[10], "B": "0"},
    }  # fmt: skip


def captured(stream: str, limit: int) -> Iterator[dict[str, Any]]:
    """Yield the first ``limit`` raw events of a stream from the recorded capture (must exist)."""
    with gzip.open(CAPTURE, "rt") as lines:
        for line in lines:
            event = json.loads(line.partition(" ")[2])
            if event.get("stream") == stream and limit > 0:
                limit -= 1
                yield event["data"]
            if limit == 0:
                return

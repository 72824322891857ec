"""History in the contract's timeframes, asked for as the broker wants it asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from protocol.market import Bar
from rules.broker.pacing import Kind
from runtime.clock import NANOS
from venues.ibkr.contracts import Found
from venues.ibkr.described import contract_of
from venues.ibkr.errors import NoData
from venues.ibkr.gateway import exact
from venues.ibkr.line import Line

__all__ = ["candles"]

_DAY_S: Final = 86_400
_SIZES: Final = {
    "1m": (60, "1 min"), "5m": (300, "5 mins"), "15m": (900, "15 mins"), "1h": (3600, "1 hour"),
    "4h": (14_400, "4 hours"), "1d": (_DAY_S, "1 day"),
}  # fmt: skip
_SHOWN: Final = {"CASH": "MIDPOINT", "CRYPTO": "AGGTRADES"}
_TIMEOUT_S: Final = 9.0


async def candles(line: Line, found: Found, timeframe: str, since: int, limit: int, now: int) -> tuple[Bar, ...]:
    """Return finished bars of a contract; raises RateLimited when too much history was asked for."""
    seconds, size = _SIZES[timeframe]
    span_s = seconds * limit
    end_s = min(now // NANOS, since // NANOS + span_s)
    days = -(-span_s // _DAY_S)
    duration = f"{span_s} S" if span_s <= _DAY_S else f"{days} D"
    end = f"{datetime.fromtimestamp(end_s, UTC):%Y%m%d-%H:%M:%S}"
    shown = _SHOWN.get(found.kind, "TRADES")
    gateway = line.gateway
    try:
        told = await line.ask(
            Kind.DATA,
            lambda: gateway.reqHistoricalDataAsync(
                contract_of(found), end, duration, size, shown, useRTH=False, formatDate=2, timeout=0
            ),
            timeout_s=_TIMEOUT_S,
        )
    except NoData:
        return ()
    bars = [_bar(found.name, each, seconds) for each in told]
    return tuple(each for each in bars if each.at >= since and each.at + seconds * NANOS <= now)[:limit]


def _bar(symbol: str, told: Any, seconds: int) -> Bar:
    date = told.date
    start = date if isinstance(date, datetime) else datetime(date.year, date.month, date.day, tzinfo=UTC)
    prices = [exact(number) for number in (told.open, told.high, told.low, told.close, told.volume)]
    at = int(start.timestamp()) * NANOS
    return Bar(symbol, at, seconds, *(number for number in prices if number is not None))

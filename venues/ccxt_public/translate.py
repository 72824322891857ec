"""Turn Binance's own payloads into our values: strings to Decimal, never through a binary float.

Everything raises ``ValueError`` (or another error of ``errors.UNREADABLE``) for a payload that cannot be right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import Bar, check_bar
from protocol.values import check_non_negative, check_positive

__all__ = ["NS_PER_MS", "as_decimal", "bar_of_event", "bar_of_row", "book_prices", "instrument"]

NS_PER_MS = 1_000_000


def as_decimal(value: Any) -> Decimal:
    """Return the exact number that a string (or an already exact number) of the venue says."""
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        raise ValueError(f"not a number in exact form: {value!r:.40}")
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r:.40}") from None


def _bare(value: Decimal) -> Decimal:
    """Drop trailing zeros after the point, so that ``0.01000000`` reads ``0.01`` and ``100`` stays ``100``."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def instrument(venue: str, market: Mapping[str, Any]) -> Instrument:
    """Return the instrument of a ccxt market, from the venue's own filters (EX-501); fees are ccxt's published ones."""
    filters = {item["filterType"]: item for item in market["info"]["filters"]}
    lot = filters["LOT_SIZE"]
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {"minNotional": "0"}
    return Instrument(
        venue=venue,
        symbol=market["symbol"],
        venue_symbol=market["id"],
        base=market["base"],
        quote=market["quote"],
        rules=PrecisionRules(
            tick_size=_bare(as_decimal(filters["PRICE_FILTER"]["tickSize"])),
            step_size=_bare(as_decimal(lot["stepSize"])),
            min_qty=_bare(as_decimal(lot["minQty"])),
            min_notional=_bare(as_decimal(notional["minNotional"])),
        ),
        maker_fee=as_decimal(market["maker"]),
        taker_fee=as_decimal(market["taker"]),
    )


def book_prices(bid: Any, ask: Any) -> tuple[Decimal, Decimal]:
    """Return best bid and ask, both above zero and not crossed."""
    prices = as_decimal(bid), as_decimal(ask)
    check_positive("bid", prices[0])
    check_positive("ask", prices[1])
    if prices[0] > prices[1]:
        raise ValueError(f"crossed book: bid {prices[0]} above ask {prices[1]}")
    return prices


def _bar(symbol: str, start_ms: Any, duration_s: int, numbers: Sequence[Any]) -> Bar:
    if not isinstance(start_ms, int) or start_ms < 0 or start_ms % (duration_s * 1000):
        raise ValueError(f"a bar of {duration_s} s cannot start at {start_ms!r:.40}")
    opening, high, low, close, volume = map(as_decimal, numbers)
    bar = Bar(symbol, start_ms * NS_PER_MS, duration_s, opening, high, low, close, volume)
    check_bar(bar)
    check_non_negative("volume", volume)
    return bar


def bar_of_row(symbol: str, row: Sequence[Any], duration_s: int) -> Bar:
    """Return the bar of a candle row: start in ms, open, high, low, close, volume."""
    return _bar(symbol, row[0], duration_s, row[1:6])


def bar_of_event(symbol: str, kline: Mapping[str, Any], duration_s: int) -> Bar:
    """Return the bar of a stream's ``k`` object as it stands; ``k["x"]`` says whether it is finished."""
    return _bar(symbol, kline["t"], duration_s, [kline[name] for name in "ohlcv"])

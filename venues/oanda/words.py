"""What OANDA says, as the house's values. Numbers come from text only, never through binary fractions."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import Bar, PriceTick
from protocol.orders import Balance, Position
from protocol.values import MarketType
from runtime.clock import NANOS

__all__ = [
    "Market",
    "balance_of",
    "bars_of",
    "decimal_of",
    "instant_of",
    "market_of",
    "position_of",
    "rfc3339",
    "symbol_of",
    "tick_of",
    "venue_symbol_of",
]


def decimal_of(value: Any) -> Decimal:
    """Return a number of the venue; raise ValueError for what is not a plain number in text (or an integer)."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError(f"not a number of the venue: {value!r}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value[:40]!r}" if isinstance(value, str) else "not a number") from None
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number


def instant_of(text: Any) -> int:
    """Return the nanoseconds of an RFC 3339 time with up to nine decimals in UTC."""
    if not isinstance(text, str) or not text.endswith("Z"):
        raise ValueError(f"not a time of the venue: {text!r}"[:80])
    whole, _, fraction = text[:-1].partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * NANOS + int((fraction + "0" * 9)[:9])


def rfc3339(at: int) -> str:
    """Return an instant as the venue reads it."""
    return f"{datetime.fromtimestamp(at // NANOS, UTC):%Y-%m-%dT%H:%M:%S}.{at % NANOS:09d}Z"


def symbol_of(name: str) -> str:
    """Return our symbol of an instrument: ``EUR_USD`` is ``EUR/USD:USD``, a position on margin and no pair of balances."""
    base, _, quote = name.partition("_")
    return f"{base}/{quote}:{quote}"


def venue_symbol_of(symbol: str) -> str:
    """Return the venue's name of a symbol; what a symbol says it is settled in is no part of it."""
    return symbol.partition(":")[0].replace("/", "_", 1)


class Market(NamedTuple):
    """One instrument with what an order must keep to beyond its precision; rates are fractions a year, None: not said."""

    instrument: Instrument
    margin_rate: Decimal | None
    min_trailing: Decimal | None
    max_units: Decimal | None
    long_rate: Decimal | None
    short_rate: Decimal | None
    kind: str

    @property
    def tick(self) -> Decimal:
        """The smallest step of a price."""
        return self.instrument.rules.tick_size


def market_of(venue: str, said: dict[str, Any]) -> Market:
    """Return an instrument of the account's list. Fees are in the spread; a commission comes with each fill."""
    name = str(said["name"])
    base, _, quote = name.partition("_")
    financing = said.get("financing") or {}
    rules = PrecisionRules(
        tick_size=Decimal(1).scaleb(-int(said["displayPrecision"])),
        step_size=Decimal(1).scaleb(-int(said["tradeUnitsPrecision"])),
        min_qty=decimal_of(said["minimumTradeSize"]),
        min_notional=Decimal(0),
    )
    instrument = Instrument(
        venue=venue,
        symbol=symbol_of(name),
        venue_symbol=name,
        base=base,
        quote=quote or base,
        market_type=MarketType.PERP,
        rules=rules,
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
    )
    return Market(
        instrument,
        margin_rate=_maybe(said.get("marginRate")),
        min_trailing=_maybe(said.get("minimumTrailingStopDistance")),
        max_units=_maybe(said.get("maximumOrderUnits")),
        long_rate=_maybe(financing.get("longRate")),
        short_rate=_maybe(financing.get("shortRate")),
        kind=str(said.get("type", "")),
    )


def _maybe(value: Any) -> Decimal | None:
    return None if value is None else decimal_of(value)


def tick_of(said: dict[str, Any]) -> PriceTick | None:
    """Return a price; None when one side of the book is empty. OANDA tells no trades: ``last`` is the middle."""
    bids, asks = said.get("bids"), said.get("asks")
    if not bids or not asks:
        return None
    bid, ask = decimal_of(bids[0]["price"]), decimal_of(asks[0]["price"])
    return PriceTick(symbol_of(str(said["instrument"])), instant_of(said["time"]), bid, ask, (bid + ask) / 2)


def bars_of(symbol: str, seconds: int, said: dict[str, Any], side: str) -> tuple[Bar, ...]:
    """Return the finished candles of an answer; ``side`` is ``mid``, ``bid`` or ``ask``."""
    found = []
    for each in said["candles"]:
        if not each["complete"]:
            continue
        prices = each[side]
        opening, high, low, closing = (decimal_of(prices[key]) for key in "ohlc")
        found.append(
            Bar(symbol, instant_of(each["time"]), seconds, opening, high, low, closing, decimal_of(each["volume"]))
        )
    return tuple(found)


def position_of(said: dict[str, Any]) -> Position:
    """Return the net position of an instrument: long and short units together."""
    units = decimal_of(said["long"]["units"]) + decimal_of(said["short"]["units"])
    return Position(symbol_of(str(said["instrument"])), units)


def balance_of(account: dict[str, Any]) -> Balance:
    """Return the account's cash: what is free for new margin, and the rest of it.

    Free is never more than cash without the margin in use, so that a floating profit is not spent before it is one.
    """
    cash, used = decimal_of(account["balance"]), decimal_of(account["marginUsed"])
    free = min(cash - used, decimal_of(account["marginAvailable"]))
    return Balance(str(account["currency"]), free, max(cash - free, Decimal(0)))

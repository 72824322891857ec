"""Our symbols and what the broker calls them.

::

    AAPL/USD                      stock (market SPOT)
    BTC/USD                       crypto currency (SPOT)
    EUR/USD:USD                   currency pair, netted like a perpetual (PERP); EUR_USD, EUR.USD and EUR/USD are understood
    ES/USD:USD-251219             future that expires on 2025-12-19 (PERP)
    SPY/USD:USD-251219-450-C      option (SPOT: a holding like any other)
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from protocol.values import MarketType
from rules.notation import plain
from venues.ibkr.errors import UnknownContract

__all__ = ["CURRENCIES", "FX_PAIRS", "Wanted", "expiry_words", "option_symbol", "read_symbol", "symbol_of"]

CURRENCIES: Final = frozenset(
    ("AED AUD CAD CHF CNH CZK DKK EUR GBP HKD HUF ILS JPY KRW MXN NOK NZD PLN RUB SEK SGD TRY USD ZAR").split()  # noqa: SIM905 - a list to read
)
FX_PAIRS: Final = (
    "EUR_USD", "GBP_USD", "AUD_USD", "NZD_USD", "USD_JPY", "USD_CHF", "USD_CAD", "EUR_GBP",
    "EUR_JPY", "EUR_CHF", "EUR_AUD", "EUR_CAD", "EUR_NZD", "GBP_JPY", "GBP_CHF", "GBP_AUD",
    "GBP_CAD", "AUD_JPY", "AUD_NZD", "AUD_CAD", "CAD_JPY", "CHF_JPY",
)  # fmt: skip
"""The pairs that are resolved when a session starts (PF-235)."""

_COINS: Final = frozenset({"BTC", "ETH", "LTC", "BCH", "SOL", "ADA", "XRP", "DOGE"})
_NAME: Final = re.compile(
    r"(?P<base>[A-Z0-9][A-Z0-9. ]*?)[/_.](?P<quote>[A-Z]{3})(?::[A-Z]{3})?"
    r"(?:-(?P<expiry>\d{6})(?:-(?P<strike>\d+(?:\.\d+)?)-(?P<right>[CP]))?)?"
)


class Wanted(NamedTuple):
    """What to look up. ``kind`` is the broker's security type, ``expiry`` YYYYMMDD."""

    kind: str
    symbol: str
    currency: str
    exchange: str
    expiry: str = ""
    strike: Decimal = Decimal(0)
    right: str = ""

    @property
    def key(self) -> str:
        """Return its name in the cache: everything that must match."""
        pair = f"{self.symbol}.{self.currency}@{self.exchange}:{self.kind}"
        return f"{pair}:{self.expiry}:{plain(self.strike)}:{self.right}" if self.expiry else pair


def read_symbol(symbol: str, market: MarketType, venue: str = "ibkr") -> Wanted:
    """Return what a symbol of ours asks for; raises UnknownContract for anything that is none."""
    found = _NAME.fullmatch(symbol)
    if found is None:
        raise UnknownContract(venue, f"{symbol!r} names no stock, pair, future or option")
    base, quote = found["base"], found["quote"]
    expiry = f"20{found['expiry']}" if found["expiry"] else ""
    if found["right"]:
        return Wanted("OPT", base, quote, "SMART", expiry, Decimal(found["strike"]), found["right"])
    if expiry:
        return Wanted("FUT", base, quote, "", expiry)
    if base in CURRENCIES and quote in CURRENCIES:
        return Wanted("CASH", base, quote, "IDEALPRO")
    if market is MarketType.PERP:
        raise UnknownContract(venue, f"{symbol!r} is no currency pair and names no expiry")
    if base in _COINS:
        return Wanted("CRYPTO", base, quote, "PAXOS")
    return Wanted("STK", base, quote, "SMART")


def symbol_of(
    kind: str, symbol: str, currency: str, expiry: str = "", strike: Decimal = Decimal(0), right: str = ""
) -> str:
    """Return our symbol of a contract of the broker."""
    if kind == "CASH":
        return f"{symbol}/{currency}:{currency}"
    if kind == "FUT":
        return f"{symbol}/{currency}:{currency}-{expiry[2:8]}"
    if kind in ("OPT", "FOP"):
        return option_symbol(symbol, currency, expiry, strike, right)
    return f"{symbol}/{currency}:combo" if kind == "BAG" else f"{symbol}/{currency}"


def option_symbol(symbol: str, currency: str, expiry: str, strike: Decimal, right: str) -> str:
    """Return our symbol of an option."""
    return f"{symbol}/{currency}:{currency}-{expiry[2:8]}-{plain(strike)}-{right[:1]}"


def expiry_words(expiry: str) -> str:
    """Turn the broker's YYYYMMDD into an ISO date, and back."""
    if "-" in expiry:
        return expiry.replace("-", "")
    return f"{expiry[:4]}-{expiry[4:6]}-{expiry[6:8]}"

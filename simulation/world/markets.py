"""The markets that a world can have: their order rules, where their prices start, how much they move and trade."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from protocol.instruments import Instrument, PrecisionRules
from protocol.values import MarketType
from simulation.scenario import Scenario

__all__ = ["MARKETS", "VENUE", "MarketOf", "instruments_of"]

VENUE: Final = "binance"


class MarketOf(NamedTuple):
    """One market. ``daily`` is the standard deviation of a day's move, ``turnover`` the quote traded in five minutes."""

    instrument: Instrument
    start_price: Decimal
    daily: float
    turnover: float
    recordings: tuple[tuple[str, int], ...] = ()
    """Files of recorded candles and the seconds of a bar."""


def _market(
    symbol: str, start: str, rules: tuple[str, str, str, str], daily: float, turnover: float, *files: tuple[str, int]
) -> MarketOf:
    pair, _, settle = symbol.partition(":")
    base, _, quote = pair.partition("/")
    instrument = Instrument(
        venue=VENUE,
        symbol=symbol,
        venue_symbol=base + quote,
        base=base,
        quote=quote,
        market_type=MarketType.PERP if settle else MarketType.SPOT,
        rules=PrecisionRules(*(Decimal(rule) for rule in rules)),
    )
    return MarketOf(instrument, Decimal(start), daily, turnover, files)


def _hours(coin: str) -> tuple[str, int]:
    return f"ohlcv_1h/binance_{coin}USDT_1h.parquet", 3_600


def _minutes(coin: str) -> tuple[str, int]:
    return f"ohlcv_5m/binance_{coin}USDT_5m.parquet", 300


_ALL: Final = (
    _market("BTC/USDT", "60000", ("0.01", "0.00001", "0.00001", "5"), 0.03, 2e6, _minutes("BTC")),
    _market("ETH/USDT", "3000", ("0.01", "0.0001", "0.0001", "5"), 0.035, 1e6, _minutes("ETH")),
    _market("SOL/USDT", "150", ("0.01", "0.001", "0.001", "5"), 0.045, 5e5, _minutes("SOL")),
    _market("XRP/USDT", "0.52", ("0.0001", "0.1", "0.1", "5"), 0.035, 2e5, _hours("XRP")),
    _market("DOGE/USDT", "0.15", ("0.00001", "1", "1", "1"), 0.05, 2e5, _hours("DOGE")),
    _market("LINK/USDT", "15", ("0.01", "0.01", "0.01", "5"), 0.04, 1e5, _hours("LINK")),
    # Prices of eight places: what a rounding by floats would lose.
    _market("SHIB/USDT", "0.00001834", ("0.00000001", "1", "1", "1"), 0.05, 1e5),
    # Coarse steps: small layers lie below what can be ordered.
    _market("BTC/USDT:USDT", "60000", ("0.1", "0.001", "0.001", "50"), 0.03, 5e6, _minutes("BTC")),
    _market("ETH/USDT:USDT", "3000", ("0.01", "0.001", "0.001", "20"), 0.035, 2e6, _minutes("ETH")),
)
MARKETS: Final[Mapping[str, MarketOf]] = {each.instrument.symbol: each for each in _ALL}
"""Symbol to market, in a fixed order."""


def instruments_of(scenario: Scenario) -> tuple[Instrument, ...]:
    """Return the markets of a scenario as the exchange lists them."""
    return tuple(MARKETS[path.symbol].instrument for path in scenario.paths)

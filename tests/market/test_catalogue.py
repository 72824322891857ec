"""Sources described in configuration, and the instruments they bring."""

from __future__ import annotations

from decimal import Decimal

import pytest

from market.sources import (
    BarReplay,
    SourceError,
    SourceKind,
    SourceSpec,
    SymbolFeed,
    SyntheticMarket,
    TickReplay,
    open_source,
    source_instruments,
)
from protocol.codec import convert
from protocol.values import MarketType
from tests.market.data import DATA, feed, recorded, write_bars
from tests.venues.paper_helpers import SPOT, instrument

D = Decimal


def test_each_kind_opens_its_source(tmp_path):
    """Bars, ticks and synthetic specifications open the matching source."""
    one = (feed("X/USDT", "x.parquet"),)
    assert isinstance(open_source(SourceSpec(name="a", kind=SourceKind.BARS, feeds=one), tmp_path), BarReplay)
    assert isinstance(open_source(SourceSpec(name="a", kind=SourceKind.TICKS, feeds=one), tmp_path), TickReplay)
    assert isinstance(open_source(SourceSpec(name="a", kind=SourceKind.SYNTHETIC), tmp_path), SyntheticMarket)


def test_a_specification_is_plain_configuration():
    """A source can be written as plain data, as a configuration file has it."""
    plain = {"name": "r", "kind": "bars", "feeds": [{"symbol": "X/USDT", "path": "x.csv", "where": {"venue": "v"}}]}
    assert convert(plain, SourceSpec).feeds[0].where == {"venue": "v"}


@pytest.mark.parametrize("kind, feeds", [(SourceKind.BARS, ()), (SourceKind.SYNTHETIC, (feed("X/USDT", "x.parquet"),))])
def test_feeds_belong_to_recorded_sources(kind, feeds):
    """A recorded source without feeds and a synthetic one with them are refused."""
    with pytest.raises(ValueError, match="feeds"):
        SourceSpec(name="a", kind=kind, feeds=feeds)


@pytest.mark.parametrize(
    "symbol, path, tick, step, kind",
    [
        ("BTC/USDT", "crypto/ohlcv_5m/binance_BTCUSDT_5m.parquet", "0.01", "0.00001", MarketType.SPOT),
        ("BTC/USD:USD", "crypto/ohlcv_1m/unknown_BTC-PERP_1m.parquet", "1", "0.00001", MarketType.PERP),
        ("DOGE/USDT", "crypto/ohlcv_1h/binance_DOGEUSDT_1h.parquet", "0.00001", "1", MarketType.SPOT),
        (
            "XRP/USDT:USDT",
            "crypto/perp_xrpusdt/binance_XRPUSDT-PERP_5m_trade.parquet",
            "0.0001",
            "0.1",
            MarketType.PERP,
        ),
    ],
)
def test_instruments_are_derived_from_the_data(symbol, path, tick, step, kind):
    """Tick from the prices' decimals but not their float noise, step from their size, market from the symbol's form."""
    spec = SourceSpec(name="a", kind=SourceKind.BARS, feeds=(recorded(symbol, path),))
    (derived,) = source_instruments(spec, DATA, "paper")
    assert (derived.rules.tick_size, derived.rules.step_size, derived.market_type) == (D(tick), D(step), kind)
    assert (derived.base, derived.venue) == (symbol.split("/")[0], "paper")


def test_a_given_instrument_is_used(tmp_path):
    """A feed's own instrument wins, and must be of its symbol."""
    given = SymbolFeed(symbol=SPOT, path="x", instrument=instrument())
    assert source_instruments(SourceSpec(name="a", kind=SourceKind.BARS, feeds=(given,)), tmp_path, "v") == (
        instrument(),
    )
    with pytest.raises(ValueError, match="instrument"):
        SymbolFeed(symbol="ETH/USDT", path="x", instrument=instrument())


def test_a_symbol_that_names_no_pair_needs_an_instrument(tmp_path):
    """What is not BASE/QUOTE cannot be derived and is refused with the file's name."""
    write_bars(tmp_path / "x.parquet", [1, 2])
    spec = SourceSpec(name="a", kind=SourceKind.BARS, feeds=(feed("SPX", "x.parquet"),))
    with pytest.raises(SourceError, match="BASE/QUOTE"):
        source_instruments(spec, tmp_path, "v")

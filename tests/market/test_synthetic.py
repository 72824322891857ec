"""The synthetic market: reproducible, resumable, lively and never absurd."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.sources import SyntheticConfig, SyntheticMarket, SyntheticState, SyntheticSymbol
from protocol.codec import decode_msgpack, encode_msgpack

STEP = 250_000_000


def market(steps=None, **settings):
    return SyntheticMarket(SyntheticConfig(steps=steps, start_at=10**18, **settings))


def test_the_same_seed_is_the_same_market():
    """Two markets of one seed agree tick for tick; another seed differs."""
    first = list(market(400))
    assert first == list(market(400))
    assert first != list(market(400, seed=2))


def test_a_symbol_does_not_depend_on_its_neighbours():
    """A symbol's prices are the same alone as beside others: its chance comes from seed, symbol and step alone."""
    config = SyntheticConfig()
    alone = SyntheticMarket(SyntheticConfig(symbols=config.symbols[1:2], steps=200))
    together = [tick for _, tick in SyntheticMarket(SyntheticConfig(steps=200)) if tick.symbol == "ETH/USDT"]
    assert [tick.bid for _, tick in alone] == [tick.bid for tick in together]


def test_the_market_is_pinned():
    """These prices must not change between versions: recorded paper runs resume into them."""
    *_, (at, tick) = market(1000)
    assert (at, tick.symbol, tick.bid) == (1000000249750000002, "SOL/USDT", Decimal("148.47"))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 299), st.integers(0, 300))
def test_resume_is_exact(stop, kept):
    """Resuming after any instant, with or without a kept state, gives the very same following ticks."""
    steps = list(market(100))
    wanted = steps[stop + 1 :]
    at = steps[stop][0]
    assert list(market(100).resume_after(at)) == wanted
    state = market(100).state_before(steps[min(kept, stop)][0])
    again = decode_msgpack(encode_msgpack(state), SyntheticState)
    assert list(market(100).resume_after(at, again)) == wanted


def test_a_state_from_the_future_is_not_used():
    """A kept state that is ahead of the instant does not skip ticks."""
    steps = list(market(50))
    late = market(50).state_before(steps[-1][0])
    assert list(market(50).resume_after(steps[4][0], late)) == steps[5:]


def test_quotes_are_on_the_tick_and_never_crossed():
    """Bid and ask are positive multiples of the tick with the configured spread, on a 250 ms step."""
    source = market(2000)
    symbols = {symbol.symbol: symbol for symbol in source.config.symbols}
    for number, (at, tick) in enumerate(source):
        symbol = symbols[tick.symbol]
        assert at == tick.at == 10**18 + number // 3 * STEP + number % 3
        assert tick.bid % symbol.tick_size == 0
        assert tick.bid > 0
        assert tick.ask - tick.bid == symbol.spread_ticks * symbol.tick_size
        assert tick.bid <= tick.last <= tick.ask


@pytest.mark.parametrize("seed", range(4))
def test_ladders_fill_and_targets_hit_soon(seed):
    """At the default volatility the price moves by 0.5 % within two minutes of most moments, both up and down."""
    mids = [float(tick.bid) for _, tick in islice(market(seed=seed), 3 * 240 * 30) if tick.symbol == "SOL/USDT"]
    down = up = starts = 0
    for start in range(0, len(mids) - 480, 60):
        window = mids[start : start + 480]
        starts += 1
        down += min(window) <= window[0] * 0.995
        up += max(window) >= window[0] * 1.005
    assert down / starts > 0.3
    assert up / starts > 0.3


def test_the_walk_stays_near_its_start():
    """After a simulated day no price has left a factor of two around its start."""
    state = market().state_before(10**18 + 60_000 * STEP)
    for price, symbol in zip(state.prices, SyntheticConfig().symbols, strict=True):
        assert 0.5 < price / float(symbol.start_price) < 2


def test_instruments_carry_the_ticks():
    """BTC, ETH and SOL against USDT are listed with tick, step and minimums."""
    instruments = {i.symbol: i for i in market().instruments("paper")}
    assert set(instruments) == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}
    assert instruments["BTC/USDT"].rules.step_size == Decimal("0.00001")


@pytest.mark.parametrize(
    "settings",
    [{"volatility_percent": 0.0}, {"symbols": ()}, {"step_ns": 2}, {"symbols": SyntheticConfig().symbols[:1] * 2}],
)
def test_absurd_settings_are_refused(settings):
    """Settings that make no market raise a ValueError that names the field."""
    with pytest.raises(ValueError, match=r"`(volatility_percent|symbols)`"):
        SyntheticConfig(**settings)


def test_a_spread_has_at_least_one_tick():
    """A symbol without a spread is refused."""
    with pytest.raises(ValueError, match="spread_ticks"):
        SyntheticSymbol(
            symbol="A/B",
            base="A",
            quote="B",
            start_price=Decimal(1),
            tick_size=Decimal(1),
            step_size=Decimal(1),
            spread_ticks=0,
        )

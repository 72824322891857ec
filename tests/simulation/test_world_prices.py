"""Prices of a world: bars of every kind of path."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from protocol.market import check_bar
from simulation.scenario import PathKind, PricePath
from simulation.world import MARKETS, PROFILES, bars_of, paths, price_at, scenario_of
from simulation.world.recorded import have_recorded

NANOS = 1_000_000_000
START = 1_750_000_000 * NANOS
GENERATED = [kind for kind in PathKind if kind is not PathKind.RECORDED]


def path_of(kind: PathKind, symbol: str = "ETH/USDT", seed: int = 4) -> PricePath:
    """Return a generated path that begins where its market does."""
    return PricePath(symbol=symbol, kind=kind, seed=seed, start_price=MARKETS[symbol].start_price)


@pytest.mark.parametrize("symbol", sorted(MARKETS))
@pytest.mark.parametrize("kind", GENERATED)
def test_bars_are_whole_ticks_that_can_be(kind: PathKind, symbol: str) -> None:
    """Every bar is consistent, on the symbol's tick, traded in whole steps, and stands on the grid of its length."""
    rules = MARKETS[symbol].instrument.rules
    bars = list(bars_of(path_of(kind, symbol), START, 48))
    for bar in bars:
        check_bar(bar)
        assert not [price for price in (bar.open, bar.high, bar.low, bar.close) if price % rules.tick_size]
        assert bar.volume > 0
        assert bar.volume % rules.step_size == 0
        assert (bar.at - START) % (300 * NANOS) == 0
    assert bars[0].open == MARKETS[symbol].start_price // rules.tick_size * rules.tick_size or kind is PathKind.GAP


@pytest.mark.parametrize("kind", GENERATED)
def test_a_path_is_a_function_of_itself(kind: PathKind) -> None:
    """Equal paths give equal bars, another seed others."""
    once = list(bars_of(path_of(kind), START, 24))
    again = list(bars_of(msgspec.structs.replace(path_of(kind), seed=4), START, 24))
    other = list(bars_of(path_of(kind, seed=5), START, 24))
    assert once == again
    assert once != other


@pytest.mark.parametrize("kind", [kind for kind in GENERATED if kind is not PathKind.HALTED])
def test_only_a_halted_market_lacks_bars(kind: PathKind) -> None:
    """A week of five minutes has 2016 bars."""
    assert len(list(bars_of(path_of(kind), START, 168))) == 2_016


def test_a_halted_market_has_no_price_for_hours() -> None:
    """Hours of bars are missing; the first and the last ones are there."""
    for seed in range(10):
        bars = list(bars_of(path_of(PathKind.HALTED, seed=seed), START, 168))
        gaps = [later.at - bar.at for bar, later in pairwise(bars)]
        assert max(gaps) >= 3_600 * NANOS
        assert bars[0].at == START
        assert bars[-1].at == START + (168 * 3_600 - 300) * NANOS


def test_a_crash_takes_a_quarter_within_an_hour_and_gives_some_of_it_back() -> None:
    """A crash falls by more than a fifth within an hour; hours later the price stands well above its bottom."""
    for seed in range(10):
        closes = [bar.close for bar in bars_of(path_of(PathKind.CRASH, seed=seed), START, 168)]
        falls = [(later / first, index) for index, (first, later) in enumerate(zip(closes, closes[12:], strict=False))]
        deepest, index = min(falls)
        assert deepest < Decimal("0.8")
        bottom = min(closes[index : index + 24])
        assert max(closes[index + 12 : index + 12 + 80]) > bottom * Decimal("1.1")


def test_a_gap_market_jumps_between_bars() -> None:
    """Opens stand away from the closes before them, which they do nowhere else."""

    def jumps(kind: PathKind) -> int:
        bars = list(bars_of(path_of(kind), START, 168))
        return sum(abs(later.open / bar.close - 1) > Decimal("0.003") for bar, later in pairwise(bars))

    assert jumps(PathKind.GAP) > 10
    assert jumps(PathKind.TREND) == 0


def test_a_thin_market_trades_next_to_nothing() -> None:
    """The volume of a thin market is less than a fiftieth of an ordinary one's."""
    thin, usual = (
        sum(bar.volume for bar in bars_of(path_of(kind), START, 48)) for kind in (PathKind.THIN, PathKind.RANGE)
    )
    assert thin * 50 < usual


def test_days_move_by_what_crypto_days_move() -> None:
    """The standard deviation of a bar is between 0.1 and 0.5 %: ladders of half a percent fill, targets are hit."""
    for kind in (PathKind.TREND, PathKind.RANGE):
        closes = [float(bar.close) for bar in bars_of(path_of(kind), START, 168)]
        moves = [later / first - 1 for first, later in pairwise(closes)]
        assert 0.001 < (sum(move * move for move in moves) / len(moves)) ** 0.5 < 0.005


def test_the_price_at_an_instant_is_the_newest_known_one() -> None:
    """Within a bar it is the bar's open; in a hole it is the last price before it."""
    path = path_of(PathKind.HALTED)
    bars = list(bars_of(path, START, 168))
    assert price_at(path, START, 168, bars[7].at + 17) == bars[7].open
    hole = next(bar for bar, later in pairwise(bars) if later.at - bar.at > 600 * NANOS)
    assert price_at(path, START, 168, hole.at + 900 * NANOS) == hole.close
    assert price_at(path, START, 168, START - 5) == bars[0].open


def test_recorded_candles_are_replayed_as_they_are() -> None:
    """A recorded path has the file's prices from its ``skip`` on, on the run's own clock."""
    file = "ohlcv_5m/binance_ETHUSDT_5m.parquet"
    if not have_recorded(file):
        pytest.skip("recorded market data does not lie beside the project")
    path = PricePath(symbol="ETH/USDT", kind=PathKind.RECORDED, seed=1, start_price=Decimal(1), file=file, skip=1_000)
    bars = list(bars_of(path, START, 24))
    later = list(bars_of(msgspec.structs.replace(path, skip=1_001), START, 24))
    assert len(bars) == 288
    assert [bar.close for bar in bars[1:]] == [bar.close for bar in later[:-1]]
    assert bars[0].at == later[0].at == START
    for bar in bars:
        check_bar(bar)


def test_every_kind_of_path_occurs() -> None:
    """Within thirty seeds there is a path of each kind, recorded ones where the recordings are."""
    kinds = {path.kind for seed in range(30) for path in scenario_of(seed, hours=1, profile=PROFILES["none"]).paths}
    assert set(GENERATED) <= kinds
    assert PathKind.RECORDED in kinds or not have_recorded("ohlcv_5m/binance_ETHUSDT_5m.parquet")


def test_worlds_have_four_to_six_markets() -> None:
    """Each market of a world occurs once."""
    for seed in range(30):
        symbols = [path.symbol for path in scenario_of(seed, hours=1, profile=PROFILES["none"]).paths]
        assert 4 <= len(symbols) == len(set(symbols)) <= 6


def test_a_campaign_says_once_whether_prices_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without the recordings a seed that was begun with them is refused, and one without them is the same."""
    seed = next(each for each in range(1, 50) if any(drawn.recorded for drawn in paths._drawn(each)))
    bare = scenario_of(seed, hours=6.0, profile=PROFILES["none"], recorded=False)
    monkeypatch.setattr(paths, "have_recorded", lambda file: False)
    assert scenario_of(seed, hours=6.0, profile=PROFILES["none"], recorded=False) == bare
    assert scenario_of(seed, hours=6.0, profile=PROFILES["none"]) == bare
    with pytest.raises(FileNotFoundError, match="not on this machine"):
        scenario_of(seed, hours=6.0, profile=PROFILES["none"], recorded=True)
    assert not paths.have_recordings()

"""Replay of recorded markets: exact prices, order, defects, resume."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice, pairwise

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.sources import BarReplay, FeedPolicy, Handling, SourceError, TickReplay
from protocol.market import check_bar
from tests.market.data import DATA, MINUTE, feed, recorded, write_bars, write_parquet

D = Decimal
nan = float("nan")
COINS = ("BTC", "ETH", "SOL")


def five_minute_replay():
    return BarReplay([recorded(f"{c}/USDT", f"crypto/ohlcv_5m/binance_{c}USDT_5m.parquet") for c in COINS], root=DATA)


def replay(tmp_path, **settings):
    return BarReplay([feed("X/USDT", "x.parquet", duration_s=60)], root=tmp_path, **settings)


def test_three_symbols_merge_into_strictly_increasing_instants():
    """Equal starts of several symbols become different instants, in feed order, and no bar is lost."""
    source, before, count = five_minute_replay(), -1, 0
    for at, bar in source:
        assert at > before
        assert at == bar.at + source.symbols.index(bar.symbol)
        before, count = at, count + 1
    assert count == 71769 + 71769 + 72028
    assert [report.defects for report in source.reports.values()] == [0, 0, 0]


def test_prices_are_the_recorded_decimals():
    """A price is the shortest decimal of the stored float, digit for digit."""
    path = "crypto/ohlcv_5m/binance_BTCUSDT_5m.parquet"
    source = BarReplay([recorded("BTC/USDT", path)], root=DATA)
    rows = pq.read_table(DATA / path)
    for column in ("open", "high", "low", "close", "volume"):
        expected = [D(repr(value)) for value in rows[column].slice(0, 5000).to_pylist()]
        assert [getattr(bar, column) for _, bar in islice(source, 5000)] == expected


def test_gaps_are_counted_and_stay_gaps():
    """The illiquid sample's 538 gaps of 717 minutes are counted; no bar is invented."""
    source = BarReplay([recorded("X/BTC", "crypto/ohlcv_1m/freqtrade_UNITTEST-BTC_1m_gaps.parquet")], root=DATA)
    bars = [bar for _, bar in source]
    report = source.reports["X/BTC"]
    assert (len(bars), report.gaps, report.missing_bars) == (13681, 538, 717)
    assert all(after.at - before.at >= MINUTE for before, after in pairwise(bars))
    for bar in bars:
        check_bar(bar)


def test_identical_quotes_of_one_instant_are_dropped():
    """The six duplicate rows of the OANDA ticks are dropped and counted; every other tick has its own instant."""
    path = "fx/ticks/oanda_EURUSD_ticks_20140501_20140509.parquet"
    source, before, count = TickReplay([recorded("EUR/USD", path)], root=DATA), -1, 0
    for at, tick in source:
        assert at == tick.at > before
        before, count = at, count + 1
    report = source.reports["EUR/USD"]
    assert (count, report.rows, report.duplicates, report.defects) == (321553, 321559, 6, 6)


def test_missing_volume_is_counted():
    """The mark-price series has no volumes: 100 counted, delivered as 0, or skipped when the policy says so."""
    mark = recorded("XRP/USDT:USDT", "crypto/perp_xrpusdt/binance_XRPUSDT-PERP_1h_mark.parquet")
    source = BarReplay([mark], root=DATA)
    assert {bar.volume for _, bar in source} == {D(0)}
    assert source.reports[mark.symbol].no_volume == 100
    strict = BarReplay([mark], root=DATA, policy=FeedPolicy(no_volume=Handling.SKIP))
    assert list(strict) == []
    assert strict.reports[mark.symbol].no_volume == 100


def test_crossed_bid_and_ask_bars_are_counted():
    """Bid/ask bars become mid bars; the FXCM rows whose sides cross are left out and counted."""
    source = BarReplay([recorded("GBP/USD", "fx/m1/fxcm_GBPUSD_1m_bidask.parquet")], root=DATA)
    kept = sum(1 for _ in source)
    report = source.reports["GBP/USD"]
    assert report.crossed >= 347
    assert (
        kept
        == report.kept
        == report.rows - report.crossed - report.inconsistent + report.repaired
        == 30117 - report.crossed
    )


def test_quote_volume_becomes_base_volume():
    """A volume recorded in quote currency is divided by the close."""
    perp = recorded("BTC/USD:USD", "crypto/ohlcv_1m/unknown_BTC-PERP_1m.parquet", volume_in_quote=True)
    _, bar = next(iter(BarReplay([perp], root=DATA)))
    assert abs(bar.volume * bar.close - D("2300413.7295")) < D("0.001")


def test_rows_are_selected_from_a_file_of_many_symbols():
    """``where`` picks one venue's symbol out of a shared file."""
    where = {"venue": "binance", "market": "spot", "symbol": "BTCBUSD"}
    one = recorded("BTC/BUSD", "crypto/ohlcv_1m/multi_venue_1m_trades.parquet", where=where, duration_s=60)
    bars = [bar for _, bar in BarReplay([one], root=DATA)]
    assert len(bars) == 1440
    assert bars[0].open == D("17212.12")


@pytest.mark.parametrize(
    "minutes, columns, field, kept",
    [
        ([1, 2, 2, 3], {}, "duplicates", 3),
        ([1, 3, 2, 4], {}, "out_of_order", 3),
        ([1, 2, 5], {}, "gaps", 3),
        ([1, 2, 3], {"low": [100.0, nan, 100.0]}, "bad_price", 2),
        ([1, 2, 3], {"low": [100.0, 0.0, 100.0]}, "bad_price", 2),
        ([1, 2, 3], {"low": [100.0, None, 100.0]}, "bad_price", 2),
        ([1, 2, 3], {"volume": [1.0, nan, 1.0]}, "no_volume", 3),
        ([1, 2, 3], {"high": [100.0, 99.0, 100.0]}, "inconsistent", 3),
    ],
)
def test_each_defect_is_counted_once(tmp_path, minutes, columns, field, kept):
    """Each defect raises its own counter by one and nothing else."""
    write_bars(tmp_path / "x.parquet", minutes, **columns)
    source = replay(tmp_path)
    assert len(list(source)) == kept
    report = source.reports["X/USDT"]
    assert (report.rows, report.kept) == (len(minutes), kept)
    # a row that is left out leaves a hole, which is counted as one
    defects = report.defects if field == "gaps" else report.defects - report.gaps
    assert (getattr(report, field), defects) == (1, 1)


def test_inconsistent_bars_follow_the_policy(tmp_path):
    """Repair widens low and high, keep leaves the row, skip drops it."""
    write_bars(tmp_path / "x.parquet", [1], open=[102.0], close=[97.0])
    widened, kept = (
        next(iter(replay(tmp_path, policy=FeedPolicy(inconsistent=handling))))[1]
        for handling in (Handling.REPAIR, Handling.KEEP)
    )
    assert (widened.high, widened.low) == (102, 97)
    assert (kept.high, kept.low) == (100, 100)
    assert list(replay(tmp_path, policy=FeedPolicy(inconsistent=Handling.SKIP))) == []


def test_conflicting_duplicates_keep_the_first(tmp_path):
    """Of two different bars of one start the first is delivered and the conflict is counted, across chunks too."""
    write_bars(tmp_path / "x.parquet", [1, 2, 2], close=[100.0, 100.0, 99.0])
    for chunk_rows in (1, 2, 100):
        source = replay(tmp_path, chunk_rows=chunk_rows)
        assert [bar.close for _, bar in source] == [100, 100]
        assert source.reports["X/USDT"].conflicting == 1


def test_overlapping_bars_are_dropped(tmp_path):
    """A bar that starts before its predecessor ended cannot be walked and is dropped."""
    write_parquet(
        tmp_path / "x.parquet",
        {"ts": [0, 60_000, 90_000, 120_000], **{n: [1.0] * 4 for n in ("open", "high", "low", "close", "volume")}},
    )
    source = replay(tmp_path)
    assert [at for at, _ in source] == [0, MINUTE, 2 * MINUTE]
    assert source.reports["X/USDT"].overlapping == 1


def test_csv_skips_comments_and_keeps_every_digit(tmp_path):
    """CSV text becomes that very decimal; comment and blank lines are skipped; times may be ISO or epoch."""
    lines = ["# a comment", "ts,open,high,low,close,volume", "2024-01-01T00:00:00Z,1.10,1.20,1.05,1.15,3", "", "# more"]
    lines += ["1704067260000,1.15,1.2,1.1,1.123456789012345678,"]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    source = BarReplay([feed("X/USDT", "x.csv", duration_s=60)], root=tmp_path)
    (at, first), (later, second) = source
    assert (at, later) == (1704067200 * 10**9, 1704067260 * 10**9)
    assert str(first.open) == "1.10"
    assert str(second.close) == "1.123456789012345678"
    assert source.reports["X/USDT"].no_volume == 1


def test_quote_volume_of_a_csv_becomes_base_volume(tmp_path):
    """A text file's quote volume is divided by its close too; without a close there is no volume."""
    lines = ["ts,open,high,low,close,volume", "1704067200000,2,2,2,2,6", "1704067260000,2,2,2,2,"]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    source = BarReplay([feed("X/USDT", "x.csv", duration_s=60, volume_in_quote=True)], root=tmp_path)
    assert [bar.volume for _, bar in source] == [3, 0]
    assert source.reports["X/USDT"].no_volume == 1


def test_trades_of_one_second_all_count():
    """Trades with second resolution are all delivered, each at its own instant, with bid = ask = last."""
    path = "crypto/trades/kraken_BCHEUR_trades_2023.parquet"
    steps = list(TickReplay([recorded("BCH/EUR", path)], root=DATA))
    assert len(steps) == 634
    assert all(before[0] < after[0] for before, after in pairwise(steps))
    assert all(tick.bid == tick.ask == tick.last for _, tick in steps)


def test_row_groups_before_the_resume_are_not_read(tmp_path):
    """A resume deep in a file with row groups reads only the groups that can hold later rows."""
    write_parquet(
        tmp_path / "x.parquet",
        {
            "ts": [n * 60_000 for n in range(1000)],
            **{n: [1.0] * 1000 for n in ("open", "high", "low", "close", "volume")},
        },
        row_group_size=100,
    )
    source = replay(tmp_path).resume_after(900 * MINUTE)
    assert [at // MINUTE for at, _ in source] == list(range(901, 1000))
    assert source.reports["X/USDT"].rows == 100


def test_missing_files_and_columns_are_named(tmp_path):
    """A missing file or column is a SourceError that names it and the nearest column."""
    with pytest.raises(SourceError, match=r"x\.parquet"):
        list(replay(tmp_path))
    write_parquet(tmp_path / "x.parquet", {"ts": [0], "open": [1.0], "high": [1.0], "low": [1.0], "closed": [1.0]})
    with pytest.raises(SourceError, match="no column 'close'; did you mean 'closed'"):
        list(replay(tmp_path))


def test_the_length_of_a_bar_is_found(tmp_path):
    """Without a given length the smallest distance between rows is taken; one row alone is refused."""
    write_bars(tmp_path / "x.parquet", [1, 4, 5, 6])
    source = BarReplay([feed("X/USDT", "x.parquet")], root=tmp_path)
    assert {bar.duration_s for _, bar in source} == {60}
    write_bars(tmp_path / "x.parquet", [1])
    with pytest.raises(SourceError, match="duration_s"):
        list(BarReplay([feed("X/USDT", "x.parquet")], root=tmp_path))


def test_resume_in_recorded_bars_is_exact():
    """Stopping anywhere in three merged symbols and resuming gives the very same following steps."""
    source = five_minute_replay()
    steps = list(islice(source, 30_010))
    for stop in (0, 1, 2, 6000, 29_998, 29_999, 30_000):
        resumed = source.resume_after(steps[stop][0])
        wanted = steps[stop + 1 : stop + 10]
        assert list(islice(resumed, len(wanted))) == wanted


quotes = st.sampled_from([1.0, 1.5, nan, 2.0])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(1, 9), quotes, quotes), min_size=1, max_size=15), min_size=1, max_size=3),
    st.data(),
)
def test_any_resume_of_any_ticks_is_exact(tmp_path_factory, symbols, data):
    """However dirty the rows, instants strictly increase and a resume after any of them continues exactly."""
    root = tmp_path_factory.mktemp("ticks")
    feeds = []
    for number, rows in enumerate(symbols):
        columns = {"ts": [row[0] for row in rows], "bid": [row[1] for row in rows], "ask": [row[2] for row in rows]}
        write_parquet(root / f"{number}.parquet", columns, row_group_size=4)
        feeds.append(feed(f"S{number}/USD", f"{number}.parquet"))
    source = TickReplay(feeds, root=root, chunk_rows=data.draw(st.integers(1, 6)))
    steps = list(source)
    assert all(before[0] < after[0] for before, after in pairwise(steps))
    for number, rows in enumerate(symbols):
        report = source.reports[f"S{number}/USD"]
        assert report.rows == len(rows) == report.kept + report.defects
    if steps:
        stop = data.draw(st.integers(0, len(steps) - 1))
        assert list(source.resume_after(steps[stop][0])) == steps[stop + 1 :]
        whole = TickReplay(feeds, root=root)
        assert list(whole) == steps
        assert whole.reports == source.reports


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 20), quotes, st.sampled_from([1.0, nan])), min_size=1, max_size=20),
    st.integers(1, 6),
)
def test_chunks_change_nothing(tmp_path_factory, rows, chunk_rows):
    """Bars and report do not depend on where the chunks are cut."""
    root = tmp_path_factory.mktemp("bars")
    closes = [row[1] for row in rows]
    write_bars(root / "x.parquet", [row[0] for row in rows], close=closes, volume=[row[2] for row in rows])
    whole, cut = replay(root), replay(root, chunk_rows=chunk_rows)
    assert list(whole) == list(cut)
    assert whole.reports == cut.reports

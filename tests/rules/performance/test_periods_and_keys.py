"""Results by calendar period and by key, curves for a screen, ranges of time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.values import Side
from rules.performance import (
    BreakdownKey,
    ClosedTrades,
    FillLine,
    Open,
    PeriodUnit,
    Point,
    RangeName,
    Realization,
    Realized,
    Snapshot,
    Stepped,
    Trade,
    breakdown,
    custom_span,
    daily_summaries,
    daily_summary,
    dated_returns,
    day_of,
    falls,
    flow_index,
    monthly_returns,
    periods,
    span_of,
    thinned,
    with_open,
)
from tests.rules.test_performance_reference import FILLS, INSTANTS, REALIZED, TRADES, ZONES
from tests.rules.vectors import instant

DAY = 86_400 * 10**9


@settings(max_examples=100, deadline=None)
@given(st.lists(REALIZED, max_size=15), st.lists(TRADES, max_size=10), st.sampled_from(ZONES))
def test_every_result_is_in_one_period(lines: list[Realization], trades: list[Trade], name: str) -> None:
    """EX-1702: days, weeks and months each hold everything once, and begin where their calendar says."""
    zone = ZoneInfo(name)
    for unit in PeriodUnit:
        rows = periods(ClosedTrades(zone, trades), Realized(zone, lines), zone, unit)
        assert sum(row.stats.trades for row in rows) == len(trades)
        assert sum(row.realized for row in rows) == pytest.approx(sum(each.pnl for each in lines), abs=1e-6)
        assert [row.start for row in rows] == sorted({row.start for row in rows})
        for row in rows:
            first = day_of(row.start, zone)
            assert day_of(row.start - 1, zone) < first
            keys = {
                PeriodUnit.DAY: str(first),
                PeriodUnit.WEEK: "{}-W{:02}".format(*first.isocalendar()[:2]),
                PeriodUnit.MONTH: f"{first:%Y-%m}",
            }
            assert row.key == keys[unit]


@settings(max_examples=60, deadline=None)
@given(st.lists(REALIZED, min_size=1, max_size=15), INSTANTS, st.sampled_from(ZONES))
def test_the_present_periods_are_the_windows(lines: list[Realization], now: int, name: str) -> None:
    """EX-1702: the period that now is in holds what the window of the dashboard does, of what was by then."""
    zone, known = ZoneInfo(name), [each for each in lines if each.at <= now]
    window = Realized(zone, lines).windows(now)
    today = day_of(now, zone)
    year, week, _ = today.isocalendar()
    keys = {PeriodUnit.DAY: str(today), PeriodUnit.WEEK: f"{year}-W{week:02}", PeriodUnit.MONTH: f"{today:%Y-%m}"}
    for unit, wanted in (
        (PeriodUnit.DAY, window.day),
        (PeriodUnit.WEEK, window.week),
        (PeriodUnit.MONTH, window.month),
    ):
        rows = {row.key: row.realized for row in periods(ClosedTrades(zone), Realized(zone, known), zone, unit)}
        assert rows.get(keys[unit], 0.0) == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(TRADES, max_size=8), st.lists(FILLS, max_size=8), st.lists(REALIZED, max_size=8), st.sampled_from(ZONES)
)
def test_each_day_has_the_summary_it_has_alone(
    trades: list[Trade], fills: list[FillLine], lines: list[Realization], name: str
) -> None:
    """EX-1716: summaries of all days are those of each day, the newest first, and no day of any row is missing."""
    zone = ZoneInfo(name)
    found = daily_summaries(zone, trades, fills, lines)
    assert [each.day for each in found] == sorted({each.day for each in found}, reverse=True)
    at = [*(each.closed_at for each in trades), *(each.at for each in fills), *(each.at for each in lines)]
    assert {each.day for each in found} == {day_of(each, zone) for each in at}
    for each in found:
        alone = daily_summary(each.day, zone, trades, fills, lines)
        assert (alone.groups_closed, alone.fills, alone.best_symbol) == (
            each.groups_closed,
            each.fills,
            each.best_symbol,
        )
        assert alone.net_pnl == pytest.approx(each.net_pnl, abs=1e-9)


def row_of(symbol: str, unrealized: float | None) -> Open:
    return Open(symbol=symbol, timeframe="1h", strategy="s", side="long", account="a", venue="v", unrealized=unrealized)


@settings(max_examples=100, deadline=None)
@given(st.lists(REALIZED, max_size=15), st.lists(TRADES, max_size=15))
def test_results_by_key_sum_to_the_whole(lines: list[Realization], trades: list[Trade]) -> None:
    """EX-1704: by any key the rows hold each realization and each trade once."""
    for by in (BreakdownKey.SYMBOL, BreakdownKey.TIMEFRAME, BreakdownKey.STRATEGY):
        rows = breakdown(ClosedTrades(UTC, trades), Realized(UTC, lines), by)
        assert sum(row.realized for row in rows) == pytest.approx(sum(each.pnl for each in lines), abs=1e-6)
        assert sum(row.stats.trades for row in rows) == len(trades)
        assert [row.key for row in rows] == sorted({getattr(each, by) for each in [*lines, *trades]})


def test_what_is_open_stands_beside_what_was() -> None:
    """EX-1704: a key that only something open belongs to has a row; without a price its unrealized result is empty."""
    line = Realization(at=1, symbol="A", timeframe="1h", strategy="s", pnl=5.0, side=Side.LONG)
    rows = breakdown(ClosedTrades(UTC), Realized(UTC, [line]), BreakdownKey.SYMBOL)
    found = with_open(rows, [row_of("A", 2.0), row_of("A", 1.0), row_of("B", None)], BreakdownKey.SYMBOL)
    assert [(row.key, row.realized, row.unrealized, row.open) for row in found] == [("A", 5, 3, 2), ("B", 0, None, 1)]
    assert with_open(rows, [], BreakdownKey.SYMBOL) == rows


def test_the_curve_of_closed_trades_waits_for_the_close() -> None:
    """EX-1705: the curve of closed trades has one point a time of closing, beginning with the equity there was."""
    made = {"symbol": "A", "timeframe": "1h", "strategy": "s", "side": Side.LONG, "opened_at": 0, "entry_cost": 100.0}
    trades = [
        Trade(id=name, closed_at=at, net_pnl=pnl, **made)
        for name, at, pnl in (("b", 9, 2.0), ("a", 4, 1.0), ("c", 9, -4.0))
    ]
    assert list(ClosedTrades(UTC, trades).steps.curve.lifted(100.0)) == [Point(4, 101.0), Point(9, 99.0)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(4, 60))
def test_a_thinned_curve_keeps_its_extremes(values: list[float], most: int) -> None:
    """A curve of fewer points keeps its ends, its highest, its lowest and its order."""
    curve = [Point(number * 7, value) for number, value in enumerate(values)]
    found = thinned(curve, most)
    assert len(found) <= max(most, 4)
    assert (found[0], found[-1]) == (curve[0], curve[-1])
    assert [each.at for each in found] == sorted({each.at for each in found})
    assert max(each.value for each in found) == max(values)
    assert min(each.value for each in found) == min(values)
    assert set(found) <= set(curve)


def test_a_fall_goes_from_its_peak_to_its_recovery() -> None:
    """EX-1711: the deepest falls with peak, trough and recovery; the last one may not have recovered."""
    totals = [100, 90, 100, 120, 60, 90, 130, 123.5]
    made = [Snapshot(at=number, total_equity=total) for number, total in enumerate(totals)]
    found = falls(made, flow_index(made))
    told = [(each.peak_at, each.trough_at, each.recovered_at, round(each.depth_percent, 6)) for each in found]
    assert told == [(3, 4, 6, -50.0), (0, 1, 2, -10.0), (6, 7, None, -5.0)]


def test_a_month_compounds_its_days() -> None:
    """The return of a month is that of its completed days one after the other."""
    made = [
        Snapshot(at=instant("2026-01-30T12:00:00Z") + n * DAY, total_equity=v)
        for n, v in enumerate((100, 110, 99, 99, 108.9))
    ]
    found = monthly_returns(dated_returns(made, made[-1].at + DAY, UTC))
    assert found == {(2026, 1): pytest.approx(0.1), (2026, 2): pytest.approx(108.9 / 110 - 1)}


@pytest.mark.parametrize(
    ("name", "since"),
    [
        (RangeName.TODAY, "2026-03-04"),
        (RangeName.WEEK, "2026-02-26"),
        (RangeName.THIRTY_DAYS, "2026-02-03"),
        (RangeName.MONTH, "2026-03-01"),
        (RangeName.YEAR, "2026-01-01"),
        (RangeName.ALL, None),
    ],
)
def test_ranges_are_whole_days_of_the_calendar(name: RangeName, since: str | None) -> None:
    """EX-1719: a range begins at a local midnight and holds the present day."""
    zone = ZoneInfo("America/New_York")
    found = span_of(name, instant("2026-03-05T03:00:00Z"), zone)  # the evening of the 4th there
    wanted = None if since is None else int(datetime.fromisoformat(since).replace(tzinfo=zone).timestamp()) * 10**9
    assert (found.since, found.until) == (wanted, None)


def test_a_custom_range_holds_its_last_day() -> None:
    """EX-1719: from the first instant of one day to the last of another; either may be left open."""
    span = custom_span(date(2026, 1, 1), date(2026, 1, 31), UTC)
    assert span == (instant("2026-01-01T00:00:00Z"), instant("2026-02-01T00:00:00Z"))
    assert custom_span(None, None, UTC) == (None, None)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(-50, 50)), max_size=12))
def test_a_curve_is_lifted_by_each_amount_at_its_instant(steps: list[tuple[int, int]]) -> None:
    """EX-1705: results and deposits lift what follows, in whatever order they come; one point a distinct time."""
    stepped = Stepped()
    for at, amount in steps:
        stepped.add(at, amount)
    times = sorted({at for at, _ in steps})
    assert list(stepped.curve) == [Point(at, sum(amount for when, amount in steps if when <= at)) for at in times]
    for at in range(11):
        assert stepped.until(at) == sum(amount for when, amount in steps if when <= at)

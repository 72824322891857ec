"""Performance figures against a second telling by calendar: zones, days of 23 and 25 hours, ISO weeks, flows, ties."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.values import Side
from rules.performance import (
    FillLine,
    OpenPosition,
    PendingEntry,
    Realization,
    Snapshot,
    Trade,
    allocation,
    daily_summary,
    dashboard,
)
from tests.rules import reference_performance as reference

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "America/Sao_Paulo")
STARTS = ("2026-01-01", "2025-12-29", "2026-03-07", "2026-03-28", "2026-10-24", "2018-11-03", "2024-02-28")
"""Beginnings: new year, ISO week 1 in the old year, both changes of clocks, a midnight that does not exist, 29 February."""


def start_of(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 10**9


INSTANTS = st.tuples(st.sampled_from(STARTS), st.integers(-20, 20 * 96), st.sampled_from([0, 1, 999_999_999])).map(
    lambda each: start_of(each[0]) + each[1] * 900 * 10**9 + each[2]
)
MONEY = st.one_of(st.sampled_from([0.0, 5.0, -5.0, 12.5]), st.floats(-500, 500).map(lambda value: round(value, 2)))
SYMBOLS = st.sampled_from(["BTC/USDT", "ETH/USDT", "ADA/USDT"])
REALIZED = st.builds(
    Realization,
    at=INSTANTS,
    symbol=SYMBOLS,
    timeframe=st.sampled_from(["1h", "4h"]),
    strategy=st.sampled_from(["a", "unlabelled"]),
    pnl=MONEY,
)
TRADES = st.builds(
    Trade,
    id=st.uuids().map(str),
    symbol=SYMBOLS,
    timeframe=st.sampled_from(["1h", "4h"]),
    strategy=st.just("a"),
    side=st.sampled_from(Side),
    opened_at=st.just(0),
    closed_at=INSTANTS,
    entry_cost=st.sampled_from([0.0, 100.0, 250.5]),
    net_pnl=MONEY,
)
FILLS = st.builds(
    FillLine,
    at=INSTANTS,
    symbol=SYMBOLS,
    qty=st.floats(0.001, 9),
    price=st.floats(1, 900),
    quote_usd=st.sampled_from([1.0, 1.1]),
)


def close(found: Any, wanted: Any) -> bool:
    """Compare figures as the vectors do: 1e-9 relative and absolute, empty with empty."""
    if found is None or wanted is None:
        return found is wanted
    return bool(abs(found - wanted) <= 1e-9 + 1e-9 * abs(wanted))


@settings(max_examples=200, deadline=None)
@given(st.lists(REALIZED, max_size=12), INSTANTS, st.sampled_from(ZONES))
def test_every_window(rows: list[Realization], now: int, name: str) -> None:
    """EX-1702, EX-1704: day, ISO week, month and all in any zone; sums by symbol, timeframe and strategy."""
    zone = ZoneInfo(name)
    found = dashboard(now=now, zone=zone, trades=[], realizations=rows, snapshots=[], starting_equity=100.0)
    told = [found.pnl.day, found.pnl.week, found.pnl.month, found.pnl.all]
    assert all(map(close, told, reference.windows(rows, now, zone)))
    for sums, part in ((found.by_symbol, "symbol"), (found.by_timeframe, "timeframe"), (found.by_strategy, "strategy")):
        assert set(sums) == {getattr(each, part) for each in rows}
        assert all(close(sums[key], sum(each.pnl for each in rows if getattr(each, part) == key)) for key in sums)
    times = sorted({each.at for each in rows})
    assert [point.at for point in found.realized_curve] == times
    assert all(
        close(point.value, 100 + sum(each.pnl for each in rows if each.at <= point.at))
        for point in found.realized_curve
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(TRADES, max_size=25), st.integers(2, 9))
def test_every_figure_of_trades(trades: list[Trade], bins: int) -> None:
    """EX-1706 to EX-1710, EX-1713, EX-1714: counts, averages, sides, histogram, heatmap, the ten best and worst."""
    found = dashboard(now=0, zone=UTC, trades=trades, realizations=[], snapshots=[], histogram_bins=bins)
    sides = {side: [trade for trade in trades if trade.side is side] for side in Side}
    for told, some in ((found.stats, trades), (found.long, sides[Side.LONG]), (found.short, sides[Side.SHORT])):
        wanted = reference.stats(some)
        plain = msgspec.structs.asdict(told)
        assert plain.keys() == wanted.keys()
        assert [key for key in wanted if not close(plain[key], wanted[key])] == []
    best = sorted(trades, key=lambda each: each.id)
    best = sorted(best, key=lambda each: each.closed_at)
    assert list(found.best_worst.best) == [each.id for each in sorted(best, key=lambda each: -each.net_pnl)][:10]
    assert list(found.best_worst.worst) == [each.id for each in sorted(best, key=lambda each: each.net_pnl)][:10]
    cells = {(symbol, frame): cell for symbol, row in found.heatmap.items() for frame, cell in row.items()}
    assert set(cells) == {(each.symbol, each.timeframe) for each in trades}
    for (symbol, frame), cell in cells.items():
        wanted = reference.stats([each for each in trades if (each.symbol, each.timeframe) == (symbol, frame)])
        assert cell.trades == wanted["trades"]
        assert close(cell.net_pnl, wanted["net_pnl"])
        assert close(cell.win_rate_percent, wanted["win_rate_percent"])
    edges, counts = found.histogram.edges, found.histogram.counts
    values = [100 * each.net_pnl / each.entry_cost for each in trades if each.entry_cost > 0]
    assert len(counts) == (0 if not values else 1 if len(set(values)) == 1 else bins)
    for number, count in enumerate(counts):
        last = number == len(counts) - 1
        low, high = edges[number], edges[number + 1]
        assert count == sum(low <= value < high or (last and value == high) for value in values)


EQUITY = st.lists(
    st.tuples(
        st.integers(1, 200),
        st.sampled_from([1000.0, 1100.0, 990.0, 900.0, 0.0, -5.0]) | st.floats(500, 2000),
        st.sampled_from([0.0, 0.0, 0.0, 250.0, -100.0]),
    ),
    max_size=14,
)


@settings(max_examples=300, deadline=None)
@given(
    EQUITY,
    st.sampled_from(STARTS),
    st.sampled_from(ZONES),
    st.integers(0, 400),
    st.sampled_from([0.0, 5.0, -3.0]),
    st.sampled_from([365, 252, 1]),
)
def test_every_figure_of_equity(rows: Any, start: str, name: str, later: int, annual: float, days: int) -> None:
    """EX-1711, EX-1712, EX-1714: drawdown with its instants, daily returns, Sharpe and Sortino, over flows and ruin."""
    at, snapshots = start_of(start), []
    for hours, total, flow in rows:
        at += hours * 900 * 10**9
        snapshots.append(Snapshot(at=at, total_equity=total, flow=flow))
    now, zone = at + later * 3600 * 10**9, ZoneInfo(name)
    found = dashboard(
        now=now,
        zone=zone,
        trades=[],
        realizations=[],
        snapshots=snapshots[::-1],
        risk_free_annual_percent=annual,
        annualization_days=days,
    )
    fell = reference.falls(snapshots)
    assert close(found.drawdown.max_drawdown_percent, min(fell, default=None))
    assert close(found.drawdown.current_drawdown_percent, fell[-1] if fell else None)
    _assert_instants(found.drawdown, snapshots, fell)
    wanted = reference.returns(snapshots, now, zone)
    assert len(found.daily_returns) == len(wanted or [])
    assert all(map(close, found.daily_returns, wanted or []))
    sharpe, sortino = reference.ratios(wanted, annual, days)
    assert close(found.sharpe, sharpe)
    assert close(found.sortino, sortino)


def _assert_instants(found: Any, snapshots: list[Snapshot], fell: list[float]) -> None:
    """Check peak, trough and recovery: the first of equal ones each (EX-1711)."""
    if not fell or min(fell) == 0:
        assert (found.peak_at, found.trough_at, found.recovered_at) == (None, None, None)
        return
    index = reference.indices(snapshots)
    trough = fell.index(min(fell))
    peak = index.index(max(index[: trough + 1]))
    again = [number for number in range(trough, len(index)) if index[number] >= index[peak]]
    assert (found.peak_at, found.trough_at) == (snapshots[peak].at, snapshots[trough].at)
    assert found.recovered_at == (snapshots[again[0]].at if again else None)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(TRADES, max_size=8),
    st.lists(FILLS, max_size=8),
    st.lists(REALIZED, max_size=8),
    INSTANTS,
    st.sampled_from(ZONES),
)
def test_every_day(trades: Any, fills: Any, rows: Any, now: int, name: str) -> None:
    """EX-1716: a local calendar day, whatever its length: closes, fills, volume, result, best and worst symbol."""
    zone = ZoneInfo(name)
    days = {reference.local(each.at, zone) for each in [*rows, *fills]} | {reference.local(now, zone)}
    for day in days:
        found = daily_summary(day, zone, trades, fills, rows)
        told = (found.groups_closed, found.fills, found.volume_usd, found.net_pnl)
        *wanted, best, worst = reference.day_summary(day, zone, trades, fills, rows)
        assert all(map(close, told, wanted))
        assert (found.best_symbol, found.worst_symbol) == (best, worst)


@given(
    st.lists(st.tuples(SYMBOLS, st.floats(-5, 5), st.floats(0.1, 900), st.sampled_from([1.0, 1.1])), max_size=6),
    st.lists(
        st.tuples(SYMBOLS, st.floats(0.1, 5), st.floats(0.1, 900), st.floats(0, 6), st.sampled_from([1.0, 1.1])),
        max_size=6,
    ),
    st.sampled_from([0.0, -10.0, 100.0, 10_000.0]),
    st.integers(0, 12),
)
def test_every_allocation(positions: Any, pending: Any, equity: float, occupied: int) -> None:
    """EX-1715, EX-1717: exposure by pair whatever its side, locked in entries, pool, gauge that may exceed 100 %."""
    found = allocation(
        [OpenPosition(symbol=s, qty=q, mark=m, quote_usd=u) for s, q, m, u in positions],
        [PendingEntry(symbol=s, qty=q, price=p, filled=f, quote_usd=u) for s, q, p, f, u in pending],
        total_equity=equity,
        occupied=occupied,
        max_open_groups=8,
    )
    exposure = sum(abs(q) * m * u for _, q, m, u in positions)
    locked = sum(max(q - f, 0) * p * u for _, q, p, f, u in pending)
    assert set(found.exposure) == {row[0] for row in positions}
    for symbol, each in found.exposure.items():
        usd = sum(abs(q) * m * u for s, q, m, u in positions if s == symbol)
        assert close(each.usd, usd)
        assert close(each.percent, 100 * usd / equity if equity > 0 else None)
    assert close(found.deployed_usd, exposure)
    assert close(found.locked_usd, locked)
    assert close(found.pool_used_percent, 12.5 * occupied)
    assert close(found.locked_dca_percent, 100 * locked / equity if equity > 0 else None)
    assert close(found.gauge_committed_usd, exposure + locked)
    assert close(found.gauge_free_usd, max(equity - exposure - locked, 0))
    assert close(found.gauge_percent, 100 * (exposure + locked) / equity if equity > 0 else None)


@pytest.mark.parametrize(
    ("day", "zone", "first", "last"),
    [
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00+00:00", "2026-03-29T21:59:59.999+00:00"),
        ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00+00:00", "2026-10-25T22:59:59.999+00:00"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00+00:00", "2018-11-05T01:59:59.999+00:00"),
    ],
)
def test_days_of_23_and_25_hours(day: str, zone: str, first: str, last: str) -> None:
    """EX-1702, EX-1716: the first and the last instant of days on which the clocks change, and those just outside."""
    begin, end = (int(datetime.fromisoformat(each).timestamp() * 1000) * 10**6 for each in (first, last))
    rows = [
        Realization(at=at, symbol="A/B", timeframe="1h", strategy="s", pnl=pnl)
        for at, pnl in ((begin - 1, 1.0), (begin, 2.0), (end, 4.0), (end + 10**6, 8.0))
    ]
    found = daily_summary(date.fromisoformat(day), ZoneInfo(zone), [], [], rows)
    assert found.net_pnl == 6
    shown = dashboard(now=end, zone=ZoneInfo(zone), trades=[], realizations=rows, snapshots=[], starting_equity=0.0)
    assert shown.pnl.day == 6

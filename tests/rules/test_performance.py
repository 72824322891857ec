"""Performance figures: the vectors, and what they leave open."""

from __future__ import annotations

from datetime import UTC, date
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.values import Side
from rules.performance import (
    FillLine,
    OpenPosition,
    PendingEntry,
    Realization,
    Realized,
    Snapshot,
    Trade,
    allocation,
    best_worst,
    daily_returns,
    daily_summary,
    dashboard,
    day_of,
    day_start,
    drawdown,
    histogram,
    ratios,
    total_pnl_percent,
    trade_stats,
)
from tests.rules.vectors import cases, instant

DAY = 86_400 * 10**9
TIMES = ("at", "opened_at", "closed_at", "peak_at", "trough_at", "recovered_at")


def read(of: type[Any], rows: list[dict[str, Any]]) -> list[Any]:
    """Make values of a vector's rows; fields that the values do not have are descriptions."""
    known = of.__struct_fields__
    return [
        msgspec.convert({k: instant(v) if k in TIMES else v for k, v in row.items() if k in known}, of, strict=False)
        for row in rows
    ]


def timed(value: Any) -> Any:
    """Return what a vector expects with its times as instants."""
    if isinstance(value, dict):
        return {k: instant(v) if k in TIMES and v is not None else timed(v) for k, v in value.items()}
    return [timed(each) for each in value] if isinstance(value, list) else value


def assert_close(found: Any, wanted: Any, rel: float, absolute: float, path: str = "$") -> None:
    """Compare trees; numbers within the tolerance of the vector."""
    if isinstance(wanted, dict):
        assert isinstance(found, dict), path
        assert found.keys() == wanted.keys(), path
        for key in wanted:
            assert_close(found[key], wanted[key], rel, absolute, f"{path}.{key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), path
        for index, (one, other) in enumerate(zip(found, wanted, strict=True)):
            assert_close(one, other, rel, absolute, f"{path}[{index}]")
    elif isinstance(wanted, float | int) and not isinstance(wanted, bool) and not path.endswith(TIMES):
        assert found is not None, path
        assert abs(found - wanted) <= absolute + rel * abs(wanted), f"{path}: {found} for {wanted}"
    else:
        assert found == wanted, path


def check(case: dict[str, Any], found: Any) -> None:
    tolerance = case.get("tolerance", {})
    rel, absolute = float(tolerance.get("rel", 0)), float(tolerance.get("abs", 0))
    assert_close(msgspec.to_builtins(found), timed(case["expected"]), rel, absolute)


@pytest.mark.parametrize("case", cases("performance", "dashboard"))
def test_dashboards_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1701 to EX-1714: every figure of the vectors."""
    given = case["input"]
    extra = {name: given[name] for name in ("risk_free_annual_percent", "annualization_days") if name in given}
    check(
        case,
        dashboard(
            now=instant(given["now"]),
            zone=ZoneInfo(given.get("timezone", "UTC")),
            trades=read(Trade, given["trades"]),
            realizations=read(Realization, given["realizations"]),
            snapshots=read(Snapshot, given["snapshots"]),
            starting_equity=given.get("starting_equity"),
            histogram_bins=given.get("histogram_bins", 20),
            **extra,
        ),
    )


@pytest.mark.parametrize("case", cases("performance", "daily_summary"))
def test_daily_summaries_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1716: groups, fills, volume, result, best and worst symbol of a day."""
    given = case["input"]
    day, zone = date.fromisoformat(given["day"]), ZoneInfo(given.get("timezone", "UTC"))
    rows = (read(Trade, given["trades"]), read(FillLine, given["fills"]), read(Realization, given["realizations"]))
    check(case, daily_summary(day, zone, *rows))


@pytest.mark.parametrize("case", cases("performance", "allocation"))
def test_allocations_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1715, EX-1717: exposure, locked capital and the gauge."""
    given = case["input"]
    found = allocation(
        read(OpenPosition, given["positions"]),
        read(PendingEntry, given["pending"]),
        total_equity=given["total_equity"],
        occupied=given["occupied"],
        max_open_groups=given["max_open_groups"],
    )
    check(case, found)


def trade(name: str, pnl: float, *, cost: float = 100, closed_at: int = 0, side: Side = Side.LONG) -> Trade:
    return Trade(
        id=name,
        symbol="BTC/USDT",
        timeframe="1h",
        strategy="s",
        side=side,
        opened_at=0,
        closed_at=closed_at,
        entry_cost=cost,
        net_pnl=pnl,
    )


def realized(at: int, pnl: float, symbol: str = "BTC/USDT") -> Realization:
    return Realization(at=at, symbol=symbol, timeframe="1h", strategy="s", pnl=pnl)


def equity(*rows: tuple[float, float, float]) -> list[Snapshot]:
    return [Snapshot(at=int(day * DAY), total_equity=total, flow=flow) for day, total, flow in rows]


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    """EX-1702: day, ISO week and month begin in ``app.timezone``; what comes after now does not count."""
    zone = ZoneInfo("America/New_York")
    now = instant("2026-03-02T15:00:00Z")  # a Monday
    rows = [
        realized(instant("2026-03-02T04:59:59Z"), 1),  # Sunday, the first of March
        realized(instant("2026-03-02T05:00:00Z"), 2),
        realized(now, 4),
        realized(now + 1, 8),
        realized(instant("2026-03-01T04:59:59Z"), 16),  # February
    ]
    found = Realized(zone, rows).windows(now)
    assert (found.day, found.week, found.month, found.all) == (6, 6, 7, 23)


def test_a_day_without_midnight_begins_after_the_gap() -> None:
    """EX-1702: where clocks are put forward at midnight the day begins at one, and holds its own instants only."""
    zone = ZoneInfo("America/Sao_Paulo")
    day = date(2018, 11, 4)
    start = day_start(day, zone)
    assert day_of(start, zone) == day
    assert day_of(start - 10**9, zone) == date(2018, 11, 3)


def test_equal_results_are_ranked_by_close_then_id() -> None:
    """EX-1710: ties by earlier close, then id, in both lists; each has ten at most."""
    trades = [trade("c", 1, closed_at=2), trade("b", 1, closed_at=1), trade("a", 1, closed_at=2)]
    found = best_worst(trades)
    assert found.best == found.worst == ("b", "a", "c")
    assert len(best_worst([trade(f"{n:02}", n) for n in range(30)]).best) == 10


def test_equal_returns_fill_one_bin() -> None:
    """EX-1708: equal returns make one bin, trades without cost are left out, no trades make none."""
    assert histogram([trade("a", 5), trade("b", 5)], 4).counts == (2,)
    assert histogram([trade("a", 5), trade("b", 5, cost=0)], 4).counts == (1,)
    assert histogram([trade("b", 5, cost=0)], 4).edges == ()


@given(pnls=st.lists(st.floats(-1e6, 1e6), max_size=40), bins=st.integers(2, 30))
def test_every_return_is_in_a_bin(pnls: list[float], bins: int) -> None:
    """EX-1708: the counts add up to the trades; the edges rise from the smallest return to the largest."""
    trades = [trade(str(number), pnl) for number, pnl in enumerate(pnls)]
    found = histogram(trades, bins)
    assert sum(found.counts) == len(pnls)
    returns = [each.return_percent or 0.0 for each in trades]
    if pnls:
        assert (found.edges[0], found.edges[-1]) == (min(returns), max(returns))
        assert list(found.edges) == sorted(found.edges)


def test_without_losses_there_is_no_profit_factor() -> None:
    """EX-1714: no losses means an empty profit factor, no trades means an empty win rate; breakeven dilutes the rate."""
    assert trade_stats([trade("a", 5)]).profit_factor is None
    assert trade_stats([trade("a", -5)]).profit_factor == 0
    assert trade_stats([]).win_rate_percent is None
    assert trade_stats([trade("a", 5), trade("b", 0)]).win_rate_percent == 50


def test_a_deposit_is_neither_profit_nor_recovery() -> None:
    """EX-1711: flows are taken out of the index: a deposit ends no drawdown, a withdrawal makes none."""
    found = drawdown(equity((0, 1000, 0), (1, 900, 0), (2, 1400, 500), (3, 900, -500)))
    assert found.max_drawdown_percent == pytest.approx(-10)
    assert (found.peak_at, found.trough_at, found.recovered_at) == (0, DAY, None)
    assert found.current_drawdown_percent == pytest.approx(-10)


def test_ruin_is_final() -> None:
    """EX-1711: once equity is gone the index stays at zero, whatever is deposited after."""
    found = drawdown(equity((0, 1000, 0), (1, 0, 0), (2, 5000, 5000), (3, 9000, 0)))
    assert found.max_drawdown_percent == found.current_drawdown_percent == -100
    assert found.recovered_at is None


def test_equity_that_never_fell_has_no_peak_and_no_trough() -> None:
    """EX-1711: without a fall the drawdown is zero and has no instants; without snapshots it is empty."""
    found = drawdown(equity((0, 1, 0), (1, 2, 0), (2, 2, 0)))
    assert (found.max_drawdown_percent, found.peak_at, found.trough_at) == (0, None, None)
    assert drawdown([]).max_drawdown_percent is None


def test_the_first_day_counts_when_it_holds_a_second_snapshot() -> None:
    """EX-1712: the first snapshot is the baseline; its own day has a return only with a later snapshot."""
    assert daily_returns(equity((0.1, 100, 0), (1.5, 110, 0)), 2 * DAY, UTC) == pytest.approx([0.1])
    both = equity((0.1, 100, 0), (0.9, 105, 0), (1.5, 105, 0))
    assert daily_returns(both, 2 * DAY, UTC) == pytest.approx([0.05, 0.0])


def test_the_present_day_is_not_complete() -> None:
    """EX-1712: only completed days have a return; days without snapshots are days without change."""
    rows = equity((0, 100, 0), (1, 110, 0), (4, 220, 0))
    assert daily_returns(rows, int(4.5 * DAY), UTC) == pytest.approx([0.1, 0.0, 0.0])


def test_no_ratio_after_a_day_that_began_with_nothing() -> None:
    """EX-1712: equity of zero or less at the start of a day leaves Sharpe and Sortino empty."""
    rows = equity((0, 100, 0), (1, 0, 0), (2, 50, 50))
    assert ratios(daily_returns(rows, 4 * DAY, UTC)).sharpe is None


def test_no_ratio_without_deviation() -> None:
    """EX-1714: fewer than two returns or no deviation leave the ratios empty; without a losing day there is no Sortino."""
    assert ratios([0.1]).sharpe is None
    assert ratios([0.1, 0.1]).sharpe is None
    found = ratios([0.1, 0.2])
    assert found.sharpe is not None
    assert found.sortino is None


def test_the_hurdle_is_taken_off_each_day() -> None:
    """EX-1712: a risk-free rate lowers the Sharpe ratio and makes a flat day a losing one."""
    plain, hurdle = ratios([0.0, 0.1]), ratios([0.0, 0.1], risk_free_annual_percent=10)
    assert plain.sortino is None
    assert hurdle.sortino is not None
    assert hurdle.sharpe is not None
    assert plain.sharpe is not None
    assert hurdle.sharpe < plain.sharpe


def test_symbols_with_equal_results_are_named_by_the_alphabet() -> None:
    """EX-1716: best and worst symbol of a day, ties alphabetical, empty without realizations."""
    found = daily_summary(date(1970, 1, 1), UTC, [], [], [realized(1, 5, "B/USDT"), realized(2, 5, "A/USDT")])
    assert (found.best_symbol, found.worst_symbol) == ("A/USDT", "A/USDT")
    assert daily_summary(date(1970, 1, 1), UTC, [], [], []).best_symbol is None


def test_capital_beyond_equity_shows() -> None:
    """EX-1717: the gauge may exceed 100 percent, free never falls below zero; EX-1715: no percent of no equity."""
    position = OpenPosition(symbol="BTC/USDT", qty=-2, mark=100)
    found = allocation([position], [], total_equity=100, occupied=1, max_open_groups=4)
    assert (found.gauge_percent, found.gauge_free_usd, found.pool_used_percent) == (200, 0, 25)
    assert allocation([position], [], total_equity=0, occupied=0, max_open_groups=4).gauge_percent is None


def test_total_result_is_measured_by_what_was_put_in() -> None:
    """EX-1720: realized and unrealized over starting equity and flows; empty when that is nothing."""
    assert total_pnl_percent(realized=30, unrealized=-10, starting_equity=100, net_flows=100) == 10
    assert total_pnl_percent(realized=1, unrealized=1, starting_equity=100, net_flows=-100) is None


@given(values=st.lists(st.floats(1, 1e6), min_size=1, max_size=30))
def test_drawdown_is_between_nothing_and_everything(values: list[float]) -> None:
    """EX-1711: drawdowns are percent points from -100 to 0, the present one never below the deepest."""
    found = drawdown([Snapshot(at=n, total_equity=value) for n, value in enumerate(values)])
    assert found.max_drawdown_percent is not None
    assert found.current_drawdown_percent is not None
    assert -100 <= found.max_drawdown_percent <= found.current_drawdown_percent <= 0 < inf

"""Figures against numpy: formulas written a second time, over arrays (EX-1706 to EX-1713)."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.performance import Snapshot, drawdown, drawdown_curve, falls, flow_index, histogram, ratios, trade_stats
from tests.rules.test_performance import trade

MONEY = st.floats(-1e4, 1e4).map(lambda value: round(value, 2))
EQUITY = st.lists(
    st.tuples(st.floats(100, 1e5), st.sampled_from([0.0, 0.0, 0.0, 250.0, -80.0])), min_size=1, max_size=60
)


def snapshots(rows: list[tuple[float, float]]) -> list[Snapshot]:
    return [Snapshot(at=number, total_equity=total, flow=flow) for number, (total, flow) in enumerate(rows)]


def same(found: float | None, wanted: float) -> bool:
    return found is not None and math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=80), st.sampled_from([0.0, 4.0]), st.sampled_from([252, 365])
)
def test_ratios(returns: list[float], annual: float, days: int) -> None:
    """EX-1712: Sharpe with the sample deviation, Sortino with the root mean square of what fell short."""
    found = ratios(returns, risk_free_annual_percent=annual, days=days)
    excess = np.asarray(returns) - ((1 + annual / 100) ** (1 / days) - 1)
    deviation, downside = np.std(excess, ddof=1), np.sqrt(np.mean(np.minimum(excess, 0) ** 2))
    for value, spread in ((found.sharpe, deviation), (found.sortino, downside)):
        if spread < 1e-12:
            assert value is None
        elif spread > 1e-9:  # between them rounding decides
            assert same(value, float(np.mean(excess) / spread * np.sqrt(days)))


@settings(max_examples=150, deadline=None)
@given(EQUITY)
def test_drawdown(rows: list[tuple[float, float]]) -> None:
    """EX-1711: the flow-adjusted index is a product of daily growth; the drawdown is from its running maximum."""
    total, flow = np.array([each[0] for each in rows]), np.array([each[1] for each in rows])
    growth = np.concatenate([[1.0], np.maximum((total[1:] - flow[1:]) / total[:-1], 0)])
    index = np.cumprod(growth)
    under = 100 * (index / np.maximum.accumulate(index) - 1)
    made = snapshots(rows)
    found, told = drawdown(made), flow_index(made)
    assert np.allclose(told, index, rtol=1e-9)
    assert np.allclose([point.value for point in drawdown_curve(made, told)], under, rtol=1e-9, atol=1e-9)
    assert same(found.max_drawdown_percent, float(under.min()))
    assert same(found.current_drawdown_percent, float(under[-1]))
    deepest = falls(made, told)
    assert len(deepest) <= 5
    assert [each.depth_percent for each in deepest] == sorted(each.depth_percent for each in deepest)
    if under.min() < -1e-9:
        assert same(deepest[0].depth_percent, float(under.min()))
        assert deepest[0].peak_at < deepest[0].trough_at


@settings(max_examples=150, deadline=None)
@given(st.lists(MONEY, min_size=1, max_size=80))
def test_wins_and_losses(results: list[float]) -> None:
    """EX-1706, EX-1713: counts, averages and factors of an array of results."""
    found = trade_stats([trade(str(number), value) for number, value in enumerate(results)])
    values = np.asarray(results)
    won, lost = values[values > 0], values[values < 0]
    assert (found.wins, found.losses, found.breakeven) == (len(won), len(lost), int(np.sum(values == 0)))
    assert same(found.win_rate_percent, 100 * float(np.mean(values > 0)))
    assert same(found.expectancy, float(np.mean(values)))
    assert found.profit_factor is None if not len(lost) else same(found.profit_factor, float(won.sum() / -lost.sum()))
    if len(won) and len(lost):
        assert same(found.rr_ratio, float(won.mean() / -lost.mean()))


@settings(max_examples=150, deadline=None)
@given(st.lists(MONEY, min_size=1, max_size=80), st.integers(2, 30))
def test_histogram(results: list[float], bins: int) -> None:
    """EX-1708: the bins and counts of numpy.histogram, which closes the last bin on both sides as well."""
    found = histogram([trade(str(number), value) for number, value in enumerate(results)], bins)
    returns = np.array([100 * value / 100 for value in results])
    if returns.min() == returns.max():
        assert found.counts == (len(results),)
        return
    edges = np.linspace(returns.min(), returns.max(), bins + 1)
    assert np.allclose(found.edges, edges, rtol=1e-9, atol=1e-9)
    counts, _ = np.histogram(returns, np.asarray(found.edges))
    assert list(found.counts) == counts.tolist()

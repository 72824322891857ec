"""Figures against backtesting.py: what it says of a run of its own, we say of that run's trades and equity.

Its Sharpe and Sortino ratios are geometric and do not follow EX-1712; those stand against numpy.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from backtesting import Backtest, Strategy

from rules.performance import Snapshot, drawdown, trade_stats
from tests.rules.test_performance import trade

# The library still asks pandas for what a later pandas will not have.
pytestmark = [
    pytest.mark.slow(seconds=5),
    pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofweek:DeprecationWarning"),
]

DAYS = 300
CASH = 1_000_000


class Flips(Strategy):
    """Buys, sells and closes by the throw of a die that is part of the data."""

    def init(self) -> None:
        """Need no indicators."""

    def next(self) -> None:
        """Do what the die says."""
        die = int(self.data.Die[-1])
        if die == 0:
            self.buy(size=10 + len(self.data.Die))
        elif die == 1:
            self.sell(size=25)
        elif die == 2:
            self.position.close()


def prices(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    close = 100 * np.cumprod(1 + rng.normal(0, 0.02, DAYS))
    opened = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    days = pd.date_range("2026-01-01", periods=DAYS)
    found = {"Open": opened, "High": high, "Low": low, "Close": close, "Die": rng.integers(0, 8, DAYS)}
    return pd.DataFrame(found, index=days)


@pytest.mark.parametrize("seed", range(5))
def test_a_run_has_the_figures_that_the_library_gives_it(seed: int) -> None:
    """EX-1706, EX-1711, EX-1713: win rate, expectancy, profit factor and the deepest fall are the same."""
    stats = Backtest(prices(seed), Flips, cash=CASH, commission=0.001, finalize_trades=True).run()
    returns = [100 * each for each in stats["_trades"]["ReturnPct"]]
    assert len(returns) > 20
    found = trade_stats([trade(str(number), each) for number, each in enumerate(returns)])
    assert found.trades == stats["# Trades"]
    assert found.win_rate_percent == pytest.approx(stats["Win Rate [%]"])
    assert found.expectancy == pytest.approx(stats["Expectancy [%]"])
    assert found.profit_factor == pytest.approx(stats["Profit Factor"])
    curve = [Snapshot(at=day, total_equity=each, flow=0.0) for day, each in enumerate(stats["_equity_curve"]["Equity"])]
    assert drawdown(curve).max_drawdown_percent == pytest.approx(stats["Max. Drawdown [%]"])

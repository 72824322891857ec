"""Measure a replay of a recorded month through the full actor path, beside backtesting.py, on one core.

``python -m benchmarks.replay [--rounds N]``. All of these take turns in one process, over the same bars:

- *one live group*: a group opens at bar 500 and lives to the end: five layers, a target for each that filled.
- *spread*: the same in an account that pays half a basis point each way, as accounts do by default. The others pay none, as
  ``Backtest`` does by default.
- *dense*: 65 alerts, an entry and an exit by turns, so that groups open, fill, take profit and close all the time.
- *no group*: the same house without alerts: what it costs to move prices through the actors.
- *source*: iterating over the source alone: the least a replay can cost.
- *backtesting.py*: ``Backtest.run()`` with the orders of *one live group* (limit buys with targets), and of *dense*.

Time is the process's own CPU time: a replay waits for nothing, and what else the machine does then moves it less. A house
is timed from its sixth hour to its last full one (it is up and warm by then, and reads its file on the way);
backtesting.py has its data in memory before ``run`` is timed.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any, Final

from actors.feed import LiveSource
from actors.sender import Alert
from benchmarks.measure import Row, in_turns, on_one_core, row_of, table
from benchmarks.recording import SECRETS, Recording, alert_at, configured, open_recording
from service.config import Config
from service.markets import recorded_market
from service.replaying import run_replay
from strategies.crossing import Wish

__all__ = ["rows"]

ROUNDS: Final = 5
DENSE: Final = 65
FIRST_BAR: Final = 500
GAPS: Final = (0.0, -1.0, -2.0, -5.0, -20.0)
"""Where the layers of the standing group lie, in percent of its entry price."""
TARGET_PERCENT: Final = 200.0
"""So far away that the group lives to the end of the month."""


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; return one row a contestant."""
    with tempfile.TemporaryDirectory() as folder, on_one_core():
        recording = open_recording(Path(folder))
        contestants = _contestants(recording, Path(folder))
        figures = in_turns(rounds, contestants)
    prices = "" if recording.real else " (made-up bars)"
    peers = {
        "replay, one live group": "backtesting.py",
        "replay, one live group, spread": "backtesting.py",
        "replay, dense": "backtesting.py, dense",
    }
    return [
        row_of(
            name + prices,
            values,
            "bars/s",
            against=(peers[name], figures[peers[name]]) if peers.get(name) in figures else None,
        )
        for name, values in figures.items()
    ]


def _contestants(recording: Recording, folder: Path) -> dict[str, Callable[[], float]]:
    standing = configured(recording, folder, more=_standing_ladder())
    ordinary = configured(recording, folder)
    with_spread = configured(recording, folder, more=_standing_ladder(), spread_bps="0.5")
    one = [alert_at(recording, FIRST_BAR, Wish.ENTER)]
    found: dict[str, Callable[[], float]] = {
        "replay, one live group": partial(_replayed, standing, one),
        "replay, one live group, spread": partial(_replayed, with_spread, one),
        "replay, dense": partial(_replayed, ordinary, dense_alerts(recording)),
        "replay, no group": partial(_replayed, ordinary, []),
        "replay, source alone": partial(_iterated, ordinary),
    }
    return {**found, **_backtests(recording)}


def _standing_ladder() -> str:
    share = 100 / len(GAPS)
    levels = ", ".join(
        f"{{ gap_percent = {gap}, weight_percent = {share}, tp_percent = {TARGET_PERCENT} }}" for gap in GAPS
    )
    return f"[grid_strategy]\nlevels = [{levels}]"


def dense_bars(recording: Recording) -> list[int]:
    """Return the bars at which an alert comes in the dense run."""
    step = recording.bars // (DENSE + 1)
    return [(number + 1) * step for number in range(DENSE)]


def dense_alerts(recording: Recording) -> list[Alert]:
    """Return an entry and an exit by turns."""
    return [
        alert_at(recording, bar, Wish.EXIT if number % 2 else Wish.ENTER)
        for number, bar in enumerate(dense_bars(recording))
    ]


def _replayed(config: Config, alerts: Sequence[Alert]) -> float:
    marks: list[tuple[int, float]] = []
    result = run_replay(
        config,
        alerts=alerts,
        secrets=SECRETS,
        progress=lambda done: marks.append((done.prices, process_time())),
    )
    groups = result.summary.groups.values()
    assert result.summary.signals == len(alerts), "every alert was taken"
    assert bool(groups) == bool(alerts), "groups live where there are alerts"
    assert len(alerts) != 1 or not any(group.closed for group in groups), "the standing group lives to the end"
    (first, began), (last, ended) = marks[0], marks[-1]
    return (last - first) / (ended - began)


def _iterated(config: Config) -> float:
    source = recorded_market(config, config.accounts[0]).open()
    assert not isinstance(source, LiveSource), "a replay's source is recorded"
    began = process_time()
    count = sum(1 for _ in source)
    return count / (process_time() - began)


# --- backtesting.py ----------------------------------------------------------------------------------------------------


def _backtests(recording: Recording) -> dict[str, Callable[[], float]]:
    """Return its contestants; none when it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import backtesting
            import pandas as pd
    except ImportError:
        return {}
    columns = recording.columns
    frame = pd.DataFrame(
        {name.title(): columns[name] for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(columns["ts"], unit="s"),
    )
    standing, dense = _strategies(backtesting, set(dense_bars(recording)))

    def run(strategy: Any) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # trades that are open at the end; it says so with each run
            test = backtesting.Backtest(frame, strategy, cash=1_000_000_000, commission=0.001)
            began = process_time()
            result = test.run()
            took = process_time() - began
        assert result["# Trades"] or strategy is standing, "it traded"
        return recording.bars / took

    return {"backtesting.py": partial(run, standing), "backtesting.py, dense": partial(run, dense)}


def _strategies(backtesting: Any, alerts: set[int]) -> tuple[Any, Any]:
    """Return the strategies that send the same orders: one standing ladder, and ladders by alerts."""

    class Standing(backtesting.Strategy):  # type: ignore[misc, unused-ignore]
        def init(self) -> None:
            self.bar = 0

        def next(self) -> None:
            self.bar += 1
            if self.bar == FIRST_BAR:
                self.ladder(GAPS, TARGET_PERCENT)

        def ladder(self, gaps: Sequence[float], target: float) -> None:
            price = self.data.Close[-1]
            for gap in gaps:
                limit = price * (1 + gap / 100)
                self.buy(size=1, limit=limit, tp=limit * (1 + target / 100))

    class Dense(Standing):
        def init(self) -> None:
            super().init()
            self.enter = True

        def next(self) -> None:
            self.bar += 1
            if self.bar not in alerts:
                return
            if self.enter:
                self.ladder((0.0, -0.5, -1.0, -1.5, -2.0), 1.0)
            else:
                for order in self.orders:
                    order.cancel()
                self.position.close()
            self.enter = not self.enter

    return Standing, Dense


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description="a month through the actors")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of each contestant (default {ROUNDS})")
    print(table(rows(parser.parse_args(arguments).rounds)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The exchange of a simulated account, and the prices that move through it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from protocol.market import Bar
from service.config import Config
from service.config.market import Account
from service.house import paper_config
from simulation.outside.time import Agenda
from simulation.scenario import Scenario
from simulation.world import bars_of, instruments_of
from venues.practice.exchange import PracticeExchange

__all__ = ["make_exchange", "play_prices"]


def make_exchange(config: Config, account: Account, agenda: Agenda, scenario: Scenario) -> PracticeExchange:
    """Return the exchange that an account trades at: outside the process, on the outside's time."""
    return PracticeExchange(
        account.name,
        paper_config(config, account),
        instruments_of(scenario),
        lambda: agenda.now,
        agenda.at,
    )


def play_prices(scenario: Scenario, exchange: PracticeExchange, agenda: Agenda) -> None:
    """Have the bars of every path begin at their instants, each symbol a nanosecond after the one before."""
    paths = [
        _numbered(index, bars_of(path, scenario.start_at, scenario.hours)) for index, path in enumerate(scenario.paths)
    ]
    bars = heapq.merge(*paths)

    def begin_next() -> None:
        following = next(bars, None)
        if following is not None:
            at, index, bar = following

            def begin() -> None:
                exchange.bar(bar, index)
                begin_next()

            agenda.at(at, begin)

    begin_next()


def _numbered(index: int, bars: Iterator[Bar]) -> Iterator[tuple[int, int, Bar]]:
    return ((bar.at + index, index, bar) for bar in bars)

"""Figures of closed trades: wins and losses, distribution, pairs by timeframe, the best and the worst."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Final

from protocol.messages import Value
from protocol.values import Instant
from rules.performance.values import Trade

__all__ = [
    "BEST_WORST",
    "BestWorst",
    "Cell",
    "Extremes",
    "Histogram",
    "Tally",
    "TradeStats",
    "best_worst",
    "cells",
    "distributed",
    "heatmap",
    "histogram",
    "trade_stats",
]

BEST_WORST: Final = 10
"""Trades in each of the two lists (EX-1710)."""


class TradeStats(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Wins and losses in USD (EX-1706, EX-1713); what is undefined is None."""

    trades: int
    wins: int
    losses: int
    breakeven: int
    win_rate_percent: float | None
    gross_profit: float
    gross_loss: float
    net_pnl: float
    average_win: float | None
    average_loss: float | None
    rr_ratio: float | None
    profit_factor: float | None
    expectancy: float | None


class Histogram(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Counts of equal bins; ``edges`` are one more than ``counts``, both empty without data."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Cell(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One cell of the heatmap."""

    trades: int
    net_pnl: float
    win_rate_percent: float | None


class BestWorst(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Ids of the best and of the worst trades, the most extreme first."""

    best: tuple[str, ...]
    worst: tuple[str, ...]


class Tally:
    """Adds up the net results of trades, in USD."""

    __slots__ = ("_count", "_loss", "_losses", "_net", "_profit", "_wins")

    def __init__(self) -> None:
        self._count = self._wins = self._losses = 0
        self._profit = self._loss = self._net = 0.0

    def add(self, pnl: float) -> None:
        """Count one trade; a result of exactly zero is breakeven and counts in the win rate's denominator."""
        self._count += 1
        self._net += pnl
        if pnl > 0:
            self._wins += 1
            self._profit += pnl
        elif pnl < 0:
            self._losses += 1
            self._loss -= pnl

    def merge(self, other: Tally) -> None:
        """Count another's trades as well."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def stats(self) -> TradeStats:
        """Return what it came to (EX-1706, EX-1713)."""
        average_win = self._profit / self._wins if self._wins else None
        average_loss = -self._loss / self._losses if self._losses else None
        return TradeStats(
            trades=self._count,
            wins=self._wins,
            losses=self._losses,
            breakeven=self._count - self._wins - self._losses,
            win_rate_percent=100 * self._wins / self._count if self._count else None,
            gross_profit=self._profit,
            gross_loss=self._loss,
            net_pnl=self._net,
            average_win=average_win,
            average_loss=average_loss,
            rr_ratio=average_win / -average_loss if average_win is not None and average_loss else None,
            profit_factor=self._profit / self._loss if self._loss > 0 else None,
            expectancy=self._net / self._count if self._count else None,
        )


def trade_stats(trades: Iterable[Trade]) -> TradeStats:
    """Count and add up trades."""
    tally = Tally()
    for trade in trades:
        tally.add(trade.net_pnl)
    return tally.stats()


def histogram(trades: Iterable[Trade], bins: int) -> Histogram:
    """Distribute the trades' returns over equal bins, each closed below and open above, the last closed (EX-1708)."""
    return distributed(sorted(each for trade in trades if (each := trade.return_percent) is not None), bins)


def distributed(returns: Sequence[float], bins: int) -> Histogram:
    """Distribute returns in rising order over equal bins."""
    if not returns:
        return Histogram((), ())
    low, high = returns[0], returns[-1]
    if low == high:
        return Histogram((low, high), (len(returns),))
    step = (high - low) / bins
    edges = [*(min(low + step * index, high) for index in range(bins)), high]
    below = [0, *(bisect_left(returns, edge) for edge in edges[1:-1]), len(returns)]
    return Histogram(tuple(edges), tuple(right - left for left, right in pairwise(below)))


def heatmap(trades: Iterable[Trade]) -> dict[str, dict[str, Cell]]:
    """Return symbol -> timeframe -> cell; a pair and timeframe without trades has no cell (EX-1709)."""
    tallies: dict[tuple[str, str], Tally] = {}
    for trade in trades:
        tallies.setdefault((trade.symbol, trade.timeframe), Tally()).add(trade.net_pnl)
    return cells(tallies)


def cells(tallies: Mapping[tuple[str, str], Tally]) -> dict[str, dict[str, Cell]]:
    """Return the heatmap of tallies by symbol and timeframe."""
    found: dict[str, dict[str, Cell]] = {}
    for symbol, timeframe in sorted(tallies):
        stats = tallies[symbol, timeframe].stats()
        found.setdefault(symbol, {})[timeframe] = Cell(stats.trades, stats.net_pnl, stats.win_rate_percent)
    return found


class Extremes:
    """The ten best and the ten worst trades so far, by net result; of equal ones the earlier closed, then the smaller id."""

    def __init__(self) -> None:
        self._best: list[tuple[float, Instant, str, Trade]] = []
        self._worst: list[tuple[float, Instant, str, Trade]] = []

    def add(self, trade: Trade) -> None:
        """Let a trade take its place, if it has one."""
        for ranks, result in ((self._best, -trade.net_pnl), (self._worst, trade.net_pnl)):
            if len(ranks) == BEST_WORST and result > ranks[-1][0]:
                continue
            insort(ranks, (result, trade.closed_at, trade.id, trade), key=itemgetter(0, 1, 2))
            del ranks[BEST_WORST:]

    @property
    def best(self) -> list[Trade]:
        """The best, the most extreme first."""
        return [each[3] for each in self._best]

    @property
    def worst(self) -> list[Trade]:
        """The worst, the most extreme first."""
        return [each[3] for each in self._worst]

    def names(self) -> BestWorst:
        """Return both lists by id."""
        return BestWorst(tuple(each.id for each in self.best), tuple(each.id for each in self.worst))


def best_worst(trades: Iterable[Trade]) -> BestWorst:
    """Return the ten best and the ten worst by net result."""
    found = Extremes()
    for trade in trades:
        found.add(trade)
    return found.names()

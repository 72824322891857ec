"""Figures of closed trades: wins and losses, distribution, pairs by timeframe, the best and the worst."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from protocol.messages import Value
from rules.performance.values import Trade

__all__ = [
    "BEST_WORST",
    "BestWorst",
    "Cell",
    "Histogram",
    "TradeStats",
    "best_worst",
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


def trade_stats(trades: Iterable[Trade]) -> TradeStats:
    """Count and add up trades; a net result of exactly zero is breakeven and counts in the win rate's denominator."""
    results = [trade.net_pnl for trade in trades]
    won = [pnl for pnl in results if pnl > 0]
    lost = [-pnl for pnl in results if pnl < 0]
    profit, loss, net = sum(won, 0.0), sum(lost, 0.0), sum(results, 0.0)
    average_win = profit / len(won) if won else None
    average_loss = -loss / len(lost) if lost else None
    return TradeStats(
        trades=len(results),
        wins=len(won),
        losses=len(lost),
        breakeven=len(results) - len(won) - len(lost),
        win_rate_percent=100 * len(won) / len(results) if results else None,
        gross_profit=profit,
        gross_loss=loss,
        net_pnl=net,
        average_win=average_win,
        average_loss=average_loss,
        rr_ratio=average_win / -average_loss if average_win is not None and average_loss else None,
        profit_factor=profit / loss if loss > 0 else None,
        expectancy=net / len(results) if results else None,
    )


def histogram(trades: Iterable[Trade], bins: int) -> Histogram:
    """Distribute the trades' returns over equal bins, each closed below and open above, the last closed (EX-1708)."""
    returns = [each for trade in trades if (each := trade.return_percent) is not None]
    if not returns:
        return Histogram((), ())
    low, high = min(returns), max(returns)
    if low == high:
        return Histogram((low, high), (len(returns),))
    step = (high - low) / bins
    edges = [*(min(low + step * index, high) for index in range(bins)), high]
    counts = [0] * bins
    for value in returns:
        counts[min(bisect_right(edges, value), bins) - 1] += 1
    return Histogram(tuple(edges), tuple(counts))


def heatmap(trades: Sequence[Trade]) -> dict[str, dict[str, Cell]]:
    """Return symbol -> timeframe -> cell; a pair and timeframe without trades has no cell (EX-1709)."""
    cells: dict[str, dict[str, list[Trade]]] = {}
    for trade in trades:
        cells.setdefault(trade.symbol, {}).setdefault(trade.timeframe, []).append(trade)
    return {
        symbol: {timeframe: _cell(row[timeframe]) for timeframe in sorted(row)} for symbol, row in sorted(cells.items())
    }


def _cell(trades: Sequence[Trade]) -> Cell:
    stats = trade_stats(trades)
    return Cell(stats.trades, stats.net_pnl, stats.win_rate_percent)


def best_worst(trades: Sequence[Trade]) -> BestWorst:
    """Return the ten best and the ten worst by net result; of equal ones the earlier closed, then the smaller id."""
    best = sorted(trades, key=lambda trade: (-trade.net_pnl, trade.closed_at, trade.id))[:BEST_WORST]
    worst = sorted(trades, key=lambda trade: (trade.net_pnl, trade.closed_at, trade.id))[:BEST_WORST]
    return BestWorst(tuple(trade.id for trade in best), tuple(trade.id for trade in worst))

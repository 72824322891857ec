"""What closed trades come to, added to trade by trade."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, tzinfo

from protocol.values import Side
from rules.performance.curve import Stepped
from rules.performance.keys import BreakdownKey
from rules.performance.trades import (
    Cell,
    Extremes,
    Histogram,
    Tally,
    TradeStats,
    cells,
    distributed,
)
from rules.performance.values import Trade
from rules.performance.windows import Calendar

__all__ = ["ClosedTrades"]


class ClosedTrades:
    """Every figure of trades (EX-1706 to EX-1710), whatever their number: what is new is added, nothing is counted again."""

    def __init__(self, zone: tzinfo, trades: Iterable[Trade] = ()) -> None:
        self.all = Tally()
        self.by: dict[BreakdownKey, dict[str, Tally]] = {key: defaultdict(Tally) for key in BreakdownKey}
        self.days: dict[date, Tally] = defaultdict(Tally)
        self.extremes = Extremes()
        self.steps = Stepped()
        """The net results, each at its close."""
        self._calendar = Calendar(zone)
        self._cells: dict[tuple[str, str], Tally] = defaultdict(Tally)
        self._returns = array("d")
        self.extend(trades)

    def extend(self, trades: Iterable[Trade]) -> None:
        """Add trades."""
        by = [(key.value, tallies) for key, tallies in self.by.items()]
        returns = []
        for trade in trades:
            pnl = trade.net_pnl
            self.all.add(pnl)
            for name, tallies in by:
                tallies[getattr(trade, name) or ""].add(pnl)
            self._cells[trade.symbol, trade.timeframe].add(pnl)
            self.days[self._calendar.day(trade.closed_at)].add(pnl)
            self.extremes.add(trade)
            self.steps.add(trade.closed_at, pnl)
            if (percent := trade.return_percent) is not None:
                returns.append(percent)
        if returns:
            self._returns = array("d", sorted([*self._returns, *returns]))

    def side(self, side: Side) -> TradeStats:
        """Return the figures of one side (EX-1707)."""
        found = self.by[BreakdownKey.SIDE].get(side)
        return (found or Tally()).stats()

    def histogram(self, bins: int) -> Histogram:
        """Return how their returns are distributed (EX-1708)."""
        return distributed(self._returns, bins)

    def heatmap(self) -> dict[str, dict[str, Cell]]:
        """Return symbol -> timeframe -> cell (EX-1709)."""
        return cells(self._cells)

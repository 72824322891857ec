"""Daily returns without deposits and withdrawals, and what they were worth their risk (EX-1712)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta, tzinfo
from math import sqrt
from typing import Final

from protocol.messages import Value
from protocol.values import Instant
from rules.performance.values import Snapshot
from rules.performance.windows import day_of, next_day

__all__ = ["Days", "Ratios", "daily_returns", "dated_returns", "monthly_returns", "ratios"]

_NO_DEVIATION: Final = 1e-12


class Ratios(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Sharpe and Sortino ratio a year; None with fewer than two returns or without deviation."""

    sharpe: float | None
    sortino: float | None


def daily_returns(snapshots: Sequence[Snapshot], now: Instant, zone: tzinfo) -> list[float]:
    """Return the return of each completed calendar day, oldest first; see ``dated_returns``."""
    return [each for _, each in dated_returns(snapshots, now, zone)]


def dated_returns(snapshots: Sequence[Snapshot], now: Instant, zone: tzinfo) -> list[tuple[date, float]]:
    """Return each completed calendar day with its return; empty when equity was zero or less at the start of one.

    The first snapshot is the baseline: its day counts only when it holds a later one. A day without snapshot is one
    without change.
    """
    days = Days(zone)
    days.extend(snapshots)
    return days.returns(now)


class Days:
    """What equity was at the end of each calendar day so far, and what came and went in it."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._baseline: float | None = None
        self._first = self._day = date.min
        self._ends: Instant = 0
        self._last: dict[date, float] = {}
        self._flows: dict[date, float] = {}

    def extend(self, snapshots: Iterable[Snapshot]) -> None:
        """Go on with further snapshots."""
        last, flows, day, ends = self._last, self._flows, self._day, self._ends
        for snapshot in snapshots:
            if snapshot.at >= ends:  # a year has half a million snapshots and 365 days
                day = day_of(snapshot.at, self._zone)
                ends = next_day(day, self._zone)
            if self._baseline is None:
                self._baseline, self._first = snapshot.total_equity, day
                continue
            last[day] = snapshot.total_equity
            if snapshot.flow:
                flows[day] = flows.get(day, 0.0) + snapshot.flow
        self._day, self._ends = day, ends

    def returns(self, now: Instant) -> list[tuple[date, float]]:
        """Return each day completed before an instant with its return; see ``dated_returns``."""
        if self._baseline is None:
            return []
        day, today = self._first, day_of(now, self._zone)
        day = day if day in self._last else day + timedelta(days=1)
        before = self._baseline
        found: list[tuple[date, float]] = []
        while day < today:
            if before <= 0:
                return []
            equity = self._last.get(day, before)
            found.append((day, (equity - self._flows.get(day, 0.0)) / before - 1))
            before, day = equity, day + timedelta(days=1)
        return found


def monthly_returns(returns: Sequence[tuple[date, float]]) -> dict[tuple[int, int], float]:
    """Return (year, month) -> the compound return of its completed days."""
    grown: dict[tuple[int, int], float] = {}
    for day, each in returns:
        key = (day.year, day.month)
        grown[key] = grown.get(key, 1.0) * (1 + each)
    return {key: value - 1 for key, value in grown.items()}


def ratios(returns: Sequence[float], *, risk_free_annual_percent: float = 0.0, days: int = 365) -> Ratios:
    """Return Sharpe and Sortino over a hurdle of ``risk_free_annual_percent`` a year of ``days`` days."""
    count = len(returns)
    if count < 2:
        return Ratios(None, None)
    hurdle = (1 + risk_free_annual_percent / 100) ** (1 / days) - 1
    excess = [each - hurdle for each in returns]
    mean = sum(excess) / count
    deviation = sqrt(sum((each - mean) ** 2 for each in excess) / (count - 1))
    downside = sqrt(sum(min(each, 0.0) ** 2 for each in excess) / count)
    scale = sqrt(days)
    return Ratios(
        mean / deviation * scale if deviation >= _NO_DEVIATION else None,
        mean / downside * scale if downside >= _NO_DEVIATION else None,
    )

"""Equity: the curve of what was realized, and how far total equity fell from its peaks (EX-1705, EX-1711)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from protocol.messages import Value
from protocol.values import Instant
from rules.performance.values import Point, Realization, Snapshot

__all__ = ["Drawdown", "drawdown", "flow_index", "in_order", "realized_curve"]


class Drawdown(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The deepest fall below a peak, and the present one; the instants are None when equity never fell.

    ``recovered_at`` is None while the peak has not been reached again. Without snapshots everything is None.
    """

    max_drawdown_percent: float | None = None
    current_drawdown_percent: float | None = None
    peak_at: Instant | None = None
    trough_at: Instant | None = None
    recovered_at: Instant | None = None


def in_order(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Return snapshots by time."""
    return sorted(snapshots, key=lambda each: each.at)


def realized_curve(realizations: Iterable[Realization], starting_equity: float) -> list[Point]:
    """Return starting equity and what was realized since, one point an instant at which something was."""
    points: list[Point] = []
    value = starting_equity
    for each in sorted(realizations, key=lambda one: one.at):
        value += each.pnl
        if points and points[-1].at == each.at:
            points.pop()
        points.append(Point(each.at, value))
    return points


def flow_index(snapshots: Sequence[Snapshot]) -> list[float]:
    """Return the growth of one unit of equity, deposits and withdrawals taken out; once ruined it stays at zero."""
    index: list[float] = []
    value, before = 1.0, 0.0
    for snapshot in snapshots:
        equity = snapshot.total_equity
        if index:
            value = 0.0 if before <= 0 or equity <= 0 else value * (equity - snapshot.flow) / before
            if value < 0:
                value = 0.0
        index.append(value)
        before = equity
    return index


def drawdown(snapshots: Sequence[Snapshot], index: Sequence[float] | None = None) -> Drawdown:
    """Return the deepest and the present drawdown of snapshots in order of time; ``index`` is theirs where it is known."""
    index = flow_index(snapshots) if index is None else index
    if not index:
        return Drawdown()
    peak = trough = top = 0
    worst = present = 0.0
    height = index[0]
    for number, value in enumerate(index):
        if value > height:
            top, height = number, value
        present = 100 * (value / height - 1)
        if present < worst:
            worst, peak, trough = present, top, number
    if worst == 0.0:
        return Drawdown(max_drawdown_percent=0.0, current_drawdown_percent=0.0)
    again = (number for number in range(trough + 1, len(index)) if index[number] >= index[peak])
    recovered = next(again, None)
    return Drawdown(
        max_drawdown_percent=worst,
        current_drawdown_percent=present,
        peak_at=snapshots[peak].at,
        trough_at=snapshots[trough].at,
        recovered_at=None if recovered is None else snapshots[recovered].at,
    )

"""Curves beyond equity itself: of closed trades, of drawdown, the deepest falls, and fewer points for a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from protocol.messages import Value
from protocol.values import Instant
from rules.performance.values import Point, Snapshot, Trade

__all__ = ["Fall", "closed_curve", "drawdown_curve", "falls", "thinned", "with_flows"]


class Fall(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One fall of the flow-adjusted index below a peak; ``recovered_at`` is None while the peak is not reached again."""

    depth_percent: float
    peak_at: Instant
    trough_at: Instant
    recovered_at: Instant | None


def closed_curve(trades: Iterable[Trade], starting_equity: float) -> list[Point]:
    """Return starting equity and the results of closed trades, one point a distinct time of closing (EX-1705)."""
    points: list[Point] = []
    value = starting_equity
    for trade in sorted(trades, key=lambda each: each.closed_at):
        value += trade.net_pnl
        if points and points[-1].at == trade.closed_at:
            points.pop()
        points.append(Point(trade.closed_at, value))
    return points


def with_flows(points: Sequence[Point], flows: Iterable[Snapshot], starting_equity: float) -> list[Point]:
    """Return a curve that began with ``starting_equity`` lifted by each deposit from its instant on (EX-1705).

    Total equity holds deposits; drawn beside it, what was realized differs from it by what is open and nothing else.
    """
    steps: dict[Instant, float] = {}
    for each in flows:
        steps[each.at] = steps.get(each.at, 0.0) + each.flow
    values = {point.at: point.value for point in points}
    found: list[Point] = []
    came, value = 0.0, starting_equity
    for at in sorted(steps.keys() | values.keys()):
        came += steps.get(at, 0.0)
        value = values.get(at, value)
        found.append(Point(at, value + came))
    return found


def drawdown_curve(snapshots: Sequence[Snapshot], index: Sequence[float]) -> list[Point]:
    """Return the drawdown in percent at each snapshot, of which ``index`` is the flow-adjusted index (EX-1711)."""
    found: list[Point] = []
    top = 1.0
    for snapshot, value in zip(snapshots, index, strict=True):
        if value > top:
            top = value
        found.append(Point(snapshot.at, 100 * (value / top - 1)))
    return found


def falls(snapshots: Sequence[Snapshot], index: Sequence[float], most: int = 5) -> list[Fall]:
    """Return the deepest falls, the deepest first, each from the peak before it to its recovery; ties by time."""
    found: list[Fall] = []
    peak_at: Instant | None = None
    top, worst, trough_at = 0.0, 0.0, 0
    for snapshot, value in zip(snapshots, index, strict=True):
        if peak_at is None or value >= top:
            if peak_at is not None and worst < 0:
                found.append(Fall(depth_percent=worst, peak_at=peak_at, trough_at=trough_at, recovered_at=snapshot.at))
            # At an equal value the later instant is not a new peak of a drawdown (EX-1711), unless one has just ended.
            if peak_at is None or value > top or worst < 0:
                peak_at = snapshot.at
            top, worst = value, 0.0
            continue
        depth = 100 * (value / top - 1)
        if depth < worst:
            worst, trough_at = depth, snapshot.at
    if peak_at is not None and worst < 0:
        found.append(Fall(depth_percent=worst, peak_at=peak_at, trough_at=trough_at, recovered_at=None))
    return sorted(found, key=lambda each: (each.depth_percent, each.peak_at))[:most]


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """Return at most ``most`` points of a curve (at least 4): first and last, and the extremes of equal parts of its time.

    What a screen of that many columns would show stays the same: no peak and no trough is lost.
    """
    if len(points) <= most:
        return list(points)
    first, last = points[0], points[-1]
    parts = max((most - 2) // 2, 1)
    width = (last.at - first.at) / parts or 1.0
    lows: list[Point | None] = [None] * parts
    highs: list[Point | None] = [None] * parts
    for point in points[1:-1]:
        part = min(int((point.at - first.at) / width), parts - 1)
        low, high = lows[part], highs[part]
        if low is None or point.value < low.value:
            lows[part] = point
        if high is None or point.value > high.value:
            highs[part] = point
    kept = [first]
    for low, high in zip(lows, highs, strict=True):
        if low is None or high is None:
            continue
        kept += [low] if low is high else sorted((low, high), key=lambda each: each.at)
    return [*kept, last]

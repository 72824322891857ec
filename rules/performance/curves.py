"""Drawdown as a curve, the deepest falls, and fewer points for a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from protocol.messages import Value
from protocol.values import Instant
from rules.performance.curve import Curve
from rules.performance.equity import Falling
from rules.performance.values import Point, Snapshot

__all__ = ["Fall", "Falls", "drawdown_curve", "falls", "thinned"]


class Fall(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One fall of the flow-adjusted index below a peak; ``recovered_at`` is None while the peak is not reached again."""

    depth_percent: float
    peak_at: Instant
    trough_at: Instant
    recovered_at: Instant | None


def drawdown_curve(snapshots: Sequence[Snapshot], index: Sequence[float]) -> list[Point]:
    """Return the drawdown in percent at each snapshot, of which ``index`` is the flow-adjusted index (EX-1711)."""
    return [Point(each.at, under) for each, under in zip(snapshots, Falling().extend(snapshots, index), strict=True)]


class Falls:
    """The deepest falls of an index so far."""

    def __init__(self, most: int = 5) -> None:
        self._most = most
        self._ended: list[Fall] = []
        self._peak_at: Instant | None = None
        self._trough_at: Instant = 0
        self._top = self._worst = 0.0

    def extend(self, snapshots: Iterable[Snapshot], index: Iterable[float]) -> None:
        """Go on with further snapshots and what the index is at each."""
        top = self._top
        for snapshot, value in zip(snapshots, index, strict=True):
            if self._peak_at is None or value >= top:
                self._rise(snapshot.at, value)
                top = self._top
            elif (depth := 100 * (value / top - 1)) < self._worst:
                self._worst, self._trough_at = depth, snapshot.at

    def _rise(self, at: Instant, value: float) -> None:
        """Reach the peak again: the fall below it is over."""
        fell = self._worst < 0
        if fell:
            self._ended.append(self._fall(at))
            if len(self._ended) > 20 * self._most:
                self._ended = self._deepest(self._ended)
        # At an equal value the later instant is not a new peak of a drawdown (EX-1711), unless one has just ended.
        if self._peak_at is None or value > self._top or fell:
            self._peak_at = at
        self._top, self._worst = value, 0.0

    def _fall(self, recovered_at: Instant | None) -> Fall:
        assert self._peak_at is not None, "there is no fall before a peak"
        return Fall(
            depth_percent=self._worst,
            peak_at=self._peak_at,
            trough_at=self._trough_at,
            recovered_at=recovered_at,
        )

    def _deepest(self, falls: Iterable[Fall]) -> list[Fall]:
        return sorted(falls, key=lambda each: (each.depth_percent, each.peak_at))[: self._most]

    def deepest(self) -> list[Fall]:
        """Return the deepest falls, the deepest first, ties by time; the last may last still."""
        return self._deepest([*self._ended, *([self._fall(None)] if self._worst < 0 else [])])


def falls(snapshots: Sequence[Snapshot], index: Sequence[float], most: int = 5) -> list[Fall]:
    """Return the deepest falls, the deepest first, each from the peak before it to its recovery; ties by time."""
    found = Falls(most)
    found.extend(snapshots, index)
    return found.deepest()


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """Return at most ``most`` points (at least 4) of a curve; no peak and no trough of it is lost."""
    return list(points) if len(points) <= most else Curve(points).thinned(most)

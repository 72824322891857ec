"""How far total equity fell from its peaks, deposits and withdrawals apart (EX-1711)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from protocol.messages import Value
from protocol.values import Instant
from rules.performance.values import Snapshot

__all__ = ["Drawdown", "Falling", "FlowIndex", "drawdown", "flow_index", "in_order"]


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


class FlowIndex:
    """The growth of one unit of equity so far, deposits and withdrawals taken out; once ruined it stays at zero."""

    def __init__(self) -> None:
        self._value = 1.0
        self._before: float | None = None

    def extend(self, snapshots: Iterable[Snapshot]) -> list[float]:
        """Return the index at each of further snapshots."""
        index: list[float] = []
        value, before = self._value, self._before
        for snapshot in snapshots:
            equity = snapshot.total_equity
            if before is not None:
                value = 0.0 if before <= 0 or equity <= 0 else value * (equity - snapshot.flow) / before
                if value < 0:
                    value = 0.0
            index.append(value)
            before = equity
        self._value, self._before = value, before
        return index


def flow_index(snapshots: Iterable[Snapshot]) -> list[float]:
    """Return the growth of one unit of equity at each snapshot (EX-1711)."""
    return FlowIndex().extend(snapshots)


class Falling:
    """The deepest and the present drawdown of an index so far (EX-1711)."""

    def __init__(self) -> None:
        self._top: tuple[float, Instant] | None = None
        self._height = self._worst = self._present = 0.0
        self._peak_at = self._trough_at = self._recovered_at = None

    _peak_at: Instant | None
    _trough_at: Instant | None
    _recovered_at: Instant | None

    def extend(self, snapshots: Iterable[Snapshot], index: Iterable[float]) -> list[float]:
        """Return the drawdown in percent at each of further snapshots, of which ``index`` is given."""
        found: list[float] = []
        for snapshot, value in zip(snapshots, index, strict=True):
            if self._top is None or value > self._top[0]:
                self._top = value, snapshot.at
            height = self._top[0]
            present = 100 * (value / height - 1)
            if present < self._worst:
                self._worst, self._height, self._recovered_at = present, height, None
                self._peak_at, self._trough_at = self._top[1], snapshot.at
            elif self._recovered_at is None and self._worst < 0 and value >= self._height:
                self._recovered_at = snapshot.at
            found.append(present)
        if found:
            self._present = found[-1]
        return found

    @property
    def found(self) -> Drawdown:
        """What it came to; everything is None before the first snapshot."""
        if self._top is None:
            return Drawdown()
        return Drawdown(
            max_drawdown_percent=self._worst,
            current_drawdown_percent=self._present,
            peak_at=self._peak_at,
            trough_at=self._trough_at,
            recovered_at=self._recovered_at,
        )


def drawdown(snapshots: Sequence[Snapshot]) -> Drawdown:
    """Return the deepest and the present drawdown of snapshots in order of time."""
    found = Falling()
    found.extend(snapshots, flow_index(snapshots))
    return found.found

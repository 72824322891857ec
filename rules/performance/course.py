"""The course of total equity, added to mark by mark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, tzinfo

from protocol.values import Instant
from rules.performance.curve import Curve
from rules.performance.curves import Fall, Falls
from rules.performance.equity import Drawdown, Falling, FlowIndex
from rules.performance.returns import Days
from rules.performance.values import Snapshot

__all__ = ["EquityCourse"]


class EquityCourse:
    """Curves of equity and drawdown, falls and daily returns of snapshots (EX-1705, EX-1711, EX-1712)."""

    def __init__(self, zone: tzinfo, snapshots: Iterable[Snapshot] = ()) -> None:
        self.total = Curve()
        self.under = Curve()
        self.flows: list[Snapshot] = []
        """Snapshots that came with a deposit or withdrawal; the first is the baseline and none of them."""
        self._index = FlowIndex()
        self._falling = Falling()
        self._falls = Falls()
        self._days = Days(zone)
        self.extend(snapshots)

    def extend(self, snapshots: Iterable[Snapshot]) -> None:
        """Add snapshots, in their order."""
        some = list(snapshots)
        first = not len(self.total)
        index = self._index.extend(some)
        self._falls.extend(some, index)
        self._days.extend(some)
        times = [each.at for each in some]
        self.under.at.extend(times)
        self.under.value.extend(self._falling.extend(some, index))
        self.total.at.extend(times)
        self.total.value.extend([each.total_equity for each in some])
        self.flows += [each for each in (some[1:] if first else some) if each.flow]

    @property
    def begun(self) -> float | None:
        """Equity at the first snapshot; None before it."""
        return self.total.value[0] if self.total else None

    @property
    def newest(self) -> float | None:
        """Equity at the last snapshot; None before any."""
        return self.total.value[-1] if self.total else None

    @property
    def drawdown(self) -> Drawdown:
        """The deepest and the present drawdown."""
        return self._falling.found

    @property
    def falls(self) -> list[Fall]:
        """The deepest falls, the deepest first."""
        return self._falls.deepest()

    def returns(self, now: Instant) -> list[tuple[date, float]]:
        """Return each calendar day completed before an instant with its return."""
        return self._days.returns(now)

"""What realizations come to, added to one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta, tzinfo

from protocol.values import Instant
from rules.performance.curve import Stepped
from rules.performance.keys import BreakdownKey
from rules.performance.values import Realization
from rules.performance.windows import Calendar, WindowPnl, day_of, day_start

__all__ = ["Realized"]


class Realized:
    """Sums by key and by day, in USD (EX-1702, EX-1704), and the curve of all (EX-1705)."""

    def __init__(self, zone: tzinfo, realizations: Iterable[Realization] = ()) -> None:
        self.by: dict[BreakdownKey, dict[str, float]] = {key: defaultdict(float) for key in BreakdownKey}
        self.days: dict[date, float] = defaultdict(float)
        self.steps = Stepped()
        self.sum = 0.0
        self._zone = zone
        self._calendar = Calendar(zone)
        self.extend(realizations)

    def extend(self, realizations: Iterable[Realization]) -> None:
        """Add realizations."""
        by = [(key.value, sums) for key, sums in self.by.items()]
        for line in realizations:
            pnl = line.pnl
            self.sum += pnl
            for name, sums in by:
                sums[getattr(line, name) or ""] += pnl
            self.days[self._calendar.day(line.at)] += pnl
            self.steps.add(line.at, pnl)

    def windows(self, now: Instant) -> WindowPnl:
        """Add up what was realized from the start of each window until now, both included."""
        today = day_of(now, self._zone)
        day, week, month = (
            self._since(first, now) for first in (today, today - timedelta(days=today.weekday()), today.replace(day=1))
        )
        return WindowPnl(day, week, month, self.sum if self._all_by(now) else self.steps.until(now))

    def _since(self, first: date, now: Instant) -> float:
        if self._all_by(now):
            return sum((pnl for day, pnl in self.days.items() if day >= first), 0.0)
        return self.steps.until(now) - self.steps.until(day_start(first, self._zone) - 1)

    def _all_by(self, now: Instant) -> bool:
        """Whether everything was realized by then; not so after a clock was put back: its last days are not whole."""
        curve = self.steps.curve
        return not curve or curve.at[-1] <= now

"""How a link to a cache is judged by its pings (DS-710). Pure: told what happened, it says how the link stands."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

from protocol.nodes import CacheState

__all__ = ["DEGRADED_NS", "FAILED_PINGS", "LinkHealth", "reconnect_delay_s"]

FAILED_PINGS: Final = 3
"""So many failed pings in a row are a lost link."""

DEGRADED_NS: Final = 250_000_000
"""A median ping above this is a link that is too slow to be called healthy."""

_PINGS: Final = 5
_FIRST_S: Final = 0.5
_LONGEST_S: Final = 30.0
_SHORTEST_S: Final = 0.1


def reconnect_delay_s(attempt: int, draw: float) -> float:
    """Return the seconds before an attempt (from 1 on), with full jitter; ``draw`` is from [0, 1) (DS-706)."""
    return max(_SHORTEST_S, draw * min(_LONGEST_S, _FIRST_S * 2.0 ** min(attempt - 1, 16)))


class LinkHealth:
    """Begins as reconnecting: nothing is known of a server that was never asked."""

    def __init__(self) -> None:
        self.state = CacheState.RECONNECTING
        self.failures = 0
        self._pings: deque[int] = deque(maxlen=_PINGS)

    @property
    def ping_ns(self) -> int | None:
        """Median of the last five pings, None before the first."""
        return round(median(self._pings)) if self._pings else None

    @property
    def judged(self) -> bool:
        """Whether enough pings were answered to call the link slow or not."""
        return len(self._pings) == _PINGS

    def answered(self, took_ns: int) -> CacheState:
        """Take in a ping that was answered."""
        self.failures = 0
        if self.state is CacheState.RECONNECTING:
            self._pings.clear()  # how quick a server was before it went away says nothing
        self._pings.append(took_ns)
        slow = self.judged and median(self._pings) > DEGRADED_NS
        self.state = CacheState.DEGRADED if slow else CacheState.HEALTHY
        return self.state

    def failed(self) -> CacheState:
        """Take in a ping that was not."""
        self.failures += 1
        if self.failures >= FAILED_PINGS:
            self.state = CacheState.RECONNECTING
        return self.state

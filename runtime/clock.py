"""Clocks: the one source of time, injected everywhere.

``WallClock`` is real time. ``ReplayClock`` is history paced by real time (``speed`` 60 = a minute a second).
``VirtualClock`` stands still while anybody works and jumps to the next event when all wait: replays as fast as the
machine allows, and the deterministic simulator.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["NANOS", "Clock", "ReplayClock", "VirtualClock", "WallClock"]

NANOS = 1_000_000_000
"""Nanoseconds in a second."""


class Clock(Protocol):
    """Tells the instant in nanoseconds since 1970 (UTC) and how long a span takes in real seconds."""

    def now(self) -> int:
        """Return the instant."""
        ...

    def real_seconds_until(self, at: int) -> float:
        """Return how many real seconds pass until ``at``; 0 when it is due."""
        ...


class WallClock:
    """Real time."""

    __slots__ = ()

    now = staticmethod(time.time_ns)

    def real_seconds_until(self, at: int) -> float:
        """Return the seconds until ``at``."""
        return max(0, at - time.time_ns()) / NANOS


class ReplayClock:
    """History that begins at ``start`` and runs ``speed`` times as fast as real time (``speed`` > 0)."""

    __slots__ = ("_origin", "_start", "speed")

    def __init__(self, start: int, speed: float) -> None:
        if not speed > 0:
            raise ValueError("speed must be above 0")
        self._start = start
        self._origin = time.monotonic_ns()
        self.speed = speed

    def now(self) -> int:
        """Return the instant in history."""
        return self._start + int((time.monotonic_ns() - self._origin) * self.speed)

    def real_seconds_until(self, at: int) -> float:
        """Return the real seconds until history reaches ``at``."""
        return max(0, at - self.now()) / NANOS / self.speed


class VirtualClock:
    """Time that only moves when it is told to; ``hold`` keeps it still while something real is awaited."""

    __slots__ = ("_holds", "_now")

    def __init__(self, start: int = 0) -> None:
        self._now = start
        self._holds = 0

    def now(self) -> int:
        """Return the instant."""
        return self._now

    def real_seconds_until(self, at: int) -> float:
        """Return 0 for what is due and the plain difference otherwise (a virtual loop makes it pass at once)."""
        return max(0, at - self._now) / NANOS

    def advance_to(self, at: int) -> None:
        """Move to ``at``; an earlier instant changes nothing."""
        if at > self._now:
            self._now = at

    @property
    def held(self) -> bool:
        """Whether somebody waits for something real, so that time must stand still."""
        return self._holds > 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep time still inside the block (a request over a real socket, a thread at work)."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1

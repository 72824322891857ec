"""How fast calls leave a session: published limits, "too many requests", and who goes first (EX-1104, EX-1105)."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Final

from runtime.clock import NANOS
from venues.contract import CallLimit

__all__ = ["RETRY_AFTER_S", "Limiter", "RateMode", "Urgency"]

RETRY_AFTER_S: Final = (1, 2, 4, 8)
"""Waits after refusals in a row of a venue that does not say how long to wait (EX-1104); the last one from then on."""


class RateMode(StrEnum):
    """How much of a venue's published limits is used (EX-1105)."""

    VENUE = "venue"
    CONSERVATIVE = "conservative"
    OFF = "off"


class Urgency(IntEnum):
    """Who goes first when calls have to wait: closes and cancels, questions, what adds risk, market data (DK-67)."""

    CLOSE = 0
    QUESTION = 1
    ENTRY = 2
    DATA = 3


class Limiter:
    """A token bucket before one account's calls, with a line of those that wait.

    ``wake_at`` is called with an instant at which ``pump`` must be called. A venue's refusal pauses everybody: the limit is
    the account's.
    """

    def __init__(self, limit: CallLimit | None, mode: RateMode, *, wake_at: Callable[[int], object]) -> None:
        self._limit = limit
        self._mode = mode
        self._wake_at = wake_at
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._made = 0
        self._tokens = float(self.capacity)
        self._filled_at = 0
        self._refused = 0
        self.paused_until = 0

    @property
    def capacity(self) -> int:
        """Calls that may leave within the window; 0: no limit here."""
        if self._limit is None or self._mode is RateMode.OFF:
            return 0
        return max(1, self._limit.calls // (2 if self._mode is RateMode.CONSERVATIVE else 1))

    def set_mode(self, mode: RateMode) -> None:
        """Go on under another share of the limits."""
        self._mode = mode
        self._tokens = min(self._tokens, float(self.capacity)) if self.capacity else 0.0

    def use_limit(self, limit: CallLimit | None) -> None:
        """Take the limit that a new connection publishes, all of it unused."""
        self._limit = limit
        self._tokens = float(self.capacity)

    def free(self, now: int, weight: int = 1) -> bool:
        """Take the tokens that a call weighs when nothing stands in the way; else the caller has to wait for its turn."""
        return not self._waiting and self._take(now, weight)

    def turn(self, urgency: Urgency, now: int, weight: int = 1) -> asyncio.Future[None]:
        """Join the line; the future ends when it is this call's turn: the most urgent first, then who came first."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._made += 1
        heapq.heappush(self._waiting, (urgency, self._made, weight, turn))
        self.pump(now)
        return turn

    def pump(self, now: int) -> None:
        """Let go who may go now, and ask to be woken for the others."""
        while self._waiting:
            _, _, weight, turn = self._waiting[0]
            if not turn.done():
                if not self._take(now, weight):
                    self._wake_at(self._next(now, weight))
                    return
                turn.set_result(None)
            heapq.heappop(self._waiting)

    def refused(self, now: int, told_s: float | None) -> float:
        """Take the venue's "too many requests": pause everybody; return for how many seconds."""
        wait = told_s if told_s is not None else float(RETRY_AFTER_S[min(self._refused, len(RETRY_AFTER_S) - 1)])
        self._refused += 1
        self.paused_until = max(self.paused_until, now + round(wait * NANOS))
        return wait

    def answered(self) -> bool:
        """Take an answer that was no refusal; return whether refusals came before it."""
        before, self._refused = self._refused, 0
        return before > 0

    def use(self, now: int) -> str:
        """Return what is shown: calls used of the window's, and how many wait; empty without a limit."""
        waiting = f", {len(self._waiting)} waiting" if self._waiting else ""
        paused = ", limited by the venue" if self.paused_until > now else ""
        if not self.capacity:
            return (paused + waiting).removeprefix(", ")
        self._fill(now)
        return f"{self.capacity - int(self._tokens)}/{self.capacity} calls used{paused}{waiting}"

    def figures(self, now: int) -> tuple[int, int, float, int]:
        """Return calls that may leave within a window (0: no limit), calls used of them, its seconds, calls that wait."""
        if not self.capacity or self._limit is None:
            return 0, 0, 0.0, len(self._waiting)
        self._fill(now)
        return self.capacity, self.capacity - int(self._tokens), float(self._limit.window_s), len(self._waiting)

    def _fill(self, now: int) -> None:
        assert self._limit is not None
        passed = max(0, now - self._filled_at)
        gained = passed * self.capacity / (self._limit.window_s * NANOS)
        self._tokens = min(float(self.capacity), self._tokens + gained)
        self._filled_at = now

    def _take(self, now: int, weight: int) -> bool:
        if now < self.paused_until:
            return False
        if not self.capacity:
            return True
        self._fill(now)
        cost = min(weight, self.capacity)  # one that weighs more than there ever is leaves when all of it is free
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True

    def _next(self, now: int, weight: int) -> int:
        if not self.capacity or self._limit is None:
            return max(self.paused_until, now + 1)
        missing = max(0.0, min(weight, self.capacity) - self._tokens) * self._limit.window_s * NANOS / self.capacity
        return max(self.paused_until, now + int(missing) + 1)

"""A thread that feels the pulse of the event loop: how late it is, and what every thread does when it stands still.

A plain handler that does not return stops everything: timers, sockets, the answer to a health check, and any watch that
runs on the loop itself. So this one runs beside it, on real time whatever the system's clock says.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Final, NamedTuple, Self

__all__ = ["BEAT_S", "BLOCKED_S", "LoopLag", "LoopWatch", "all_stacks"]

BEAT_S: Final = 0.5
"""Seconds between two beats."""

BLOCKED_S: Final = 5.0
"""Seconds without an answer to a beat after which the loop counts as blocked."""

_KEPT: Final = 1_200


class LoopLag(NamedTuple):
    """How late the loop answered, milliseconds: over the newest beats (ten minutes of them), and the worst ever.

    ``blocked`` counts how often it stood still for longer than the limit.
    """

    beats: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    blocked: int


class LoopWatch:
    """Watches one loop inside a ``with`` block; ``blocked(seconds, stacks)`` is called on its own thread, once a stop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        blocked: Callable[[float, str], None],
        *,
        beat_s: float = BEAT_S,
        blocked_s: float = BLOCKED_S,
    ) -> None:
        self._loop = loop
        self._blocked = blocked
        self._beat_s = beat_s
        self._blocked_s = blocked_s
        self._ended = threading.Event()
        self._answered = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loop-watch", daemon=True)
        self._lags: deque[float] = deque(maxlen=_KEPT)
        self._beats = 0
        self._worst = 0.0
        self._stops = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._answered.set()
        self._thread.join(self._beat_s)

    def lag(self) -> LoopLag:
        """Return how late the loop has been."""
        lags = sorted(self._lags.copy())
        if not lags:
            return LoopLag(0, 0.0, 0.0, 0.0, 0)
        p50, p99 = (lags[min(len(lags) - 1, int(share * len(lags)))] * 1e3 for share in (0.5, 0.99))
        return LoopLag(self._beats, p50, p99, self._worst * 1e3, self._stops)

    def _run(self) -> None:
        while not self._ended.wait(self._beat_s):
            self._answered.clear()
            began = monotonic()
            try:
                self._loop.call_soon_threadsafe(self._answered.set)
            except RuntimeError:
                return  # the loop has closed
            if not self._answered.wait(self._blocked_s) and not self._ended.is_set():
                self._stops += 1
                self._blocked(monotonic() - began, all_stacks())
                self._answered.wait()
            self._note(monotonic() - began)

    def _note(self, lag_s: float) -> None:
        self._beats += 1
        self._lags.append(lag_s)
        self._worst = max(self._worst, lag_s)


def all_stacks() -> str:
    """Return what every thread does at this moment, the loop's first."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    own = threading.get_ident()
    main = threading.main_thread().ident
    frames = sorted(sys._current_frames().items(), key=lambda each: each[0] != main)
    parts = []
    for ident, frame in frames:
        if ident != own:
            parts.append(f"thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame))}")
    return "\n".join(parts)

"""An asyncio loop on virtual time, with seeded scheduling of tasks.

Only public seams of asyncio are used: the loop's ``time()`` and its selector. The selector is asked to wait when nobody
is ready; instead of waiting it moves the clock to the next timer. Real sockets still work: before each jump they are
polled, and while the clock is held the selector waits for them in real time.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from runtime.clock import NANOS, VirtualClock

__all__ = ["VirtualLoop", "run_virtual"]

T = TypeVar("T")

_HELD_POLL_S = 0.05


class _JumpingSelector(selectors.DefaultSelector):
    """Polls real files, but lets virtual time pass instead of sleeping."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self.alarms: dict[Callable[[], object], int] = {}

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if self._clock.held:
            return super().select(_HELD_POLL_S)
        alarms = self.alarms
        ready = super().select(None if timeout is None and not alarms else 0)
        if ready:
            return ready
        now = self._clock.now()
        scheduled = None if timeout is None else now + max(1, round(timeout * NANOS))
        ring = min(alarms, key=alarms.__getitem__) if alarms else None
        if ring is not None and (scheduled is None or alarms[ring] <= scheduled):
            self._clock.advance_to(alarms.pop(ring))
            ring()
        elif scheduled is not None:
            self._clock.advance_to(scheduled)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose ``time()`` is a ``VirtualClock``; ``seed`` shuffles which ready task goes first."""

    def __init__(self, clock: VirtualClock, *, seed: int | None = None) -> None:
        self._virtual = clock
        self._epoch = clock.now()
        self._shuffle = random.Random(seed) if seed is not None else None  # noqa: S311 - reproducible on purpose
        self._jumping = _JumpingSelector(clock)
        super().__init__(self._jumping)
        # asyncio runs a timer when it is due within this resolution. Months after the start a float of seconds is coarser
        # than the default nanosecond: a timer due exactly now would then never run, and time would stand still for ever.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return virtual seconds since the loop was made (small numbers keep nanoseconds exact enough)."""
        return (self._virtual.now() - self._epoch) / NANOS

    def set_alarm(self, at: int | None, ring: Callable[[], object]) -> None:
        """Have ``ring`` called when nobody is ready any more, with time moved to ``at``; None takes the alarm back.

        Each ``ring`` has one alarm, kept beside asyncio's own timers: a replay sets it anew at every step and pays nothing
        for it.
        """
        if at is None:
            self._jumping.alarms.pop(ring, None)
        else:
            self._jumping.alarms[ring] = at

    def idle_until(self, at: int) -> bool:
        """Whether nothing else is ready or due before the instant ``at``: no callback, no alarm of another system."""
        # A private name of asyncio, read only: it spares a turn of the loop for each step of a replay.
        if self._ready:  # type: ignore[attr-defined]
            return False
        for alarm in self._jumping.alarms.values():
            if alarm < at:
                return False
        scheduled = self._scheduled  # type: ignore[attr-defined]
        return not scheduled or bool(scheduled[0].when() >= (at - self._epoch) / NANOS)

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        """Queue a callback; with a seed, steps of different tasks may overtake each other.

        Callbacks that are no task steps keep their order: asyncio's transports rely on it.
        """
        handle = super().call_soon(callback, *args, context=context)
        if self._shuffle is not None and isinstance(getattr(callback, "__self__", None), asyncio.Task):
            ready = self._ready  # type: ignore[attr-defined]
            if len(ready) > 1 and _is_task_step(ready[-2]) and self._shuffle.random() < 0.5:
                ready[-1], ready[-2] = ready[-2], ready[-1]
        return handle


def _is_task_step(handle: asyncio.Handle) -> bool:
    callback = getattr(handle, "_callback", None)
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)


def run_virtual(
    main: Callable[[VirtualClock], Coroutine[Any, Any, T]], *, start: int = 0, seed: int | None = None
) -> T:
    """Run ``main(clock)`` to its end on a fresh virtual loop that begins at ``start``; return its result."""
    clock = VirtualClock(start)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock, seed=seed)) as runner:
        return runner.run(main(clock))

"""Timers: messages that come at an instant, once, periodically, or as a stream of timed messages.

One heap for the whole system, on the injected clock. A dead timer (cancelled, or of an ended life) is skipped when its
time comes, which costs less than searching for it; when the heap has doubled, the dead ones are swept out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from runtime.clock import NANOS, Clock

if TYPE_CHECKING:
    from runtime.cell import Cell
    from runtime.ref import ActorRef

__all__ = ["Timer", "TimerQueue", "Timers"]

_SWEEP_FROM: Final = 1_024
"""Timers in the heap from which on dead ones are swept out."""


class Timer:
    """One running timer. ``cancel`` is final and may be called twice."""

    __slots__ = ("at", "cell", "ended", "incarnation", "live", "message", "period", "stream", "to")

    def __init__(
        self,
        cell: Cell,
        incarnation: int,
        at: int,
        message: Any,
        period: int = 0,
        stream: Iterator[tuple[int, Any]] | None = None,
    ) -> None:
        self.cell = cell
        self.incarnation = incarnation
        self.at = at
        self.message = message
        self.period = period
        self.stream = stream
        self.to = cell
        self.ended: Any = None
        self.live = True

    @property
    def alive(self) -> bool:
        """Whether it may still fire: neither cancelled nor done, and the life that made it goes on."""
        return self.live and self.cell.incarnation == self.incarnation

    def cancel(self) -> None:
        """Make sure that it never fires again."""
        self.live = False
        self.stream = None


class TimerQueue:
    """All timers of a system in order of their instants (ties: in order of their making)."""

    __slots__ = ("_clock", "_heap", "_made", "_sweep_at", "on_sooner")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Timer]] = []
        self._made = 0
        self._sweep_at = _SWEEP_FROM
        self.on_sooner: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def alive(self) -> int:
        """Count the timers that may still fire."""
        return sum(entry[2].alive for entry in self._heap)

    def add(self, timer: Timer) -> Timer:
        """Queue a timer; tells the system when it became the next one."""
        if len(self._heap) >= self._sweep_at:
            self._sweep()
        self._made += 1
        entry = (timer.at, self._made, timer)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry:
            self.on_sooner()
        return timer

    def _sweep(self) -> None:
        # In place: whoever fires due timers just now holds this list.
        self._heap[:] = [entry for entry in self._heap if entry[2].alive]
        heapq.heapify(self._heap)
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._heap))

    def next_at(self) -> int | None:
        """Return the instant of the next timer that is live and whose actor's life goes on."""
        heap = self._heap
        while heap:
            at, _, timer = heap[0]
            if timer.live and timer.cell.incarnation == timer.incarnation:
                return at
            heapq.heappop(heap)
        return None

    def fire_due(self, now: int, limit: int = 1_000) -> int:
        """Deliver what is due at ``now``, at most ``limit`` timers; return how many fired."""
        heap = self._heap
        fired = 0
        while heap and heap[0][0] <= now and fired < limit:
            timer = heap[0][2]
            if not timer.live or timer.cell.incarnation != timer.incarnation:
                heapq.heappop(heap)
                continue
            message = timer.message
            fired += 1
            error = self._rearm(timer, now)
            timer.to.post(message)
            if error is not None:
                timer.cell.crash(error, None)
            elif timer.ended is not None and not timer.live:
                timer.cell.post(timer.ended)
        return fired

    def _rearm(self, timer: Timer, now: int) -> Exception | None:
        """Queue the timer's next firing, if any; return what its stream raised: that is its actor's crash, not ours."""
        error: Exception | None = None
        if timer.stream is not None:
            try:
                following = next(timer.stream, None)
                if following is not None:
                    timer.at, timer.message = following
                    self._made += 1
                    heapq.heapreplace(self._heap, (timer.at, self._made, timer))
                    return None
            except Exception as raised:  # noqa: BLE001 - the actor's own code runs inside the iterator
                error = raised
        elif timer.period:
            # A late periodic timer skips what it missed; it never fires in a burst.
            timer.at += timer.period * max(1, (now - timer.at) // timer.period + 1)
            self._made += 1
            heapq.heapreplace(self._heap, (timer.at, self._made, timer))
            return None
        timer.live = False
        heapq.heappop(self._heap)
        return error


class Timers:
    """Timers of one life of an actor; all of them end with it, and none can be made after it."""

    __slots__ = ("_cell", "_incarnation", "_queue")

    def __init__(self, cell: Cell, queue: TimerQueue) -> None:
        self._cell = cell
        self._incarnation = cell.incarnation
        self._queue = queue

    def after(self, seconds: float, message: Any) -> Timer:
        """Tell the actor ``message`` once, ``seconds`` from now."""
        return self.at(self._cell.system.clock.now() + round(seconds * NANOS), message)

    def at(self, instant: int, message: Any) -> Timer:
        """Tell the actor ``message`` once at an instant; at once when it has passed."""
        return self._queue.add(Timer(self._cell, self._incarnation, instant, message))

    def every(self, seconds: float, message: Any) -> Timer:
        """Tell the actor ``message`` every ``seconds`` (first after one period); missed ones are skipped."""
        period = round(seconds * NANOS)
        if period <= 0:
            raise ValueError("a period must be above 0")
        first = self._cell.system.clock.now() + period
        return self._queue.add(Timer(self._cell, self._incarnation, first, message, period))

    def stream(
        self, steps: Iterator[tuple[int, Any]], *, into: ActorRef | None = None, ended: Any = None
    ) -> Timer | None:
        """Tell each (instant, message) of a time-ordered iterator when its instant comes; None when it is empty.

        They are told to this actor, or ``into`` another, which spares a hop; the stream ends with this actor's life all
        the same. ``ended`` is told to this actor after the last one (at once when there is none).
        """
        first = next(steps, None)
        if first is None:
            if ended is not None:
                self._cell.post(ended)
            return None
        timer = Timer(self._cell, self._incarnation, *first, 0, steps)
        timer.ended = ended
        if into is not None:
            timer.to = into.cell
        return self._queue.add(timer)

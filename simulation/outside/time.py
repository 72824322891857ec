"""Time: what it really is, what the process's clock says, and what is going to happen outside."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from runtime.clock import NANOS, VirtualClock
from runtime.loop import VirtualLoop

__all__ = ["Agenda", "ProcessClock", "ProcessLoop"]


class Agenda:
    """The outside's own timetable. It moves with the process's loop while there is one, by ``pass_until`` otherwise."""

    def __init__(self, start: int) -> None:
        self.now = start
        """What time it really is: nanoseconds UTC."""
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._made = 0
        self._loop: ProcessLoop | None = None

    def at(self, instant: int, call: Callable[[], None]) -> None:
        """Call something at an instant; one that has passed is called next."""
        self._made += 1
        heapq.heappush(self._due, (max(instant, self.now), self._made, call))
        if self._loop is not None and self._due[0][1] == self._made:
            self._arm()

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something after so many seconds."""
        self.at(self.now + round(seconds * NANOS), call)

    def attach(self, loop: ProcessLoop | None) -> None:
        """Move with this loop from now on; None: with none."""
        self._loop = loop
        if loop is not None:
            self._arm()

    def pass_until(self, instant: int) -> None:
        """Let time pass outside while no process runs."""
        while self._due and self._due[0][0] <= instant:
            self._next()
        self.now = max(self.now, instant)

    def rearm(self) -> None:
        """Set the loop's alarm anew: the process's clock has jumped."""
        if self._loop is not None:
            self._arm()

    def _next(self) -> None:
        at, _, call = heapq.heappop(self._due)
        self.now = max(self.now, at)
        call()

    def _arm(self) -> None:
        loop = self._loop
        assert loop is not None
        loop.set_alarm(self._due[0][0] + loop.ahead if self._due else None, self._ring)

    def _ring(self) -> None:
        loop = self._loop
        try:
            while self._due and self._due[0][0] <= self.now:
                self._next()
        finally:
            if loop is self._loop and loop is not None:
                self._arm()


class ProcessClock(VirtualClock):
    """The machine's clock as the process reads it: the real time, and how far it is ahead of it."""

    __slots__ = ("_agenda", "ahead")

    def __init__(self, agenda: Agenda, ahead: int = 0) -> None:
        super().__init__(agenda.now)
        self._agenda = agenda
        self.ahead = ahead

    def now(self) -> int:
        """Return the instant that the machine's clock shows."""
        return self._agenda.now + self.ahead

    def real_seconds_until(self, at: int) -> float:
        """Return 0 for what is due and the plain difference otherwise."""
        return max(0, at - self.now()) / NANOS

    def advance_to(self, at: int) -> None:
        """Let time pass until the clock shows ``at``; an earlier instant changes nothing."""
        at -= self.ahead
        self._agenda.now = max(self._agenda.now, at)


class ProcessLoop(VirtualLoop):
    """The process's event loop: its ``time()`` is monotonic and does not jump when the machine's clock is set."""

    def __init__(self, agenda: Agenda, clock: ProcessClock, *, seed: int | None) -> None:
        self._agenda = agenda
        self._clock = clock
        self._began = agenda.now
        super().__init__(clock, seed=seed)

    @property
    def ahead(self) -> int:
        """How many nanoseconds the machine's clock is ahead of real time."""
        return self._clock.ahead

    def time(self) -> float:
        """Return seconds since the loop was made."""
        return (self._agenda.now - self._began) / NANOS

    def idle_until(self, at: int) -> bool:
        """Whether nothing else is ready or due before the machine's clock shows ``at``."""
        # The callbacks and timers of asyncio, which count monotonic seconds; the alarms count the machine's clock.
        if self._ready:  # type: ignore[attr-defined]
            return False
        if any(alarm < at for alarm in self._jumping.alarms.values()):
            return False
        scheduled = self._scheduled  # type: ignore[attr-defined]
        return not scheduled or bool(scheduled[0].when() >= (at - self.ahead - self._began) / NANOS)

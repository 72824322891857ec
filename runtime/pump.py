"""The pump: one scheduler of actors that have something to handle.

Fair by budget: each ready actor handles a bounded number of messages, then the next one is served. At the end of a turn,
when nobody is ready, the open batch of events is committed. On a virtual clock the pump then moves time to the next timer
itself, so that a replay never leaves this loop for long. With a seed, which ready actor goes next and how much it may
handle are drawn, so that one seed is one interleaving. On a virtual clock a slice is counted, not timed: how fast the
machine is must not decide when tasks run between messages.
"""

from __future__ import annotations

import random
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Final

from runtime.clock import VirtualClock
from runtime.errors import LiveLock
from runtime.loop import VirtualLoop

if TYPE_CHECKING:
    from runtime.cell import Cell
    from runtime.system import ActorSystem

__all__ = ["ASKS_AT_ONCE", "BUDGET", "SLICE_S", "SLICE_TURNS", "STILL_SLICES", "Pump"]

BUDGET: Final = 64
"""Messages one actor may handle before the next one is served."""

ASKS_AT_ONCE: Final = 32
"""Asks that may be served in the asker's own turn before the event loop gets one."""

SLICE_S: Final = 0.005
"""Seconds after which the pump lets the event loop look at sockets and tasks."""

SLICE_TURNS: Final = 1_024
"""Turns of actors, and steps through time, of one slice on a virtual clock."""

STILL_SLICES: Final = 250
"""Full slices at one virtual instant after which the system has failed: a quarter million turns are no work but a circle."""


class Pump:
    """Serves ready actors until none is left, in slices."""

    def __init__(self, system: ActorSystem, seed: int | None) -> None:
        self._system = system
        self._queue: deque[Cell] = deque()
        self._random = random.Random(seed) if seed is not None else None  # noqa: S311 - reproducible on purpose
        self._scheduled = False
        self._virtual = isinstance(system.clock, VirtualClock)
        self._at_once = 0
        self._still = 0
        self._still_at = -1
        self.active = False
        self.stopped = False

    def ready(self, cell: Cell) -> None:
        """Queue an actor that has something to handle."""
        self._queue.append(cell)
        if not self._scheduled and not self.active:
            self.schedule()

    def schedule(self) -> None:
        """Have the event loop run the pump soon."""
        if not self._scheduled and not self.stopped:
            self._scheduled = True
            self._system.loop.call_soon(self.run)

    def run(self) -> None:
        """Serve, commit, and on a virtual clock step through time, for one slice."""
        if self.active or self.stopped:
            return
        self._scheduled = False
        self._at_once = 0
        self.active = True
        system = self._system
        system.disarm()
        durability = system.durability
        until = perf_counter() + SLICE_S
        steps = 0
        try:
            while True:
                more = self._serve(until)
                durability.flush()
                steps += 1
                if more or (steps >= SLICE_TURNS if self._virtual else perf_counter() >= until):
                    if self._virtual:
                        self._watch_time()
                    break
                if not self._queue and not self._step():
                    self._still_at = -1
                    break
        finally:
            self.active = False
            system.current = system.running = None
            system.current_path = ""
            if self._queue:
                self.schedule()
            system.arm()

    def begin_at_once(self) -> bool:
        """Take over from the event loop for one ask from outside the pump, when nobody else waits for it; rarely no.

        Two turns of the loop are most of what an ask costs. Every so often one goes the long way, so that whoever asks
        in a loop starves nobody. A seeded system never does it: there the interleaving is drawn.
        """
        if self.active or self._scheduled or self.stopped or self._random is not None:
            return False
        if self._at_once >= ASKS_AT_ONCE:
            return False
        self._at_once += 1
        self.active = True
        return True

    def serve_at_once(self) -> None:
        """Serve what an ask made ready, and commit; then the asker goes on as whoever it was."""
        system = self._system
        asker = system.current, system.current_path, system.running
        try:
            self._serve(perf_counter() + SLICE_S)
            system.durability.flush()
        finally:
            self.active = False
            system.current, system.current_path, system.running = asker
            if self._queue:
                self.schedule()
            system.arm()

    def _serve(self, until: float) -> bool:
        queue = self._queue
        turns = 0
        while queue:
            cell = queue.popleft() if self._random is None else self._draw(self._random)
            more = True  # also when it raises what no handler may (KeyboardInterrupt): its mailbox is looked at again
            try:
                more = cell.drain(BUDGET if self._random is None else self._random.randint(1, BUDGET))
            finally:
                if more:
                    queue.append(cell)
                else:
                    cell.scheduled = False
            turns += 1
            if turns >= SLICE_TURNS if self._virtual else turns & 31 == 0 and perf_counter() >= until:
                return True
        return False

    def _watch_time(self) -> None:
        """After a full slice: fail the system when virtual time has stood still for too many of them in a row."""
        now = self._system.clock.now()
        self._still = self._still + 1 if now == self._still_at else 0
        self._still_at = now
        if self._still == STILL_SLICES:
            busy = ", ".join(sorted({cell.path for cell in self._queue})) or "a timer set to the present instant"
            turns = STILL_SLICES * SLICE_TURNS
            error = LiveLock(f"time stands still at {now} ns after more than {turns} turns; still at work: {busy}")
            self._system.fail(error)

    def _draw(self, rng: random.Random) -> Cell:
        self._queue.rotate(-rng.randrange(len(self._queue)))
        return self._queue.popleft()

    def _step(self) -> bool:
        """Move virtual time to the next timer when nobody else has anything to do; False when that is not ours to do."""
        if not self._virtual:
            return False
        system = self._system
        clock, loop = system.clock, system.loop
        if not isinstance(clock, VirtualClock) or not isinstance(loop, VirtualLoop):
            return False
        at = system.next_at()
        if at is None or clock.held or not loop.idle_until(at):
            return False
        clock.advance_to(at)
        system.fire()
        return True

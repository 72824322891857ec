"""What is going wrong at present: faults that wait for their occasion, and those that last for a while."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Final, Protocol

from runtime.clock import NANOS
from simulation.scenario import Fault, FaultKind

__all__ = ["LASTING", "Draws", "Weather"]

LASTING: Final = frozenset({FaultKind.DISCONNECT, FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR, FaultKind.MAINTENANCE})
"""These hold for their ``seconds``; all others wait for an occasion and are used up by it."""

_OF_HANDLERS: Final = (
    FaultKind.HANDLER_RAISES,
    FaultKind.HANDLER_RAISES_LATE,
    FaultKind.ACTOR_HANGS,
    FaultKind.SLOW_CONSUMER,
)


class Draws(Protocol):
    """Seeded randomness."""

    def random(self) -> float:
        """Draw from [0, 1)."""
        ...

    def uniform(self, a: float, b: float) -> float:
        """Draw from [a, b]."""
        ...


class Weather:
    """The faults in force. ``injected`` counts those that found their occasion, by kind."""

    def __init__(self, now: Callable[[], int], draws: Draws, injected: Counter[str]) -> None:
        self._now = now
        self._draws = draws
        self._injected = injected
        self._armed: dict[FaultKind, deque[Fault]] = {}
        self._until: dict[FaultKind, int] = {}
        self.of_handlers: list[Fault] = []
        """Faults of actors that wait for a message: read by every handled message, mostly empty."""

    def take(self, fault: Fault) -> None:
        """Add a fault to those in force."""
        if fault.kind in LASTING:
            until = self._now() + round(fault.seconds * NANOS)
            self._until[fault.kind] = max(self._until.get(fault.kind, 0), until)
            self._injected[fault.kind.value] += 1
        elif fault.kind in _OF_HANDLERS:
            self.of_handlers.extend([fault] * max(1, fault.count))
        else:
            self._armed.setdefault(fault.kind, deque()).extend([fault] * max(1, fault.count))

    def clear(self) -> None:
        """Have everything go right from now on."""
        self._armed.clear()
        self._until.clear()
        self.of_handlers.clear()

    def lasts(self, kind: FaultKind) -> int:
        """Return until when a lasting fault holds, 0 when it does not."""
        until = self._until.get(kind, 0)
        return until if until > self._now() else 0

    def next_of(self, kind: FaultKind) -> Fault | None:
        """Use up one fault of a kind, if any waits."""
        waiting = self._armed.get(kind)
        if not waiting:
            return None
        self._injected[kind.value] += 1
        return waiting.popleft()

    def next_call(self, kind: FaultKind, call: str) -> Fault | None:
        """Use up the first fault of a kind that waits for such a call, or for any."""
        waiting = self._armed.get(kind, ())
        fault = next((each for each in waiting if each.target in ("", call)), None)
        if fault is not None:
            self._armed[kind].remove(fault)
            self._injected[kind.value] += 1
        return fault

    def any_of(self, *kinds: FaultKind) -> Fault | None:
        """Use up the first fault that waits of some kinds."""
        for kind in kinds:
            if fault := self.next_of(kind):
                return fault
        return None

    def at_handler(self, path: str) -> Fault | None:
        """Use up a fault that waits for a message to the actor at a path."""
        for index, fault in enumerate(self.of_handlers):
            if fnmatchcase(path, fault.target or "*"):
                del self.of_handlers[index]
                self._injected[fault.kind.value] += 1
                return fault
        return None

    def chance(self, probability: float) -> bool:
        """Toss a coin."""
        return self._draws.random() < probability

    def between(self, low: float, high: float) -> float:
        """Draw a number."""
        return self._draws.uniform(low, high)

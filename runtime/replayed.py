"""The outside as a recorded life sees it again: the clock, the bus and the system answer what they answered then.

Whatever the actor tells, publishes, arms or pipes goes nowhere: what came of it stands in the record as messages.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from runtime.clock import NANOS, VirtualClock, WallClock
from runtime.envelope import Envelope
from runtime.tape import Unreadable

if TYPE_CHECKING:
    from runtime.journal import StreamReader

__all__ = ["NotRead", "Outside", "ReplayContext", "ReplayTimer", "Unfollowable", "envelope_of", "nothing"]


_USUALLY_NOT: Final = frozenset({"choosy", "awaited"})
"""Questions whose answer is noted only when it is yes: they are asked at every price."""


class NotRead(LookupError):
    """The actor reads what it did not read then."""


class Unfollowable(LookupError):
    """Something that was recorded cannot be read again: the life cannot be followed further."""


class Outside:
    """What one life read, in order by name, and the instant that its clock shows."""

    def __init__(self, *, seed: int | None, virtual: bool, journal: Callable[[], StreamReader]) -> None:
        self.seed = seed
        self.virtual = virtual
        self.journal = journal
        self.at = 0
        self.envelope: Envelope | None = None
        self._reads: dict[tuple[str, Any], deque[tuple[Any, bool]]] = {}
        self._last: dict[tuple[str, Any], tuple[Any, bool]] = {}
        self._instants: dict[int, int] = {}
        self._asked = 0

    def give(self, reads: Iterable[tuple[str, Any, Any, bool]], instants: dict[int, int]) -> None:
        """Take what was read while one message was handled."""
        self._asked, self._instants = 0, instants
        self._reads = {}
        for what, name, value, raised in reads:
            self._reads.setdefault((what, name), deque()).append((value, raised))

    def spent(self) -> None:
        """Let the clock show the last instant that was read, also when nobody read it this time."""
        if self._instants:
            self.at = max(self.at, *self._instants.values())
        self._instants = {}

    def now(self) -> int:
        """Return the instant that the clock showed then."""
        self.at = self._instants.pop(self._asked, self.at)
        self._asked += 1
        return self.at

    def read(self, what: str, name: Any) -> Any:
        """Return what was answered then; raise what was raised. Raises NotRead when it was not read."""
        waiting = self._reads.get((what, name))
        if not waiting:
            if what in _USUALLY_NOT:
                return False
            raise NotRead(f"{what} {name if isinstance(name, str) else ' '.join(map(str, name))}".strip())
        value, raised = waiting.popleft()
        if isinstance(value, Unreadable):
            raise Unfollowable(value.why)
        if raised:
            raise value
        return value


class ReplayTimer:
    """A timer that fires only on the record."""

    def __init__(self, outside: Outside, at: int, period: int = 0) -> None:
        self._outside = outside
        self._period = period
        self._cancelled = False
        self.at = at

    @property
    def live(self) -> bool:
        """Whether it has neither been cancelled nor come due."""
        return not self._cancelled and (self._period > 0 or self._outside.at < self.at)

    alive = live

    def cancel(self) -> None:
        """End it."""
        self._cancelled = True


class _Timers:
    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def after(self, seconds: float, message: Any) -> ReplayTimer:
        return self.at(self._outside.at + round(seconds * NANOS), message)

    def at(self, instant: int, message: Any) -> ReplayTimer:  # noqa: ARG002 - the record brings it
        return ReplayTimer(self._outside, instant)

    def every(self, seconds: float, message: Any) -> ReplayTimer:  # noqa: ARG002 - the record brings it
        return ReplayTimer(self._outside, self._outside.at, round(seconds * NANOS))

    def stream(self, steps: Any, *, into: Any = None, ended: Any = None) -> ReplayTimer:  # noqa: ARG002 - as above
        return ReplayTimer(self._outside, self._outside.at)


def nothing(*_: Any, **__: Any) -> None:
    """Do nothing: what is told in a replay goes nowhere."""


class _Ref:
    """A reference that reaches nobody; its answers are those of then."""

    def __init__(self, outside: Outside, path: str) -> None:
        self._outside = outside
        self.path = path
        self.alive = True

    tell = staticmethod(nothing)

    async def ask(self, request: Any, timeout_s: float = 5.0) -> Any:  # noqa: ARG002 - as the real one
        return self._outside.read("ask", (self.path, type(request).__name__))

    def __eq__(self, other: object) -> bool:
        return getattr(other, "path", None) == self.path

    def __hash__(self) -> int:
        return hash(self.path)


class _Bus:
    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    subscribe = unsubscribe = drop = staticmethod(nothing)

    def publish(self, topic: str, fact: Any, *, keep: bool = False) -> int:  # noqa: ARG002 - goes nowhere
        return 0

    def kept(self, topic: str) -> Any:
        return self._outside.read("kept", topic)

    def choosy(self, topic: str) -> bool:
        return bool(self._outside.read("choosy", topic))

    def awaited(self, topic: str, fact: Any) -> bool:  # noqa: ARG002 - the answer of then
        return bool(self._outside.read("awaited", topic))

    def topics(self) -> dict[str, int]:
        return {}


class _Durability:
    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.journal = _Journal(outside.journal)
        self.listeners: list[Any] = []
        self.watchers: list[Any] = []

    @property
    def error(self) -> Any:
        said = self._outside.read("journal_error", "")
        return None if said is None else RuntimeError(said)


class _Journal:
    def __init__(self, reader: Callable[[], StreamReader]) -> None:
        self.reader = reader


class _System:
    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.durability = _Durability(outside)
        self.journal = self.durability.journal
        self.clock = VirtualClock() if outside.virtual else WallClock()
        self.seed = outside.seed
        self.bus = _Bus(outside)

    tell = report = staticmethod(nothing)

    def now(self) -> int:
        return self._outside.now()

    def lookup(self, path: str) -> _Ref | None:
        return _Ref(self._outside, path) if self._outside.read("lookup", path) else None

    def is_up(self, path: str) -> bool:
        return bool(self._outside.read("is_up", path))

    def paths(self) -> list[str]:
        return list(self._outside.read("paths", ""))


class ReplayContext:
    """Stands for ``runtime.context.Context`` in a replay of one life."""

    def __init__(self, path: str, incarnation: int, outside: Outside) -> None:
        self.path = path
        self.outside = outside
        self.ref = _Ref(outside, path)
        self.timers = _Timers(outside)
        self.system = _System(outside)
        self.bus = self.system.bus
        self.random = Random(f"{outside.seed}{path}#{incarnation}")  # noqa: S311 - the same numbers as then

    @property
    def envelope(self) -> Envelope | None:
        """The envelope of the message being handled."""
        return self.outside.envelope

    watch = answer = escalate = stop = ready = staticmethod(nothing)

    def pipe(self, awaitable: Any, *_: Any, **__: Any) -> None:
        """Await nothing: what it brought stands in the record as a message."""
        if inspect.iscoroutine(awaitable):
            awaitable.close()

    def callback(self, call: Callable[..., None]) -> Callable[..., None]:
        """Return the call for somebody else, who is not there."""
        return call

    def thawed(self, what: str, value: Any) -> Any:
        """Return what stands for a part of the system in a state that was frozen."""
        match what:
            case "context":
                return self
            case "bus":
                return self.bus
            case "system":
                return self.system
            case "timers":
                return self.timers
            case "clock":
                return self.system.clock
            case "ref":
                return _Ref(self.outside, value)
            case "timer":
                return ReplayTimer(self.outside, value)
            case "envelope":
                return envelope_of(*value)
            case _:
                return nothing


def envelope_of(sender: str, message_id: int, correlation: int, causation: int, at: int, asked: bool) -> Envelope:
    """Return an envelope without its message; an answer to it goes nowhere."""
    return Envelope(None, sender, message_id, correlation, causation, at, nothing if asked else None)

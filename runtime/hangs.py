"""Handlers that do not return: found by their deadline, ended as a crash, restarted by the supervisor.

One place for the whole system and one instant it waits for, however many handlers run; nothing is set for a message, and
a plain handler, which cannot be interrupted, costs nothing here (``loop_watch`` notices those). Deadlines are on the
injected clock; because a wall clock may be set forward by hours, a late handler gets a second, short deadline first.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Awaitable
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from runtime.clock import NANOS
from runtime.errors import ActorError

if TYPE_CHECKING:
    from runtime.beside import Beside
    from runtime.envelope import Envelope
    from runtime.system import ActorSystem

__all__ = ["GRACE_S", "HandlerHung", "Hangs", "stack_of", "where_it_waits"]

GRACE_S: Final = 2.0
"""Seconds that a handler beyond its deadline gets before it is ended."""

_DEEPEST: Final = 60


class HandlerHung(ActorError):
    """A handler did not return by its deadline (``hang_s`` of its spec); ``stacks`` says where it stands."""

    INCIDENT: ClassVar[str] = "hang"

    def __init__(self, message: str, stacks: str) -> None:
        super().__init__(message)
        self.stacks = stacks


class _Busy(NamedTuple):
    since: int
    deadline: int
    envelope: Envelope | None
    work: Awaitable[Any] | None
    warned: bool


class Hangs:
    """The handlers that run beside the pump just now."""

    __slots__ = ("_busy", "_next", "_system")

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self._busy: dict[Beside, _Busy] = {}
        self._next: int | None = None

    def __len__(self) -> int:
        return len(self._busy)

    def begin(self, cell: Beside, envelope: Envelope | None, work: Awaitable[Any] | None = None) -> None:
        """Note that a handler runs beside the pump from now on; ``work`` is its coroutine, None in a thread."""
        limit = cell.spec.hang_s
        if limit is None:
            return
        now = self._system.clock.now()
        deadline = now + round(limit * NANOS)
        self._busy[cell] = _Busy(now, deadline, envelope, work, warned=False)
        if self._next is None or deadline < self._next:
            self._next = deadline
            self._system.wake_at(deadline)

    def end(self, cell: Beside) -> None:
        """Note that it has returned, or that its life is over."""
        if self._busy.pop(cell, None) is not None and not self._busy:
            self._next = None

    def next_at(self) -> int | None:
        """Return the next instant at which a handler may be late."""
        return self._next

    def expire(self, now: int) -> None:
        """End the handlers that are beyond their deadlines."""
        if self._next is None or now < self._next:
            return
        for cell, busy in [each for each in self._busy.items() if each[1].deadline <= now]:
            if busy.warned:
                self.end(cell)
                self._end(cell, busy, now)
            elif cell in self._busy:
                self._busy[cell] = busy._replace(deadline=now + round(GRACE_S * NANOS), warned=True)
        self._next = min((busy.deadline for busy in self._busy.values()), default=None)

    def _end(self, cell: Beside, busy: _Busy, now: int) -> None:
        kind = type(busy.envelope.message).__name__ if busy.envelope is not None else "a message"
        seconds = (now - busy.since) / NANOS
        stacks = where_it_waits(busy.work) if busy.work is not None else cell.thread_stack()
        error = HandlerHung(f"{cell.path}: handling {kind} has not ended after {seconds:.0f} s", stacks)
        before = self._system.current
        self._system.current = busy.envelope
        try:
            cell.crash(error, busy.envelope)
        finally:
            self._system.current = before


def where_it_waits(work: Any) -> str:
    """Return the stack of a coroutine that waits, outermost first; what it waits for at last stands at its end."""
    lines: list[str] = []
    for _ in range(_DEEPEST):
        frame: FrameType | None = next(
            (getattr(work, name) for name in ("cr_frame", "gi_frame", "ag_frame") if hasattr(work, name)), None
        )
        if frame is None:
            break
        lines += traceback.format_stack(frame, limit=1)
        work = next(
            (getattr(work, name) for name in ("cr_await", "gi_yieldfrom", "ag_await") if hasattr(work, name)), None
        )
    if work is not None:
        lines.append(f"  waits for {type(work).__name__}\n")
    return "".join(lines)


def stack_of(thread_ident: int | None) -> str:
    """Return what a thread does at this moment, empty when there is no such thread."""
    frame = sys._current_frames().get(thread_ident or 0)
    return "".join(traceback.format_stack(frame)) if frame is not None else ""

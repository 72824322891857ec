"""The thread dispatcher: a pykka actor owns the thread in which a blocking actor's handlers run.

The mailbox stays on the event loop; only the handler runs in the thread. So lanes, overflow policies and supervision are
the same for both kinds of actor, and an envelope crosses threads while shared state never does. From its thread a handler
may tell, set timers and return what is to be done; everything else of its context belongs to the event loop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pykka

from runtime.envelope import Envelope
from runtime.hangs import stack_of

if TYPE_CHECKING:
    from runtime.system import ActorSystem

__all__ = ["HandlerThread", "thread_envelope"]

_local = threading.local()

_JOIN_S: Final = 1.0
"""Seconds within which an idle thread must have ended when the system stops."""


def thread_envelope() -> tuple[Envelope | None, str]:
    """Return which message the present thread handles, and for whom (so that what it tells keeps its cause)."""
    return getattr(_local, "envelope", None), getattr(_local, "path", "")


class _Call(NamedTuple):
    handler: Callable[[Any], Any]
    envelope: Envelope
    path: str
    done: Callable[[Any, BaseException | None], None]


class _Worker(pykka.ThreadingActor):
    """Calls handlers one after the other in its own thread."""

    use_daemon_thread = True

    def __init__(self, born: Callable[[threading.Thread], None]) -> None:
        super().__init__()
        self._born = born

    def on_start(self) -> None:
        self._born(threading.current_thread())

    def on_receive(self, call: _Call) -> None:
        _local.envelope, _local.path = call.envelope, call.path
        try:
            outcome = call.handler(call.envelope.message)
        except BaseException as error:  # noqa: BLE001 - for the supervisor; SystemExit would make pykka stop every thread
            call.done(None, error)
        else:
            call.done(outcome, None)
        finally:
            _local.envelope, _local.path = None, ""


class HandlerThread:
    """One actor's thread for one life."""

    __slots__ = ("_at_work", "_born", "_path", "_system", "_thread", "_worker")

    def __init__(self, system: ActorSystem, path: str) -> None:
        self._system = system
        self._path = path
        self._at_work = False
        self._thread: threading.Thread | None = None
        self._born = threading.Event()
        self._worker = _Worker.start(self._begun)
        system.threads += 1

    def _begun(self, thread: threading.Thread) -> None:
        self._thread = thread
        self._born.set()

    def call(
        self, handler: Callable[[Any], Any], envelope: Envelope, done: Callable[[Any, BaseException | None], None]
    ) -> None:
        """Run a handler in the thread; ``done(outcome, error)`` follows on the event loop."""
        system = self._system

        def back(outcome: Any, error: BaseException | None) -> None:
            self._at_work = False
            system.call_from_thread(lambda: done(outcome, error))

        self._at_work = True
        self._worker.tell(_Call(handler, envelope, self._path, back))

    def stack(self) -> str:
        """Return what the thread does at this moment."""
        return stack_of(self._thread.ident) if self._thread is not None else ""

    def stop(self) -> None:
        """Let the thread end after its present handler; a handler that never returns keeps only a daemon thread."""
        self._worker.stop(block=False)
        system = self._system
        system.threads -= 1
        system.ended_threads = [*(each for each in system.ended_threads if each.ending), self]

    @property
    def ending(self) -> bool:
        """Whether the thread goes on although it was stopped (its handler has not returned, or just now)."""
        return self._thread is None or self._thread.is_alive()

    def join(self) -> None:
        """Wait until a stopped thread has ended; one whose handler has not returned is reported and left behind."""
        if self._at_work:
            self._system.report(self._path, "a thread is left behind: its handler has not returned")
            return
        self._born.wait(_JOIN_S)
        if self._thread is not None:
            self._thread.join(_JOIN_S)

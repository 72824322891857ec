"""The thread dispatcher: a pykka actor owns the thread in which a blocking actor's handlers run.

The mailbox stays on the event loop; only the handler runs in the thread. So lanes, overflow policies and supervision are
the same for both kinds of actor, and an envelope crosses threads while shared state never does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import pykka

from runtime.envelope import Envelope

if TYPE_CHECKING:
    from runtime.system import ActorSystem

__all__ = ["HandlerThread", "thread_envelope"]

_local = threading.local()


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

    def on_receive(self, call: _Call) -> None:
        _local.envelope, _local.path = call.envelope, call.path
        try:
            outcome = call.handler(call.envelope.message)
        except Exception as error:  # noqa: BLE001 - handed to the supervisor on the loop
            call.done(None, error)
        else:
            call.done(outcome, None)
        finally:
            _local.envelope = None


class HandlerThread:
    """One actor's thread for one life."""

    __slots__ = ("_path", "_system", "_worker")

    def __init__(self, system: ActorSystem, path: str) -> None:
        self._system = system
        self._path = path
        self._worker = _Worker.start()
        system.threads += 1

    def call(
        self, handler: Callable[[Any], Any], envelope: Envelope, done: Callable[[Any, BaseException | None], None]
    ) -> None:
        """Run a handler in the thread; ``done(outcome, error)`` follows on the event loop."""
        system = self._system

        def back(outcome: Any, error: BaseException | None) -> None:
            system.call_from_thread(lambda: done(outcome, error))

        self._worker.tell(_Call(handler, envelope, self._path, back))

    def stop(self) -> None:
        """Let the thread end after its present handler; a handler that never returns keeps only a daemon thread."""
        self._worker.stop(block=False)
        self._system.threads -= 1

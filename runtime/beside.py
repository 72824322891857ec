"""The part of an actor's work that runs beside the pump: async handlers, pipes, handlers in a thread.

All of it belongs to one life: it is cut off with it, and what it brings after the end is dropped. Each step of a coroutine
is taken in the actor's name and in the causal chain that began it, so what it tells and asks keeps its cause.
"""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import nullcontext
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from runtime.envelope import Envelope
from runtime.errors import ActorError
from runtime.life import Life
from runtime.metrics import BUCKETS
from runtime.spec import Spec
from runtime.threads import HandlerThread

if TYPE_CHECKING:
    from runtime.system import ActorSystem

__all__ = ["Beside", "Finished"]

Finished = Callable[[Any, BaseException | None], None]
"""Called on the event loop with an outcome, or with None and an error."""


class Beside(Life):
    """What of a cell runs in tasks and threads; see ``cell`` for the messages."""

    def __init__(self, system: ActorSystem, parent: Life | None, spec: Spec) -> None:
        super().__init__(system, parent, spec)
        self.histogram = [0] * (BUCKETS + 1)
        self._thread: HandlerThread | None = None

    # --- tasks ---------------------------------------------------------------------------------------------------------

    def run(self, work: Awaitable[Any], done: Finished | None = None, *, real: bool = False) -> None:
        """Run something awaitable as part of this life and of the present causal chain.

        ``done`` follows unless the life has ended; without it an error crashes the actor. ``real`` holds virtual time.
        """
        cause = self.system.current
        task = self.system.run_task(self._beside(work, done or self._ran, cause, self.incarnation, real), self.path)
        self.tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self.tasks.discard(task)
            if inspect.iscoroutine(work):
                work.close()  # the life may have ended before its first step

        task.add_done_callback(ended)

    async def _beside(
        self, work: Awaitable[Any], done: Finished, cause: Envelope | None, incarnation: int, real: bool
    ) -> None:
        outcome: Any = None
        error: BaseException | None = None
        try:
            with self.system.hold() if real else nullcontext():
                outcome = await _stepped(self, cause, work)
        except asyncio.CancelledError as cancelled:
            if incarnation != self.incarnation:
                raise
            # Nobody cancels the tasks of a life that goes on: what it awaited was cancelled under its feet.
            error = ActorError(f"{self.path}: what was awaited was cancelled")
            error.__cause__ = cancelled
        except Exception as raised:  # noqa: BLE001 - handed to the supervisor's edge below
            error = raised
        if incarnation == self.incarnation:
            self.in_chain(cause, lambda: done(outcome, error))
        elif error is not None:
            self.system.report(self.path, "a task of an ended life failed", error)

    def _ran(self, _: Any, error: BaseException | None) -> None:
        if error is not None:
            raise error

    def in_chain(self, cause: Envelope | None, call: Callable[[], None]) -> None:
        """Call something as this actor in a causal chain that left the pump; what it raises crashes the actor."""
        system = self.system
        before = system.current, system.current_path, system.running
        system.current, system.current_path, system.running = cause, self.path, self  # type: ignore[assignment]
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the supervisor's edge
            self.crash(error, None)
        finally:
            system.current, system.current_path, system.running = before

    def callback(self, call: Callable[..., None]) -> Callable[..., None]:
        """Return a callable for others that runs as this life of the actor, in the chain of whoever calls it."""
        life = self.incarnation
        system = self.system

        def called(*args: Any) -> None:
            if life != self.incarnation or self.doomed is not None:
                return
            before, system.current_path = system.current_path, self.path
            try:
                call(*args)
            except Exception as error:  # noqa: BLE001 - the supervisor's edge
                self.crash(error, None)
            finally:
                system.current_path = before

        return called

    # --- handlers ------------------------------------------------------------------------------------------------------

    def handle_beside(self, handler: Coroutine[Any, Any, Any], envelope: Envelope | None) -> None:
        """Run an async handler; until it is done its actor handles nothing else."""
        self.busy = True
        self.handling = envelope
        self.system.hangs.begin(self, envelope, handler)
        self.run(handler, partial(self._handled, envelope, perf_counter_ns()))

    def handle_in_thread(self, handler: Callable[[Any], Any], envelope: Envelope) -> None:
        """Run a plain handler in this life's thread; until it is done its actor handles nothing else."""
        assert self._thread is not None
        self.busy = True
        self.handling = envelope
        self.system.hangs.begin(self, envelope)
        incarnation, began = self.incarnation, perf_counter_ns()
        hold = self.system.hold()
        hold.__enter__()  # virtual time stands still while a real thread works

        def done(outcome: Any, error: BaseException | None) -> None:
            hold.__exit__(None, None, None)
            if incarnation == self.incarnation:
                self.in_chain(envelope, lambda: self._handled(envelope, began, outcome, error))
            elif error is not None:
                self.system.report(self.path, "a handler of an ended life failed", error)

        self._thread.call(handler, envelope, done)

    def _handled(self, envelope: Envelope | None, began: int, outcome: Any, error: BaseException | None) -> None:
        self.busy = False
        self.handling = None
        self.system.hangs.end(self)
        self.histogram[min((perf_counter_ns() - began).bit_length(), BUCKETS)] += 1
        if error is None:
            try:
                self.settle(outcome, envelope)
            except Exception as raised:  # noqa: BLE001 - the supervisor's edge
                error = raised
        if error is not None:
            self.give_up(error, envelope)
        self.fall()
        self.woke()
        self.schedule()

    # --- pipes ---------------------------------------------------------------------------------------------------------

    def pipe(
        self,
        awaitable: Awaitable[Any],
        into: Callable[[Any], Any],
        failed: Callable[[Exception], Any] | None,
        *,
        real: bool,
    ) -> None:
        """Await beside the actor; the result comes back as a message in the same causal chain."""

        def done(outcome: Any, error: BaseException | None) -> None:
            try:
                if error is not None:
                    raise error
                message = into(outcome)
            except Exception as raised:
                if failed is None:
                    raise
                message = failed(raised)
            if message is not None:
                self.ref.tell(message)

        self.run(awaitable, done, real=real)

    # --- threads -------------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        if self.spec.dispatch == "thread" and self._thread is None and not self.system.inline_threads:
            self._thread = HandlerThread(self.system, self.path)

    def thread_stack(self) -> str:
        """Return what this life's thread does at this moment; empty without one."""
        return self._thread.stack() if self._thread is not None else ""

    def _close_down(self, cause: BaseException | None = None) -> None:
        super()._close_down(cause)
        self.system.hangs.end(self)
        if self._thread is not None:
            self._thread.stop()
            self._thread = None


@types.coroutine
def _stepped(cell: Beside, cause: Envelope | None, work: Awaitable[Any]) -> Generator[Any, Any, Any]:
    """Await ``work``; while one of its steps runs the system knows whose step it is and what caused it."""
    system = cell.system
    coroutine = work if inspect.iscoroutine(work) else _awaited(work)
    step: Callable[[Any], Any] = coroutine.send
    value: Any = None
    try:
        while True:
            system.current, system.current_path, system.running = cause, cell.path, cell  # type: ignore[assignment]
            try:
                waits_for = step(value)
            except StopIteration as end:
                return end.value
            finally:
                system.current, system.current_path, system.running = None, "", None
            try:
                value = yield waits_for
                step = coroutine.send
            except BaseException as error:  # noqa: BLE001 - a cancellation goes to whom it is for: into the coroutine
                step, value = coroutine.throw, error
    finally:
        coroutine.close()


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work

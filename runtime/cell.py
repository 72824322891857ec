"""One actor's place in the system: mailbox, dispatch of messages to handlers, and what handlers return.

The hot path is ``accept`` (a message comes in) and ``drain`` (the pump lets this actor handle what waits). Both are
written for speed and kept here together; everything rare lives in ``life``.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import anyio

from runtime.actor import NO_ANSWER, Do
from runtime.durable import DurableActor
from runtime.envelope import Envelope
from runtime.errors import ActorCrashed, HandlerMistake, Unhandled
from runtime.life import Life
from runtime.lifecycle import ChildExited, ChildStarted, LifeState, Terminated
from runtime.mailbox import PLAIN, Put, route_of
from runtime.metrics import BUCKETS, ActorStats
from runtime.ref import refuse
from runtime.spec import Spec
from runtime.threads import HandlerThread

if TYPE_CHECKING:
    from runtime.system import ActorSystem

__all__ = ["Cell"]

POISON_AT = 2
"""A message that crashes its actor this often is parked in the dead letters."""


_RUNNING = LifeState.RUNNING


class Cell(Life):
    """An actor's mailbox and the way of its messages."""

    def __init__(self, system: ActorSystem, parent: Life | None, spec: Spec) -> None:
        super().__init__(system, parent, spec)
        self.scheduled = False
        self.handled = 0
        self.unhandled = 0
        self.parked = 0
        self.histogram = [0] * (BUCKETS + 1)
        self.waits_for: Cell | None = None
        self.congesting: list[Cell] = []
        self._room: list[anyio.Event] = []
        self.edge = spec.edge
        self._thread: HandlerThread | None = None

    # --- in ------------------------------------------------------------------------------------------------------------

    def accept(self, envelope: Envelope) -> None:
        """Take a message into the mailbox by the policy of its type."""
        if self.state is _RUNNING and not self.edge:
            mailbox = self.mailbox
            if type(envelope.message) in PLAIN and len(mailbox.data) < mailbox.capacity:
                mailbox.data.append(envelope)
                if not self.scheduled:
                    self.scheduled = True
                    self.system.pump.ready(self)
                return
        elif self.state is LifeState.STOPPED:
            self.system.reroute(self, envelope)
            return
        elif self.edge and self.system.durability.holds(self, envelope):
            return
        self.deliver(envelope)

    def deliver(self, envelope: Envelope) -> None:
        """Put a message that nothing holds back any more into the mailbox."""
        outcome = self.mailbox.put(envelope, route_of(type(envelope.message)))
        if outcome > 1:
            self._overflow(envelope, outcome)
        if not self.scheduled and self.state is LifeState.RUNNING:
            self.scheduled = True
            self.system.pump.ready(self)

    def post(self, message: Any) -> None:
        """Take a message that begins a causal chain of its own (a timer fired)."""
        system = self.system
        system.last_id = message_id = system.last_id + 1
        self.accept(Envelope(message, self.path, message_id, message_id, 0, system.now()))

    def _overflow(self, envelope: Envelope, outcome: Put) -> None:
        if outcome is Put.REJECTED:
            if envelope.reply is not None:
                refuse(envelope, outcome, self.path)
            else:
                self.bury(envelope, "the mailbox is full")
            return
        # Back-pressure: whoever produced the fact rests until this mailbox has room, unless it is itself waited for.
        producer = self.system.running
        if producer is not None and producer is not self and producer.waits_for is None and self.waits_for is None:
            producer.waits_for = self
            self.congesting.append(producer)

    async def room(self) -> None:
        """Wait until the mailbox is below its capacity."""
        while len(self.mailbox) >= self.mailbox.capacity and self.alive:
            event = anyio.Event()
            self._room.append(event)
            await event.wait()

    def seal(self) -> None:
        """Take nothing beyond the mailbox's capacity until the next life, and free who waits for room."""
        self.mailbox.sealed = True
        self._release_producers()

    def schedule(self) -> None:
        """Have the pump look at this actor's mailbox."""
        if not self.scheduled and self.state is LifeState.RUNNING and len(self.mailbox):
            self.scheduled = True
            self.system.pump.ready(self)

    # --- through -------------------------------------------------------------------------------------------------------

    def drain(self, budget: int) -> bool:
        """Handle at most ``budget`` messages; return whether the pump should come back."""
        system = self.system
        mailbox = self.mailbox
        histogram = self.histogram
        data = mailbox.data
        system.running = self
        system.current_path = self.path
        began = perf_counter_ns()
        while budget and not self.busy and self.waits_for is None:
            if not (data or mailbox.control or mailbox.system):
                break
            envelope = mailbox.take()
            message = envelope.message
            handler = self.handlers.get(type(message))
            if handler is None:
                if self.state is not LifeState.RUNNING:
                    mailbox.put_back(envelope, route_of(type(message)))
                    break
                self._unhandled(envelope)
                continue
            system.current = envelope
            try:
                outcome = handler(message) if self._thread is None else self._in_thread(handler, envelope)
                if outcome is not None:
                    self.settle(outcome, envelope)
                elif envelope.reply is not None and self._thread is None:
                    envelope.reply(None, None)
            except Exception as error:  # noqa: BLE001 - the supervisor's edge: let it crash, loudly
                self.give_up(error, envelope)
            ended = perf_counter_ns()
            histogram[min((ended - began).bit_length(), BUCKETS)] += 1
            began = ended
            self.handled += 1
            budget -= 1
        system.current = None
        system.running = None
        system.current_path = ""
        if (self.congesting or self._room) and len(mailbox) <= mailbox.capacity // 2:
            self._release_producers()
        return bool(len(mailbox)) and self.state is LifeState.RUNNING and not self.busy and self.waits_for is None

    def _release_producers(self) -> None:
        producers, self.congesting = self.congesting, []
        for producer in producers:
            producer.waits_for = None
            producer.schedule()
        for event in self._room:
            event.set()
        self._room.clear()

    def _unhandled(self, envelope: Envelope) -> None:
        message = envelope.message
        if isinstance(message, ChildStarted | ChildExited | Terminated):
            return
        self.unhandled += 1
        reply, envelope.reply = envelope.reply, None
        self.bury(envelope, f"no handler for {type(message).__name__}")
        if reply is not None:
            reply(None, Unhandled(f"{self.path} does not handle {type(message).__name__}"))

    def give_up(self, error: BaseException, envelope: Envelope) -> None:
        """Crash on a message: it is tried once more in the next life, then parked as poison."""
        if envelope.reply is not None:
            # The asker is told now and may ask again; a retry behind its back would act twice.
            envelope.reply(None, ActorCrashed(self.path, error))
        else:
            envelope.attempts += 1
            route = route_of(type(envelope.message))
            if envelope.attempts >= POISON_AT:
                self.parked += 1
                self.bury(envelope, "crashed its actor twice", repr(error), poison=True)
            elif route.lane:
                self.mailbox.put_back(envelope, route)
        self.crash(error, envelope)

    # --- out -----------------------------------------------------------------------------------------------------------

    def settle(self, outcome: Any, envelope: Envelope | None) -> None:
        """Carry out what a handler returned: journal, then tell, then answer."""
        if inspect.iscoroutine(outcome):
            self.busy = True
            self.run(self._await_handler(outcome, envelope, self.incarnation), outcome)
            return
        reply = envelope.reply if envelope is not None else None
        if type(outcome) is list:
            for each in outcome:
                self.settle(each, None if each is not outcome[-1] else envelope)
            return
        if not isinstance(outcome, Do):
            if reply is not None and outcome is not NO_ANSWER:
                reply(outcome, None)
            return
        if outcome.events:
            actor = self.actor
            if not isinstance(actor, DurableActor):
                raise HandlerMistake(f"{self.path} returned events but is no DurableActor")
            self.system.durability.record(self, actor, outcome, envelope)
        for ref, message in outcome.tells:
            if isinstance(ref, str):
                self.system.tell(ref, message)
            else:
                ref.tell(message)
        if outcome.then is not None:
            following = outcome.then()
            if following is not None:
                self.settle(following, envelope)
                return
        if reply is not None and outcome.answer is not NO_ANSWER:
            self.system.durability.answer(reply, outcome.answer)

    async def _await_handler(self, handler: Awaitable[Any], envelope: Envelope | None, incarnation: int) -> None:
        system = self.system
        try:
            outcome = await handler
            if incarnation != self.incarnation:
                return
            system.current, system.current_path = envelope, self.path
            if outcome is not None:
                self.settle(outcome, envelope)
            elif envelope is not None and envelope.reply is not None:
                envelope.reply(None, None)
        except Exception as error:
            if incarnation == self.incarnation and envelope is not None:
                self.give_up(error, envelope)
                return
            raise
        finally:
            system.current, system.current_path = None, ""
            if incarnation == self.incarnation:
                self.busy = False
                self.woke()
                self.schedule()

    def run(self, work: Coroutine[Any, Any, None], inner: Any = None) -> None:
        """Run a coroutine as part of this life: it is cancelled with it, and its error crashes the actor.

        ``inner`` is what it awaits: closed unheard when the life ends before the first step.
        """
        task = self.system.run_task(self._guarded(work, self.incarnation), self.path)
        self.tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self.tasks.discard(task)
            work.close()
            if inspect.iscoroutine(inner):
                inner.close()

        task.add_done_callback(ended)

    async def _guarded(self, work: Awaitable[Any], incarnation: int) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the supervisor's edge
            if incarnation == self.incarnation:
                self.crash(error, None)
            else:
                self.system.report(self.path, "an ended life's task failed", error)

    def pipe(
        self,
        awaitable: Awaitable[Any],
        into: Callable[[Any], Any],
        failed: Callable[[Exception], Any] | None,
        *,
        real: bool,
    ) -> None:
        """Await beside the actor; the result comes back as a message in the same causal chain."""
        self.run(self._piped(awaitable, into, failed, self.system.current, real=real), awaitable)

    async def _piped(
        self,
        awaitable: Awaitable[Any],
        into: Callable[[Any], Any],
        failed: Callable[[Exception], Any] | None,
        cause: Envelope | None,
        *,
        real: bool,
    ) -> None:
        incarnation = self.incarnation
        try:
            if real:
                with self.system.hold():
                    message = into(await awaitable)
            else:
                message = into(await awaitable)
        except Exception as error:
            if failed is None:
                raise
            message = failed(error)
        if message is not None and incarnation == self.incarnation:
            self.system.tell_as(self, cause, message)

    # --- threads and numbers -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin a life, with a thread of its own when the recipe says so."""
        if self.spec.dispatch == "thread" and self._thread is None and not self.system.inline_threads:
            self._thread = HandlerThread(self.system, self.path)
        super().start()

    def _close_down(self) -> None:
        super()._close_down()
        self._release_producers()
        if self._thread is not None:
            self._thread.stop()
            self._thread = None

    def _in_thread(self, handler: Callable[[Any], Any], envelope: Envelope) -> Any:
        assert self._thread is not None
        self.busy = True
        incarnation = self.incarnation

        def done(outcome: Any, error: BaseException | None) -> None:
            if incarnation != self.incarnation:
                return
            self.busy = False
            self.system.current, self.system.current_path = envelope, self.path
            try:
                if error is not None:
                    self.give_up(error, envelope)
                elif outcome is not None:
                    self.settle(outcome, envelope)
                elif envelope.reply is not None:
                    envelope.reply(None, None)
            finally:
                self.system.current, self.system.current_path = None, ""
            self.woke()
            self.schedule()

        self._thread.call(handler, envelope, done)

    def stats(self) -> ActorStats:
        """Return this actor's numbers."""
        mailbox = self.mailbox
        oldest = mailbox.oldest_at()
        return ActorStats(
            path=self.path,
            kind=type(self.actor).__name__ if self.actor is not None else "-",
            state=self.state.value,
            handled=self.handled,
            failed=self.failed,
            restarts=max(0, self.lives - 1),
            depth=len(mailbox),
            oldest_age_ns=max(0, self.system.now() - oldest) if oldest is not None else 0,
            conflated=mailbox.conflated,
            rejected=mailbox.rejected,
            unhandled=self.unhandled,
            histogram=tuple(self.histogram),
            dispatch=self.spec.dispatch,
            parked=self.parked,
            detail=getattr(self.actor, "detail", "") if self.actor is not None else "",
        )

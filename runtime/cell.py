"""One actor's place in the system: mailbox, dispatch of messages to handlers, and what handlers return.

The hot path is ``accept`` (a message comes in) and ``drain`` (the pump lets this actor handle what waits). Both are
written for speed and kept here together; everything rare lives in ``life``.
"""

from __future__ import annotations

import asyncio
import inspect
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from protocol.incident_files import IncidentKind, SupervisorDecision
from runtime.actor import NO_ANSWER, Do
from runtime.beside import Beside
from runtime.dead_letters import DeadLetter
from runtime.durable import DurableActor
from runtime.envelope import Envelope, Reply
from runtime.errors import ActorCrashed, ActorStopped, HandlerMistake, Unhandled
from runtime.life import Life
from runtime.lifecycle import NEWS, Exit, LifeState
from runtime.mailbox import LONE, PLAIN, Put, route_of
from runtime.metrics import BUCKETS, ActorStats
from runtime.ref import refuse
from runtime.spec import Spec

if TYPE_CHECKING:
    from runtime.system import ActorSystem

__all__ = ["POISON_AT", "Cell"]

POISON_AT = 2
"""A message that crashes its actor this often is parked in the dead letters."""


_RUNNING = LifeState.RUNNING


class Cell(Beside):
    """An actor's mailbox and the way of its messages."""

    def __init__(self, system: ActorSystem, parent: Life | None, spec: Spec) -> None:
        super().__init__(system, parent, spec)
        self.scheduled = False
        self.handled = 0
        self.unhandled = 0
        self.parked = 0
        self.waits_for: Cell | None = None
        self.congesting: list[Cell] = []
        self._room: list[anyio.Event] = []
        self.edge = spec.edge

    # --- in ------------------------------------------------------------------------------------------------------------

    def accept(self, envelope: Envelope) -> None:
        """Take a message into the mailbox by the policy of its type."""
        if self.state is _RUNNING and not self.edge:
            mailbox = self.mailbox
            data, kind = mailbox.data, type(envelope.message)
            if not mailbox.control and ((kind in PLAIN and len(data) < mailbox.capacity) if data else kind in LONE):
                data.append(envelope)
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
        if self.state is LifeState.STOPPED:
            self.system.reroute(self, envelope)
            return
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
        # Back-pressure: whoever produced the fact rests until this mailbox has room, unless its reader rests itself. A
        # reader that is down slows nobody: one flooded compartment must not stop the others.
        producer = self.system.running
        if self.state not in (LifeState.STARTING, LifeState.RUNNING):
            return
        if producer is not None and producer is not self and producer.waits_for is None and self.waits_for is None:
            producer.waits_for = self
            self.congesting.append(producer)

    async def room(self) -> None:
        """Wait until the mailbox is below its capacity."""
        while len(self.mailbox) >= self.mailbox.capacity and self.alive:
            event = anyio.Event()
            self._room.append(event)
            await event.wait()

    def renew(self, spec: Spec) -> None:
        """Take another recipe for the lives to come."""
        super().renew(spec)
        self.edge = spec.edge

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
        thread = self._thread
        handled = 0
        system.running = self
        system.current_path = self.path
        system.served_at = system.now()
        began = perf_counter_ns()
        for _ in range(0 if self.busy else budget):
            if self.waits_for is not None:
                break
            if mailbox.control or mailbox.system or mailbox.replaceable:
                envelope = mailbox.take()
            elif data:
                envelope = data.popleft()
            else:
                break
            message = envelope.message
            handler = self.handlers.get(type(message))
            if handler is None:
                if self.state is not LifeState.RUNNING or self.doomed is not None:
                    mailbox.put_back(envelope, route_of(type(message)))
                    break
                self._unhandled(envelope)
                continue
            system.current = envelope
            try:
                if thread is None:
                    outcome = handler(message)
                    if outcome is not None:
                        self.settle(outcome, envelope)
                    elif envelope.reply is not None:
                        system.durability.answer(envelope.reply, None)
                else:
                    self.handle_in_thread(handler, envelope)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the supervisor's edge: crash, loudly
                self.give_up(error, envelope)
            handled += 1
            if self.busy:
                # It goes on beside the pump: its time is measured there, and nothing else is handled meanwhile.
                break
            ended = perf_counter_ns()
            bucket = (ended - began).bit_length()
            histogram[bucket if bucket < BUCKETS else BUCKETS] += 1  # noqa: FURB136 - min() costs twice as much here
            began = ended
        self.handled += handled
        if self.doomed is not None:
            self.fall()
        system.current = None
        system.running = None
        system.current_path = ""
        if (self.congesting or self._room) and len(mailbox) <= mailbox.capacity // 2:
            self._release_producers()
        if not (data or mailbox.control or mailbox.system):
            return False
        return self.state is _RUNNING and not self.busy and self.waits_for is None

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
        if isinstance(message, NEWS):
            return
        self.unhandled += 1
        reply, envelope.reply = envelope.reply, None
        self.bury(envelope, f"no handler for {type(message).__name__}")
        if reply is not None:
            reply(None, Unhandled(f"{self.path} does not handle {type(message).__name__}"))

    def give_up(self, error: BaseException, envelope: Envelope | None) -> None:
        """Crash on a message: it is tried once more in the next life, then parked as poison."""
        if envelope is not None:
            self.give_back(error, envelope)
        self.crash(error, envelope)

    def give_back(self, error: BaseException, envelope: Envelope) -> None:
        """Take back a message whose handling was cut off by the end of a life."""
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

    def bury(self, envelope: Envelope, reason: str, error: str = "", *, poison: bool = False) -> None:
        """Turn a message into a dead letter and tell its asker."""
        system = self.system
        system.dead_letters.add(
            DeadLetter(envelope.message_id, self.path, envelope, reason, error, poison, system.now())
        )
        if envelope.reply is not None:
            envelope.reply(None, ActorStopped(f"{self.path}: {reason}"))

    def crash(self, error: BaseException, envelope: Envelope | None) -> None:
        """Put what is known into the black box, then end this life."""
        if self.state not in (LifeState.STOPPED, LifeState.DOWN):
            self.system.black_box.crashed(self, error, envelope)
        super().crash(error, envelope)

    def kill(self, error: Exception) -> None:
        """Put what is known into the black box, then end this life at once."""
        if self.state in (LifeState.STARTING, LifeState.RUNNING, LifeState.STOPPING):
            self.system.black_box.crashed(self, error, self.handling, IncidentKind.KILLED)
        super().kill(error)

    def remove(self, exit_: Exit) -> None:
        """End for good; nobody waits for room any more."""
        if self.system.black_box.undecided(self.path):
            above = self.parent.path if self.parent is not None else ""
            ended = SupervisorDecision(supervisor=above, said="it is not started again")
            self.system.black_box.decided(self.path, ended)
        super().remove(exit_)
        self._release_producers()

    def _close_down(self, cause: BaseException | None = None) -> None:
        super()._close_down(cause)
        if self.system.recorder is not None:
            self.system.recorder.end(self, crashed=cause is not None)
        self._release_producers()

    # --- out -----------------------------------------------------------------------------------------------------------

    def settle(self, outcome: Any, envelope: Envelope | None) -> None:
        """Carry out what a handler returned: journal, then tell, then answer."""
        if inspect.iscoroutine(outcome):
            self.handle_beside(outcome, envelope)
            return
        reply = envelope.reply if envelope is not None else None
        if type(outcome) is list and outcome and all(type(each) is Do for each in outcome):
            *before, last = outcome
            for each in before:
                self._carry_out(each, envelope, None)
            outcome = last
        if isinstance(outcome, Do):
            self._carry_out(outcome, envelope, reply)
        elif reply is not None and outcome is not NO_ANSWER:
            self.system.durability.answer(reply, outcome)

    def _carry_out(self, outcome: Do, envelope: Envelope | None, reply: Reply | None) -> None:
        system = self.system
        if outcome.events:
            actor = self.actor
            if not isinstance(actor, DurableActor):
                raise HandlerMistake(f"{self.path} returned events but is no DurableActor")
            system.durability.record(self, actor, outcome, envelope)
        if outcome.tells:
            self._tell_all(outcome)
        if outcome.then is not None:
            following = outcome.then()
            if following is not None:
                self._carry_out(following, envelope, reply)
                return
        if reply is not None and outcome.answer is not NO_ANSWER:
            system.durability.answer(reply, outcome.answer)

    def _tell_all(self, outcome: Do) -> None:
        system = self.system
        before, chain = system.current, outcome.correlation_id
        if chain:
            blank = Envelope(None, self.path, system.next_id(), chain, 0, system.now())
            system.current = blank if before is None else msgspec.structs.replace(before, correlation_id=chain)
        try:
            for ref, message in outcome.tells:
                if isinstance(ref, str):
                    system.tell(ref, message)
                else:
                    ref.tell(message)
        finally:
            system.current = before

    # --- numbers -------------------------------------------------------------------------------------------------------

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

"""The actor system: the tree of cells and everything they share.

::

    async with ActorSystem(clock=WallClock(), journal=journal) as system:
        system.start_root(Spec("root", lambda: Root(...)))
        await system.failed()

Leaving the block stops the whole tree in reverse order of starting, each actor by its deadline, commits what is open, and
leaves no task, thread or timer behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from threading import get_ident
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio

from runtime.actor import Actor, handles
from runtime.asks import Asks
from runtime.black_box import BlackBox
from runtime.bus import Bus
from runtime.cell import Cell
from runtime.clock import Clock, VirtualClock, WallClock
from runtime.dead_letters import DeadLetter, DeadLetters
from runtime.durable import Durability, DurableActor
from runtime.envelope import Envelope
from runtime.errors import NotReplayable
from runtime.hangs import Hangs
from runtime.journal import Journal
from runtime.life import Life
from runtime.lifecycle import ChildExited, Exit, ExitKind, LifeState
from runtime.loop import VirtualLoop
from runtime.loop_watch import LoopWatch
from runtime.memory_journal import MemoryJournal
from runtime.metrics import ActorStats
from runtime.pump import Pump
from runtime.ref import ActorRef
from runtime.spec import Spec
from runtime.tasks import Tasks
from runtime.threads import HandlerThread, thread_envelope
from runtime.timers import TimerQueue

if TYPE_CHECKING:
    from runtime.recording import Recorder

__all__ = ["ActorSystem", "Guardian"]

log = logging.getLogger("bulkhead")


class Guardian(Actor):
    """The root of a system that was given none: a child that crashes fails the system."""

    @handles
    def child_exited(self, news: ChildExited) -> None:
        """Fail loudly: nobody is there to restart a child of the guardian."""
        if news.exit.abnormal:
            self.context.system.fail(news.exit.error or RuntimeError(f"{news.path} was killed"))
        if self.context.child_state(news.name) == "down":  # else it was spawned anew before this news was read
            self.context.forget(news.name)


class ActorSystem:
    """One tree of actors on one event loop.

    ``seed`` draws the interleaving of ready actors. ``threaded_journal`` commits beside the loop (live); otherwise
    commits are inline and the run is reproducible. ``inline_threads`` runs thread actors on the loop (simulation).
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        journal: Journal | None = None,
        seed: int | None = None,
        threaded_journal: bool = False,
        inline_threads: bool | None = None,
    ) -> None:
        self.clock: Clock = clock if clock is not None else WallClock()
        self.now = self.clock.now
        self.journal: Journal = journal if journal is not None else MemoryJournal()
        self.inline_threads = isinstance(self.clock, VirtualClock) if inline_threads is None else inline_threads
        self.last_id = self.journal.start_number() << 40
        self.current: Envelope | None = None
        self.current_path = ""
        self.served_at = 0
        self.running: Cell | None = None
        self.threads = 0
        self.ended_threads: list[HandlerThread] = []
        self.thread_id = 0
        self.loop: asyncio.AbstractEventLoop
        self.seed = seed
        self.bus = Bus()
        self.loop_watch: LoopWatch | None = None
        self.dead_letters = DeadLetters()
        self.black_box = BlackBox(self)
        self.tasks = Tasks(self.report)
        self.asks = Asks(self)
        self.hangs = Hangs(self)
        self.pump = Pump(self, seed)
        self.timers = TimerQueue(self.clock)
        self.timers.on_sooner = self._sooner
        self.durability = Durability(self, self.journal, threaded=threaded_journal)
        self.recorder: Recorder | None = None
        self._cells: dict[str, Cell] = {}
        self.root = Cell(self, None, Spec("root", Guardian))
        self._cells["/"] = self.root
        self._wake: asyncio.TimerHandle | None = None
        self._wake_for: int | None = None
        self._failure: BaseException | None = None
        self._failed: anyio.Event
        self._ready: anyio.Event

    # --- life ----------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self.loop = asyncio.get_running_loop()
        self.thread_id = get_ident()
        self._failed = anyio.Event()
        self._ready = anyio.Event()
        self.tasks.open(self.loop)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with anyio.CancelScope(shield=True):
                await self.stop()
        finally:
            await self.tasks.close()

    def start_root(self, spec: Spec) -> ActorRef:
        """Start the tree under the given root, whose path is ``/``."""
        self.root.spec = spec
        self.root.start()
        return self.root.ref

    def spawn(self, spec: Spec) -> ActorRef:
        """Start a top-level actor under the root (a ``Guardian`` unless ``start_root`` was called)."""
        if self.root.incarnation == 0:
            self.root.start()
        return self.root.spawn(spec)

    async def stop(self) -> None:
        """Stop the tree in order and commit what is open. Safe to call twice."""
        await self.root.shutdown()
        self.root.remove(self.root.last_exit or Exit(ExitKind.SHUTDOWN))
        self.durability.close()
        self.black_box.flush()
        self.pump.stopped = True
        while self.ended_threads:
            self.ended_threads.pop().join()
        if self._wake is not None:
            self._wake.cancel()
        self.disarm()

    def fail(self, error: BaseException) -> None:
        """Say that the system as a whole has failed; whoever awaits ``failed`` hears it."""
        if self._failure is None:
            self._failure = error
            self.report("/", "the system has failed", error)
            self.black_box.failed(error)
            self._failed.set()
            self._ready.set()

    def root_is_up(self) -> None:
        """Say that the whole tree is up for the first time."""
        self._ready.set()

    async def ready(self) -> None:
        """Wait until the whole tree is up; raise what kept it from coming up."""
        await self._ready.wait()
        if self._failure is not None:
            raise self._failure

    async def failed(self) -> BaseException:
        """Wait until the system as a whole fails; return why."""
        await self._failed.wait()
        assert self._failure is not None
        return self._failure

    # --- cells ---------------------------------------------------------------------------------------------------------

    def make_cell(self, parent: Life, spec: Spec) -> Cell:
        """Make the place of a new actor."""
        cell = Cell(self, parent, spec)
        self._cells[cell.path] = cell
        return cell

    def forget_cell(self, path: str) -> None:
        """Free a path."""
        self._cells.pop(path, None)

    def cell_of(self, path: str) -> Cell | None:
        """Return the cell at a path, if any."""
        return self._cells.get(path)

    def lookup(self, path: str) -> ActorRef | None:
        """Return the reference of the actor at a path, if any."""
        cell = self._cells.get(path)
        return cell.ref if cell is not None else None

    def is_up(self, path: str) -> bool:
        """Whether an actor at a path lives and has said that it is up."""
        cell = self._cells.get(path)
        return cell is not None and cell.was_ready and cell.state is LifeState.RUNNING

    def paths(self) -> list[str]:
        """Return the paths of all actors, parents before children, siblings in order of their making."""
        found: list[str] = []

        def walk(cell: Cell) -> None:
            found.append(cell.path)
            for child in cell.children.values():
                walk(child)

        walk(self.root)
        return found

    def stats(self) -> list[ActorStats]:
        """Return the numbers of all actors in tree order."""
        return [self._cells[path].stats() for path in self.paths()]

    def reroute(self, old: Cell, envelope: Envelope) -> None:
        """Deliver a message for an actor that has ended to the one that now lives at its path."""
        cell = self._cells.get(old.path)
        if cell is None or cell is old:
            old.bury(envelope, "the actor has stopped")
        else:
            cell.accept(envelope)

    def recover(self, cell: Life, actor: DurableActor) -> None:
        """Rebuild a durable actor's state; from here on what its life is given is recorded where there is a recorder."""
        self.durability.recover(actor)
        if self.recorder is not None:
            self.recorder.begin(cell, actor)

    def handlers_of(self, actor: Actor) -> dict[type, Callable[[Any], Any]]:
        """Return an actor's handlers by the type of their message."""
        handlers = {kind: getattr(actor, name) for kind, name in actor.HANDLERS.items()}
        taped = getattr(actor.context, "taped", None)
        return handlers if taped is None else {kind: taped.wrapped(handler) for kind, handler in handlers.items()}

    # --- messages ------------------------------------------------------------------------------------------------------

    def next_id(self) -> int:
        """Return a message id that no other message of this journal ever has."""
        self.last_id += 1
        return self.last_id

    def tell(self, path: str, message: Any) -> None:
        """Tell whoever lives at a path; nobody there makes it a dead letter."""
        cell = self._cells.get(path)
        if cell is not None:
            cell.ref.tell(message)
            return
        current = self.current
        message_id = self.next_id()
        correlation, causation = (current.correlation_id, current.message_id) if current else (message_id, 0)
        envelope = Envelope(message, self.current_path, message_id, correlation, causation, self.now())
        letter = DeadLetter(message_id, path, envelope, "no actor lives there", "", poison=False, at=self.now())
        self.dead_letters.add(letter)

    def tell_from_thread(self, ref: ActorRef, message: Any) -> None:
        """Tell from a thread that is not the event loop's; the causal chain is kept."""
        cause, path = thread_envelope()

        def deliver() -> None:
            self.current, self.current_path, self.running = cause, path, self._cells.get(path)
            try:
                ref.tell(message)
            finally:
                self.current, self.current_path, self.running = None, "", None

        self.call_from_thread(deliver)

    def call_from_thread(self, call: Callable[[], None]) -> None:
        """Run something on the event loop; a loop that has closed takes nothing any more."""
        try:
            self.loop.call_soon_threadsafe(call)
        except RuntimeError:
            log.debug("a thread ended after its system")

    def replay_dead_letter(self, letter_id: int) -> str:
        """Tell a dead letter's message again; return the path it went to.

        Raises KeyError when it is not kept, NotReplayable when messages of its type are not told again.
        """
        letter = self.dead_letters.get(letter_id)
        if not getattr(letter.envelope.message, "REPLAYABLE", True):
            kind = type(letter.envelope.message).__name__
            raise NotReplayable(
                f"{kind} is not told again: an order leaves once, and its desk asks the venue what became of it by itself"
            )
        cell = self._cells.get(letter.path)
        if cell is None:
            raise KeyError(f"no actor lives at {letter.path}")
        envelope = self.dead_letters.take(letter_id).envelope
        envelope.attempts = 0
        envelope.reply = None
        envelope.enqueued_at = self.now()
        cell.accept(envelope)
        return letter.path

    # --- tasks and time ------------------------------------------------------------------------------------------------

    def run_task(self, work: Coroutine[Any, Any, Any], path: str) -> asyncio.Task[None]:
        """Run a coroutine beside the pump; an error that nobody took is reported, never lost."""
        return self.tasks.run(work, path)

    def hold(self) -> AbstractContextManager[None]:
        """Keep a virtual clock still inside the block; nothing on other clocks."""
        return self.clock.hold() if isinstance(self.clock, VirtualClock) else nullcontext()

    def next_at(self) -> int | None:
        """Return the next instant at which something is due."""
        timer, ask = self.timers.next_at(), self.asks.next_at()
        if timer is None or (ask is not None and ask < timer):
            timer = ask
        hang = self.hangs.next_at()
        return hang if timer is None or (hang is not None and hang < timer) else timer

    def fire(self) -> None:
        """Deliver what is due."""
        now = self.now()
        self.timers.fire_due(now)
        self.asks.expire(now)
        self.hangs.expire(now)

    def wake_at(self, at: int) -> None:
        """Make sure the system wakes at an instant."""
        if not self.pump.active and (self._wake_for is None or at < self._wake_for):
            self.arm()

    def _sooner(self) -> None:
        if get_ident() != self.thread_id:
            self.call_from_thread(self.arm)
        elif not self.pump.active:
            self.arm()

    def arm(self) -> None:
        """Set the loop's alarm for the next instant at which something is due."""
        if self.pump.stopped or self.thread_id == 0:
            return
        at = self.next_at()
        if isinstance(self.loop, VirtualLoop):
            self.loop.set_alarm(at, self._on_time_soon)
            return
        if self._wake is not None:
            if at is None or (self._wake_for is not None and self._wake_for <= at):
                # Waking for nothing now and then costs less than a new alarm for every request that is answered in time.
                return
            self._wake.cancel()
            self._wake = None
        self._wake_for = at
        if at is not None:
            self._wake = self.loop.call_later(self.clock.real_seconds_until(at), self._on_time)

    def disarm(self) -> None:
        """Take the alarm of a virtual loop back while the pump itself steps through time."""
        if isinstance(self.loop, VirtualLoop):
            self.loop.set_alarm(None, self._on_time_soon)

    def _on_time_soon(self) -> None:
        self.loop.call_soon(self._on_time)

    def _on_time(self) -> None:
        self._wake = self._wake_for = None
        # As inside the pump, which serves all of it right after: nothing here needs a turn of the loop of its own.
        self.pump.active = True
        try:
            self.fire()
        finally:
            self.pump.active = False
        self.pump.run()

    # --- news ----------------------------------------------------------------------------------------------------------

    def report(self, path: str, what: str, error: BaseException | None = None) -> None:
        """Log something an operator must see."""
        log.error("%s: %s%s", path, what, f": {error!r}" if error is not None else "", exc_info=error)

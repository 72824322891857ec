"""The life of an actor: start, ready, crash, orderly end, next life, end for good.

::

    NEW ─start→ STARTING ─ready→ RUNNING ─shutdown→ STOPPING ─→ DOWN ─start→ STARTING ...
                    └────────crash──┴────────────────→ STOPPING ─→ DOWN ─remove→ STOPPED

Whoever made the actor (its parent) hears of each start and each exit and decides what follows. References, mailbox and
counters outlive a life; the object, its timers, tasks, subscriptions and children do not.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from runtime.context import Context
from runtime.durable import DurableActor
from runtime.envelope import Envelope
from runtime.errors import ActorStopped, SpawnRefused
from runtime.holdings import Holdings
from runtime.lifecycle import NEWS, ChildExited, ChildStarted, Exit, ExitKind, LifeState, Terminated
from runtime.mailbox import Mailbox
from runtime.ref import ActorRef
from runtime.spec import Spec

if TYPE_CHECKING:
    from runtime.actor import Actor
    from runtime.cell import Cell
    from runtime.system import ActorSystem

__all__ = ["Life"]


class Life:
    """Lifecycle half of a cell; see ``cell`` for the message half."""

    def __init__(self, system: ActorSystem, parent: Life | None, spec: Spec) -> None:
        self.system = system
        self.parent = parent
        self.spec = spec
        self.name = spec.name
        self.path: str = f"{parent.path if parent and parent.path != '/' else ''}/{spec.name}" if parent else "/"
        self.mailbox = Mailbox(spec.capacity)
        self.ref = ActorRef(self)  # type: ignore[arg-type]
        self.children: dict[str, Cell] = {}
        self.state = LifeState.NEW
        self.incarnation: int = 0
        self.lives = 0
        self.actor: Actor | None = None
        self.handlers: dict[type, Callable[[Any], Any]] = {}
        self.watchers: dict[str, ActorRef] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.busy = False
        self.handling: Envelope | None = None
        """The message whose handler runs beside the pump just now."""
        self.doomed: BaseException | None = None
        """Why this life ends when the present handler is done."""
        self.was_ready = False
        self.ready_early = False
        """Whether the actor said that it is up while it was still starting."""
        self.failed = 0
        self.last_exit: Exit | None = None
        self.mark = ""
        """What its parent says of it between two lives (``waiting``, ``quarantined``); a new life clears it."""
        self._settled: list[anyio.Event] = []
        self._holdings = Holdings(self)

    @property
    def alive(self) -> bool:
        """Whether this actor can still have lives."""
        return self.state is not LifeState.STOPPED

    # --- start ---------------------------------------------------------------------------------------------------------

    def spawn(self, spec: Spec) -> ActorRef:
        """Make a child and start it; a child that is down under this name gets its next life by the new recipe."""
        if self.state not in (LifeState.STARTING, LifeState.RUNNING, LifeState.NEW):
            raise SpawnRefused(f"{self.path} is {self.state.value} and takes no children")
        child = self.children.get(spec.name)
        if child is None:
            child = self.system.make_cell(self, spec)
            self.children[spec.name] = child
        elif child.state is not LifeState.DOWN:
            raise SpawnRefused(f"{child.path} already exists")
        else:
            child.renew(spec)
        child.start()
        return child.ref

    def start(self) -> None:
        """Begin a life; the parent hears how it went."""
        if self.state not in (LifeState.NEW, LifeState.DOWN):
            raise SpawnRefused(f"{self.path} is {self.state.value} and cannot be started")
        self.state = LifeState.STARTING
        self.was_ready = self.ready_early = False
        self.mark = ""
        self.mailbox.begin_life()
        self.incarnation += 1
        self.lives += 1
        life = self.incarnation
        try:
            self._prepare()
            actor = self.spec.factory()
            self.actor = actor
            self._holdings.begin(actor)
            actor.context = Context(self)  # type: ignore[arg-type]
            if isinstance(actor, DurableActor):
                self.system.recover(self, actor)
            rebuilt = isinstance(actor, DurableActor) and actor.sequence > 0
            begun = self._in_turn(actor.started)
            if life != self.incarnation:
                if inspect.iscoroutine(begun):
                    begun.close()
            elif inspect.isawaitable(begun):
                self._in_turn(lambda: self.run(begun, partial(self._began, rebuilt)))
            else:
                self._in_turn(lambda: self._began(rebuilt, begun, None))
        except Exception as error:  # noqa: BLE001 - the supervisor's edge: a failed start is its news
            if life == self.incarnation:
                self.crash(error, None)
            else:
                self.system.report(self.path, "a start failed after its life had ended", error)

    def _in_turn(self, hook: Callable[[], Any]) -> Any:
        """Call a hook as this actor, in a causal chain of its own unless it runs inside another turn."""
        system = self.system
        before, system.current_path = system.current_path, self.path
        try:
            return hook()
        finally:
            system.current_path = before

    def _began(self, rebuilt: bool, outcome: Any, error: BaseException | None) -> None:
        if error is not None:
            raise error
        actor = self.actor
        assert actor is not None
        if self.state is LifeState.STARTING and self.doomed is None:
            self.state = LifeState.RUNNING
            self.handlers = self.system.handlers_of(actor)
        if outcome is not None:
            self.settle(outcome, None)
        if rebuilt and self.state is LifeState.RUNNING and isinstance(actor, DurableActor):
            recovered = actor.recovered()
            if recovered is not None:
                self.settle(recovered, None)
        if self.doomed is not None:
            self.fall()
            return
        if self.ready_early or getattr(actor, "READY_AT_ONCE", True):
            self.became_ready()
        self.schedule()

    def became_ready(self) -> None:
        """Tell the parent, once a life, that this actor is up."""
        if self.state is LifeState.STARTING:
            self.ready_early = True
        if self.was_ready or self.state is not LifeState.RUNNING:
            return
        self.was_ready = True
        if self.parent is not None:
            self.parent.hear(ChildStarted(self.path, self.name))
        else:
            self.system.root_is_up()

    # --- end -----------------------------------------------------------------------------------------------------------

    def crash(self, error: BaseException, envelope: Envelope | None) -> None:
        """End this life because it raised; children end first, then the parent hears."""
        if self.state in (LifeState.STOPPED, LifeState.DOWN):
            return
        self.failed += 1
        if self.state is LifeState.STOPPING:
            self.system.report(self.path, "crash while stopping", error)
            return
        self._close_down(error)
        exit_ = Exit(ExitKind.CRASH, error, envelope)
        if self.children or self._holdings:
            self.system.run_task(self._end_after_children(exit_), self.path)
        else:
            self._over(exit_)

    async def _end_after_children(self, exit_: Exit) -> None:
        life = self.incarnation
        await self._stop_children()
        await self._holdings.let_go()
        if life == self.incarnation and self.state is LifeState.STOPPING:
            self._over(exit_)

    def escalate(self, error: BaseException) -> None:
        """End this life as a crash with this error when the present handler is done; it handles nothing further."""
        if self.state in (LifeState.STARTING, LifeState.RUNNING) and self.doomed is None:
            self.doomed = error
            self.handlers = {}
            life = self.incarnation
            # Whoever is called neither by the pump nor by a task of this life still falls in this turn of the loop.
            self.system.loop.call_soon(lambda: self.fall() if life == self.incarnation else None)

    def fall(self) -> None:
        """Crash when that was decided and nothing is under way."""
        error = self.doomed
        if error is not None and not self.busy:
            self.crash(error, None)

    def stop_self(self) -> None:
        """End this life in order, reason normal."""
        self.begin_stop(ExitKind.NORMAL)

    async def shutdown(self, kind: ExitKind = ExitKind.SHUTDOWN) -> None:
        """End this life in order: the present handler, the children in reverse, the ``stopping`` hook, by a deadline."""
        self.begin_stop(kind)
        await self.settled()

    def begin_stop(self, kind: ExitKind = ExitKind.SHUTDOWN) -> None:
        """Begin to end this life in order; nothing when it is ending or has ended.

        The end is a task of the system: it comes about even when whoever asked for it is itself cut off.
        """
        if self.state in (LifeState.STARTING, LifeState.RUNNING):
            self.state = LifeState.STOPPING
            self.handlers = {}
            self.system.bus.drop(self.ref)  # a fact that nobody will read would end as a dead letter
            self.system.run_task(self._end(kind), self.path)

    async def _end(self, kind: ExitKind) -> None:
        life = self.incarnation
        errors: list[Exception] = []
        work = self.system.run_task(self._end_in_order(errors), self.path)
        self.tasks.add(work)
        _, late = await asyncio.wait({work}, timeout=self.spec.stop_s)
        if life != self.incarnation:
            return
        if late:
            self.kill(TimeoutError(f"{self.path} did not stop within {self.spec.stop_s} s"))
            return
        self._close_down()
        self._over(Exit(ExitKind.CRASH, errors[0]) if errors else Exit(kind))

    async def _end_in_order(self, errors: list[Exception]) -> None:
        try:
            await self.idle()
            await self._stop_children()
            if self.actor is not None:
                pending = self._in_turn(self.actor.stopping)
                if pending is not None:
                    await pending
        except Exception as error:  # noqa: BLE001 - a crash while stopping is still an end
            self.failed += 1
            errors.append(error)
        await self._holdings.let_go()

    def kill(self, error: Exception) -> None:
        """End this life at once, and its children's: nothing is waited for."""
        if self.state in (LifeState.NEW, LifeState.DOWN, LifeState.STOPPED):
            return
        self._close_down(error)
        for child in reversed(list(self.children.values())):
            child.kill(error)
        self._holdings.abandon()
        self._over(Exit(ExitKind.KILLED, error))

    async def idle(self) -> None:
        """Wait until no async handler of this actor is under way."""
        while self.busy:
            event = anyio.Event()
            self._settled.append(event)
            await event.wait()

    def woke(self) -> None:
        """Tell those who wait for this actor to become idle, or its life to end."""
        for event in self._settled:
            event.set()
        self._settled.clear()

    async def _stop_children(self) -> None:
        for child in reversed(list(self.children.values())):
            await child.shutdown()

    def _close_down(self, cause: BaseException | None = None) -> None:
        """Cut everything that belongs to this life: timers (by incarnation), tasks, subscriptions, handlers."""
        self.state = LifeState.STOPPING
        self.handlers = {}
        self.incarnation += 1
        self.busy = False
        self.doomed = None
        cut_off, self.handling = self.handling, None
        if cut_off is not None:
            self.give_back(cause or ActorStopped(f"{self.path} has stopped"), cut_off)
        for task in list(self.tasks):
            self.system.tasks.end(task)
        self.tasks.clear()
        self.system.bus.drop(self.ref)

    def _over(self, exit_: Exit) -> None:
        starting = not self.was_ready
        self.state = LifeState.DOWN
        self.actor = None
        self.last_exit = exit_
        self.woke()
        if self.parent is None:
            if exit_.kind is not ExitKind.SHUTDOWN:
                # Nobody stands above the root: its end without an order to stop is the system's failure.
                self.system.fail(exit_.error or RuntimeError("the root of the system has ended"))
            return
        if not self.parent.hear(ChildExited(self.path, self.name, exit_, starting)):
            self.remove(exit_)

    async def settled(self) -> None:
        """Wait until this life is over."""
        life = self.lives
        while life == self.lives and self.state not in (LifeState.NEW, LifeState.DOWN, LifeState.STOPPED):
            event = anyio.Event()
            self._settled.append(event)
            await event.wait()

    def remove(self, exit_: Exit) -> None:
        """End for good: waiting messages become dead letters, watchers are told, the name is free again."""
        if self.state is LifeState.STOPPED:
            return
        if self.state not in (LifeState.NEW, LifeState.DOWN):
            self._close_down(exit_.error)
        self._holdings.abandon()
        for child in list(self.children.values()):
            child.remove(exit_)
        self.state = LifeState.STOPPED
        for envelope in self.mailbox.drain():
            if not isinstance(envelope.message, NEWS):
                self.bury(envelope, "the actor has stopped")
        for watcher in self.watchers.values():
            watcher.tell(Terminated(self.path, exit_))
        self.watchers.clear()
        if self.parent is not None:
            self.parent.children.pop(self.name, None)
        self.system.forget_cell(self.path)

    def arrange(self, names: Iterable[str]) -> None:
        """Set the order of the children; the unnamed come last."""
        named = {name: self.children[name] for name in names if name in self.children}
        self.children = {**named, **{name: child for name, child in self.children.items() if name not in named}}

    def watch(self, ref: ActorRef) -> None:
        """Have this actor told when another ends for good."""
        other = self.system.cell_of(ref.path)
        if other is None or not other.alive:
            self.ref.tell(Terminated(ref.path, Exit(ExitKind.NORMAL)))
        else:
            other.watchers[self.path] = self.ref

    def hear(self, news: ChildStarted | ChildExited) -> bool:
        """Take news of a child; False when this actor has no handler for it, so that nobody will decide."""
        if self.state in (LifeState.RUNNING, LifeState.STARTING) and self.actor is not None:
            if type(news) not in self.actor.HANDLERS:
                return False
            self.ref.tell(news)
            return True
        # A parent that is itself ending decides nothing now, but its next life may: the child's mailbox is kept.
        return self.state in (LifeState.STOPPING, LifeState.DOWN)

    def renew(self, spec: Spec) -> None:
        """Take another recipe for the lives to come."""
        self.spec = spec
        self.mailbox.capacity = spec.capacity

    # --- what the message half provides --------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Make what a life needs before its object is made."""
        raise NotImplementedError

    def schedule(self) -> None:
        """Have the pump look at this actor's mailbox."""
        raise NotImplementedError

    def settle(self, outcome: Any, envelope: Envelope | None) -> None:
        """Carry out what a handler or hook returned."""
        raise NotImplementedError

    def run(
        self, work: Awaitable[Any], done: Callable[[Any, BaseException | None], None], *, real: bool = False
    ) -> None:
        """Run something awaitable as part of this life; ``done`` follows unless the life has ended."""
        raise NotImplementedError

    def give_up(self, error: BaseException, envelope: Envelope | None) -> None:
        """Crash on a message."""
        raise NotImplementedError

    def bury(self, envelope: Envelope, reason: str, error: str = "", *, poison: bool = False) -> None:
        """Turn a message into a dead letter and tell its asker."""
        raise NotImplementedError

    def give_back(self, error: BaseException, envelope: Envelope) -> None:
        """Take back a message whose handling was cut off by the end of a life."""
        raise NotImplementedError

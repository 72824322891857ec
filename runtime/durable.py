"""Durable actors and the durability gate.

A durable actor's state is the sum of its events. A handler returns ``Do(events=..., tells=...)``: the events are applied
at once and join the system's open batch, the tells flow on at once, so one signal crosses five actors in one turn. At the
end of the turn the batch is committed as one transaction. What leaves the house waits for it: a message to an *edge* actor,
and every answer to an asker, is held until all events recorded before it are durable.

If a commit fails, nothing of the batch exists, or only the journal can say (``CommitUnknown``): every actor that had events
in it crashes and is rebuilt from the journal, what was held becomes dead letters, askers hear ``JournalUnavailable``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeAlias

from protocol.messages import Event
from runtime.actor import Actor, Do
from runtime.envelope import Envelope, Reply
from runtime.journal import CommitUnknown, Entry, Fenced, Journal, JournalError, Snapshot, as_journal_error
from runtime.tape import Replayable
from runtime.undoing import Undoing

if TYPE_CHECKING:
    from runtime.cell import Cell
    from runtime.system import ActorSystem

__all__ = ["SNAPSHOT_SHARE", "Durability", "DurableActor"]

_Held: TypeAlias = list[tuple["Cell | None", Any, Any]]
"""(actor, envelope, -) or (None, reply, answer): what must not leave before a commit."""


SNAPSHOT_SHARE: Final = 100
"""Bytes of a snapshot that each event since the one before allows: a large state is written the less often."""


class _Batch(NamedTuple):
    """What is committed together, and what depends on it."""

    entries: list[Entry]
    writers: dict[str, tuple[Cell, int]]
    held: _Held
    snapshots: list[Snapshot]
    since: int
    """The newest message id when its first event was recorded."""


class DurableActor(Replayable, Actor):
    """An actor whose state is rebuilt from its events.

    ``apply`` changes the state by one event; it must not decide, tell, or look at a clock. ``recovered`` runs once after
    a rebuild that found events: it tells again whatever has no known outcome.
    """

    SNAPSHOT_EVERY: ClassVar[int] = 500
    SNAPSHOT_VERSION: ClassVar[int] = 1
    sequence: int = 0
    snapshot_kept: tuple[int, int] = (0, 0)
    """Sequence and bytes of the newest snapshot."""

    @property
    def stream(self) -> str:
        """The name of this actor's stream in the journal; by default its path."""
        return self.context.path

    def apply(self, event: Event) -> None:
        """Change the state by one event of this actor's stream."""
        raise NotImplementedError

    async def persist(self, *events: Event) -> None:
        """Journal events, wait until they are durable, then apply them (for ``async`` handlers).

        Raises JournalError when they were not kept: the state is as before and the handler decides what follows. After
        CommitUnknown this life ends with the handler. When it ends meanwhile, the next life finds what is durable.
        """
        system = self.context.system
        await system.durability.persist(self, events, self.context.envelope)

    def recovered(self) -> Do | None:
        """Run after the state was rebuilt from at least one event."""
        return None

    def snapshot(self) -> bytes | None:
        """Return the whole state encoded, None when this actor keeps no snapshots."""
        return None

    def restore(self, state: bytes) -> None:
        """Take a state that ``snapshot`` of the same ``SNAPSHOT_VERSION`` encoded."""
        raise NotImplementedError


class Durability:
    """The journal's writer: collects events, commits them as groups, holds what must not leave before."""

    def __init__(self, system: ActorSystem, journal: Journal | None, *, threaded: bool) -> None:
        self.snapshot_every = 0  # events between two snapshots of any actor; 0: as each actor's class says
        self._system = system
        self.journal = journal
        self._open: list[Entry] = []
        self._writers: dict[str, tuple[Cell, int]] = {}
        self._snapshots: list[Snapshot] = []
        self._since = 0
        self._under_way: list[Entry] = []
        self._held: _Held = []
        self._flying: Future[int] | None = None
        self._land: Callable[[], None] = lambda: None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="journal") if threaded and journal else None
        self.committed = 0
        self.commits = 0
        self.error: JournalError | None = None
        self._cut_off: JournalError | None = None
        self.listeners: list[Any] = []
        self.watchers: list[Callable[[JournalError | None], None]] = []
        """Called with the error when a commit failed, and with None when the next one worked again."""

    # --- recording -----------------------------------------------------------------------------------------------------

    def record(self, cell: Cell, actor: DurableActor, do: Do, envelope: Envelope | None) -> None:
        """Apply a handler's events and add them to the open batch: all of them or, when one raises, none."""
        entries = self._entries(actor, do.events, envelope, do.correlation_id)
        for entry in entries:
            # Applied first: an event that its own actor cannot apply crashes it before the journal has seen any.
            actor.apply(entry.event)
            actor.sequence = entry.seq
        snapshot = self._due_snapshot(actor, len(entries))
        self._add(entries)
        self._writers[cell.path] = (cell, cell.incarnation)
        if snapshot is not None:
            self._snapshots.append(snapshot)

    async def persist(self, actor: DurableActor, events: Sequence[Event], envelope: Envelope | None) -> None:
        """Add events to the open batch, wait for its commit and apply them; raise JournalError when it failed."""
        if not events:
            return
        before = actor.sequence
        entries = self._entries(actor, events, envelope, None)
        actor.sequence = entries[-1].seq
        kept: asyncio.Future[None] = self._system.loop.create_future()

        def committed(_: Any, error: BaseException | None) -> None:
            if kept.done():
                return
            try:
                if error is not None:
                    actor.sequence = min(actor.sequence, before)
                    if isinstance(error, CommitUnknown):
                        actor.context.escalate(error)  # a handler that takes it for refused must not go on for long
                    raise error
                for entry in entries:
                    actor.apply(entry.event)
                snapshot = self._due_snapshot(actor, len(entries)) if actor.sequence == entries[-1].seq else None
                if snapshot is not None:
                    self._snapshots.append(snapshot)
            except Exception as raised:  # noqa: BLE001 - it is the handler's, which waits for it
                kept.set_exception(raised)
            else:
                kept.set_result(None)

        self._add(entries)
        self._held.append((None, committed, None))
        await kept

    def _entries(
        self, actor: DurableActor, events: Sequence[Event], envelope: Envelope | None, chain: int | None
    ) -> list[Entry]:
        system = self._system
        at, stream, first = system.now(), actor.stream, actor.sequence + 1
        message_id = envelope.message_id if envelope is not None else system.next_id()
        correlation = chain or (envelope.correlation_id if envelope is not None else message_id)
        causation = envelope.causation_id if envelope is not None else 0
        return [
            Entry(stream, seq, event, at, message_id, correlation, causation) for seq, event in enumerate(events, first)
        ]

    def _add(self, entries: list[Entry]) -> None:
        if not self._open:
            self._since = self._system.last_id
        self._open.extend(entries)
        if not self._system.pump.active:
            # Recorded beside the pump (an async handler, a thread, a start): nobody else would end this turn.
            self._system.pump.schedule()

    def _due_snapshot(self, actor: DurableActor, added: int) -> Snapshot | None:
        if actor.sequence % (self.snapshot_every or actor.SNAPSHOT_EVERY) >= added:
            return None
        before, size = actor.snapshot_kept
        if actor.sequence - before < size // SNAPSHOT_SHARE:
            return None
        state = actor.snapshot()
        if state is None:
            return None
        actor.snapshot_kept = (actor.sequence, len(state))
        return Snapshot(actor.stream, actor.sequence, actor.SNAPSHOT_VERSION, state)

    def _keep(self, snapshots: Sequence[Snapshot]) -> None:
        """Save what was encoded of states that are durable by now; on the journal's thread when it has one."""
        assert self.journal is not None
        for snapshot in snapshots:
            try:
                self.journal.save_snapshot(snapshot)
            except JournalError as error:
                # Recovery is slower without it and correct all the same.
                self._system.report(snapshot.stream, "a snapshot was not kept", error)

    # --- the gate ------------------------------------------------------------------------------------------------------

    def holds(self, cell: Cell, envelope: Envelope) -> bool:
        """Hold a message to an edge actor while anything recorded before it is not durable yet."""
        if not self._open and self._flying is None:
            return False
        self._held.append((cell, envelope, None))
        return True

    def answer(self, reply: Reply, answer: Any) -> None:
        """Answer an asker once everything recorded so far is durable."""
        if not self._open and self._flying is None:
            reply(answer, None)
        else:
            self._held.append((None, reply, answer))

    @property
    def pending(self) -> bool:
        """Whether events wait for the end of the turn, or a commit is under way."""
        return bool(self._open) or self._flying is not None

    # --- committing ----------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Commit the open batch: at once, or on the journal's thread when there is one and it is idle."""
        if not self._open:
            if self._held and self._flying is None:
                self._release(self._take_held())
            return
        if self._pool is None:
            self._commit_now()
        elif self._flying is None:
            self._commit_beside()

    def _take(self) -> _Batch:
        batch = _Batch(self._open, self._writers, self._take_held(), self._snapshots, self._since)
        self._open, self._writers, self._snapshots = [], {}, []
        return batch

    def _take_held(self) -> _Held:
        held, self._held = self._held, []
        return held

    def _commit_now(self) -> None:
        assert self.journal is not None
        batch = self._take()
        try:
            self.journal.append(batch.entries)
        except Exception as error:  # noqa: BLE001 - whatever it raises, the batch is not known to be kept
            self._failed(as_journal_error(error), batch)
        else:
            self._keep(batch.snapshots)
            self._done(batch)

    def _commit_beside(self) -> None:
        """Write the batch here and let the journal's thread wait for the disk: there each row would wait for the actors."""
        assert self._pool is not None and self.journal is not None  # noqa: PT018 - flush asked
        batch = self._take()
        try:
            commit = self.journal.stage(batch.entries)
        except Exception as error:  # noqa: BLE001 - whatever it raises, the batch is not known to be kept
            self._failed(as_journal_error(error), batch)
            return
        hold = self._system.hold()
        hold.__enter__()  # virtual time stands still while a real disk works

        def work() -> int:
            position = commit()
            self._keep(batch.snapshots)
            return position

        self._under_way = batch.entries
        self._flying = future = self._pool.submit(work)

        def land() -> None:
            if self._flying is not future:
                return
            self._flying = None
            self._under_way = []
            hold.__exit__(None, None, None)
            error = future.exception()
            if error is None:
                self._done(batch)
                self.flush()
            else:
                self._failed(as_journal_error(error), batch)

        self._land = land
        future.add_done_callback(lambda _: self._system.call_from_thread(land))

    def _done(self, batch: _Batch) -> None:
        self.committed += len(batch.entries)
        self.commits += 1
        failed, self.error = self.error, None
        if failed is not None:
            self._tell_watchers(None)
        for listener in self.listeners:
            try:
                listener(batch.entries)
            except Exception as error:  # noqa: BLE001 - a listener must not keep back what is durable
                self._system.report("journal", "a listener failed", error)
        self._release(batch.held)

    def _tell_watchers(self, error: JournalError | None) -> None:
        running, self._system.running = self._system.running, None
        for watcher in self.watchers:
            watcher(error)
        self._system.running = running

    def _release(self, held: _Held, error: JournalError | None = None) -> None:
        system = self._system
        # Whoever is served just now (a supervisor that restarts a child) did not produce what is released here.
        running, system.running = system.running, None
        for cell, what, answer in held:
            if cell is None:
                what(answer if error is None else None, error)
            elif error is None:
                cell.deliver(what)
            else:
                reply, what.reply = what.reply, None
                cell.bury(what, "the journal could not be written", repr(error))
                if reply is not None:
                    reply(None, error)
        system.running = running

    def _failed(self, error: JournalError, batch: _Batch) -> None:
        """Undo in memory what the journal did not keep: the writers crash and are rebuilt, nothing of it leaves."""
        self.error = error
        later = self._take()
        lost = [*batch.entries, *later.entries]
        writers = {**batch.writers, **later.writers}
        self._system.report("journal", f"{len(lost)} events were not kept", error)
        self._release([*batch.held, *later.held], error)
        self._system.black_box.journal_failed(error, len(lost), list(writers))
        undoing = Undoing(batch.since, writers, {entry.correlation_id for entry in lost}, error)
        self._cut_off = error if undoing.is_undone(self._system.current, rebuilds=True) else None
        for cell in [self._system.cell_of(path) for path in self._system.paths()]:
            if cell is None:
                continue
            durable = isinstance(cell.actor, DurableActor)
            missed = undoing.withdraw(cell, rebuilds=durable or cell.actor is None)
            missed = undoing.cuts_off(cell, rebuilds=durable) or (missed and durable)
            # A writer whose present life is a later one has read the journal, not this batch.
            if missed or writers.get(cell.path, (None, -1))[1] == cell.incarnation:
                cell.crash(error, None)
            else:
                undoing.forget(cell)
        self._tell_watchers(error)
        if isinstance(error, Fenced):
            self._system.fail(error)  # nothing that is done here can be kept any more: others do it

    # --- recovery and end ----------------------------------------------------------------------------------------------

    def recover(self, actor: DurableActor) -> None:
        """Rebuild an actor's state: newest snapshot, then the events after it."""
        if (journal := self.journal) is None:
            return
        stream = actor.stream
        reader = journal.reader() if self._pool is not None else journal
        if reader is journal or self._is_writing(stream):
            self._cut_off = None
            self.settle()
            if self._cut_off is not None:
                raise self._cut_off  # what this life begins for has just turned out never to have happened
        snapshot = reader.load_snapshot(stream)
        after = 0
        if snapshot is not None and snapshot.version == actor.SNAPSHOT_VERSION:
            actor.restore(snapshot.state)
            after = snapshot.seq
            actor.snapshot_kept = (after, len(snapshot.state))
        actor.sequence = after
        for record in reader.read(stream, after):
            actor.apply(record.event)
            actor.sequence = record.seq

    def _is_writing(self, stream: str) -> bool:
        """Whether anything of a stream is not durable yet."""
        return any(entry.stream == stream for entry in (*self._open, *self._under_way))

    def settle(self) -> None:
        """Bring everything recorded so far to the journal before returning (rare: a restart, the end)."""
        while self._open or self._flying is not None:
            if self._flying is None:
                self._commit_now()
            else:
                self._flying.exception()
                self._land()

    def close(self) -> None:
        """Commit what is open and end the journal's thread."""
        self.settle()
        if self._pool is not None:
            self._pool.shutdown(wait=True)

"""Durable actors and the durability gate.

A durable actor's state is the sum of its events. A handler returns ``Do(events=..., tells=...)``: the events are applied
at once and join the system's open batch, the tells flow on at once, so one signal crosses five actors in one turn. At the
end of the turn the batch is committed as one transaction. What leaves the house waits for it: a message to an *edge*
actor, and every answer to an asker, is held until all events recorded before it are durable. So nothing is ever sent that
the journal does not know, and a signal costs one commit, not five.

If a commit fails, nothing of the batch exists: every actor that had events in it crashes and is rebuilt from the journal,
what was held becomes dead letters, askers hear ``JournalUnavailable``.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

from protocol.messages import Event
from runtime.actor import Actor, Do
from runtime.envelope import Envelope, Reply
from runtime.journal import Entry, Journal, JournalError, Snapshot

if TYPE_CHECKING:
    from runtime.cell import Cell
    from runtime.system import ActorSystem

__all__ = ["Durability", "DurableActor"]


class DurableActor(Actor):
    """An actor whose state is rebuilt from its events.

    ``apply`` changes the state by one event; it must not decide, tell, or look at a clock. ``recovered`` runs once after
    a rebuild that found events: it tells again whatever has no known outcome.
    """

    SNAPSHOT_EVERY: ClassVar[int] = 500
    SNAPSHOT_VERSION: ClassVar[int] = 1
    sequence: int = 0

    @property
    def stream(self) -> str:
        """The name of this actor's stream in the journal; by default its path."""
        return self.context.path

    def apply(self, event: Event) -> None:
        """Change the state by one event of this actor's stream."""
        raise NotImplementedError

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
        self._system = system
        self.journal = journal
        self._open: list[Entry] = []
        self._writers: dict[str, Cell] = {}
        self._held: list[tuple[Cell | None, Envelope | Reply, Any]] = []
        self._flying: Future[int] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="journal") if threaded and journal else None
        self.committed = 0
        self.commits = 0
        self.error: JournalError | None = None
        self.listeners: list[Any] = []

    # --- recording -----------------------------------------------------------------------------------------------------

    def record(self, cell: Cell, actor: DurableActor, do: Do, envelope: Envelope | None) -> None:
        """Apply a handler's events and add them to the open batch."""
        system = self._system
        at = system.now()
        message_id = envelope.message_id if envelope is not None else system.next_id()
        correlation = do.correlation_id or (envelope.correlation_id if envelope is not None else message_id)
        causation = envelope.causation_id if envelope is not None else 0
        stream = actor.stream
        for event in do.events:
            # Applied first: an event that its own actor cannot apply crashes it before the journal has seen it.
            actor.apply(event)
            actor.sequence += 1
            self._open.append(Entry(stream, actor.sequence, event, at, message_id, correlation, causation))
        self._writers[cell.path] = cell
        if actor.sequence % actor.SNAPSHOT_EVERY < len(do.events):
            self._save_snapshot(actor, stream)

    def _save_snapshot(self, actor: DurableActor, stream: str) -> None:
        state = actor.snapshot()
        if state is not None:
            sequence, version = actor.sequence, actor.SNAPSHOT_VERSION
            self._held.append((None, lambda _, error: self._keep(stream, sequence, version, state, error), None))

    def _keep(self, stream: str, sequence: int, version: int, state: bytes, error: BaseException | None) -> None:
        if error is None and self.journal is not None:
            self.journal.save_snapshot(Snapshot(stream, sequence, version, state))

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

    def _take(self) -> tuple[list[Entry], dict[str, Cell], list[tuple[Cell | None, Any, Any]]]:
        batch, self._open = self._open, []
        writers, self._writers = self._writers, {}
        return batch, writers, self._take_held()

    def _take_held(self) -> list[tuple[Cell | None, Any, Any]]:
        held, self._held = self._held, []
        return held

    def _commit_now(self) -> None:
        assert self.journal is not None
        batch, writers, held = self._take()
        try:
            self.journal.append(batch)
        except JournalError as error:
            self._failed(error, batch, writers, held)
        else:
            self._done(batch, held)

    def _commit_beside(self) -> None:
        assert self._pool is not None and self.journal is not None  # noqa: PT018 - flush asked
        batch, writers, held = self._take()
        self._flying = future = self._pool.submit(self.journal.append, batch)

        def back() -> None:
            if self._flying is not future:
                return
            self._flying = None
            error = future.exception()
            if error is None:
                self._done(batch, held)
                self.flush()
            elif isinstance(error, JournalError):
                self._failed(error, batch, writers, held)
            else:
                raise error

        self._back = back
        future.add_done_callback(lambda _: self._system.call_from_thread(back))

    def _done(self, batch: list[Entry], held: list[tuple[Cell | None, Any, Any]]) -> None:
        self.committed += len(batch)
        self.commits += 1
        self.error = None
        for listener in self.listeners:
            listener(batch)
        self._release(held)

    def _release(self, held: list[tuple[Cell | None, Any, Any]]) -> None:
        for cell, what, answer in held:
            if cell is None:
                what(answer, None)
            else:
                cell.deliver(what)

    def _failed(
        self,
        error: JournalError,
        batch: list[Entry],
        writers: dict[str, Cell],
        held: list[tuple[Cell | None, Any, Any]],
    ) -> None:
        """Undo in memory what the journal did not keep: the writers crash and are rebuilt, what was held never leaves."""
        self.error = error
        later, more_writers, more_held = self._take()
        self._system.report("journal", f"{len(batch) + len(later)} events were not kept", error)
        for cell, what, _ in [*held, *more_held]:
            if cell is None:
                what(None, error)
            else:
                cell.bury(what, "the journal could not be written", repr(error))
        for cell in {**writers, **more_writers}.values():
            cell.crash(error, None)

    # --- recovery and end ----------------------------------------------------------------------------------------------

    def recover(self, actor: DurableActor) -> None:
        """Rebuild an actor's state: newest snapshot, then the events after it."""
        journal = self.journal
        if journal is None:
            return
        self.settle()
        stream = actor.stream
        snapshot = journal.load_snapshot(stream)
        after = 0
        if snapshot is not None and snapshot.version == actor.SNAPSHOT_VERSION:
            actor.restore(snapshot.state)
            after = snapshot.seq
        actor.sequence = after
        for record in journal.read(stream, after):
            actor.apply(record.event)
            actor.sequence = record.seq

    def settle(self) -> None:
        """Bring everything recorded so far to the journal before returning (rare: a restart, the end)."""
        while self._open or self._flying is not None:
            if self._flying is None:
                self._commit_now()
            else:
                self._flying.exception()
                self._back()

    def close(self) -> None:
        """Commit what is open and end the journal's thread."""
        self.settle()
        if self._pool is not None:
            self._pool.shutdown(wait=True)

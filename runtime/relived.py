"""One recorded life, lived again."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from runtime.actor import Do
from runtime.differing import Cause, Divergence, differing_fields, is_same, without_order
from runtime.freezing import thaw
from runtime.replayed import NotRead, Outside, ReplayContext, Unfollowable, envelope_of
from runtime.tape import LifeBegan, TapeItem, Unreadable

if TYPE_CHECKING:
    from runtime.differing import Report
    from runtime.durable import DurableActor
    from runtime.journal import Record, Snapshot, StreamReader

__all__ = ["Relived", "Streams"]

_STARTED: Final = "started"


class Streams:
    """The journal's records by stream and number; each stream is read once, in order."""

    def __init__(self, journal: StreamReader) -> None:
        self.journal = journal
        self._readers: dict[str, Iterator[Record]] = {}
        self._next: dict[str, Record | None] = {}
        self._after: dict[str, int] = {}
        self._snapshots: dict[str, Snapshot | None] = {}

    def read_from(self, journal: StreamReader) -> None:
        """Go on with a journal that has grown, or was opened anew."""
        self.journal = journal
        self._readers.clear()
        self._next.clear()
        self._snapshots.clear()

    def begin(self, stream: str, after_seq: int) -> None:
        """Read a stream from here on."""
        if self._after.get(stream) != after_seq:
            self._after[stream] = after_seq
            self._readers.pop(stream, None)
            self._next.pop(stream, None)

    def snapshot(self, stream: str) -> Snapshot | None:
        """Return the newest snapshot of a stream."""
        if stream not in self._snapshots:
            self._snapshots[stream] = self.journal.load_snapshot(stream)
        return self._snapshots[stream]

    def waiting(self, stream: str) -> Record | None:
        """Return the next record of a stream, None when there is none yet."""
        if stream not in self._next:
            self._readers[stream] = self.journal.read(stream, self._after[stream])
            self._next[stream] = next(self._readers[stream], None)
        return self._next[stream]

    def step(self, stream: str) -> None:
        """Go on to the record after the waiting one."""
        self._after[stream] += 1
        self._next[stream] = next(self._readers[stream], None)


class _Stop(Exception):
    """The stream has diverged."""


class Relived:
    """Feeds one actor with what its life was given, and compares each event that it decides."""

    def __init__(
        self,
        number: int,
        began: LifeBegan,
        actor: DurableActor,
        streams: Streams,
        report: Report,
        about: dict[str, Any],
    ) -> None:
        self.number = number
        self.reads: list[tuple[Any, ...]] = []
        self.instants: dict[int, int] = {}
        self.followed = True
        self.crashed_then = False
        """Whether the life ended in a crash: what it decided last may have been lost with it."""
        self._began = began
        self._actor = actor
        self._streams = streams
        self._report = report
        self._about = about
        self._outside = Outside(
            seed=about.get("seed"), virtual=bool(about.get("virtual", False)), journal=lambda: streams.journal
        )
        self._context = ReplayContext(began.path, began.incarnation, self._outside)
        actor.context = self._context  # type: ignore[assignment]
        actor.now = self._outside.now  # type: ignore[method-assign]
        actor.persist = self._persist  # type: ignore[method-assign]
        self._pending: Callable[[], None] | None = None
        self._cause = Cause(_STARTED, None, 0, 0, 0, "")
        self._may_wait = False
        """Whether the pending handler is one that waits for answers."""
        self._unkept: list[Any] = []
        """Events decided here that the journal does not have, or not at their place."""
        self._missing: Any = None
        self._doubt: Divergence | None = None
        """What the first of them is unless it was lost together with its life."""
        self._suspect: Divergence | None = None
        """What the newest message led to; a divergence unless the life crashed on it."""

    # --- beginnings ----------------------------------------------------------------------------------------------------

    def start(self, sequence: int) -> None:
        """Rebuild the state as the life found it, and have it start once what it read then is known."""
        actor, stream = self._actor, self._began.stream
        if self._began.snapshot is not None:
            actor.sequence, state = self._began.snapshot
            actor.restore(state)
        for record in self._streams.journal.read(stream, actor.sequence):
            if record.seq > sequence:
                break
            actor.apply(record.event)
            actor.sequence = record.seq
        self._streams.begin(stream, sequence)
        if actor.sequence != sequence:
            self._give_up(f"the journal has only {actor.sequence} of the {sequence} events it began with")
            return
        self._pending = self._start

    def _start(self) -> None:
        actor = self._actor
        rebuilt = actor.sequence > 0
        begun: Any = actor.started()
        self._settle(_finished(begun))
        if rebuilt:
            self._settle(actor.recovered())

    def thaw(self, sequence: int, at: int, state: bytes) -> None:
        """Go on from a frozen state."""
        try:
            thaw(self._actor, state, self._context.thawed)
        except (pickle.PickleError, AttributeError, ImportError, IndexError, TypeError, ValueError, EOFError) as error:
            self._give_up(f"its frozen state cannot be read: {error!r}")
            return
        self._actor.sequence = sequence
        self._outside.at = at
        self._streams.begin(self._began.stream, sequence)

    # --- inputs --------------------------------------------------------------------------------------------------------

    def message(self, item: TapeItem) -> None:
        """Handle what came before; this message is next."""
        self.handle()
        self._confirm()
        if not self.followed:
            return
        _, _, message, message_id, correlation, causation, sender, asked = item
        if isinstance(message, Unreadable):
            self._give_up(message.why)
            return
        if self._doubt is not None and self._doubt.cause_journalled == message_id:
            self._found(self._doubt)  # the life goes on: nothing was lost with it
            return
        cause = Cause(type(message).__name__, message, message_id, correlation, causation, sender)
        self._may_wait = inspect.iscoroutinefunction(getattr(self._actor, self._actor.HANDLERS[type(message)]))
        self._pending = lambda: self._message(cause, asked)

    def rolled_back(self) -> None:
        """Handle what came before; being told to forget is next."""
        self.handle()
        self._confirm()
        self._pending = self._roll_back

    def _roll_back(self) -> None:
        self._cause = Cause("rolled_back", None, 0, 0, 0, "")
        self._actor.rolled_back()

    def _message(self, cause: Cause, asked: bool) -> None:
        self._cause = cause
        self._report.messages += 1
        envelope = envelope_of(
            cause.sender, cause.message_id, cause.correlation_id, cause.causation_id, self._outside.at, asked
        )
        envelope.message = cause.message
        self._outside.envelope = envelope
        handler = getattr(self._actor, self._actor.HANDLERS[type(cause.message)])
        self._settle(_finished(handler(cause.message)))
        self._outside.envelope = None
        self._nothing_left()

    def handle(self, *, ending: bool = False) -> None:
        """Handle what is pending: all that it read is known by now, unless the record is ``ending`` and it still waits."""
        pending, self._pending = self._pending, None
        reads, self.reads = self.reads, []
        instants, self.instants = self.instants, {}
        if pending is None or not self.followed:
            return
        self._outside.give(reads, instants)
        try:
            pending()
        except _Stop:
            return
        except Unfollowable as error:
            self._give_up(str(error))
        except NotRead as error:
            if ending and self._may_wait:
                self.followed = False  # it still waited for an answer when its life or the record ended
                return
            self._diverges(f"it reads what it did not read then: {error}", self._streams.waiting(self._stream), None)
        except Exception as error:  # noqa: BLE001 - whatever it raises is compared: did it crash then too?
            self._diverges(f"it raises {error!r}; then it did not", None, None)
        self._outside.spent()

    def drop(self) -> None:
        """Forget what is pending: something that it read may be missing."""
        self._pending = None

    def end(self, until: int | None, *, kept: bool) -> None:
        """End this life. Every event of the journal up to ``until`` must have been decided here (None: not known).

        ``kept``: every event decided here had the time to be kept.
        """
        self.handle(ending=True)
        if self._suspect is not None and not self.crashed_then and (kept or until is not None):
            self._confirm()
        if not self.followed:
            return
        self.followed = False
        left = self._streams.waiting(self._stream)
        first = self._actor.sequence - len(self._unkept) + 1
        if self._unkept and ((kept and not self.crashed_then) or (until is not None and first <= until)):
            self._found(self._doubt or self._missing)
        elif not self._unkept and until is not None and left is not None and left.seq <= until:
            self._found(self._divergence("it does not decide this event", left, None))
        self._report.lost += len(self._unkept)

    # --- what it decides -----------------------------------------------------------------------------------------------

    @property
    def _stream(self) -> str:
        return self._began.stream

    def _settle(self, outcome: Any) -> None:
        if isinstance(outcome, list) and outcome and all(type(each) is Do for each in outcome):
            for each in outcome:
                self._carry_out(each)
        elif isinstance(outcome, Do):
            self._carry_out(outcome)

    def _carry_out(self, outcome: Do) -> None:
        for event in outcome.events:
            self._decided(event)
        if outcome.events:
            self._compare_snapshot()
        if outcome.then is not None:
            following = outcome.then()
            if following is not None:
                self._carry_out(following)

    async def _persist(self, *events: Any) -> None:
        for event in events:
            self._decided(event)

    def _decided(self, event: Any) -> None:
        """Compare an event with the journal's next one, then apply it."""
        stream, actor, cause = self._stream, self._actor, self._cause
        record = self._streams.waiting(stream)
        if self._unkept or record is None:
            if not self._unkept:
                self._missing = self._divergence("the journal does not have this event", None, event)
            self._unkept.append(event)
        elif not self._is_ours(record, event):
            if cause.message is not None and record.message_id == cause.message_id:
                self._diverges("other fields" if type(record.event) is type(event) else "another event", record, event)
                raise _Stop
            # Either no journal kept this event, and its life ended by that, or it should not have been decided.
            self._unkept.append(event)
            self._doubt = self._divergence(f"the journal has what message {record.message_id} led to", record, event)
        else:
            self._report.events += 1
            self._streams.step(stream)
        actor.apply(event)
        actor.sequence += 1

    def _compare_snapshot(self) -> None:
        """Compare the state with the journal's snapshot, where that was taken after these very events."""
        kept = self._streams.snapshot(self._stream)
        if kept is None or kept.seq != self._actor.sequence or kept.version != self._actor.SNAPSHOT_VERSION:
            return
        state = self._actor.snapshot()
        if self._unkept or state is None:
            return
        self._report.snapshots += 1
        if state != kept.state and without_order(state) != without_order(kept.state):
            self._found(self._divergence("its state is not what the snapshot says", None, None))
            raise _Stop

    def _is_ours(self, record: Record, event: Any) -> bool:
        hook = self._cause.message is None
        return is_same(record, event) and (hook or record.message_id == self._cause.message_id)

    def _nothing_left(self) -> None:
        """See that the journal has no further event of the message just handled."""
        record = None if self._unkept else self._streams.waiting(self._stream)
        if record is not None and record.message_id == self._cause.message_id:
            self._diverges("it does not decide this event", record, None)

    def _diverges(self, why: str, record: Record | None, got: Any) -> None:
        """Follow no further: a divergence, unless nothing else is heard of this life but that it crashed."""
        self.followed = False
        self._suspect = self._divergence(why, record, got)

    def _confirm(self) -> None:
        """Report what was suspected: the life went on."""
        if self._suspect is not None:
            self._found(self._suspect)
            self._suspect = None

    def _found(self, divergence: Divergence) -> None:
        self.followed = False
        self._report.found(divergence)

    def _divergence(self, why: str, record: Record | None, got: Any) -> Divergence:
        expected = record.event if record is not None else None
        return Divergence(
            why=why,
            path=self._began.path,
            stream=self._stream,
            seq=record.seq if record is not None else self._actor.sequence + 1,
            position=record.position if record is not None else 0,
            at=record.at if record is not None else self._outside.at,
            cause=self._cause,
            expected=expected,
            got=got,
            fields=differing_fields(expected, got),
            version=str(self._about.get("version", "")),
            config=int(self._about.get("config", 0)),
            cause_journalled=record.message_id if record is not None else 0,
        )

    def _give_up(self, why: str) -> None:
        self.followed = False
        self._report.unverified[self._began.path] = why


def _finished(outcome: Any) -> Any:
    """Return what a handler returned; an async one runs to its end at once, for all it awaits is known."""
    if not inspect.iscoroutine(outcome):
        return outcome
    try:
        outcome.send(None)
    except StopIteration as end:
        return end.value
    outcome.close()
    raise NotRead("something that no record has")

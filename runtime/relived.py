"""One recorded life, lived again."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from runtime.actor import Do
from runtime.differing import Cause, Divergence, differing_fields, is_same
from runtime.freezing import thaw
from runtime.replayed import NotRead, Outside, ReplayContext, Unfollowable, envelope_of
from runtime.tape import LifeBegan, TapeItem, Unreadable

if TYPE_CHECKING:
    from runtime.durable import DurableActor
    from runtime.journal import Record, StreamReader
    from runtime.verifying import Report

__all__ = ["Relived", "Streams"]

_STARTED: Final = "started"


class Streams:
    """The journal's records by stream and number; each stream is read once, in order."""

    def __init__(self, journal: StreamReader) -> None:
        self.journal = journal
        self._readers: dict[str, Iterator[Record]] = {}
        self._next: dict[str, Record | None] = {}

    def begin(self, stream: str, after_seq: int) -> None:
        """Read a stream from here on."""
        waiting = self._next.get(stream)
        if waiting is None or waiting.seq != after_seq + 1:
            self._readers[stream] = self.journal.read(stream, after_seq)
            self._next[stream] = next(self._readers[stream], None)

    def waiting(self, stream: str) -> Record | None:
        """Return the next record of a stream, None when there is none yet."""
        found = self._next.get(stream)
        if found is None:
            return None
        return found

    def step(self, stream: str) -> None:
        """Go on to the record after the waiting one."""
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
        self._began = began
        self._actor = actor
        self._streams = streams
        self._report = report
        self._about = about
        self._outside = Outside(
            seed=about.get("seed"), virtual=bool(about.get("virtual", False)), journal=streams.journal
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
        self._crashed: BaseException | None = None

    # --- beginnings ----------------------------------------------------------------------------------------------------

    def start(self, sequence: int) -> None:
        """Rebuild the state as the life found it, and have it start once what it read then is known."""
        actor, stream = self._actor, self._began.stream
        for record in self._streams.journal.read(stream):
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
        _, _, message, message_id, correlation, causation, sender, asked = item
        if isinstance(message, Unreadable):
            self._give_up(message.why)
            return
        cause = Cause(type(message).__name__, message, message_id, correlation, causation, sender)
        self._may_wait = inspect.iscoroutinefunction(getattr(self._actor, self._actor.HANDLERS[type(message)]))
        self._pending = lambda: self._message(cause, asked)

    def rolled_back(self) -> None:
        """Handle what came before; being told to forget is next."""
        self.handle()
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
        if self._crashed is not None:
            self._diverges(f"it raises {self._crashed!r}; then it did not", None, None)
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
            self._crashed = error
        self._outside.spent()

    def drop(self) -> None:
        """Forget what is pending: something that it read may be missing."""
        self._pending = None

    def end(self, until: int | None, *, kept: bool) -> None:
        """End this life. Every event of the journal up to ``until`` must have been decided here (None: not known).

        ``kept``: every event decided here had the time to be kept.
        """
        self.handle(ending=True)
        if not self.followed:
            return
        self.followed = False
        left = self._streams.waiting(self._stream)
        if kept and self._unkept:
            self._diverges("the journal does not have this event", None, self._unkept[0])
        elif until is not None and left is not None and left.seq <= until:
            self._diverges("it does not decide this event", left, None)
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
        if outcome.then is not None:
            following = outcome.then()
            if following is not None:
                self._carry_out(following)

    async def _persist(self, *events: Any) -> None:
        for event in events:
            self._decided(event)

    def _decided(self, event: Any) -> None:
        """Compare an event with the journal's next one, then apply it."""
        stream, actor = self._stream, self._actor
        record = self._streams.waiting(stream)
        if record is None or record.seq != actor.sequence + 1:
            self._unkept.append(event)
        else:
            if not is_same(record, event):
                same = type(record.event) is type(event)
                self._diverges("other fields" if same else "another event", record, event)
                raise _Stop
            if self._cause.message is not None and record.message_id != self._cause.message_id:
                self._diverges(f"the journal has it from message {record.message_id}", record, event)
                raise _Stop
            self._report.events += 1
            self._streams.step(stream)
        actor.apply(event)
        actor.sequence += 1

    def _nothing_left(self) -> None:
        """See that the journal has no further event of the message just handled."""
        record = self._streams.waiting(self._stream)
        if record is not None and record.message_id == self._cause.message_id:
            self._diverges("it does not decide this event", record, None)

    def _diverges(self, why: str, record: Record | None, got: Any) -> None:
        self.followed = False
        expected = record.event if record is not None else None
        self._report.found(
            Divergence(
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
            )
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

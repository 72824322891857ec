"""The black box: what is known of a crash, gathered in the moment it happens and handed on as one incident.

It only listens: nothing it does may change what a run does, and nothing it raises reaches anybody. Without a ``sink``
nothing is gathered at all. A crash is described when it happens, the decision of its supervisor is added when it is made,
and then the incident is handed to the sink. Many alike are described a few times and then only counted.
"""

from __future__ import annotations

import logging
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from protocol.incident_files import (
    CaughtError,
    HandledMessage,
    IncidentFile,
    IncidentKind,
    MailboxThen,
    SupervisorDecision,
)
from runtime.clock import NANOS
from runtime.durable import DurableActor
from runtime.lifecycle import Exit, LifeState
from runtime.plainly import plainly

if TYPE_CHECKING:
    from runtime.cell import Cell
    from runtime.envelope import Envelope
    from runtime.journal import Entry, Record
    from runtime.life import Life
    from runtime.system import ActorSystem

__all__ = [
    "EVENTS_SHOWN",
    "RECENT_EVENTS",
    "RING",
    "SAME_MOST",
    "SAME_WINDOW_S",
    "SNAPSHOT_MOST",
    "BlackBox",
    "event_line",
]

SAME_MOST: Final = 3
"""Incidents alike (same compartment, same error, same line) that are described within the window; others are counted."""

SAME_WINDOW_S: Final = 600
"""Length of that window, seconds."""

RECENT_EVENTS: Final = 1_000
"""Newest committed events of the whole house that are at hand for an incident."""

EVENTS_SHOWN: Final = 12
"""Newest events of a chain or a stream that an incident shows."""

RING: Final = 40
"""Newest calls of one ring that are kept."""

SNAPSHOT_MOST: Final = 262_144
"""Bytes of a snapshot above which a state is shown by its attributes instead."""

_KINDS_KEPT: Final = 512
_CAUSES: Final = 5

log = logging.getLogger("bulkhead")

_Key = tuple[str, str, str]


class _Alike:
    """How often one kind of incident came within its window, and the newest one that was written of it."""

    __slots__ = ("since", "times", "written")

    def __init__(self, since: int) -> None:
        self.since = since
        self.times = 0
        self.written = ""


class BlackBox:
    """Belongs to one system. ``sink`` takes each incident, ``more`` an id and how many like it were not described."""

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self.sink: Callable[[IncidentFile], None] | None = None
        self.more: Callable[[str, int], None] = lambda _, __: None
        self.prefix = ""
        self._made = 0
        self._alike: OrderedDict[_Key, _Alike] = OrderedDict()
        self._undecided: dict[str, IncidentFile | None] = {}
        self._recent: deque[Entry] = deque(maxlen=RECENT_EVENTS)
        self._rings: dict[str, deque[Any]] = {}

    # --- what is at hand before anything happens -----------------------------------------------------------------------

    def committed(self, entries: Sequence[Entry]) -> None:
        """Remember the newest events (a listener of the journal's commits)."""
        self._recent.extend(entries)

    def ring(self, name: str) -> deque[Any]:
        """Return the ring of an account's calls: bounded, it outlives the actor that fills it."""
        return self._rings.setdefault(name, deque(maxlen=RING))

    def recent(self, stream: str, most: int) -> list[Entry]:
        """Return the newest committed events of a stream that are at hand, newest first."""
        found = (entry for entry in reversed(self._recent) if entry.stream == stream)
        return [entry for entry, _ in zip(found, range(most), strict=False)]

    def calls(self, name: str) -> list[Any]:
        """Return the calls in a ring as an incident shows them, oldest first."""
        return [_shown(call) for call in self._rings.get(name, ())]

    # --- what happens --------------------------------------------------------------------------------------------------

    def crashed(
        self, life: Life, error: BaseException, envelope: Envelope | None, kind: IncidentKind | None = None
    ) -> None:
        """Describe the end of a life, before anything of it is cut; the decision of its parent follows."""
        if self.sink is None or _is_told(error):
            return
        if kind is None:
            kind = self._kind_of(life, error)
        try:
            self._note(life, error, envelope, kind)
        except Exception:
            log.exception("an incident of %s could not be described", life.path)

    def decided(self, path: str, decision: SupervisorDecision, exit_: Exit | None = None) -> None:
        """Add what a supervisor decided about a crash, and hand the incident on."""
        if self.sink is None:
            return
        if path not in self._undecided and exit_ is not None and exit_.abnormal and exit_.error is not None:
            cell = self._system.cell_of(path)
            if cell is not None:
                self.crashed(cell, exit_.error, None, IncidentKind.START)
        incident = self._undecided.pop(path, None)
        if incident is not None:
            self._hand_on(msgspec.structs.replace(incident, decision=decision))

    def undecided(self, path: str) -> bool:
        """Whether a crash of this actor waits for a decision."""
        return path in self._undecided

    def journal_failed(self, error: BaseException, lost: int, writers: Sequence[str]) -> None:
        """Describe a commit that failed: one incident, whoever is rebuilt because of it."""
        if self.sink is None:
            return
        _mark_told(error)
        facts = {"events_lost": lost, "rebuilt": list(writers[:50]), "rebuilt_count": len(writers)}
        said = f"{len(writers)} actors are rebuilt from the journal and wait until it can be written again"
        self._at_once(IncidentKind.JOURNAL, "journal", error, facts, SupervisorDecision(action="restart", said=said))

    def failed(self, error: BaseException) -> None:
        """Describe the failure of the system as a whole; what waits for a decision will not get one."""
        if self.sink is None:
            return
        self.flush()
        said = "the daemon ends with exit code 1; open groups stay in the journal and go on at the next start"
        self._at_once(IncidentKind.SYSTEM, "/", error, {}, SupervisorDecision(action="none", said=said))

    def blocked(self, seconds: float, stacks: str) -> None:
        """Describe an event loop that stands still; called on another thread than the loop's."""
        if self.sink is None:
            return
        current = self._system.current
        doing = type(current.message).__name__ if current is not None else ""
        path = self._system.current_path or "/"
        error = TimeoutError(f"the event loop has not answered for {seconds:.1f} s")
        facts = {"blocked_s": round(seconds, 1), "handling": doing, "actor": path}
        self._at_once(IncidentKind.BLOCKED, path, error, facts, None, stacks)

    def flush(self) -> None:
        """Hand on what no supervisor has decided about."""
        for path in list(self._undecided):
            self.decided(path, SupervisorDecision(said="nobody decided before the system ended"))

    # --- describing ----------------------------------------------------------------------------------------------------

    def _kind_of(self, life: Life, error: BaseException) -> IncidentKind:
        if getattr(error, "INCIDENT", None) is not None:
            return IncidentKind(error.INCIDENT)  # type: ignore[attr-defined]
        if life.state is LifeState.STARTING:
            return IncidentKind.START
        return IncidentKind.STOP if life.state is LifeState.STOPPING else IncidentKind.CRASH

    def _note(self, life: Life, error: BaseException, envelope: Envelope | None, kind: IncidentKind) -> None:
        if kind is IncidentKind.KILLED:
            _mark_told(error)  # its children are killed with the same one
        before = self._undecided.pop(life.path, None)
        if before is not None:
            self._hand_on(before)
        above = life.parent.path if life.parent is not None else "/"
        if not self._admitted((above, type(error).__name__, _where(error) or kind.value)):
            self._undecided[life.path] = None
            return
        cell = life.system.cell_of(life.path)
        assert cell is not None, "a life is described while its place exists"
        incident = self._described(cell, error, envelope or life.system.current, kind)
        if life.parent is None or kind is IncidentKind.STOP:
            self._hand_on(incident)
        else:
            self._undecided[life.path] = incident

    def _admitted(self, key: _Key) -> bool:
        now = self._system.now()
        alike = self._alike.get(key)
        if alike is None or now - alike.since >= SAME_WINDOW_S * NANOS:
            alike = self._alike[key] = _Alike(now)
            self._alike.move_to_end(key)
            if len(self._alike) > _KINDS_KEPT:
                self._alike.popitem(last=False)
        alike.times += 1
        if alike.times <= SAME_MOST:
            self._made += 1
            alike.written = f"{self.prefix}{self._made}"
            return True
        self.more(alike.written, alike.times - SAME_MOST)
        return False

    def _described(
        self, cell: Cell, error: BaseException, envelope: Envelope | None, kind: IncidentKind
    ) -> IncidentFile:
        actor = cell.actor
        state_from, state = _state_of(actor)
        stream = actor.stream if isinstance(actor, DurableActor) else ""
        chain = envelope.correlation_id if envelope is not None else 0
        return IncidentFile(
            id=f"{self.prefix}{self._made}",
            kind=kind,
            at=self._system.now(),
            path=cell.path,
            actor=type(actor).__name__ if actor is not None else "",
            life=cell.lives,
            error=_caught(error),
            message=self._message(cell, envelope) if envelope is not None and envelope.message is not None else None,
            mailbox=self._mailbox(cell),
            state_from=state_from,
            state=state,
            chain=self._events(lambda entry: bool(chain) and entry.correlation_id == chain),
            events=self._events(lambda entry: bool(stream) and entry.stream == stream),
            calls=self._calls(cell.path),
            stacks=str(getattr(error, "stacks", "")),
            facts={"stream": stream, "sequence": actor.sequence} if isinstance(actor, DurableActor) else {},
        )

    def _message(self, cell: Cell, envelope: Envelope) -> HandledMessage:
        # What is still being handled is given back only after this.
        attempts = envelope.attempts + (cell.handling is envelope)
        if envelope.reply is not None:
            outcome = "its asker was told of the crash"
        elif attempts >= 2:
            outcome = "parked as a dead letter: it crashed its actor twice"
        elif attempts == 1:
            outcome = "handled once more in the next life"
        else:
            outcome = "handled before; the crash came from what it began"
        return HandledMessage(
            type=type(envelope.message).__name__,
            fields=plainly(envelope.message),
            sender=envelope.sender,
            message_id=envelope.message_id,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.causation_id,
            attempts=attempts,
            waited_ms=max(0, self._system.now() - envelope.enqueued_at) / 1e6,
            outcome=outcome,
        )

    def _mailbox(self, cell: Cell) -> MailboxThen:
        oldest = cell.mailbox.oldest_at()
        age = max(0, self._system.now() - oldest) / 1e6 if oldest is not None else 0.0
        first = tuple(type(each.message).__name__ for each, _ in zip(cell.mailbox.data, range(5), strict=False))
        return MailboxThen(depth=len(cell.mailbox), oldest_ms=age, first=first)

    def _events(self, wanted: Callable[[Entry], bool]) -> tuple[Any, ...]:
        found: list[Any] = []
        durability = self._system.durability
        # What belongs to the present turn is recorded and not committed yet.
        for entry in reversed([*self._recent, *durability._under_way, *durability._open]):
            if wanted(entry):
                found.append(event_line(entry))
                if len(found) == EVENTS_SHOWN:
                    break
        return tuple(reversed(found))

    def _calls(self, path: str) -> tuple[Any, ...]:
        parts = path.split("/")
        names = {*parts, *(part.partition("-")[2] for part in parts)}
        return tuple(_shown(call) for name, ring in self._rings.items() if name in names for call in ring)

    def _at_once(
        self,
        kind: IncidentKind,
        path: str,
        error: BaseException,
        facts: dict[str, Any],
        decision: SupervisorDecision | None,
        stacks: str = "",
    ) -> None:
        try:
            if self._admitted((path, type(error).__name__, kind.value)):
                self._hand_on(
                    IncidentFile(
                        id=f"{self.prefix}{self._made}",
                        kind=kind,
                        at=self._system.now(),
                        path=path,
                        error=_caught(error),
                        decision=decision,
                        stacks=stacks,
                        facts=facts,
                    )
                )
        except Exception:
            log.exception("an incident of %s could not be described", path)

    def _hand_on(self, incident: IncidentFile) -> None:
        if self.sink is not None:
            try:
                self.sink(incident)
            except Exception:
                log.exception("incident %s could not be handed on", incident.id)


def event_line(entry: Entry | Record) -> dict[str, Any]:
    """Return an event as an incident shows it."""
    return {
        "stream": entry.stream,
        "seq": entry.seq,
        "at": entry.at,
        "message_id": entry.message_id,
        "caused_by": entry.causation_id,
        "event": plainly(entry.event, 4),
    }


def _state_of(actor: Any) -> tuple[str, Any]:
    """Return where an actor's state was read from, and the state; a durable one's own snapshot unless it is large."""
    if actor is None:
        return "", None
    if isinstance(actor, DurableActor) and actor.snapshot_kept[1] <= SNAPSHOT_MOST:
        try:
            encoded = actor.snapshot()
            if encoded is not None and len(encoded) <= SNAPSHOT_MOST:
                return "snapshot", plainly(msgspec.msgpack.decode(encoded))
        except Exception as error:  # noqa: BLE001 - a state that cannot be encoded may be why it crashed
            return "attributes", {"snapshot": plainly(error), **_attributes(actor)}
    return "attributes", _attributes(actor)


def _shown(call: Any) -> Any:
    """Return one call of a ring; whoever fills it may say itself how it is shown."""
    show = getattr(call, "shown", None)
    return show() if show is not None else plainly(call)


def _attributes(actor: Any) -> dict[str, Any]:
    shown = plainly(actor, 4)
    return shown if isinstance(shown, dict) else {"actor": shown}


def _caught(error: BaseException) -> CaughtError:
    lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-30)
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < _CAUSES:
        causes.append(f"{type(cause).__name__}: {plainly(str(cause))}")
        cause = cause.__cause__ or cause.__context__
    trace = tuple("".join(lines).splitlines()[-120:])
    return CaughtError(type=type(error).__name__, text=str(plainly(str(error))), trace=trace, causes=tuple(causes))


def _mark_told(error: BaseException) -> None:
    """Note on an error that its incident is told; the error itself is not kept, its trace would keep whole actors alive."""
    vars(error)["_incident_told"] = True


def _is_told(error: BaseException) -> bool:
    return bool(vars(error).get("_incident_told"))


def _where(error: BaseException) -> str:
    """Return file and line of the innermost frame: what tells one mistake from another."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"

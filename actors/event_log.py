"""The event log's own lines: what no actor journals itself, what operators did, which alerts they have seen.

Restarts and crashes come from the supervisors' reports, everything else from whoever tells ``LogEvent``. Lines that come in
crowds are thinned out, so that an actor that crashes in a loop cannot fill the journal; commands of operators never are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from protocol.control import ReportContext, SupervisorReport
from protocol.event_log import (
    AcknowledgeEvents,
    EventLogged,
    EventsAcknowledged,
    LogEvent,
    NoteCommand,
    OperatorActed,
)
from protocol.messages import Event
from rules.event_log.line import LineSeverity, Source, Tag
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor
from supervision.keeper import TOPIC

__all__ = ["ALL_TOGETHER", "IDS_KEPT", "OF_ONE_KIND", "EventLog", "Limit"]

IDS_KEPT: Final = 1_000
"""Newest ids of lines that are remembered, so that one told again is written once."""


class Limit(NamedTuple):
    """So many lines at once, and one more each ``every_s`` seconds."""

    burst: int
    every_s: float


OF_ONE_KIND: Final = Limit(5, 60.0)
"""For lines of one code about one actor."""

ALL_TOGETHER: Final = Limit(100, 1.0)
"""For all lines but commands."""

_KINDS_KEPT: Final = 1_000

_SEVERITY: Final = {
    ReportContext.RELEASED: LineSeverity.INFO,
    ReportContext.ESCALATED: LineSeverity.ERROR,
    ReportContext.QUARANTINED: LineSeverity.ERROR,
    ReportContext.START_ERROR: LineSeverity.ERROR,
}
_CODES: Final = {
    ReportContext.START_ERROR: "ActorNotStarted",
    ReportContext.CHILD_TERMINATED: "ActorEnded",
    ReportContext.SHUTDOWN_ERROR: "ActorNotStopped",
    ReportContext.RESTART: "ActorRestarted",
    ReportContext.ESCALATED: "ActorEscalated",
    ReportContext.QUARANTINED: "ActorQuarantined",
    ReportContext.RELEASED: "ActorReleased",
}
_PINNED: Final = frozenset({ReportContext.QUARANTINED, ReportContext.ESCALATED})


class _Bucket:
    """What is left of a limit; ``left_out`` counts what it refused since it last let something through."""

    __slots__ = ("_at", "_left", "_limit", "left_out")

    def __init__(self, limit: Limit, now: int) -> None:
        self._limit = limit
        self._left = float(limit.burst)
        self._at = now
        self.left_out = 0

    def take(self, now: int) -> bool:
        """Take one if there is one."""
        gained = (now - self._at) / NANOS / self._limit.every_s
        self._left, self._at = min(self._limit.burst, self._left + max(gained, 0.0)), now
        if self._left < 1:
            self.left_out += 1
            return False
        self._left -= 1
        return True


class EventLog(DurableActor):
    """Journals lines, acknowledgements and commands; one a daemon. ``hide`` takes secrets out of texts (EX-1508)."""

    def __init__(self, hide: Callable[[str], str] = str) -> None:
        self._hide = hide
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._kinds: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()
        self._all: _Bucket | None = None
        self._written = 0

    def started(self) -> None:
        """Hear what supervisors report."""
        self.context.bus.subscribe(TOPIC, self.ref)

    def apply(self, event: Event) -> None:
        """Remember the ids of what was written."""
        self._written += 1
        if isinstance(event, EventLogged) and event.id:
            self._ids[event.id] = None
            if len(self._ids) > IDS_KEPT:
                self._ids.popitem(last=False)

    def snapshot(self) -> bytes:
        """Return the ids that must not be written again."""
        return msgspec.msgpack.encode((self._written, list(self._ids)))

    def restore(self, state: bytes) -> None:
        """Take a snapshot's ids."""
        self._written, ids = msgspec.msgpack.decode(state, type=tuple[int, list[str]])
        self._ids = OrderedDict.fromkeys(ids)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{self._written} lines"

    # --- lines ---------------------------------------------------------------------------------------------------------

    @handles
    def log(self, msg: LogEvent) -> Do | None:
        """Write a line, unless it was written before or too many like it came."""
        if msg.id and msg.id in self._ids:
            return None
        left_out = self._admit(msg.code, msg.about)
        if left_out is None:
            return None
        fields = {name: getattr(msg, name) for name in msg.__struct_fields__}
        # A word that the log does not know must not keep a line out of it.
        fields["source"] = msg.source if msg.source in list(Source) else Source.SYSTEM.value
        fields["severity"] = msg.severity if msg.severity in list(LineSeverity) else LineSeverity.INFO.value
        fields["text"] = self._hide(msg.text)
        fields["tags"] = tuple(tag for tag in msg.tags if tag in list(Tag))
        return Do([EventLogged(**fields, left_out=left_out, at=self.now())])

    def _admit(self, code: str, about: str) -> int | None:
        """Return how many lines of this kind were left out before this one, None when this one is left out too."""
        now = self.now()
        if self._all is None:
            self._all = _Bucket(ALL_TOGETHER, now)
        bucket = self._kinds.pop((code, about), None) or _Bucket(OF_ONE_KIND, now)
        self._kinds[code, about] = bucket
        if len(self._kinds) > _KINDS_KEPT:
            self._kinds.popitem(last=False)
        if not bucket.take(now):
            return None
        if not self._all.take(now):
            bucket.left_out += 1
            return None
        left_out, bucket.left_out = bucket.left_out, 0
        return left_out

    @handles
    def report(self, msg: SupervisorReport) -> Do | None:
        """Write what a supervisor reports of an actor."""
        again = f", again in {msg.delay_s:.1f} s" if msg.delay_s else ""
        severity = _SEVERITY.get(msg.context, LineSeverity.WARNING)
        tags = (Tag.RECOVERY.value,) if msg.context is ReportContext.RESTART else ()
        line = LogEvent(
            severity=severity.value,
            code=_CODES[msg.context],
            text=f"{msg.context.value.replace('_', ' ')}: {msg.reason}"[:4000] + again,
            about=msg.offender,
            group_id=msg.offender.rpartition("~")[2] if "~" in msg.offender else "",
            pinned=msg.context in _PINNED,
            tags=tags,
        )
        return self.log(line)

    # --- operators -----------------------------------------------------------------------------------------------------

    @handles
    def acknowledge(self, msg: AcknowledgeEvents) -> Do:
        """Take pinned events off the alert strip; doing it again changes nothing."""
        said = EventsAcknowledged(positions=msg.positions, through=msg.through, operator=msg.operator, at=self.now())
        return Do([said], answer=said)

    @handles
    def command(self, msg: NoteCommand) -> Do:
        """Write what an operator did: always (EX-1405)."""
        fields = {name: getattr(msg, name) for name in msg.__struct_fields__}
        fields["arguments"] = {name: self._hide(value) for name, value in msg.arguments.items()}
        fields |= {name: self._hide(getattr(msg, name)) for name in ("outcome", "before", "after", "reason")}
        return Do([OperatorActed(**fields, at=self.now())])

"""The event log's conversation: what is no journal event of its own, pinned events, what operators did.

Most of the log is made of the journal's events as they are. *Anybody* tells the event log ``LogEvent`` for the rest (a
restarted actor, a refused request, a segment that cannot be written); the *API* tells it ``NoteCommand`` for every command
that changes something (EX-1405) and asks it ``AcknowledgeEvents`` to take pinned ones off the alert strip (EX-1406).
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, field

from protocol.messages import Event, Message, Request
from protocol.values import Instant, Name, Text

__all__ = [
    "EVENT_LOG",
    "AcknowledgeEvents",
    "EventLogged",
    "EventsAcknowledged",
    "LogEvent",
    "NoteCommand",
    "OperatorActed",
]

EVENT_LOG = "/store/events"
"""Where the event log lives."""

_Position = Annotated[int, Meta(ge=0)]


class LogEvent(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Write this line. ``source`` and ``severity`` are words of EX-1403 and EX-1402, ``about`` the actor it is about.

    Lines of one ``code`` and ``about`` are thinned out when they come in crowds; the next one says how many were left out.
    Told again with the same ``id`` it changes nothing; an empty one never repeats.
    """

    OVERFLOW: ClassVar[str] = "keep"

    id: str = ""
    source: Name = "system"
    severity: Name = "info"
    code: Name
    text: Text
    about: str = ""
    group_id: str = ""
    pinned: bool = False
    tags: tuple[Name, ...] = ()


class NoteCommand(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An operator's command was dealt with; the fields are those of ``OperatorActed``."""

    OVERFLOW: ClassVar[str] = "keep"

    operator: Name
    origin: Text
    command: Name
    arguments: dict[str, str] = field(default_factory=dict)
    outcome: Text
    before: Text = ""
    after: Text = ""
    reason: Text = ""
    request_id: Text = ""


# --- journal events ---------------------------------------------------------------------------------------------------


class EventLogged(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A line that no other event says; ``left_out`` lines like it were not written since the one before."""

    id: str = ""
    source: Name
    severity: Name
    code: Name
    text: Text
    about: str = ""
    group_id: str = ""
    pinned: bool = False
    tags: tuple[Name, ...] = ()
    left_out: int = 0
    at: Instant


class EventsAcknowledged(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An operator has seen these pinned events (positions in the journal), and all up to ``through``."""

    positions: tuple[int, ...] = ()
    through: int = 0
    operator: Name
    at: Instant


class OperatorActed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Who did what, from where, and what came of it (EX-1405); ``arguments`` without secrets.

    ``before`` and ``after`` say what changed where the command itself knows it; events of the actor say the rest.
    """

    operator: Name
    origin: Text
    command: Name
    arguments: dict[str, str]
    outcome: Text
    before: Text = ""
    after: Text = ""
    reason: Text = ""
    request_id: Text = ""
    at: Instant


class AcknowledgeEvents(Request[EventsAcknowledged], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Take pinned events off the alert strip: these, and all up to ``through`` (0: none)."""

    LANE: ClassVar[str] = "control"

    operator: Name
    positions: tuple[_Position, ...] = ()
    through: _Position = 0

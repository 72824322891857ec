"""Incidents: what an operator should look at, from whichever actor noticed it, until it is over.

An incident is named by ``kind`` and ``subject``: raised again while it stands it changes nothing, cleared it is over. It
never acts by itself; ``proposal`` is the command line that would put things right, for a person to run.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from protocol.messages import Event, Message, Request
from protocol.values import Instant, Name

__all__ = ["ClearIncident", "IncidentCleared", "IncidentList", "IncidentRaised", "ListIncidents", "Severity"]

_Sentence = Annotated[str, Meta(max_length=1024)]


class Severity(StrEnum):
    """How much an incident asks of an operator, least first."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class IncidentRaised(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Something needs a look.

    ``kind`` is a name such as ``SignalMissed`` or ``SourceSilent``; ``subject`` is what it is about (a group's key, a
    source, an account); ``text`` says it in one sentence; ``proposal`` is a command line that would mend it, or empty.
    """

    kind: Name
    severity: Severity = Severity.WARNING
    subject: _Sentence
    text: _Sentence
    proposal: _Sentence = ""
    signal_id: str = ""
    at: Instant


class IncidentCleared(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The incident of this kind and subject is over; ``text`` says why."""

    kind: Name
    subject: _Sentence
    text: _Sentence = ""
    at: Instant


class IncidentList(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The incidents of one actor that stand at present, oldest first."""

    incidents: tuple[IncidentRaised, ...] = ()


class ListIncidents(Request[IncidentList], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask an actor for the incidents it raised and did not clear; ``kind`` empty asks for all of them."""

    kind: str = ""


class ClearIncident(Request[IncidentList], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator has put it right: the incident is over, and what it kept back goes on. Answered with what still stands."""

    kind: Name
    subject: _Sentence
    operator: str = ""

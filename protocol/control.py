"""Operating the tree of actors: release, restart and quarantine one, hear what supervisors do, see how actors stand.

``ReleaseActor``, ``RestartActor`` and ``QuarantineActor`` go to the supervisor that stands above the actor they name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from protocol.messages import Message, Request, Value
from protocol.values import Instant, Name, Text

__all__ = [
    "ActorRow",
    "ActorStanding",
    "QuarantineActor",
    "ReleaseActor",
    "ReportContext",
    "RestartActor",
    "SupervisorReport",
]


class ActorStanding(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """How a supervised actor stands: ``state`` is its phase at its supervisor, ``restarts`` since that one started."""

    path: Name
    state: Name
    restarts: int


class ReleaseActor(Request[ActorStanding], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Start a quarantined actor again, with a fresh restart budget; answered when it is up."""

    LANE: ClassVar[str] = "control"

    path: Name


class RestartActor(Request[ActorStanding], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Stop an actor in order and start it again, with whoever its supervisor's strategy takes along; answered when up.

    It does not count against the restart budget. A quarantined actor must be released instead.
    """

    LANE: ClassVar[str] = "control"

    path: Name


class QuarantineActor(Request[ActorStanding], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Stop an actor in order and keep it down, mailbox and all, until it is released; answered when it is down.

    Who depends on it by its supervisor's strategy goes down with it. One that is quarantined already stays so.
    """

    LANE: ClassVar[str] = "control"

    path: Name


class ReportContext(StrEnum):
    """What a supervisor reports."""

    START_ERROR = "start_error"
    CHILD_TERMINATED = "child_terminated"
    SHUTDOWN_ERROR = "shutdown_error"
    RESTART = "restart"
    ESCALATED = "escalated"
    QUARANTINED = "quarantined"
    RELEASED = "released"


class SupervisorReport(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Something happened to a supervised actor (``offender``: its path). Published on the bus topic ``supervision``.

    ``restarts`` counts the offender's restarts since its supervisor started; ``delay_s`` is how long a restart waits.
    """

    supervisor: Name
    context: ReportContext
    reason: Text
    offender: Name
    restarts: int = 0
    delay_s: float = 0.0
    at: Instant


class ActorRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One actor in a listing. ``state`` says ``waiting`` or ``quarantined`` of one that is down; times in milliseconds.

    ``handle_p99_ms`` is an upper bound of the 99th percentile over all lives of the actor.
    """

    path: Name
    kind: Name
    state: Name
    restarts: int
    mailbox: int
    oldest_ms: float
    handled: int
    failed: int
    parked: int
    handle_p99_ms: float
    detail: Text = ""

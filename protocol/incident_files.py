"""The incident file: everything known of one crash at the moment it happened, as one value.

Unlike an incident that an actor raises (``protocol.incidents``), which stands until it is over, this is a record: written
once, never an event of the journal, because a journal that cannot be written is one of the things it tells of.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import field

from protocol.messages import Value

__all__ = ["CaughtError", "HandledMessage", "IncidentFile", "IncidentKind", "MailboxThen", "SupervisorDecision"]


class IncidentKind(StrEnum):
    """What happened."""

    CRASH = "crash"
    """A handler, a timer or a task of an actor raised."""
    START = "start"
    """An actor did not come up."""
    STOP = "stop"
    """An actor raised while it ended."""
    KILLED = "killed"
    """An actor did not end by its deadline."""
    HANG = "hang"
    """A handler did not return by its deadline."""
    BLOCKED = "blocked"
    """The event loop stood still: a plain handler did not return."""
    JOURNAL = "journal"
    """Events could not be kept; who wrote them is rebuilt."""
    ESCALATION = "escalation"
    """A supervisor used up its restarts."""
    SYSTEM = "system"
    """The system as a whole failed."""


class CaughtError(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What was raised; ``trace`` are the lines of its stack, ``causes`` the errors it came from, nearest first."""

    type: str
    text: str
    trace: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


class HandledMessage(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The message it happened on, and what becomes of it. ``waited_ms`` is how long it lay in the mailbox."""

    type: str
    fields: Any = None
    sender: str = ""
    message_id: int = 0
    correlation_id: int = 0
    causation_id: int = 0
    attempts: int = 0
    waited_ms: float = 0.0
    outcome: str = ""


class MailboxThen(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What waited: how many messages, the age of the oldest, the types of the first ones."""

    depth: int = 0
    oldest_ms: float = 0.0
    first: tuple[str, ...] = ()


class SupervisorDecision(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What followed. ``action`` is restart, restart_with_others, quarantine, escalate, none; ``said`` one sentence."""

    supervisor: str = ""
    action: str = "none"
    restarts: int = 0
    delay_s: float = 0.0
    said: str = ""


class IncidentFile(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One incident. ``at`` is the injected clock's instant (nanoseconds), ``more`` how many like it followed unwritten.

    ``state`` is the actor's before the message: its own snapshot (``state_from`` ``snapshot``) or its bounded attributes.
    ``chain`` are the newest events of the same causal chain, ``events`` those of the actor's stream, ``calls`` the last
    calls of the account's venue with their answers, all oldest first. ``stacks`` is set when threads stood still.
    """

    id: str
    kind: IncidentKind
    at: int
    path: str
    actor: str = ""
    life: int = 0
    error: CaughtError
    message: HandledMessage | None = None
    mailbox: MailboxThen | None = None
    state_from: str = ""
    state: Any = None
    decision: SupervisorDecision | None = None
    chain: tuple[Any, ...] = ()
    events: tuple[Any, ...] = ()
    calls: tuple[Any, ...] = ()
    stacks: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    more: int = 0
    run: int = 0
    version: str = ""
    config_version: int = 0
    format: int = 1

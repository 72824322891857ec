"""The risk coordinator's word: what may be done at present.

The permit is a snapshot that the order desk keeps. An order that adds risk needs a fresh permit that allows entries; exits
and cancels never need one (EX-111).
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

from protocol.messages import Event, Message, Request
from protocol.values import Instant, Name, Text

__all__ = [
    "CONFIGURATION",
    "AccountArmed",
    "AccountStanding",
    "AccountStopped",
    "ArmAccount",
    "EngineStatus",
    "EngineStatusChanged",
    "EngineTrouble",
    "EngineTroubleOver",
    "PauseEngine",
    "Permit",
    "RenewPermit",
    "ResumeEngine",
    "StatusAnswer",
    "StopAccount",
]


class EngineStatus(StrEnum):
    """Running; paused (no entries; exits, targets and cancels go on); error (the same, cause shown) (EX-111)."""

    RUNNING = "running"
    PAUSED = "paused"
    ERROR = "error"


class Permit(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What is allowed, from ``at`` on, until a newer one comes; ``number`` only grows.

    ``stopped`` are accounts that an operator stopped, each with why: they take no entries until they are armed again.
    """

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    number: int
    status: EngineStatus
    reason: Text = ""
    at: Instant
    stopped: tuple[tuple[Name, Text], ...] = ()

    @property
    def entries_allowed(self) -> bool:
        """Whether orders that add risk may leave."""
        return self.status is EngineStatus.RUNNING

    def bars(self, account: str) -> tuple[str, str] | None:
        """Return code and reason why an account's entries may not leave, None when they may."""
        if not self.entries_allowed:
            return "EnginePaused", self.reason or self.status.value
        why = dict(self.stopped).get(account)
        return None if why is None else ("AccountStopped", why)


class RenewPermit(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Desk to coordinator: my permit has aged and an order that adds risk waits; say again what is allowed."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"


class StatusAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """How the engine stands after a request: ``status`` is Error, whatever an operator asked for, while a cause lasts."""

    status: EngineStatus
    reason: Text
    number: int


class PauseEngine(Request[StatusAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator stops new entries; exits, targets and cancels go on. May be told or asked."""

    LANE: ClassVar[str] = "control"

    reason: Text = ""


class ResumeEngine(Request[StatusAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator allows entries again. May be told or asked."""

    LANE: ClassVar[str] = "control"


class AccountStanding(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Whether an operator has stopped an account, and why."""

    account: Name
    stopped: bool
    reason: Text = ""


class StopAccount(Request[AccountStanding], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Stop the entries of one account until somebody arms it again; exits, targets and cancels go on."""

    LANE: ClassVar[str] = "control"

    account: Name
    reason: Text = ""
    by: str = ""


class ArmAccount(Request[AccountStanding], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Allow a stopped account's entries again; resuming the engine does not do it."""

    LANE: ClassVar[str] = "control"

    account: Name
    by: str = ""


CONFIGURATION: Final = "configuration"
"""Cause of the Error of a daemon that was started with an invalid configuration (EX-111)."""


class EngineTrouble(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Something without which no entry may be made is broken: status Error until the same ``cause`` is over (EX-111).

    ``cause`` is a word (``journal``, ``configuration``, ``venues``), ``text`` says it in a sentence. Told again, the newest
    text counts.
    """

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    cause: Name
    text: Text


class EngineTroubleOver(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The cause of an Error is gone; with the last one the engine goes on as before. Harmless when it never was."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    cause: Name


class EngineStatusChanged(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The engine's status changed; ``number`` is that of the permit that says so."""

    number: int
    status: EngineStatus
    reason: Text
    at: Instant


class AccountStopped(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator stopped an account's entries; only ``AccountArmed`` ends it, whatever happens to the engine."""

    account: Name
    reason: Text
    by: str
    at: Instant


class AccountArmed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator armed a stopped account again."""

    account: Name
    by: str
    at: Instant

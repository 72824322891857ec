"""The risk coordinator's word: what may be done at present.

The permit is a snapshot that the order desk keeps. An order that adds risk needs a fresh permit that allows entries; exits
and cancels never need one (EX-111).
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final, NamedTuple

from protocol.messages import Event, Message, Request
from protocol.values import Instant, Name, Text

__all__ = [
    "CONFIGURATION",
    "AccountArmed",
    "AccountPaused",
    "AccountResumed",
    "AccountStanding",
    "AccountStopped",
    "ArmAccount",
    "Bar",
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


class Bar(NamedTuple):
    """Why an account's entries may not leave: EnginePaused, AccountStopped or AccountPaused, and the reason given."""

    code: str
    why: str


_SAID: Final = {"AccountPaused": "account paused", "AccountStopped": "account stopped"}


class Permit(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What is allowed, from ``at`` on, until a newer one comes; ``number`` only grows.

    ``stopped`` are accounts that an operator stopped, each with why: they take no entries until they are armed again.
    ``paused`` are those that an operator paused by themselves, until they are resumed, whatever the engine does.
    """

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    number: int
    status: EngineStatus
    reason: Text = ""
    at: Instant
    stopped: tuple[tuple[Name, Text], ...] = ()
    paused: tuple[tuple[Name, Text], ...] = ()

    @property
    def entries_allowed(self) -> bool:
        """Whether the engine lets orders leave that add risk."""
        return self.status is EngineStatus.RUNNING

    @property
    def held(self) -> tuple[tuple[str, Bar], ...]:
        """The accounts that an operator holds by themselves, each with its bar; one may be stopped and paused."""
        stopped = [(account, Bar("AccountStopped", why)) for account, why in self.stopped]
        return (*stopped, *((account, Bar("AccountPaused", why)) for account, why in self.paused))

    def bars(self, account: str) -> Bar | None:
        """Return why an account's entries may not leave, None when they may; what lasts longer comes first."""
        if not self.entries_allowed:
            return Bar("EnginePaused", self.reason or self.status.value)
        return next((bar for name, bar in self.held if name == account), None)

    def said(self, account: str) -> str:
        """Say why an account's entries may not leave; empty when they may."""
        if (bar := self.bars(account)) is None:
            return ""
        what = _SAID.get(bar.code, self.status.value)
        return what if bar.why in ("", what) else f"{what}: {bar.why}"


class RenewPermit(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Desk to coordinator: my permit has aged and an order that adds risk waits; say again what is allowed."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"


class StatusAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """How entries stand after a request: ``status`` is Error, whatever an operator asked for, while a cause lasts.

    ``account`` is the one that was asked about, empty for the engine; ``reason`` says why its entries may not leave.
    """

    status: EngineStatus
    reason: Text
    number: int
    account: str = ""


class PauseEngine(Request[StatusAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator stops new entries; exits, targets and cancels go on. May be told or asked.

    ``account`` is the one whose entries are meant; empty: the whole engine. Each of these pauses is resumed by itself.
    """

    LANE: ClassVar[str] = "control"

    reason: Text = ""
    account: str = ""


class ResumeEngine(Request[StatusAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator ends the pause of the whole engine, or that of one ``account``. May be told or asked."""

    LANE: ClassVar[str] = "control"

    account: str = ""


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


class AccountPaused(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator paused one account's entries; only ``AccountResumed`` ends it, whatever happens to the engine."""

    account: Name
    reason: Text
    at: Instant


class AccountResumed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator ended the pause of one account."""

    account: Name
    at: Instant

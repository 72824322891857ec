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
    "EngineStatus",
    "EngineStatusChanged",
    "EngineTrouble",
    "EngineTroubleOver",
    "PauseEngine",
    "Permit",
    "RenewPermit",
    "ResumeEngine",
    "StatusAnswer",
]


class EngineStatus(StrEnum):
    """Running; paused (no entries; exits, targets and cancels go on); error (the same, cause shown) (EX-111)."""

    RUNNING = "running"
    PAUSED = "paused"
    ERROR = "error"


class Permit(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What is allowed, from ``at`` on, until a newer one comes; ``number`` only grows."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    number: int
    status: EngineStatus
    reason: Text = ""
    at: Instant

    @property
    def entries_allowed(self) -> bool:
        """Whether orders that add risk may leave."""
        return self.status is EngineStatus.RUNNING


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

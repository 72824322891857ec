"""Approvals: what waits for an operator's word before it is done, wherever it is answered (DK-152 to DK-158).

The *gateway* tells the *approval desk* ``HoldEntry`` for entries that need a word; the desk journals ``ApprovalAsked``,
publishes it on the bus topic ``APPROVALS`` and waits. The first answer from any channel wins; without one in time the entry
is refused.
Exits are never held.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from protocol.messages import Event, Message, Request, Value
from protocol.signals import Signal
from protocol.values import Instant, Name, Text

__all__ = [
    "APPROVALS",
    "APPROVAL_DESK",
    "AnswerApproval",
    "ApprovalAnswer",
    "ApprovalAsked",
    "ApprovalEnd",
    "ApprovalEnded",
    "ApprovalList",
    "ApprovalPrompt",
    "HoldEntry",
    "ListApprovals",
    "WithdrawHeld",
]

APPROVAL_DESK: Final = "/risk/approvals"
"""Where the approval desk lives."""

APPROVALS: Final = "approvals"
"""Bus topic of ``ApprovalAsked`` and ``ApprovalEnded``."""


class ApprovalEnd(StrEnum):
    """How a prompt ended."""

    APPROVED = "approved"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class ApprovalPrompt(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What is asked. ``version`` and ``token`` stand behind its buttons: a tap with others changes nothing (DK-155)."""

    prompt_id: Name
    version: int
    token: Name
    title: Text
    body: Text = ""
    account: str = ""
    link: str = ""
    asked_at: Instant
    until: Instant


# --- journal events ---------------------------------------------------------------------------------------------------


class ApprovalAsked(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An entry waits for a word; ``pool`` is who gets it when it is approved."""

    prompt: ApprovalPrompt
    signal: Signal
    pool: Name
    at: Instant


class ApprovalEnded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A prompt ended; ``by`` is who answered, empty when nobody did."""

    prompt_id: Name
    signal_id: Name
    how: ApprovalEnd
    by: str = ""
    title: Text = ""
    at: Instant


# --- asking -----------------------------------------------------------------------------------------------------------


class HoldEntry(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Gateway to approval desk: this entry needs a word before the pool hears of it. Telling it again changes nothing."""

    OVERFLOW: ClassVar[str] = "keep"

    signal: Signal
    account: Name
    pool: Name


class WithdrawHeld(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Gateway to approval desk: this identity is to be closed, so that no entry of it may come after."""

    OVERFLOW: ClassVar[str] = "keep"

    group_key: Name


class ApprovalList(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """What waits, oldest first."""

    prompts: tuple[ApprovalPrompt, ...] = ()


class ListApprovals(Request[ApprovalList], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask what waits for a word."""

    LANE: ClassVar[str] = "control"


class ApprovalAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What an answer came to; ``code`` is empty when it was taken, else NotFound or StaleApproval."""

    prompt_id: Name
    code: str = ""
    how: str = ""
    message: Text = ""


class AnswerApproval(
    Request[ApprovalAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True
):
    """An operator's word; ``token`` empty (command line, cockpit) means the newest version. The first answer wins."""

    LANE: ClassVar[str] = "control"

    prompt_id: Name
    approve: bool
    by: Annotated[str, Meta(max_length=128)]
    version: int = 0
    token: str = ""

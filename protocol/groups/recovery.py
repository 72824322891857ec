"""How the daemon ended and began, and what its groups do about it: their recovery contract."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from protocol.messages import Event, Message
from protocol.values import Instant, Name

__all__ = ["Absence", "AccountCompared", "CameBack", "DaemonStarted", "DaemonStopped", "GroupFell", "GroupRecovered"]


class Absence(StrEnum):
    """What a group was away with: the whole daemon (killed, power cut), or its own actor alone."""

    DAEMON = "daemon"
    ACTOR = "actor"


class DaemonStarted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The daemon began a run. ``clean``: the run before ended in order, or there was none.

    ``down_s`` is how long nothing was journalled, in seconds; 0 in the first run. Published (kept) for the groups.
    """

    OVERFLOW: ClassVar[str] = "keep"

    run: int
    clean: bool
    down_s: int
    at: Instant
    tag: str = ""
    """Marks this installation's orders at venues (EX-1108); empty in a replay and in records older than the field."""


class DaemonStopped(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A run ended in order: its last record. A run without it was killed."""

    run: int
    at: Instant


class GroupFell(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A group's actor crashed; published (kept) by its supervisor, so that its next life knows how long it was away."""

    group_id: Name
    at: Instant


class AccountCompared(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An account's books were compared with its venue's; published (kept) by the desk after each reconciliation."""

    OVERFLOW: ClassVar[str] = "keep"

    account: Name
    at: Instant


class CameBack(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group lives again after an unclean end; ``absence_id`` names it, so that it counts once."""

    OVERFLOW: ClassVar[str] = "keep"

    group_id: Name
    absence: Absence
    absence_id: Name
    down_s: int


class GroupRecovered(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group came back after an unclean end; ``flattens``: it closes itself once the books have been compared."""

    group_id: Name
    absence: Absence
    absence_id: Name
    down_s: int
    flattens: bool
    at: Instant

"""The pool's conversation: who may open a group, who holds a slot.

The pool hears ``EntryRequest``, ``ExitRequest`` and ``ReduceRequest`` (``protocol.signals``) and ``SlotReleased``
(``protocol.groups``), and journals what it admitted or refused.
"""

from __future__ import annotations

from typing import ClassVar

from protocol.groups import AddPyramid, CloseGroup, OpenGroup, ReduceGroup
from protocol.messages import Event, Message
from protocol.orders import FillReported
from protocol.values import Instant, Name

__all__ = ["GroupMail", "GroupsUp", "SignalActedOn", "SlotFreed", "SlotTaken", "StartGroup"]


class SlotTaken(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group may open; ``occupied`` counts the slots with this one, of ``maximum`` (EX-901)."""

    group_key: Name
    group_id: Name
    signal_id: Name
    opening: OpenGroup
    occupied: int
    maximum: int
    at: Instant


class SignalActedOn(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A group dealt with a signal; told the same signal again it only repeats the outcome."""

    group_id: Name
    signal_id: Name
    outcome: Name
    reasons: tuple[str, ...]
    at: Instant


class SlotFreed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group closed for good and gave its slot back (EX-905)."""

    group_key: Name
    group_id: Name
    occupied: int
    maximum: int
    at: Instant


class GroupsUp(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The groups' supervisor to the pool: start the group of every slot that is taken."""

    OVERFLOW: ClassVar[str] = "keep"

    path: Name


class StartGroup(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Pool to the groups' supervisor: this group must live. Telling it again changes nothing."""

    OVERFLOW: ClassVar[str] = "keep"

    opening: OpenGroup


class GroupMail(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """For a group that does not live at present: it is brought back to deal with it (EX-705)."""

    OVERFLOW: ClassVar[str] = "keep"

    group_path: Name
    message: AddPyramid | CloseGroup | FillReported | ReduceGroup

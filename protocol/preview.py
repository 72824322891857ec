"""What other settings would do to what is live: asked of whoever owns it, nothing is changed by it (EX-1309)."""

from __future__ import annotations

from typing import Any, ClassVar

from protocol.messages import Message, Request, Value
from protocol.offset import OffsetPlan
from protocol.pool import QueueReport
from protocol.values import Name

__all__ = ["GroupPreview", "OffsetPreview", "PoolPreview", "PreviewOffset", "PreviewPool"]


class PoolPreview(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The queue as it is and as it would be ranked; ``entering`` and ``leaving`` are the entries' group keys, in order."""

    before: QueueReport
    after: QueueReport
    entering: tuple[Name, ...]
    leaving: tuple[Name, ...]


class PreviewPool(Request[PoolPreview], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Say what these settings (of the type the pool was built with) would do to occupancy and queue."""

    LANE: ClassVar[str] = "control"

    settings: Any


class GroupPreview(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One group under the loss offset: reasons against it (empty: eligible) and the end of its timer, before and after."""

    group_id: Name
    reasons_before: tuple[Name, ...]
    reasons_after: tuple[Name, ...]
    timer_before: int | None
    timer_after: int | None


class OffsetPreview(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The groups whose eligibility or timer would change, and the next plan before and after."""

    account: Name
    groups: tuple[GroupPreview, ...]
    plan_before: OffsetPlan | None
    plan_after: OffsetPlan | None


class PreviewOffset(Request[OffsetPreview], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Say what these settings (of the type the offset was built with) would do to eligibility, timers and the next plan."""

    LANE: ClassVar[str] = "control"

    settings: Any

"""Which segments of the log are to go (EX-1408)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum

from protocol.messages import Value

__all__ = ["Retention", "RetentionMode", "Segment", "prune_segments"]


class RetentionMode(StrEnum):
    """What is pruned."""

    DAYS = "days"
    SIZE = "size"
    INFINITE = "infinite"


class Retention(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """How long segments are kept; ``max_total`` is in the unit of the segments' sizes and holds for size and infinite."""

    mode: RetentionMode = RetentionMode.DAYS
    keep_days: int = 30
    max_total: float = float("inf")


class Segment(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One file of the log. ``day`` is that of its newest event; ``keep``: never to be removed."""

    id: str
    day: date
    size: float
    keep: bool = False


def prune_segments(segments: Sequence[Segment], retention: Retention, today: date) -> list[str]:
    """Return the ids of the segments to remove, oldest first; those of today and those marked keep are never among them.

    Of segments of one day the one given first is the older.
    """
    removable = sorted((each for each in segments if not each.keep and each.day < today), key=lambda each: each.day)
    if retention.mode is RetentionMode.DAYS:
        oldest = today - timedelta(days=retention.keep_days)
        return [each.id for each in removable if each.day < oldest]
    return list(_down_to(removable, sum(each.size for each in segments), retention.max_total))


def _down_to(removable: Iterable[Segment], total: float, limit: float) -> Iterable[str]:
    for each in removable:
        if total <= limit:
            return
        total -= each.size
        yield each.id

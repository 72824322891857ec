"""Projection of what each calendar day came to, as it was stored at midnight (EX-1716)."""

from __future__ import annotations

from protocol.notifications import DaySummaryKept
from store.views.registry import Writer, insert, projection

__all__ = ["day_kept"]


@projection(DaySummaryKept)
def day_kept(writer: Writer, event: DaySummaryKept) -> None:
    """Write a day's figures, one row a scope."""
    for each in event.figures:
        figures = {name: getattr(each, name) for name in each.__struct_fields__}
        insert(writer, "day_summaries", day=event.day, **figures, kept_at=event.at)

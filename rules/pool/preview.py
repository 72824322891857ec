"""What other settings would do to a pool: its occupancy, its queue, who would enter at once (EX-1309)."""

from __future__ import annotations

from protocol.pool import EntryPromoted, QueueRemoved
from protocol.preview import PoolPreview
from rules.pool.decide import LookAgain, decide
from rules.pool.report import queue_report
from rules.pool.state import PoolState
from rules.pool.turn import Surroundings

__all__ = ["preview_pool"]


def preview_pool(state: PoolState, account: str, now: Surroundings, then: Surroundings) -> PoolPreview:
    """Return the queue under present and other settings, and what looking again under the others would do."""
    events = decide(state, LookAgain(), then).events
    return PoolPreview(
        before=queue_report(state, account, now),
        after=queue_report(state, account, then),
        entering=tuple(each.group_key for each in events if isinstance(each, EntryPromoted)),
        leaving=tuple(each.group_key for each in events if isinstance(each, QueueRemoved)),
    )

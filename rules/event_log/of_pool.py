"""What an operator reads of slots and of the waiting queue (EX-1401). One function an event type."""

from __future__ import annotations

from typing import Final

from protocol.pool import (
    EntryPromoted,
    GroupCloseAsked,
    PyramidAdmitted,
    QueuedReplaced,
    QueueRemoved,
    SignalQueued,
    SlotFreed,
    SlotTaken,
)
from rules.event_log.line import INFO, WARNING, Line, LineOf, Source
from rules.notation import words

__all__ = ["OF_POOL"]


def _taken(e: SlotTaken) -> Line:
    said = f"slot taken: {e.occupied} of {e.maximum}"
    return Line(Source.SYSTEM, INFO, "SlotTaken", said, e.group_id, signal_id=e.signal_id)


def _freed(e: SlotFreed) -> Line:
    return Line(Source.SYSTEM, INFO, "SlotFreed", f"slot freed: {e.occupied} of {e.maximum}", e.group_id)


def _pyramid(e: PyramidAdmitted) -> Line:
    said = f"pyramid {e.pyramid} admitted: {e.occupied} of {e.maximum} slots"
    return Line(Source.SYSTEM, INFO, "PyramidAdmitted", said, e.group_id, signal_id=e.signal_id)


def _close(e: GroupCloseAsked) -> Line:
    said = "the group is to close for a reversal" if e.reversal else "the group is to close"
    return Line(Source.SYSTEM, INFO, "GroupCloseAsked", said, e.group_id, signal_id=e.signal_id)


def _because(reasons: tuple[str, ...]) -> str:
    return f" ({'; '.join(reasons)})" if reasons else ""


def _queued(e: SignalQueued) -> Line:
    said = f"{e.queue_id} waits: {words(e.reason.value)}{_because(e.reasons)}, {e.waiting} in the queue"
    return Line(Source.SYSTEM, INFO, "SignalQueued", said, e.group_id, signal_id=e.signal_id)


def _replaced(e: QueuedReplaced) -> Line:
    said = f"{e.queue_id}: a newer signal took the place of {e.replaced_signal_id}, replacement {e.replacements}"
    return Line(Source.SYSTEM, INFO, "QueuedReplaced", said, e.group_id, signal_id=e.signal_id)


def _removed(e: QueueRemoved) -> Line:
    expected = e.reason in ("exit_signal", "superseded_by_opposite", "operator")
    said = f"{e.queue_id} removed: {words(e.reason)}{_because(e.reasons)}, {e.waiting} in the queue"
    return Line(Source.SYSTEM, INFO if expected else WARNING, "QueueRemoved", said, signal_id=e.signal_id)


def _promoted(e: EntryPromoted) -> Line:
    said = f"{e.queue_id} enters ({words(e.how.value)}){_because(e.reasons)}, {e.waiting} in the queue"
    return Line(Source.SYSTEM, INFO, "EntryPromoted", said, signal_id=e.signal_id)


OF_POOL: Final[dict[str, LineOf]] = {
    "EntryPromoted": _promoted,
    "GroupCloseAsked": _close,
    "PyramidAdmitted": _pyramid,
    "QueueRemoved": _removed,
    "QueuedReplaced": _replaced,
    "SignalQueued": _queued,
    "SlotFreed": _freed,
    "SlotTaken": _taken,
}
"""Event type -> its line."""

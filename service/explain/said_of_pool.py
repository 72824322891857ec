"""Sentences for slots and for the waiting queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from protocol.pool import (
    EntryPromoted,
    GroupCloseAsked,
    HoldReason,
    Promotion,
    PyramidAdmitted,
    QueuedReplaced,
    QueueRemoved,
    SignalQueued,
    SlotFreed,
    SlotTaken,
)
from service.explain.story import Story
from service.explain.words import ago, number

__all__ = ["OF_POOL"]

_SentenceOf: TypeAlias = Callable[[Any, Story], str]


def _slot_taken(e: SlotTaken, _: Story) -> str:
    before = e.occupied - 1
    return (
        f"The pool admitted it: {before} of {e.maximum} slots were taken and no group of {e.group_key} was open. "
        f"Group {e.group_id} takes slot {e.occupied} of {e.maximum}."
    )


def _slot_freed(e: SlotFreed, _: Story) -> str:
    return f"Group {e.group_id} gave its slot back: {e.occupied} of {e.maximum} are taken."


def _pyramid(e: PyramidAdmitted, _: Story) -> str:
    return f"The pool admitted it as pyramid {e.pyramid} of group {e.group_id}; {e.occupied} of {e.maximum} slots are taken."


def _close(e: GroupCloseAsked, _: Story) -> str:
    why = "the signal turns the position" if e.reversal else "the signal ends it"
    return f"Group {e.group_id} was told to close: {why}."


_WAITS: Final = {
    HoldReason.POOL_FULL: "there was no free slot",
    HoldReason.OPPOSITE_SIDE: "the other side of the same market and timeframe is live",
    HoldReason.CLOSING: "the group of the same identity is still closing",
    HoldReason.PRECISION_MISSING: "the trading rules of its market are not known yet",
}


def _queued(e: SignalQueued, _: Story) -> str:
    more = f" ({'; '.join(e.reasons)})" if e.reasons else ""
    profit = f" Expected profit {number(e.expected_profit)} USD." if e.expected_profit is not None else ""
    turns = " It takes over the slot of the group it turns." if e.reverse else ""
    return f"It waits as {e.queue_id}: {_WAITS[e.reason]}{more}. {e.waiting} wait now.{profit}{turns}"


def _replaced(e: QueuedReplaced, _: Story) -> str:
    return (
        f"Signal {e.signal_id} took the place of {e.replaced_signal_id} as {e.queue_id}: newer price "
        f"{number(e.signal.entry_price)}, replacement {e.replacements}; the place in time stays."
    )


_REMOVED: Final = {
    "exit_signal": "an exit for the same identity came first",
    "superseded_by_opposite": "an entry for the other side came",
    "expired": "it was not refreshed in time",
    "operator": "an operator removed it",
}


def _removed(e: QueueRemoved, _: Story) -> str:
    why = _REMOVED.get(e.reason, f"it was refused when its turn came ({e.reason})")
    more = f": {'; '.join(e.reasons)}" if e.reasons else ""
    return f"{e.queue_id} left the queue without entering, because {why}{more}."


_ENTERED: Final = {
    Promotion.RANKED: "It was the best of those that could enter",
    Promotion.INHERITED: "It took over the slot of the group it turned",
    Promotion.PROMOTED: "An operator let it in out of turn",
    Promotion.FORCED: "An operator let it in over the limit",
}


def _promoted(e: EntryPromoted, _: Story) -> str:
    replaced = f", replaced {e.replacements} times" if e.replacements else ""
    more = f": {'; '.join(e.reasons)}" if e.reasons and e.how is Promotion.RANKED else ""
    return f"{e.queue_id} left the queue after {ago(e.at - e.queued_at)}{replaced}. {_ENTERED[e.how]}{more}."


OF_POOL: Final[dict[str, _SentenceOf]] = {
    "EntryPromoted": _promoted,
    "GroupCloseAsked": _close,
    "PyramidAdmitted": _pyramid,
    "QueueRemoved": _removed,
    "QueuedReplaced": _replaced,
    "SignalQueued": _queued,
    "SlotFreed": _slot_freed,
    "SlotTaken": _slot_taken,
}
"""Event type -> its sentence."""

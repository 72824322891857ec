"""The life of a position group as a table (EX-802, EX-803).

``TRANSITIONS`` holds every legal move by its cause; anything else is a defect and raises ``IllegalTransition``.
``derive_state`` says where a group stands from its legs alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from protocol.errors import BulkheadError
from protocol.groups import CloseReason, EntryState, FlatPolicy, GroupState

__all__ = ["TRANSITIONS", "Cause", "IllegalTransition", "LegFacts", "cause_of", "check_transition", "derive_state"]


class Cause(StrEnum):
    """What moves a group: the middle column of EX-803."""

    ENTRY_HELD = "entry_held"
    ENTRY_ADMITTED = "entry_admitted"
    PROMOTED = "promoted"
    FIRST_FILL = "first_fill"
    ENTRIES_ENDED = "entries_ended"
    LAST_LAYER = "last_layer"
    NEW_PYRAMID = "new_pyramid"
    FLAT_KEPT = "flat_kept"
    TRIGGER = "trigger"
    FLAT = "flat"
    CLOSE_COMPLETE = "close_complete"
    CLOSE_GIVEN_UP = "close_given_up"
    LATE_FILL = "late_fill"


_S = GroupState
_OPEN: Final = (_S.LIVE, _S.PARTIALLY_FILLED, _S.ACTIVE)

TRANSITIONS: Final[dict[Cause, tuple[tuple[GroupState | None, ...], tuple[GroupState, ...]]]] = {
    Cause.ENTRY_HELD: ((None,), (_S.WAITING,)),
    Cause.ENTRY_ADMITTED: ((None,), (_S.LIVE,)),
    Cause.PROMOTED: ((_S.WAITING,), (_S.LIVE,)),
    Cause.FIRST_FILL: ((_S.LIVE,), (_S.PARTIALLY_FILLED, _S.ACTIVE)),
    Cause.ENTRIES_ENDED: ((_S.LIVE,), (_S.CLOSED,)),
    Cause.LAST_LAYER: ((_S.PARTIALLY_FILLED,), (_S.ACTIVE,)),
    Cause.NEW_PYRAMID: ((_S.ACTIVE,), (_S.PARTIALLY_FILLED,)),
    Cause.FLAT_KEPT: ((_S.PARTIALLY_FILLED,), (_S.LIVE,)),
    Cause.TRIGGER: (_OPEN, (_S.CLOSING,)),
    Cause.FLAT: (_OPEN, (_S.CLOSING,)),
    Cause.CLOSE_COMPLETE: ((_S.CLOSING,), (_S.CLOSED,)),
    # Not a row of EX-803, but EX-724 needs it: a target or risk close that slippage held back gives up and re-arms.
    # Its layers are cancelled by then, so only Active can follow.
    Cause.CLOSE_GIVEN_UP: ((_S.CLOSING,), (_S.ACTIVE,)),
    Cause.LATE_FILL: ((_S.CLOSED,), (_S.CLOSING,)),
}
"""Cause -> (states it may find, states it may leave). The queue's own rows (removed, expired) end without a group."""

_DERIVED: Final = (
    Cause.FIRST_FILL,
    Cause.ENTRIES_ENDED,
    Cause.LAST_LAYER,
    Cause.NEW_PYRAMID,
    Cause.FLAT_KEPT,
)


class IllegalTransition(BulkheadError):
    """A group was to make a move that the table does not know; nothing was changed."""

    def __init__(self, event: str, old: GroupState | None, new: GroupState) -> None:
        super().__init__(f"{event}: a group cannot go from {old} to {new}")
        self.event = event
        self.old = old
        self.new = new


def check_transition(cause: Cause, old: GroupState | None, new: GroupState) -> None:
    """Raise ``IllegalTransition`` unless the table has this move."""
    before, after = TRANSITIONS[cause]
    if old not in before or new not in after:
        raise IllegalTransition(cause, old, new)


def cause_of(old: GroupState, new: GroupState) -> Cause:
    """Return the cause of a move that followed from the legs alone; raise ``IllegalTransition`` if none can be."""
    for cause in _DERIVED:
        before, after = TRANSITIONS[cause]
        if old in before and new in after:
            return cause
    raise IllegalTransition("derived", old, new)


class LegFacts(NamedTuple):
    """What ``derive_state`` needs of a leg: its entry, and base units filled, closed and written off as dust."""

    entry: EntryState
    filled: Decimal
    closed: Decimal
    dust: Decimal = Decimal(0)


def derive_state(
    *, queued: bool, closing: CloseReason | None, legs: Sequence[LegFacts], when_flat: FlatPolicy
) -> tuple[GroupState, CloseReason | None]:
    """Return where a group stands, and why if it is closing or closed (EX-802)."""
    if queued:
        return GroupState.WAITING, None
    works = any(leg.entry is EntryState.WORKING for leg in legs)
    is_open = any(leg.filled - leg.closed - leg.dust > 0 for leg in legs)
    if closing is not None:
        return (GroupState.CLOSING if is_open or works else GroupState.CLOSED), closing
    if not any(leg.filled > 0 for leg in legs):
        return (GroupState.LIVE, None) if works else (GroupState.CLOSED, _why_unfilled(legs))
    if not is_open:
        if not works:
            return GroupState.CLOSED, CloseReason.TAKE_PROFIT
        keeps = when_flat is FlatPolicy.KEEP
        return (GroupState.LIVE, None) if keeps else (GroupState.CLOSING, CloseReason.TAKE_PROFIT)
    return (GroupState.PARTIALLY_FILLED if works else GroupState.ACTIVE), None


def _why_unfilled(legs: Sequence[LegFacts]) -> CloseReason:
    failed = all(leg.entry in (EntryState.REJECTED, EntryState.BLOCKED) for leg in legs)
    return CloseReason.ENTRY_FAILED if failed else CloseReason.UNFILLED_CANCELLED

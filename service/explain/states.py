"""The life of a position group as rows that people read: from, event, to, and the rule that says so (EX-803)."""

from __future__ import annotations

from typing import Final

from protocol.messages import Value
from rules.group.states import TRANSITIONS, Cause

__all__ = ["EVENTS", "Transition", "transitions"]

EVENTS: Final[dict[Cause, tuple[str, str]]] = {
    Cause.ENTRY_HELD: ("entry without a slot, or held", "EX-803"),
    Cause.ENTRY_ADMITTED: ("entry with a slot", "EX-803"),
    Cause.PROMOTED: ("promoted or force-added", "EX-803"),
    Cause.FIRST_FILL: ("first fill, with layers left or without", "EX-803"),
    Cause.ENTRIES_ENDED: ("all entries rejected or cancelled", "EX-803"),
    Cause.LAST_LAYER: ("last layer filled or cancelled", "EX-803"),
    Cause.NEW_PYRAMID: ("new pyramid", "EX-803"),
    Cause.FLAT_KEPT: ("flat, layers are kept", "EX-615"),
    Cause.TRIGGER: ("trigger for the whole group", "EX-701"),
    Cause.FLAT: ("flat, layers are not kept", "EX-615"),
    Cause.CLOSE_COMPLETE: ("close complete, slot released", "EX-703"),
    Cause.CLOSE_GIVEN_UP: ("target or risk close held back by slippage", "EX-724"),
    Cause.LATE_FILL: ("late fill, until it is sold", "EX-705"),
}
"""Cause of a move -> what happens, and the rule that allows it."""


class Transition(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One legal move. ``before`` is empty for the beginning; states as journals and screens write them."""

    before: str
    cause: str
    event: str
    after: str
    rule: str


def transitions() -> list[Transition]:
    """Return every legal move of a group, in the order of its life."""
    return [
        Transition(old.value if old is not None else "", cause.value, *_said(cause, new.value))
        for cause, (before, after) in TRANSITIONS.items()
        for old in before
        for new in after
    ]


def _said(cause: Cause, after: str) -> tuple[str, str, str]:
    event, rule = EVENTS[cause]
    return event, after, rule

"""The life of a position group: derived states and the table of moves."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from protocol.groups import CloseReason, EntryState, FlatPolicy, GroupState
from rules.group.states import (
    TRANSITIONS,
    Cause,
    IllegalTransition,
    LegFacts,
    cause_of,
    check_transition,
    derive_state,
)
from tests.rules.vectors import cases

S = GroupState


@pytest.mark.parametrize("case", cases("states", "derive_state"))
def test_golden_states(case: dict[str, Any]) -> None:
    """State and reason follow from the legs as in the golden cases (EX-802)."""
    given_ = case["input"]
    legs = [
        LegFacts(
            EntryState({"pending": "working", "open": "working"}.get(leg["entry"], leg["entry"])),
            Decimal(leg.get("filled", "0")),
            Decimal(leg.get("closed", "0")),
            Decimal(leg.get("dust", "0")),
        )
        for leg in given_["legs"]
    ]
    state, reason = derive_state(
        queued=given_.get("queued", False),
        closing=CloseReason(given_["closing_reason"]) if given_.get("closing_reason") else None,
        legs=legs,
        when_flat=FlatPolicy(given_.get("when_flat_with_pending", "close")),
    )
    assert {"state": state, "reason": reason} == case["expected"]


def leg(entry: str, filled: int = 0, closed: int = 0) -> LegFacts:
    """Return what is known of a leg."""
    return LegFacts(EntryState(entry), Decimal(filled), Decimal(closed))


@pytest.mark.parametrize(
    ("legs", "policy", "expected"),
    [
        ([leg("done", 1, 1), leg("working")], "keep", (S.LIVE, None)),
        ([leg("done", 1, 1), leg("cancelled")], "keep", (S.CLOSED, CloseReason.TAKE_PROFIT)),
        ([leg("rejected"), leg("blocked")], "close", (S.CLOSED, CloseReason.ENTRY_FAILED)),
        ([leg("rejected"), leg("cancelled")], "close", (S.CLOSED, CloseReason.UNFILLED_CANCELLED)),
        ([leg("rejected"), leg("working")], "close", (S.LIVE, None)),
        ([leg("cancelled", 1), leg("blocked")], "close", (S.ACTIVE, None)),
    ],
)
def test_states_beyond_the_golden_ones(
    legs: list[LegFacts], policy: str, expected: tuple[GroupState, CloseReason | None]
) -> None:
    """Keep policy, mixed failures and partly filled cancelled layers derive as EX-802 says."""
    assert derive_state(queued=False, closing=None, legs=legs, when_flat=FlatPolicy(policy)) == expected


# The rows of EX-803, written out by hand, and the one that EX-724 adds.
LEGAL = {
    (None, S.WAITING),
    (None, S.LIVE),
    (S.WAITING, S.LIVE),
    (S.LIVE, S.PARTIALLY_FILLED),
    (S.LIVE, S.ACTIVE),
    (S.LIVE, S.CLOSED),
    (S.PARTIALLY_FILLED, S.ACTIVE),
    (S.ACTIVE, S.PARTIALLY_FILLED),
    (S.PARTIALLY_FILLED, S.LIVE),
    (S.LIVE, S.CLOSING),
    (S.PARTIALLY_FILLED, S.CLOSING),
    (S.ACTIVE, S.CLOSING),
    (S.CLOSING, S.CLOSED),
    (S.CLOSED, S.CLOSING),
    (S.CLOSING, S.ACTIVE),
}


@pytest.mark.parametrize(("old", "new"), list(product([None, *GroupState], GroupState)))
def test_only_the_moves_of_the_table_are_legal(old: GroupState | None, new: GroupState) -> None:
    """A group makes exactly the moves of EX-803; any other raises whatever its cause."""
    legal = [cause for cause, (before, after) in TRANSITIONS.items() if old in before and new in after]
    assert bool(legal) == ((old, new) in LEGAL)
    for cause in Cause:
        if cause in legal:
            check_transition(cause, old, new)
        else:
            with pytest.raises(IllegalTransition):
                check_transition(cause, old, new)


def test_an_illegal_move_names_event_from_and_to() -> None:
    """``IllegalTransition`` keeps what was to happen (EX-803)."""
    with pytest.raises(IllegalTransition, match="late_fill: a group cannot go from live to closing") as caught:
        check_transition(Cause.LATE_FILL, S.LIVE, S.CLOSING)
    assert (caught.value.event, caught.value.old, caught.value.new) == ("late_fill", S.LIVE, S.CLOSING)


def test_a_derived_move_has_its_own_cause() -> None:
    """Moves that follow from the legs alone are told with their row of the table; others raise."""
    assert cause_of(S.LIVE, S.ACTIVE) is Cause.FIRST_FILL
    assert cause_of(S.PARTIALLY_FILLED, S.LIVE) is Cause.FLAT_KEPT
    with pytest.raises(IllegalTransition):
        cause_of(S.ACTIVE, S.LIVE)

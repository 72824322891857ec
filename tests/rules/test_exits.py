"""How a close is split over the legs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.exits import CloseExceedsOpen, allocate_close, book_in_order
from tests.rules.vectors import cases, same

STEP = Decimal("0.001")
OPEN = st.dictionaries(
    st.sampled_from(["p0.l0", "p0.l1", "p1.l0", "p1.l1"]),
    st.decimals(min_value=0, max_value=1000, places=5),
    min_size=1,
)


@pytest.mark.parametrize("case", cases("exits", "allocate_close"))
def test_golden_allocations(case: dict[str, Any]) -> None:
    """Shares are the golden ones; more than is open is refused by name (EX-710)."""
    given_ = case["input"]
    held = {leg: Decimal(qty) for leg, qty in given_["open_by_leg"]}
    try:
        found: dict[str, Any] = {
            "allocation": allocate_close(held, Decimal(given_["qty"]), Decimal(given_["step_size"]))
        }
    except CloseExceedsOpen as error:
        found = {"error": type(error).__name__}
    assert same(found, case["expected"]), found


def test_more_than_is_open_is_refused() -> None:
    """A close above the open quantity raises ``CloseExceedsOpen`` (EX-710)."""
    with pytest.raises(CloseExceedsOpen):
        allocate_close({"p0.l0": Decimal(1)}, Decimal("1.001"), STEP)


@given(OPEN, st.decimals(min_value=0, max_value=1, places=3))
def test_shares_sum_to_the_close_and_fit_their_legs(held: dict[str, Decimal], part: Decimal) -> None:
    """Shares sum to the quantity, none is negative or above its leg, whole steps unless a leg is emptied (EX-710)."""
    total = sum(held.values(), Decimal(0))
    qty = total * part
    qty -= qty % STEP
    shares = allocate_close(held, qty, STEP)
    assert sum(shares.values(), Decimal(0)) == qty
    assert list(shares) == list(held)
    assert all(0 <= shares[leg] <= held[leg] for leg in held)


def test_booking_goes_leg_after_leg() -> None:
    """Fills of a whole close fill the legs in order; what is too much goes to none (EX-710)."""
    outstanding = {"a": Decimal(1), "b": Decimal(2)}
    assert book_in_order(outstanding, Decimal("1.5")) == {"a": 1, "b": Decimal("0.5")}
    assert book_in_order(outstanding, Decimal(9)) == {"a": 1, "b": 2}

"""Picks by delta, spreads, retries and freshness of options, in tables and properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.options import OptionContract, Right
from rules.options.fresh import Cached, RequoteAction, cached, iv_disagrees, requote, start_offsets_s
from rules.options.pick import DeltaRange, by_delta, nearest_delta
from rules.options.retries import Outcome, after_fetch, retry_plan
from rules.options.spread import flagged_legs, spread_quality, structure_spread_quality
from tests.rules.option_values import NAN, NOW, SECOND, D, expiry, option, options


@pytest.mark.parametrize(
    ("contracts", "wanted"),
    [
        # 0.11 and 0.21 are equally far from 0.16, though in floats 0.21 is nearer
        ([option("95", delta=-0.11), option("97", delta=-0.21)], "P95-40"),
        ([option("95", delta=-0.14, ask="1.20"), option("97", delta=-0.18)], "P97-40"),
        ([option("95", delta=-0.14), option("97", delta=-0.18, ask="1.20")], "P95-40"),
        ([option("97", delta=-0.18), option("95", delta=-0.14)], "P95-40"),
        ([option("97", delta=-0.18, bid="2", ask="2.2"), option("95", delta=-0.14)], "P95-40"),  # the same ratio
        ([option("95", delta=-0.14, ask="0.90"), option("97", delta=-0.18)], "P97-40"),  # crossed is not tight
        ([option("95", delta=-0.14, bid="0", ask="0"), option("97", delta=-0.18, ask="9")], "P97-40"),
        ([option("95", delta=-0.15), option("97", delta=-0.18)], "P95-40"),
        ([option("95", delta=None), option("96", delta=NAN), option("97", delta=-0.9)], "P97-40"),
        ([option("95", delta=None)], None),
        ([option("95", Right.CALL, delta=-0.16), option("95", dte=41, delta=-0.16)], None),
    ],
)
def test_ties_of_the_nearest_delta(contracts: list[OptionContract], wanted: str | None) -> None:
    """Equally near: tighter quotes, then further out of the money; without a delta never (DK-53)."""
    for order in (contracts, contracts[::-1]):
        found = nearest_delta(order, -0.16, Right.PUT, expiry(40))
        assert (found and found.symbol) == wanted


def test_the_higher_call_is_further_out_of_the_money() -> None:
    """A tie between calls goes to the higher strike (DK-53)."""
    calls = [option("105", Right.CALL, delta=0.18), option("107", Right.CALL, delta=0.14)]
    found = nearest_delta(calls, 0.16, Right.CALL, expiry(40))
    assert found is calls[1]


def test_a_range_of_deltas_is_signed() -> None:
    """Both ends belong to it, and a put's delta is negative (DK-53, DK-4)."""
    puts = [option(delta=delta) for delta in (-0.31, -0.1 - 0.2, -0.15, -0.14, 0.2, None, NAN)]
    assert by_delta(puts, Right.PUT, DeltaRange(-0.3, -0.15)) == (puts[1], puts[2])


def test_wide_legs_are_flagged() -> None:
    """Above 0.15, not at it; 0.90 to 1.10 is 0.20; a leg without a width is shown as well (DK-65, DK-69)."""
    legs = {
        "at": option(bid="1.85", ask="2.15"),
        "above": option(bid="0.90", ask="1.10"),
        "dark": option(bid="0", ask="0"),
        "broken": option(bid="NaN", ask="1"),
        "tight": option(bid="2", ask="2"),
    }
    assert (spread_quality(legs["at"]), spread_quality(legs["above"])) == (D("0.15"), D("0.2"))
    assert flagged_legs(legs) == ("above", "dark", "broken")


@pytest.mark.parametrize("bad", [option(bid="0", ask="0"), option(bid="1.2", ask="1.1"), option(bid="NaN")])
def test_a_leg_without_a_spread_leaves_the_structure_without(bad: OptionContract) -> None:
    """A leg that is not quoted, or crossed, must not make a structure look tight (DK-65, DK-5)."""
    assert structure_spread_quality([option(), bad]) is None
    assert structure_spread_quality([]) is None


def test_the_third_failed_retry_gives_up() -> None:
    """Fetch 3 is the third retry: an alert, and the underlying is skipped with its reason (DK-63)."""
    assert [after_fetch(number, valid=False).wait_s for number in range(4)] == [60, 120, 300, None]
    assert after_fetch(3, valid=False)[2:] == (True, "chain_incomplete")
    assert after_fetch(3, valid=True).outcome is Outcome.VALID
    assert retry_plan([]).verdict.wait_s == 0
    with pytest.raises(ValueError, match="counted from 0"):
        after_fetch(-1, valid=False)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_legs_that_do_not_hold_still_are_rejected_in_round_three(number: int) -> None:
    """A leg that is gone, or whose quote is not clean any more, has moved; three rounds at most (DK-64, DK-62)."""
    legs = [option(symbol="a"), option(symbol="b"), option(symbol="c", delta=None)]
    found = requote(legs, {"a": option(bid="0"), "c": option()}, number)
    assert found.diverged == ("a", "b", "c")
    assert found.action is (RequoteAction.REJECT if number >= 3 else RequoteAction.RE_RESOLVE)
    assert requote(legs[:1], {"a": option(delta=-0.22)}, number).action is RequoteAction.ACCEPT


def test_nothing_to_compare_is_our_mistake() -> None:
    """Legs that are not there, and a round 0, are never accepted (DK-64)."""
    for legs, number in (([], 1), ([option()], 0)):
        with pytest.raises(ValueError, match="nothing to compare"):
            requote(legs, {}, number)


@pytest.mark.parametrize(
    ("brokers", "own", "wanted"),
    [
        (0.2, 0.18, False),
        (0.18, 0.2, False),
        (0.2, 0.1799, True),
        (None, 0.2, False),
        (0.2, None, False),
        (NAN, 0.2, False),
    ],
)
def test_implied_volatilities_that_disagree(brokers: float | None, own: float | None, *, wanted: bool) -> None:
    """More than 0.02 apart; a missing one is the business of completeness (DK-66, DK-128)."""
    assert iv_disagrees(brokers, own) is wanted


def test_a_cached_chain_of_the_future_is_fetched_anew() -> None:
    """A clock that was set back does not keep a chain for good; a small step does no harm (DK-68)."""
    assert cached(NOW, NOW - 120 * SECOND) is Cached.EXPIRED
    assert cached(NOW, NOW - SECOND) is Cached.HIT


def test_an_underlying_named_twice_is_asked_once() -> None:
    """No start is lost or skipped by a repetition (DK-68)."""
    assert start_offsets_s(["SPY", "TLT", "SPY", "GLD"]) == {"SPY": 0, "TLT": 2, "GLD": 4}


@given(st.lists(options, max_size=30, unique_by=lambda each: each.symbol), st.floats(-1, 1), st.sampled_from(Right))
def test_no_delta_is_nearer_than_the_nearest(contracts: list[OptionContract], target: float, right: Right) -> None:
    """The order of the chain does not matter, and nothing of the right and expiry is nearer (DK-53)."""
    here = by_delta((each for each in contracts if each.expiration == expiry(40)), right, DeltaRange(-1, 1))
    found = nearest_delta(contracts, target, right, expiry(40))
    assert nearest_delta(contracts[::-1], target, right, expiry(40)) == found
    assert (found is None) is (not here)
    if found is not None:
        nearest = min(abs((each.delta or 0) - target) for each in here)
        assert abs((found.delta or 0) - target) == pytest.approx(nearest, abs=1e-9)

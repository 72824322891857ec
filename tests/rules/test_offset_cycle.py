"""Who is eligible and why not, whole cycles, runs for one group, status, and what could change a decision."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.groups import GroupState
from protocol.offset import OffsetStatus
from protocol.values import Side
from rules.offset import (
    Candidate,
    Cycle,
    OffsetSettings,
    OnShortfall,
    TimerStart,
    bands,
    cycle_status,
    failures,
    next_instant,
    remaining_s,
    risk_cycle,
    run_now,
    start_holds,
    timer_after,
    timer_expired,
)
from tests.rules.offset_cast import MINUTE, NOW, D, candidate, loser, winner_a, winner_b, winner_c

DEFAULT = OffsetSettings()
AGED = OffsetSettings(use_trade_age_filter=True)
SECOND = 10**9

ROWS: list[tuple[dict[str, Any], OffsetSettings, tuple[str, ...]]] = [
    ({}, DEFAULT, ()),
    ({"state": GroupState.PARTIALLY_FILLED}, DEFAULT, ()),
    ({"state": GroupState.LIVE}, DEFAULT, ("not_live",)),
    ({"state": GroupState.CLOSING}, DEFAULT, ("not_live",)),
    ({"blocked": True}, DEFAULT, ("blocked",)),
    ({"received": 4}, DEFAULT, ("pyramids_incomplete",)),
    ({"received": 4}, OffsetSettings(require_full_pyramids=False), ()),
    ({"received": 4}, OffsetSettings(required_pyramids_for_timer=4), ()),
    ({"expires_at": None}, DEFAULT, ("timer_not_started",)),
    ({"expires_at": NOW}, DEFAULT, ("timer_running",)),
    ({"expires_at": NOW - 1}, DEFAULT, ()),
    ({"mark": D(95)}, DEFAULT, ()),
    ({"mark": D("95.0000001")}, DEFAULT, ("loss_too_small",)),
    ({"first_fill_at": NOW - 200 * MINUTE}, AGED, ()),
    ({"first_fill_at": NOW - 200 * MINUTE + 1}, AGED, ("too_young",)),
    ({"first_fill_at": None}, AGED, ("too_young",)),
    ({"first_fill_at": NOW}, DEFAULT, ()),
    ({"skip_once": True}, DEFAULT, ("skip_once",)),
    ({"skip_once": True, "blocked": True}, DEFAULT, ("blocked",)),
    (
        {
            "state": GroupState.LIVE,
            "blocked": True,
            "received": 1,
            "expires_at": None,
            "mark": D(99),
            "first_fill_at": NOW,
        },
        AGED,
        ("not_live", "blocked", "pyramids_incomplete", "timer_not_started", "loss_too_small", "too_young"),
    ),
]


@pytest.mark.parametrize(("change", "settings", "wanted"), ROWS)
def test_every_row_of_the_table(change: dict[str, Any], settings: OffsetSettings, wanted: tuple[str, ...]) -> None:
    """EX-1003, EX-1004: every condition with its boundary; all reasons in order, skip_once only when nothing else fails."""
    assert failures(candidate("g")._replace(**change), NOW, settings) == wanted


# --- timers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "received", "sent", "filled", "holds"),
    [
        (TimerStart.AFTER_PYRAMIDS_RECEIVED, 5, False, False, True),
        (TimerStart.AFTER_PYRAMIDS_RECEIVED, 4, True, True, False),
        (TimerStart.AFTER_ALL_DCA_SUBMITTED, 5, True, False, True),
        (TimerStart.AFTER_ALL_DCA_SUBMITTED, 5, False, True, False),
        (TimerStart.AFTER_ALL_DCA_FILLED, 5, True, True, True),
        (TimerStart.AFTER_ALL_DCA_FILLED, 5, True, False, False),
        (TimerStart.AFTER_ALL_DCA_FILLED, 4, True, True, False),
    ],
)
def test_what_starts_a_timer(start: TimerStart, received: int, sent: bool, filled: bool, holds: bool) -> None:
    """EX-1006: received pyramids, and by the setting nothing more, every layer sent, or every layer filled."""
    settings = OffsetSettings(timer_start_condition=start)
    assert start_holds(received, all_sent=sent, all_filled=filled, settings=settings) is holds


def test_without_full_pyramids_the_count_does_not_matter() -> None:
    """EX-1006: require_full_pyramids off: one filled pyramid starts the timer."""
    assert start_holds(1, all_sent=True, all_filled=True, settings=OffsetSettings(require_full_pyramids=False))


def test_a_timer_runs_from_the_first_moment_its_condition_holds() -> None:
    """EX-1005, EX-1007: started once, kept while it holds, cleared when it ends; over strictly after its expiry."""
    expires = timer_after(None, holds=True, now=NOW, settings=DEFAULT)
    assert expires == NOW + 15 * MINUTE
    assert timer_after(expires, holds=True, now=NOW + MINUTE, settings=DEFAULT) == expires
    assert timer_after(expires, holds=False, now=NOW + MINUTE, settings=DEFAULT) is None
    assert [timer_expired(expires, expires + each) for each in (-1, 0, 1)] == [False, False, True]
    assert [remaining_s(expires, expires - each) for each in (SECOND + 1, SECOND, 1, 0, -5)] == [2, 1, 1, 0, 0]
    assert (timer_expired(None, NOW), remaining_s(None, NOW)) == (False, None)


def test_without_the_wait_a_timer_is_over_a_moment_later() -> None:
    """EX-1005: enable_post_full_wait off is a wait of 0 minutes; equality is still running."""
    settings = OffsetSettings(enable_post_full_wait=False)
    assert timer_after(None, holds=True, now=NOW, settings=settings) == NOW
    assert timer_expired(NOW, NOW + 1)


@pytest.mark.parametrize(
    ("reset", "at", "wanted"),
    [(True, 5 * MINUTE, 20 * MINUTE), (False, 5 * MINUTE, 15 * MINUTE), (True, 15 * MINUTE + 1, 15 * MINUTE)],
)
def test_a_replacement_restarts_a_running_timer_by_setting(reset: bool, at: int, wanted: int) -> None:
    """EX-1007: a replacement restarts a running timer only with reset_timer_on_replacement; one that is over stays so."""
    settings = OffsetSettings(reset_timer_on_replacement=reset)
    found = timer_after(NOW + 15 * MINUTE, holds=True, now=NOW + at, settings=settings, replaced=True)
    assert found == NOW + wanted


# --- cycles ------------------------------------------------------------------------------------------------------------


def test_the_next_loser_is_taken_only_when_the_first_cannot_be_traded() -> None:
    """EX-1008, D-39: the worst loser keeps the winners; only one that cannot be traded lets the next one in."""
    tiny = candidate("T", "0.04", 100, 50)
    cycle = risk_cycle([tiny, loser(), winner_a()], DEFAULT, NOW)
    assert (cycle.ranked, cycle.plan and cycle.plan.loser) == (("T", "L"), "L")
    waiting = OffsetSettings(on_insufficient_winners=OnShortfall.WAIT)
    worse = candidate("W", 1000, 100, 50)
    cycle = risk_cycle([worse, candidate("S", 1, 100, 90), winner_a()], waiting, NOW)
    assert cycle.plan is not None
    assert (cycle.plan.loser, cycle.plan.reason) == ("W", "insufficient_winners")


def test_a_group_that_is_skipped_is_no_winner_either() -> None:
    """EX-1022: while the flag is set the group pays for nobody; it is used up only where the group was eligible."""
    cycle = risk_cycle([loser(), winner_a(skip_once=True)], DEFAULT, NOW)
    assert cycle.plan is not None
    assert (cycle.plan.reason, cycle.skip_consumed) == ("no_winners", ())
    assert risk_cycle([loser(skip_once=True), winner_a()], DEFAULT, NOW).skip_consumed == ("L",)
    assert risk_cycle([loser(skip_once=True, received=1)], DEFAULT, NOW).skip_consumed == ()


def test_groups_without_price_or_rate_take_no_part() -> None:
    """EX-109, EX-1026: neither loser nor winner, and no reasons are given for them."""
    groups = [loser()._replace(mark=None), loser(quote_usd=None), winner_a(quote_usd=None)]
    assert risk_cycle(groups, DEFAULT, NOW) == Cycle({}, {}, (), (), None)


def test_switched_off_nothing_is_planned_or_used_up() -> None:
    """EX-1024: risk_engine.enabled = false: reasons and ranking are shown, nothing is done."""
    off = OffsetSettings(enabled=False)
    cycle = risk_cycle([loser(), winner_a(), candidate("S", skip_once=True)], off, NOW)
    assert (cycle.ranked, cycle.plan, cycle.skip_consumed) == (("L",), None, ())
    assert bands([loser(), winner_a()], cycle, off, NOW) == {}


@pytest.mark.parametrize(
    ("groups", "more", "wanted"),
    [
        ([], {}, OffsetStatus.IDLE),
        ([loser(), winner_a()], {}, OffsetStatus.ACTIVE),
        ([loser()], {}, OffsetStatus.BLOCKED),
        ([loser(received=1)], {}, OffsetStatus.IDLE),
        ([loser(blocked=True)], {}, OffsetStatus.BLOCKED),
        ([loser(blocked=True), candidate("M", received=1)], {}, OffsetStatus.BLOCKED),
        ([loser(skip_once=True)], {}, OffsetStatus.BLOCKED),
        ([loser(blocked=True, received=1)], {}, OffsetStatus.IDLE),
        ([], {"engine_error": True}, OffsetStatus.BLOCKED),
        ([loser()], {"executing": True}, OffsetStatus.ACTIVE),
    ],
)
def test_status(groups: list[Candidate], more: dict[str, bool], wanted: OffsetStatus) -> None:
    """EX-1024: active with a plan or an eligible loser, blocked for its four causes, idle otherwise."""
    cycle = risk_cycle(groups, DEFAULT, NOW)
    status, why = cycle_status(cycle, DEFAULT, **{"executing": False, "engine_error": False, **more})
    assert status is wanted
    assert why


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, None),
        ({"received": 1, "expires_at": None, "first_fill_at": NOW, "mark": D("99.9"), "skip_once": True}, None),
        ({"state": GroupState.LIVE}, "NotLive"),
        ({"state": GroupState.CLOSING, "blocked": True}, "NotLive"),
        ({"blocked": True}, "GroupBlocked"),
        ({"mark": D(100)}, "NotLosing"),
        ({"mark": D(101)}, "NotLosing"),
    ],
)
def test_a_run_for_one_group(change: dict[str, Any], error: str | None) -> None:
    """EX-1021: waiting conditions are passed over, never state, block, or the need of a loss."""
    run = run_now([loser()._replace(**change), winner_a()], "L", AGED, NOW)
    assert run.error == error
    assert (run.plan is None) is (error is not None)


def test_a_run_lists_what_it_passes_over_and_knows_only_its_groups() -> None:
    """EX-1021: the confirmation lists what is skipped; an unknown group is NotFound."""
    run = run_now([loser(received=1, skip_once=True), winner_a()], "L", DEFAULT, NOW)
    assert run.skipped == ("pyramids_incomplete", "skip_once")
    assert run_now([winner_a()], "L", DEFAULT, NOW).error == "NotFound"


# --- what could change a decision --------------------------------------------------------------------------------------


def decision(cycle: Cycle) -> Any:
    """Return what of a cycle the engine acts on."""
    plan = cycle.plan
    return cycle.ranked and (set(cycle.ranked), cycle.skip_consumed, plan is not None and plan.executable)


@given(
    prices=st.lists(st.decimals(80, 120, places=2), min_size=4, max_size=4),
    moves=st.lists(st.decimals(-10, 10, places=2), min_size=4, max_size=4),
    ripe=st.lists(st.booleans(), min_size=4, max_size=4),
    wait=st.booleans(),
    sides=st.lists(st.sampled_from(Side), min_size=4, max_size=4),
)
def test_inside_the_bands_nothing_is_done_that_was_not_done_before(
    prices: list[Any], moves: list[Any], ripe: list[bool], wait: bool, sides: list[Side]
) -> None:
    """EX-1020: while every price stays strictly inside its band, a cycle comes to the same: nobody need look."""
    settings = OffsetSettings(on_insufficient_winners=OnShortfall.WAIT if wait else OnShortfall.PARTIAL_LOSER)
    groups = [
        candidate(f"g{each}", 10, 100, prices[each], received=5 if ripe[each] else 1, side=sides[each])
        for each in range(4)
    ]
    cycle = risk_cycle(groups, settings, NOW)
    if cycle.plan is not None and cycle.plan.executable:
        return
    found = bands(groups, cycle, settings, NOW)
    moved = []
    for group, move in zip(groups, moves, strict=True):
        assert group.mark is not None
        price = group.mark + move
        band = found.get(group.group_id)
        inside = band is None or band.low < price < band.high
        moved.append(group._replace(mark=price if inside else group.mark))
    assert decision(risk_cycle(moved, settings, NOW)) == decision(cycle)


def test_with_nothing_at_stake_no_price_is_watched() -> None:
    """EX-1020: groups whose structure is not complete can do nothing at any price."""
    groups = [loser(received=1), winner_a(received=1), winner_b(expires_at=NOW + 1), winner_c(received=1)]
    assert bands(groups, risk_cycle(groups, DEFAULT, NOW), DEFAULT, NOW) == {}
    assert next_instant(groups, DEFAULT, NOW) == NOW + 2


def test_the_next_instant_is_the_first_at_which_time_changes_a_condition() -> None:
    """EX-1005: a moment after the first timer that still runs, or the age that is reached first; None when none is left."""
    groups = [loser(expires_at=NOW + 9), candidate("y", first_fill_at=NOW - 200 * MINUTE + 5)]
    assert next_instant(groups, DEFAULT, NOW) == NOW + 10
    assert next_instant(groups, AGED, NOW) == NOW + 5
    assert next_instant([loser()], AGED, NOW) is None

"""The golden vectors of the loss offset."""

from __future__ import annotations

from typing import Any

import pytest

from rules.offset import (
    plan_offset,
    rank_losers,
    remaining_s,
    risk_cycle,
    run_now,
    start_holds,
    timer_after,
    timer_expired,
)
from tests.rules.offset_cast import NOW, as_vector, instant, iso, of_vector, settings_of
from tests.rules.vectors import cases, same, tolerance

TOPIC = "risk"


@pytest.mark.parametrize("case", cases(TOPIC, "plan_offset"))
def test_plans_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1009, EX-1010, EX-1011, EX-1012, EX-1013, EX-1014 as the golden plans have them."""
    given = case["input"]
    plan = plan_offset(
        of_vector(given["loser"]), [of_vector(each) for each in given["winners"]], settings_of(given["config"])
    )
    assert same(as_vector(plan), case["expected"], tolerance(case))


@pytest.mark.parametrize("case", cases(TOPIC, "rank_losers"))
def test_losers_are_ranked_as_in_the_vectors(case: dict[str, Any]) -> None:
    """EX-1008 as the golden rankings have it."""
    ranked = rank_losers([of_vector(each) for each in case["input"]["groups"]])
    assert {"order": [each.group_id for each in ranked]} == case["expected"]


@pytest.mark.parametrize("case", cases(TOPIC, "risk_cycle"))
def test_cycles_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1003, EX-1004, EX-1022, EX-1023 as the golden cycles have them."""
    given = case["input"]
    now = instant(given["now"])
    assert now is not None
    cycle = risk_cycle([of_vector(each) for each in given["groups"]], settings_of(given["config"]), now)
    found = {
        "reasons": {group: list(why) for group, why in cycle.reasons.items()},
        "ranked": list(cycle.ranked),
        "skip_consumed": list(cycle.skip_consumed),
        "plan": as_vector(cycle.plan),
    }
    assert same(found, case["expected"], tolerance(case))


@pytest.mark.parametrize("case", cases(TOPIC, "run_now"))
def test_runs_for_one_group_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1021 as the golden runs have it."""
    given = case["input"]
    run = run_now([of_vector(each) for each in given["groups"]], given["group"], settings_of(given["config"]), NOW)
    assert same({"error": run.error, "plan": as_vector(run.plan)}, case["expected"], tolerance(case))


@pytest.mark.parametrize("case", cases(TOPIC, "risk_timer"))
def test_timers_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1005, EX-1006, EX-1007 as the golden timers have them."""
    given = case["input"]
    settings = settings_of(given["config"])
    expires: int | None = None
    after: list[str | None] = []
    for event in given["events"]:
        now = instant(event["at"])
        assert now is not None
        holds = start_holds(
            event["pyramids_received"],
            all_sent=event["all_legs_submitted"],
            all_filled=event["all_legs_filled"],
            settings=settings,
        )
        expires = timer_after(expires, holds=holds, now=now, settings=settings, replaced=event["type"] == "replacement")
        after.append(iso(expires))
    answers = []
    for query in given["queries"]:
        at = instant(query)
        assert at is not None
        answers.append(
            {"at": query, "timer_expired": timer_expired(expires, at), "remaining_seconds": remaining_s(expires, at)}
        )
    assert {"expires_after_event": after, "answers": answers} == case["expected"]

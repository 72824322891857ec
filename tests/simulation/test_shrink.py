"""Shrinking: what is left of a failing scenario is what it needs to fail."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.scenario import Fault, FaultKind, Post, Scenario
from simulation.shrink import Budget, NotFailing, Progress, shrink
from simulation.verdict import Verdict, Violation
from tests.simulation.toy import scenario, toy_run


def test_only_what_is_needed_is_left() -> None:
    """Two posts and one disconnect of eighty-one items are left, no price path, no setting, the shortest of times."""
    found = shrink(scenario(), toy_run)
    assert [type(item) for item in found.scenario.items] == [Post, Post, Fault]
    assert (found.before, found.after, found.complete) == (81, 3, True)
    assert found.scenario.paths == ()
    assert found.scenario.settings == {}
    assert found.scenario.hours < 8


def test_numbers_become_small() -> None:
    """A fault that is left lasts no longer, is aimed at nobody and falls on a whole second where that is enough."""
    fault = shrink(scenario(), toy_run).scenario.items[-1]
    assert isinstance(fault, Fault)
    assert (fault.seconds, fault.target, fault.amount, fault.at % 10**9) == (0.0, "", 0.1, 0)


def test_what_is_left_breaks_the_same_rule() -> None:
    """The scenario that is returned was run, and the violation is its own."""
    found = shrink(scenario(), toy_run)
    assert toy_run(found.scenario).violations == [found.violation]


def test_nothing_more_can_go() -> None:
    """Of the items that are left, each is needed."""
    left = shrink(scenario(), toy_run).scenario
    for place in range(len(left.items)):
        fewer = msgspec.structs.replace(left, items=left.items[:place] + left.items[place + 1 :])
        assert not toy_run(fewer).failed


def test_equal_scenarios_shrink_equally() -> None:
    """Shrinking twice gives one result in the same number of runs."""
    first, second = shrink(scenario(), toy_run), shrink(scenario(), toy_run)
    assert (first.scenario, first.runs) == (second.scenario, second.runs)


def test_a_budget_of_runs_is_kept() -> None:
    """When the budget is used up the smallest so far is returned, and said to be perhaps not the smallest."""
    ran: list[Scenario] = []

    def counted(candidate: Scenario) -> Verdict:
        ran.append(candidate)
        return toy_run(candidate)

    found = shrink(scenario(), counted, budget=Budget(runs=6))
    assert len(ran) == found.runs == 6
    assert not found.complete
    assert toy_run(found.scenario).failed


def test_no_scenario_is_run_twice() -> None:
    """What was tried once is not tried again: a run costs seconds."""
    ran: list[Scenario] = []

    def counted(candidate: Scenario) -> Verdict:
        ran.append(candidate)
        return toy_run(candidate)

    shrink(scenario(), counted)
    assert len(ran) == len({msgspec.json.encode(each) for each in ran})


def test_another_rule_does_not_lead_astray() -> None:
    """A smaller scenario that breaks a different rule is not taken for the failure that is looked for."""

    def two_rules(candidate: Scenario) -> Verdict:
        verdict = toy_run(candidate)
        if len(candidate.items) < 10 and any(isinstance(each, Post) for each in candidate.items):
            verdict.violations.insert(0, Violation("few-items", candidate.start_at, "astray"))
        return verdict

    found = shrink(scenario(), two_rules, invariant="two-and-a-break")
    assert found.violation.invariant == "two-and-a-break"
    assert len(found.scenario.items) == 3


def test_a_scenario_that_breaks_nothing_is_refused() -> None:
    """There is nothing to shrink where nothing fails."""
    with pytest.raises(NotFailing, match="seed 7 does not break anything"):
        shrink(msgspec.structs.replace(scenario(), items=()), toy_run)


def test_progress_is_told() -> None:
    """Whoever watches hears of every smaller scenario, which only ever becomes smaller."""
    told: list[Progress] = []
    shrink(scenario(), toy_run, report=told.append)
    assert [each.items for each in told] == sorted((each.items for each in told), reverse=True)
    assert told[-1].items == 3


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 30), min_size=1, max_size=4))
def test_any_set_of_needed_items_is_found(needed: set[int]) -> None:
    """Whatever few items a failure needs, exactly they are left."""
    items = tuple(Fault(place, FaultKind.REJECT, target=str(place)) for place in range(31))
    wanted = {str(each) for each in needed}

    def run(candidate: Scenario) -> Verdict:
        there = {item.target for item in candidate.items if isinstance(item, Fault)}
        broken = [Violation("all-of-them", 30, "")] if wanted <= there else []
        return Verdict(candidate.seed, violations=broken)

    found = shrink(Scenario(seed=1, start_at=0, hours=1.0, items=items), run, budget=Budget(runs=2_000))
    assert {item.target for item in found.scenario.items if isinstance(item, Fault)} == wanted
    assert found.after == len(wanted)

"""The loss offset against a second writing of its requirements, on random groups under all settings."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

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
from tests.rules import reference_offset as reference
from tests.rules.offset_cast import NOW, as_vector, instant, iso, of_vector, settings_of
from tests.rules.vectors import same

NOON = "2026-03-01T12:00:00Z"
EXACT = 1e-12


@st.composite
def groups(draw: Any, name: str) -> dict[str, Any]:
    """Return a group as the vectors write it: any size, side, state, step, minimum and rate."""
    entry = draw(st.sampled_from(["10", "20.5", "100", "100", "0.00731", "64502.33333333"]))
    moved = Decimal(draw(st.integers(-1500, 1500))) / 100
    mark = Decimal(entry) * (100 + moved) / 100
    worth = Decimal(draw(st.sampled_from([4, 19, 20, 60, 150, 500, 900, 2000, 9000])))
    qty = (worth / Decimal(entry)).quantize(Decimal(draw(st.sampled_from(["0.00001", "0.001", "0.05"]))), ROUND_UP)
    return {
        "id": name,
        "side": draw(st.sampled_from(["long", "short"])),
        "avg_entry": entry,
        "mark": draw(st.sampled_from([str(mark)] * 9 + [None])),
        "open_qty": str(qty),
        "quote_usd": draw(st.sampled_from(["1"] * 6 + ["0.5", "3.017", None])),
        "step_size": draw(st.sampled_from(["0.001", "0.001", "1", "0.05", "0.00001"])),
        "min_qty": draw(st.sampled_from(["0.00001", "0.001", "0.001", "2"])),
        "min_notional": draw(st.sampled_from(["0", "5", "5", "100"])),
        "state": draw(st.sampled_from(["active"] * 6 + ["partially_filled", "closing", "live"])),
        "opened_at": draw(
            st.sampled_from(["2026-02-27T00:00:00Z", "2026-03-01T08:40:00Z", "2026-03-01T08:40:00.001Z"])
        ),
        "pyramids_received": draw(st.integers(3, 5)),
        "risk_timer_expires": draw(
            st.sampled_from(
                [None, *["2026-03-01T11:00:00Z"] * 5, "2026-03-01T11:59:59.999Z", NOON, "2026-03-01T13:00:00Z"]
            )
        ),
        "blocked": draw(st.sampled_from([False] * 9 + [True])),
        "skip_once": draw(st.sampled_from([False] * 9 + [True])),
    }


@st.composite
def crowds(draw: Any) -> list[dict[str, Any]]:
    """Return some groups, sometimes alike in all but their ids."""
    found = [draw(groups(name)) for name in "cabedg"[: draw(st.integers(2, 6))]]
    if draw(st.booleans()):
        found.append({**found[0], "id": "f"})
    return found


CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "loss_threshold_percent": st.sampled_from(["-5", "-0.5", "-10"]),
        "require_full_pyramids": st.booleans(),
        "required_pyramids_for_timer": st.integers(3, 5),
        "use_trade_age_filter": st.booleans(),
        "age_threshold_minutes": st.sampled_from([200, 300]),
        "max_winners_to_combine": st.integers(1, 3),
        "partial_close_enabled": st.booleans(),
        "on_insufficient_winners": st.sampled_from(["partial_loser", "wait"]),
        "min_close_notional": st.sampled_from(["0", "20", "100.5"]),
    },
)


@settings(max_examples=400, deadline=None)
@given(crowds(), CONFIGS)
def test_cycles_are_those_of_the_reference(crowd: list[dict[str, Any]], config: dict[str, Any]) -> None:
    """Reasons, ranking, skips and the whole plan are those of the second writing (EX-1003 to EX-1014, EX-1022)."""
    cycle = risk_cycle([of_vector(each) for each in crowd], settings_of(config), NOW)
    found = {
        "reasons": {group: list(why) for group, why in cycle.reasons.items()},
        "ranked": list(cycle.ranked),
        "skip_consumed": list(cycle.skip_consumed),
        "plan": as_vector(cycle.plan),
    }
    wanted = reference.cycle(crowd, config, NOON)
    assert agree(found, wanted), (found, wanted)


@settings(max_examples=400, deadline=None)
@given(crowds(), CONFIGS)
def test_plans_and_runs_are_those_of_the_reference(crowd: list[dict[str, Any]], config: dict[str, Any]) -> None:
    """Every losing group's plan and run are those of the second writing (EX-1009 to EX-1014, EX-1021)."""
    candidates = [of_vector(each) for each in crowd]
    for group in crowd:
        run = run_now(candidates, group["id"], settings_of(config), NOW)
        found = {"error": run.error, "plan": as_vector(run.plan)}
        wanted = reference.run_now(crowd, group["id"], config)
        assert agree(found, wanted), (found, wanted)
        if reference.usd(group) < 0:
            plan = as_vector(plan_offset(of_vector(group), candidates, settings_of(config)))
            assert agree(plan, reference.plan(group, crowd, config))


@given(crowds())
def test_losers_are_ranked_as_by_the_reference(crowd: list[dict[str, Any]]) -> None:
    """Percent at 0.01 half-even, USD, first fill, id (EX-1008, D-24)."""
    losing = [group for group in crowd if reference.usd(group) < 0]
    assert [each.group_id for each in rank_losers([of_vector(each) for each in losing])] == reference.losers(losing)


@st.composite
def timelines(draw: Any) -> list[dict[str, Any]]:
    """Return what happens to a group, in order."""
    minute, found = 0, []
    for _ in range(draw(st.integers(1, 6))):
        minute += draw(st.integers(0, 20))
        found.append(
            {
                "at": f"2026-03-01T{12 + minute // 60}:{minute % 60:02d}:00{draw(st.sampled_from(['', '.500']))}Z",
                "type": draw(st.sampled_from(["pyramid", "fill", "replacement", "price"])),
                "pyramids_received": draw(st.integers(4, 6)),
                "all_legs_filled": draw(st.booleans()),
                "all_legs_submitted": draw(st.booleans()),
            }
        )
    return found


TIMER_CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "require_full_pyramids": st.booleans(),
        "required_pyramids_for_timer": st.integers(4, 6),
        "enable_post_full_wait": st.booleans(),
        "post_pyramids_wait_minutes": st.sampled_from([0, 1, 15]),
        "timer_start_condition": st.sampled_from(
            ["after_pyramids_received", "after_all_dca_submitted", "after_all_dca_filled"]
        ),
        "reset_timer_on_replacement": st.booleans(),
    },
)


@settings(max_examples=300, deadline=None)
@given(timelines(), TIMER_CONFIGS, st.lists(st.integers(0, 7200), max_size=3))
def test_timers_are_those_of_the_reference(
    events: list[dict[str, Any]], config: dict[str, Any], asked: list[int]
) -> None:
    """Start, clearing, restart and expiry are those of the second writing (EX-1005 to EX-1007)."""
    queries = [f"2026-03-01T{12 + each // 3600}:{each // 60 % 60:02d}:{each % 60:02d}Z" for each in asked]
    rules = settings_of(config)
    expires: int | None = None
    after: list[str | None] = []
    for event in events:
        now = instant(event["at"])
        assert now is not None
        holds = start_holds(
            event["pyramids_received"],
            all_sent=event["all_legs_submitted"],
            all_filled=event["all_legs_filled"],
            settings=rules,
        )
        expires = timer_after(expires, holds=holds, now=now, settings=rules, replaced=event["type"] == "replacement")
        after.append(iso(expires))
    answers = []
    for query in queries:
        at = instant(query)
        assert at is not None
        over, left = timer_expired(expires, at), remaining_s(expires, at)
        answers.append({"at": query, "timer_expired": over, "remaining_seconds": left})
    wanted = reference.timer(config, events, queries)
    assert after == [None if each is None else iso(instant(each)) for each in wanted["expires_after_event"]]
    assert answers == wanted["answers"]


def agree(found: Any, wanted: Any) -> bool:
    """Compare figures numerically, all else exactly."""
    return same(found, _text(wanted), EXACT)


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_text(each) for each in value]
    return value if value is None or isinstance(value, bool | str | int) else f"{value:f}"

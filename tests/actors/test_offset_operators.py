"""What operators ask of the loss offset: run it now, leave groups out of it, look at it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from protocol.groups import GroupState
from protocol.offset import (
    BlockGroup,
    OffsetDecided,
    OffsetStarted,
    PlanStatus,
    RiskCommandDone,
    RiskPicture,
    RiskView,
    RunNow,
    SkipOnce,
    UnblockGroup,
)
from rules.offset import OffsetSettings
from tests.actors.cast import D, Stage, play
from tests.actors.offset_rig import DONE_AT_ONCE, MINUTE, OffsetRig, prices, run, worked_example

PATIENT = OffsetSettings(evaluate_interval_sec=3600, loss_threshold_percent=D(-50), use_trade_age_filter=True)
"""Nothing is eligible by itself."""


async def refused(stage: Stage, command: Any) -> RiskCommandDone:
    """Ask something that is refused; nothing is journalled by it."""
    before = stage.journal.head()
    done = await stage.ask("offset", command)
    assert stage.journal.head() == before
    assert isinstance(done, RiskCommandDone)
    assert done.code
    return done


def test_run_now_of_one_group_passes_over_what_it_waits_for() -> None:
    """EX-1021: run now (group) ignores pyramids, timer, threshold, age and skip-once, and lists what it passed over."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, PATIENT, received=2, filled=False)
        prices(rig)
        await stage.ask("offset", SkipOnce("l"))
        checked = await stage.ask("offset", RunNow("l", check=True))
        skipped = ("pyramids_incomplete", "timer_not_started", "loss_too_small", "too_young", "skip_once")
        assert (checked.skipped, checked.plan_id) == (skipped, "")
        assert rig.asked == []
        done = await stage.ask("offset", RunNow("l"))
        assert (done.skipped, done.plan_id, done.plan.status) == (skipped, "p1", PlanStatus.FULL)
        await run(rig, 2)
        assert rig.steps() == [("a", None), ("b", D(40)), ("l", None)]
        assert rig.events(OffsetStarted)[0].forced
        assert len(rig.events(OffsetStarted)) == 1

    play(scenario)


def test_run_now_of_all_is_a_cycle_with_normal_rules() -> None:
    """EX-1021: run now (all) does not wait for the interval, and offsets what is eligible only."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, replace(DONE_AT_ONCE, evaluate_interval_sec=3600))
        await stage.passes(3600)
        prices(rig)
        checked = await stage.ask("offset", RunNow(check=True))
        assert (checked.plan.loser, rig.asked) == ("l", [])
        done = await stage.ask("offset", RunNow())
        assert done.plan_id == "p1"
        await run(rig, 1)
        assert rig.steps()[-1] == ("l", None)

    play(scenario)


def test_run_now_of_all_without_an_eligible_loser_begins_nothing() -> None:
    """EX-1021: a cycle in which nothing is eligible says so and closes nothing."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, PATIENT)
        prices(rig)
        done = await stage.ask("offset", RunNow())
        assert (done.code, done.plan_id, rig.asked) == ("", "", [])
        assert rig.events(OffsetDecided)[-1].trigger == "run now"

    play(scenario)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": GroupState.CLOSING}, "NotLive"),
        ({"state": GroupState.LIVE, "qty": D(0)}, "NotLive"),
        ({"entry": D(90)}, "NotLosing"),
        ({"frozen": True}, "Frozen"),
    ],
)
def test_run_now_never_goes_against_state_or_without_a_loss(change: dict[str, Any], code: str) -> None:
    """EX-1021: NotLive and NotLosing refuse a run for one group, and say what to do."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, PATIENT)
        prices(rig)
        for name, value in change.items():
            setattr(rig.holdings["l"], name, value)
        rig.say("l")
        await stage.settle()
        done = await refused(stage, RunNow("l"))
        assert done.code == code
        assert len(done.message) > 30

    play(scenario)


def test_run_now_never_goes_against_a_block() -> None:
    """EX-1021: GroupBlocked refuses it, names the way out, and after unblocking it runs."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, PATIENT)
        prices(rig)
        await stage.ask("offset", BlockGroup("l"))
        done = await refused(stage, RunNow("l"))
        assert done.code == "GroupBlocked"
        assert "bulkhead risk unblock" in done.message
        await stage.ask("offset", UnblockGroup("l"))
        assert (await stage.ask("offset", RunNow("l"))).plan_id == "p1"

    play(scenario)


@pytest.mark.parametrize("command", [RunNow("x"), SkipOnce("x"), BlockGroup("x"), UnblockGroup("x")])
def test_an_unknown_group_is_not_found(command: Any) -> None:
    """EX-112: a group that is not live here is NotFound, whoever it belongs to."""

    async def scenario(stage: Stage) -> None:
        await worked_example(stage, PATIENT)
        assert (await refused(stage, command)).code == "NotFound"

    play(scenario)


def test_a_run_without_prices_or_venue_or_switched_off_is_refused() -> None:
    """EX-1026, EX-1027: StaleMark, VenueDown, and OffsetOff while risk_engine.enabled is false."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, PATIENT)
        assert (await refused(stage, RunNow("l"))).code == "StaleMark"
        rig.venue(up=False)
        await stage.settle()
        assert (await refused(stage, RunNow("l"))).code == "VenueDown"
        rig.engine.settings = replace(PATIENT, enabled=False)
        assert (await refused(stage, RunNow())).code == "OffsetOff"

    play(scenario)


def test_one_plan_at_a_time() -> None:
    """EX-1020: while a plan is carried out a further run is refused; the plan's groups are its own until it ends."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, PATIENT)
        prices(rig)
        rig.scripts["a"] = lambda msg, held: None
        await stage.ask("offset", RunNow("l"))
        assert (await refused(stage, RunNow())).code == "PlanRunning"

    play(scenario)


def test_a_run_that_can_close_nothing_says_why() -> None:
    """EX-1013, EX-1021: without a winner the run is answered with the plan's reason and begins nothing."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, PATIENT, winners="")
        prices(rig)
        done = await stage.ask("offset", RunNow("l"))
        assert (done.plan.reason, done.plan_id) == ("no_winners", "")
        assert "no_winners" in done.message

    play(scenario)


def test_commands_told_twice_change_nothing_more() -> None:
    """EX-105: blocking a blocked group, or unblocking one that is not, is answered and journals nothing."""

    async def scenario(stage: Stage) -> None:
        await worked_example(stage, PATIENT)
        for command, events in ((BlockGroup("l"), 1), (UnblockGroup("l"), 1), (SkipOnce("l"), 1)):
            before = stage.journal.head()
            for _ in range(2):
                assert (await stage.ask("offset", command)).code == ""
            assert stage.journal.head() == before + events

    play(scenario)


def test_the_picture_shows_what_each_loser_waits_for_and_its_plan() -> None:
    """EX-1615: loss, timer, pyramids, age, winners, projected plan, reasons; looking changes nothing."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, replace(PATIENT, age_threshold_minutes=10), received=4)
        rig.group("m", 1, 100)
        rig.group("n", 1, 100)
        await stage.passes(300)
        prices(rig)
        rig.price("m", 99)
        before = stage.journal.head()
        picture = await stage.ask("offset", RiskView())
        assert stage.journal.head() == before
        assert isinstance(picture, RiskPicture)
        first, second, third = picture.losers
        assert (first.group_id, first.loss_percent, first.loss_usd) == ("l", D("-7.5"), D(-120))
        assert (first.pyramids_ok, first.received, first.required) == (False, 4, 5)
        assert (first.timer, first.remaining_s, first.age_ok, first.age_minutes) == ("not_started", None, False, 5)
        assert (first.winners, first.winners_usd) == (3, D(140))
        assert [each.group_id for each in first.plan.winners] == ["a", "b"]
        assert first.reasons == ("pyramids_incomplete", "timer_not_started", "loss_too_small", "too_young")
        assert (second.group_id, second.timer, second.remaining_s) == ("m", "running", 600)
        assert (third.group_id, third.left_out, third.plan) == ("n", "StaleMark", None)
        assert (picture.winners, picture.winners_usd) == (3, D(140))

    play(scenario)


def test_a_picture_names_timers_that_are_over_and_flags() -> None:
    """EX-1615: a timer that is over is `expired`; blocked groups and those to be skipped are listed."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, replace(PATIENT, use_trade_age_filter=False))
        rig.group("l", 16, 100)
        rig.start()
        await stage.passes(15 * 60 + 1)
        rig.price("l", 92)
        await stage.ask("offset", BlockGroup("l"))
        await stage.ask("offset", SkipOnce("l"))
        picture = await stage.ask("offset", RiskView())
        [row] = picture.losers
        assert (row.timer, row.remaining_s, row.age_ok) == ("expired", 0, None)
        assert (row.blocked, row.skip_once, picture.blocked, picture.skip_once) == (True, True, ("l",), ("l",))
        assert picture.acted_at >= stage.now - MINUTE

    play(scenario)

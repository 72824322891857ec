"""What the loss offset records of its looks, which flags it heeds, how it stands."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from actors.offset_records import NOTE_EVERY_NS
from actors.risk import PERMITS
from protocol.configuration import ApplySettings
from protocol.groups import GroupState
from protocol.offset import (
    BlockGroup,
    OffsetDecided,
    OffsetRepeated,
    OffsetStatus,
    RiskFlagCleared,
    SkipOnce,
)
from protocol.risk import EngineStatus, Permit
from tests.actors.cast import D, Stage, play
from tests.actors.offset_rig import DONE_AT_ONCE, prices, run, worked_example


def test_unchanged_decisions_are_stored_once_and_counted() -> None:
    """EX-1025: the first decision of its kind is written in full, its repeats as a count."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, replace(DONE_AT_ONCE, min_close_notional=D(10**6)), winners="a")
        await run(rig, 95)
        assert [each.plan.reason for each in rig.events(OffsetDecided)] == ["no_winners"]
        assert rig.events(OffsetRepeated) == []
        await stage.ask("offset", BlockGroup("l"))
        await run(rig, 12)
        [repeated] = rig.events(OffsetRepeated)
        assert (repeated.decision_id, repeated.repeats) == ("d1", 9)
        assert rig.events(OffsetDecided)[-1].reasons == {"l": ("blocked",)}

    play(scenario)


def test_repeats_are_noted_hourly() -> None:
    """EX-1025: a decision that stays the same for hours is noted once an hour."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, replace(DONE_AT_ONCE, min_close_notional=D(10**6)), winners="a")
        prices(rig)
        await stage.settle()
        hours = 3
        for _ in range(hours * 60 + 2):
            await stage.passes(60)
            prices(rig)
        noted = rig.events(OffsetRepeated)
        assert len(noted) == hours
        assert [each.at // NOTE_EVERY_NS - noted[0].at // NOTE_EVERY_NS for each in noted] == [0, 1, 2]
        assert noted[-1].repeats >= hours * 59

    play(scenario)


def test_skip_once_is_used_up_by_the_first_cycle_that_would_act() -> None:
    """EX-1022: the group is passed over once, by the cycle in which it was eligible; the next one offsets it."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        await stage.ask("offset", SkipOnce("l"))
        await run(rig, 1)
        assert rig.asked == []
        [used] = rig.events(RiskFlagCleared)
        assert (used.group_id, used.cause) == ("l", "consumed")
        assert rig.events(OffsetDecided)[-1].reasons == {"l": ("skip_once",)}
        await run(rig, 10)
        assert rig.steps()[0] == ("a", None)

    play(scenario)


@pytest.mark.parametrize("every", [0, 1])
def test_flags_survive_a_restart_and_end_with_the_group(every: int) -> None:
    """EX-1023: block and skip-once are journalled; when the group closes they are gone."""

    async def scenario(stage: Stage) -> None:
        stage.system.durability.snapshot_every = every
        rig = await worked_example(stage, winners="a")
        await stage.ask("offset", BlockGroup("l"))
        await stage.ask("offset", SkipOnce("a"))
        await stage.crash("offset")
        assert set(rig.engine.state.blocked) == {"l"}
        assert set(rig.engine.state.skipped) == {"a"}
        await run(rig, 15)
        assert rig.asked == []
        rig.holdings["l"].state = rig.holdings["a"].state = GroupState.CLOSED
        rig.say("l")
        rig.say("a")
        await stage.settle()
        cleared = [(each.group_id, each.flag.value, each.cause) for each in rig.events(RiskFlagCleared)]
        assert cleared == [("l", "blocked", "closed"), ("a", "skip_once", "closed")]
        assert len(rig.engine.figures) == 0

    play(scenario)


def test_the_status_says_what_the_engine_is_about() -> None:
    """EX-1024: idle without a loser, active with a plan, blocked when nothing can be closed."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        assert rig.status().status is OffsetStatus.IDLE
        rig.scripts["a"] = lambda msg, held: None
        await run(rig, 1)
        assert rig.status().status is OffsetStatus.ACTIVE
        assert rig.status().text == "began p1 for l"
        del rig.scripts["a"]
        await run(rig, 45)
        status = rig.status()
        assert status.status is OffsetStatus.BLOCKED
        assert "no_winners" in status.why
        assert status.text.startswith("p1 done")
        assert status.acted_at > 0

    play(scenario)


def test_blocked_when_all_that_could_be_offset_are_blocked() -> None:
    """EX-1024: every losing group that meets conditions 3 to 6 is blocked: the engine says Blocked."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        await stage.ask("offset", BlockGroup("l"))
        await run(rig, 12)
        assert rig.status().status is OffsetStatus.BLOCKED
        assert "blocked or skipped" in rig.status().why

    play(scenario)


def test_switched_off_it_is_blocked_and_does_nothing() -> None:
    """EX-1024: risk_engine.enabled = false: Blocked, no cycle acts; switched on again it goes on at once."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, replace(DONE_AT_ONCE, enabled=False))
        await run(rig, 15)
        assert (rig.asked, rig.status().status) == ([], OffsetStatus.BLOCKED)
        await stage.ask("offset", ApplySettings(2, DONE_AT_ONCE))
        await run(rig, 1)
        assert rig.steps()[0] == ("a", None)

    play(scenario)


@pytest.mark.parametrize(
    ("status", "shown"), [(EngineStatus.ERROR, OffsetStatus.BLOCKED), (EngineStatus.PAUSED, OffsetStatus.IDLE)]
)
def test_an_engine_in_error_is_shown_and_risk_closes_go_on(status: EngineStatus, shown: OffsetStatus) -> None:
    """EX-1024, EX-111: in Error the status is Blocked; paused or in Error, risk closes continue."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage)
        permit = Permit(number=2, status=status, reason="the journal", at=stage.now)
        stage.system.bus.publish(PERMITS, permit, keep=True)
        await stage.passes(11)
        assert rig.status().status is shown
        await run(rig, 12)
        assert rig.steps()[-1] == ("l", None)

    play(scenario)

"""The loss offset's waiting times: when they start, restart and end, and what settings change of them."""

from __future__ import annotations

import pytest

from actors.topics import pool_topic
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.offset import (
    OffsetDecided,
    RiskTimerCleared,
    RiskTimerStarted,
)
from protocol.pool import ContinuationReplaced
from rules.offset import OffsetSettings
from tests.actors.cast import Stage, play
from tests.actors.offset_rig import ACCOUNT, MINUTE, OffsetRig


def test_a_timer_starts_with_the_condition_and_is_cleared_when_it_ends() -> None:
    """EX-1005, EX-1007: all layers filled starts 15 minutes; a pyramid with unfilled layers clears it; no price does."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, OffsetSettings())
        held = rig.group("l", 16, 100, filled=False)
        rig.start()
        await stage.settle()
        assert rig.events(RiskTimerStarted) == []
        held.filled = True
        rig.say("l")
        await stage.settle()
        [started] = rig.events(RiskTimerStarted)
        assert started.expires_at == started.at + 15 * MINUTE
        rig.price("l", 130)
        await stage.passes(60)
        assert len(rig.events()) == 1
        held.filled = False
        rig.say("l")
        await stage.settle()
        assert len(rig.events(RiskTimerCleared)) == 1
        held.filled = True
        rig.say("l")
        await stage.settle()
        assert len(rig.events(RiskTimerStarted)) == 2

    play(scenario)


def test_a_timer_survives_a_restart_as_an_absolute_time() -> None:
    """EX-1007: the expiry is stored: a crash in the middle does not make the group wait longer."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, OffsetSettings())
        rig.group("l", 16, 100)
        rig.start()
        await stage.passes(600)
        await stage.crash("offset")
        assert len(rig.events(RiskTimerStarted)) == 1
        await stage.passes(299)
        rig.price("l", 92)
        await stage.passes(2)
        assert rig.events(OffsetDecided)[-1].ranked == ("l",)

    play(scenario)


@pytest.mark.parametrize("reset", [True, False])
def test_a_replaced_continuation_restarts_a_running_timer_only_by_setting(reset: bool) -> None:
    """EX-1007: reset_timer_on_replacement decides whether a replacement of a queued pyramid starts the wait anew."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, OffsetSettings(reset_timer_on_replacement=reset))
        rig.group("l", 16, 100)
        rig.start()
        await stage.passes(300)
        stage.system.bus.publish(pool_topic(ACCOUNT), ContinuationReplaced("l"))
        stage.system.bus.publish(pool_topic(ACCOUNT), ContinuationReplaced("unknown"))
        await stage.settle()
        started = rig.events(RiskTimerStarted)
        assert len(started) == (2 if reset else 1)
        assert started[-1].expires_at == started[-1].at + 15 * MINUTE

    play(scenario)


def test_other_settings_start_and_end_timers_at_once() -> None:
    """EX-1307: settings change while the engine runs: a required number of pyramids that is met now starts the timer."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, OffsetSettings())
        rig.group("l", 16, 100, received=3)
        rig.start()
        await stage.settle()
        taken = await stage.ask("offset", ApplySettings(7, OffsetSettings(required_pyramids_for_timer=3)))
        assert taken == SettingsTaken(7)
        assert len(rig.events(RiskTimerStarted)) == 1
        await stage.ask("offset", ApplySettings(8, OffsetSettings()))
        assert len(rig.events(RiskTimerCleared)) == 1

    play(scenario)

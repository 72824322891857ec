"""When the loss offset looks, what it records, how it stands."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from actors.offset import OffsetEngine, pool_topic
from actors.offset_cycles import LOOK_AT_LEAST_NS
from actors.offset_records import NOTE_EVERY_NS
from actors.risk import PERMITS
from actors.session import market_topic
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.groups import GroupState
from protocol.market import SubscribeMarket
from protocol.offset import (
    BlockGroup,
    OffsetDecided,
    OffsetRepeated,
    OffsetStatus,
    RiskFlagCleared,
    RiskTimerCleared,
    RiskTimerStarted,
    SkipOnce,
)
from protocol.pool import ContinuationReplaced
from protocol.risk import EngineStatus, Permit
from rules.offset import OffsetSettings, OnShortfall
from tests.actors.cast import D, S, Stage, of, play
from tests.actors.offset_rig import ACCOUNT, DONE_AT_ONCE, MINUTE, RULES, OffsetRig, prices, run, worked_example


class Counted:
    """Counts the looks of an engine."""

    def __init__(self, rig: OffsetRig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at: list[float] = []
        look = OffsetEngine.look
        begun = rig.stage.now

        def counted(engine: OffsetEngine, trigger: str, number: int = 1) -> Any:
            self.at.append((engine.now() - begun) / S)
            return look(engine, trigger, number)

        monkeypatch.setattr(OffsetEngine, "look", counted)


# --- when --------------------------------------------------------------------------------------------------------------


def test_prices_that_decide_nothing_wake_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1020: with nothing at stake (timers not started) no price costs the engine a message, for hours."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, OffsetSettings())
        rig.group("l", 16, 100, received=1)
        rig.start()
        rig.price("l", 92)
        await stage.settle()
        looks = Counted(rig, monkeypatch)
        handled = stage.system.cell_of("/house/offset").handled  # type: ignore[union-attr]
        for step in range(60):
            await stage.passes(60)
            rig.price("l", 80 + step)
        await stage.settle()
        assert looks.at == []
        assert stage.system.cell_of("/house/offset").handled == handled  # type: ignore[union-attr]
        assert market_topic(ACCOUNT, "L/USDT") not in stage.system.bus.topics()

    play(scenario)


def test_a_price_beyond_the_threshold_wakes_the_engine_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1003: a ripe group is looked at when its price reaches the loss threshold, and not before."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage)
        rig.group("l", 16, 100)
        rig.start()
        rig.price("l", 99)
        await stage.passes(60)
        rig.price("l", 99)
        await stage.passes(20)
        looks = Counted(rig, monkeypatch)
        for price in ("98", "96", "95.01"):
            rig.price("l", price)
            await stage.passes(20)
        assert looks.at == []
        rig.price("l", "95")
        await stage.settle()
        assert looks.at == [60.0]
        assert rig.events(OffsetDecided)[-1].ranked == ("l",)

    play(scenario)


def test_prices_wake_no_more_often_than_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1020: while an eligible loser waits and every price matters, a cycle runs each interval and not each price."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(
            stage,
            replace(DONE_AT_ONCE, on_insufficient_winners=OnShortfall.WAIT, min_close_notional=D(10**6)),
            winners="a",
        )
        looks = Counted(rig, monkeypatch)
        await run(rig, 35)
        assert looks.at == [0.0, 10.0, 20.0, 30.0]
        assert rig.asked == []

    play(scenario)


def test_a_fill_is_looked_at_at_once_and_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1020: with evaluate_on_fill a fill causes a cycle, coalesced to one a second; without it the interval holds."""

    async def scenario(stage: Stage) -> list[float]:
        rig = OffsetRig(stage, replace(DONE_AT_ONCE, evaluate_on_fill=on_fill))
        held = rig.group("l", 16, 100)
        rig.start()
        rig.price("l", 99)
        await stage.passes(60)
        looks = Counted(rig, monkeypatch)
        for _ in range(4):
            held.qty += 1
            rig.say("l")
            await stage.passes(0.4)
        await stage.passes(15)
        return looks.at

    on_fill = True
    assert play(scenario)[:3] == [0.0, 1.0, 2.0]
    on_fill = False
    assert play(scenario) == [0.0, 10.0]


def test_a_timer_that_runs_out_is_looked_at_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1005: one timer is armed for the exact instant after which the waiting time is over."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, OffsetSettings())
        rig.group("l", 16, 100)
        rig.start()
        rig.price("l", 92)
        await stage.passes(880)
        looks = Counted(rig, monkeypatch)
        await stage.passes(19.9)
        assert looks.at == []
        rig.price("l", 92)
        await stage.passes(0.2)
        assert [round(at, 3) for at in looks.at] == [20.0]
        assert rig.events(OffsetDecided)[-1].ranked == ("l",)

    play(scenario)


def test_the_age_filter_is_looked_at_when_the_age_is_reached() -> None:
    """EX-1003: too_young ends with the minute: a group that had its first fill 200 minutes ago passes."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, replace(DONE_AT_ONCE, use_trade_age_filter=True, age_threshold_minutes=200))
        rig.group("l", 16, 100, first_fill_at=stage.now - 199 * MINUTE)
        rig.start()
        rig.price("l", 92)
        await stage.passes(50)
        assert rig.events(OffsetDecided)[-1].reasons["l"] == ("too_young",)
        rig.price("l", 92)
        await stage.passes(10.1)
        assert rig.events(OffsetDecided)[-1].ranked == ("l",)

    play(scenario)


def test_an_open_position_is_looked_at_now_and_then_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1025: the record stays near the truth: a group that fell since is in it within hours."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, OffsetSettings())
        rig.group("l", 16, 100, received=1)
        rig.start()
        rig.price("l", 101)
        await stage.settle()
        assert rig.events(OffsetDecided) == []
        looks = Counted(rig, monkeypatch)
        await stage.passes(LOOK_AT_LEAST_NS / S - 5)
        rig.price("l", 90)
        await stage.passes(6)
        assert [round(at, 3) for at in looks.at] == [LOOK_AT_LEAST_NS / S]
        assert rig.events(OffsetDecided)[-1].reasons == {"l": ("pyramids_incomplete", "timer_not_started")}

    play(scenario)


# --- figures -----------------------------------------------------------------------------------------------------------


def test_a_stale_price_makes_neither_loser_nor_winner() -> None:
    """EX-1026: a group whose price is older than 30 s takes no part (StaleMark); at exactly 30 s it still does."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage)
        rig.group("l", 16, 100)
        rig.group("a", 40, 50)
        await rig.ripen()
        rig.price("a", 52)
        await stage.passes(30.5)
        assert rig.asked == []
        rig.price("l", 92)
        await stage.settle()
        assert rig.asked == []
        assert rig.events(OffsetDecided)[-1].left_out == {"a": "StaleMark"}
        assert rig.events(OffsetDecided)[-1].plan.reason == "no_winners"
        rig.price("a", 52)
        await stage.passes(10)
        assert rig.steps()[0] == ("a", None)

    play(scenario)


def test_a_group_without_a_rate_takes_no_part() -> None:
    """EX-109: the USD value of the quote currency is unknown: QuoteRateMissing; that market is subscribed."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage)
        rig.group("l", 16, 100)
        rules = replace(RULES, min_notional=D("0.0001"))
        rig.group("a", 40, "0.0005", symbol="A/BTC", quote="BTC", rules=rules)
        await rig.ripen()
        assert of(rig.feed, SubscribeMarket) == [SubscribeMarket("BTC/USDT")]
        rig.price("l", "92.5")
        rig.price("A/BTC", "0.00052")
        await stage.settle()
        assert rig.events(OffsetDecided)[-1].left_out == {"a": "QuoteRateMissing"}
        rig.price("BTC/USDT", 100_000)
        await stage.passes(11)
        assert rig.steps()[0] == ("a", None)
        await run(rig, 2)
        assert rig.steps()[1] == ("l", D("10.666"))

    play(scenario)


def test_a_frozen_group_takes_no_part() -> None:
    """EX-1204: nothing automatic happens to a group whose difference an operator has to resolve."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        rig.holdings["a"].frozen = True
        rig.say("a")
        await run(rig, 15)
        assert rig.asked == []
        assert rig.events(OffsetDecided)[-1].left_out == {"a": "Frozen"}

    play(scenario)


def test_groups_of_other_accounts_are_not_heard() -> None:
    """EX-113: groups of another account, and so of another mode, never pay for this one's losers."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="")
        other = rig.group("a", 40, 50)
        await stage.settle()
        rig.engine.figures.take(other.standing(stage.now, state=GroupState.CLOSED))
        rig.say("a", account="other")
        await run(rig, 15)
        assert "a" not in rig.engine.figures
        assert rig.asked == []

    play(scenario)


# --- timers ------------------------------------------------------------------------------------------------------------


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


# --- records -----------------------------------------------------------------------------------------------------------


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


# --- flags -------------------------------------------------------------------------------------------------------------


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


def test_flags_survive_a_restart_and_end_with_the_group() -> None:
    """EX-1023: block and skip-once are journalled; when the group closes they are gone."""

    async def scenario(stage: Stage) -> None:
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


# --- status ------------------------------------------------------------------------------------------------------------


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

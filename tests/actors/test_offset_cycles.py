"""When the loss offset looks, and at which groups."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from actors.offset import OffsetEngine
from actors.offset_cycles import LOOK_AT_LEAST_NS
from actors.session import market_topic
from protocol.groups import GroupState
from protocol.market import SubscribeMarket
from protocol.offset import (
    OffsetDecided,
)
from rules.offset import OffsetSettings, OnShortfall
from tests.actors.cast import D, S, Stage, of, play
from tests.actors.offset_rig import ACCOUNT, DONE_AT_ONCE, MINUTE, RULES, OffsetRig, run, worked_example


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


def test_both_sides_of_one_market_are_watched_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1003, EX-1020: of a long and a short of one market each wakes the engine at its own threshold, by bid and ask."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage)
        rig.group("long", 16, 100, symbol="X/USDT")
        rig.group("short", 16, 100, symbol="X/USDT", side="short")
        rig.start()
        rig.price("X/USDT", 99, 101)
        await stage.passes(60)
        rig.price("X/USDT", 99, 101)
        await stage.passes(20)
        looks = Counted(rig, monkeypatch)
        for bid, ask in (("98", "99"), ("101", "103"), ("96", "104")):
            rig.price("X/USDT", bid, ask)
            await stage.passes(20)
        assert looks.at == []
        rig.price("X/USDT", 100, 106)
        await stage.settle()
        assert looks.at == [60.0]
        await stage.passes(20)
        rig.price("X/USDT", 94, 100)
        await stage.settle()
        assert round(looks.at[-1], 3) == 80.0
        assert rig.events(OffsetDecided)[-1].ranked == ("long",)

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

"""The loss offset leaves a plan alone, stops one before its next order, or waits with it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from protocol.groups import GroupState, RiskClose, RiskCloseEnded
from protocol.offset import (
    OffsetDecided,
    OffsetEnded,
)
from rules.offset import OnShortfall
from tests.actors.cast import D, Stage, play
from tests.actors.offset_rig import DONE_AT_ONCE, Holding, OffsetRig, ended, run, worked_example


@pytest.mark.parametrize(
    ("status", "code", "word", "why"),
    [("failed", "SlippageHeld", "stopped", "SlippageHeld"), ("failed", "", "stopped", "failed")],
)
def test_a_close_that_failed_stops_the_plan_before_its_next_order(status: str, code: str, word: str, why: str) -> None:
    """EX-1027: a rejected or given-up close stops the plan; the loser is not touched, what is booked stays booked."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage)
        rig.scripts["b"] = lambda msg, held: ended(msg, status, code=code, qty=10, booked=10)
        await run(rig, 5)
        assert rig.steps() == [("a", None), ("b", D(40))]
        [over] = rig.events(OffsetEnded)
        assert (over.outcome, over.code, over.booked_usd) == (word, why, D(90))

    play(scenario)


@pytest.mark.parametrize("reject", [True, False])
def test_too_much_slippage_stops_the_plan_when_the_settings_say_reject(reject: bool) -> None:
    """EX-1027: SlippageExceeded stops the plan before its next order; with slippage_action = warn it goes on."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, replace(DONE_AT_ONCE, reject_slippage=reject))
        rig.scripts["a"] = lambda msg, held: replace(held.close(msg, D(52), 1), slippage_exceeded=True)
        await run(rig, 5)
        over = rig.events(OffsetEnded)[0]
        assert (over.outcome, over.code) == (("stopped", "SlippageExceeded") if reject else ("done", ""))
        assert (("l", None) in rig.steps()) is not reject

    play(scenario)


def test_a_disconnected_venue_stops_the_plan_before_its_next_order() -> None:
    """EX-1027: the session goes down after the first winner: no further order, the booked profit stays booked."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage)

        def last_one(msg: RiskClose, held: Holding) -> RiskCloseEnded:
            rig.venue(up=False)
            return held.close(msg, D(52), 1)

        rig.scripts["a"] = last_one
        await run(rig, 30)
        assert rig.steps() == [("a", None)]
        [over] = rig.events(OffsetEnded)
        assert (over.outcome, over.code, over.booked_usd) == ("stopped", "VenueDown", D(80))
        rig.venue(up=True)
        await run(rig)
        assert rig.steps()[1:] == [("b", None), ("c", None), ("l", D(8))]

    play(scenario)


def test_without_a_closed_winner_the_loser_is_not_touched() -> None:
    """EX-1016: every winner was skipped or superseded: nothing of the loser is closed."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        rig.scripts["a"] = lambda msg, held: ended(msg, "skipped", code="BelowMinNotional")
        await run(rig, 5)
        assert rig.steps() == [("a", None)]
        [over] = rig.events(OffsetEnded)
        assert (over.outcome, over.code) == ("nothing_closed", "BelowMinNotional")

    play(scenario)


def test_a_loser_that_closes_meanwhile_ends_the_plan() -> None:
    """EX-1015: an exit signal closes the loser while a winner is being closed: the plan ends, nothing is asked of it."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")

        def gone(msg: RiskClose, held: Holding) -> RiskCloseEnded:
            rig.holdings["l"].state = GroupState.CLOSING
            rig.say("l")
            return held.close(msg, D(52), 1)

        rig.scripts["a"] = gone
        await run(rig, 5)
        assert rig.steps() == [("a", None)]
        [over] = rig.events(OffsetEnded)
        assert (over.outcome, over.code) == ("stopped", "NotLive")

    play(scenario)


def test_a_loser_that_recovers_meanwhile_is_left_alone() -> None:
    """EX-1016: the loser's price is back above its entry before its turn: there is no loss to close."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")

        def recovers(msg: RiskClose, held: Holding) -> RiskCloseEnded:
            rig.price("l", 101)
            return held.close(msg, D(52), 1)

        rig.scripts["a"] = recovers
        await run(rig, 5)
        assert rig.steps() == [("a", None)]
        assert rig.events(OffsetEnded)[0].code == "NotLosing"

    play(scenario)


def test_a_loser_without_a_fresh_price_is_waited_for() -> None:
    """EX-1026: at the loser's turn its price is too old: the plan waits for the next one, and ends without it in the end."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        rig.scripts["a"] = lambda msg, held: None
        await run(rig, 0)
        await stage.passes(40)
        del rig.scripts["a"]
        await stage.passes(30)
        assert rig.steps() == [("a", None)]
        assert rig.events(OffsetEnded) == []
        rig.price("l", 90)
        await stage.settle()
        assert rig.steps() == [("a", None), ("l", D(8))]

    play(scenario)


def test_a_plan_gives_up_on_a_price_that_does_not_come() -> None:
    """EX-1026: without any price of the loser the plan ends as StaleMark; what is booked stays booked."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        rig.scripts["a"] = lambda msg, held: None
        await run(rig, 0)
        await stage.passes(40)
        del rig.scripts["a"]
        await stage.passes(200)
        [over] = rig.events(OffsetEnded)
        assert (over.outcome, over.code, over.booked_usd) == ("stopped", "StaleMark", D(80))

    play(scenario)


def test_nothing_is_begun_while_the_venue_is_down() -> None:
    """EX-1027: a plan is only shown while the venue is disconnected, and begun when it is back."""

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, up=False)
        rig.group("l", 16, 100)
        rig.group("a", 40, 50)
        await rig.ripen()
        rig.price("l", "92.5")
        rig.price("a", 52)
        await run(rig, 15)
        assert rig.asked == []
        assert rig.events(OffsetDecided)[-1].plan.executable
        rig.venue(up=True)
        await run(rig, 1)
        assert rig.steps()[0] == ("a", None)

    play(scenario)


def test_wait_leaves_everything_until_winners_suffice() -> None:
    """EX-1013: on_insufficient_winners = wait: nothing is closed until the winners cover the loss."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, replace(DONE_AT_ONCE, on_insufficient_winners=OnShortfall.WAIT), winners="bc")
        await run(rig, 15)
        assert rig.asked == []
        assert rig.events(OffsetDecided)[-1].plan.reason == "insufficient_winners"
        rig.price("b", "17.7")
        await stage.settle()
        await run(rig, 1)
        assert rig.steps() == [("b", None), ("c", D(50)), ("l", None)]

    play(scenario)

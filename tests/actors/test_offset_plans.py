"""The loss offset carries plans out: winners first, then the loser by what was really booked."""

from __future__ import annotations

from msgspec.structs import replace

from actors.offset_plans import RETELL_S
from protocol.groups import GroupState, RiskClose, RiskCloseEnded
from protocol.offset import (
    BlockGroup,
    OffsetEnded,
    OffsetStarted,
    OffsetStepAsked,
    OffsetStepEnded,
)
from protocol.pool import GroupMail
from tests.actors.cast import D, Stage, kinds, of, play
from tests.actors.offset_rig import DONE_AT_ONCE, Holding, OffsetRig, ended, run, worked_example
from tests.actors.orders import market


def test_winners_are_closed_in_plan_order_then_the_loser() -> None:
    """EX-1015: the first worked plan: A in full, 40 of B, then the loser; each step is journalled before the next."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage)
        await run(rig)
        assert rig.steps() == [("a", None), ("b", D(40)), ("l", None)]
        done = kinds(rig.events())
        step = ["OffsetStepAsked", "OffsetStepEnded"]
        begun = done.index("OffsetStarted")
        plan = [each for each in done[begun:] if each.startswith("Offset")]
        assert plan == ["OffsetStarted", *step, *step, *step, "OffsetEnded"]
        [over] = rig.events(OffsetEnded)
        assert (over.outcome, over.booked_usd) == ("done", D(0))
        assert {name: held.qty for name, held in rig.holdings.items()} == {"l": 0, "a": 0, "b": 10, "c": 100}

    play(scenario)


def test_a_plan_that_covers_only_a_part_closes_that_part_of_the_loser() -> None:
    """EX-1013: with B and C only (60 of 120 USD) half of the loser is closed, and it keeps its slot (EX-1017)."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="bc")
        await run(rig)
        assert rig.steps() == [("b", None), ("c", None), ("l", D(8))]
        assert rig.holdings["l"].state is GroupState.ACTIVE

    play(scenario)


def test_the_loser_is_resized_to_what_was_really_booked() -> None:
    """EX-1016: fees and slippage make the winners book less than planned: so much less of the loser is closed."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        rig.holdings["a"].fee_rate, rig.holdings["a"].slip = D("0.001"), D("0.1")
        await run(rig)
        booked = 40 * D("1.9") - (D("51.9") + 50) * 40 * D("0.001")
        assert rig.steps() == [("a", None), ("l", (16 * booked / 120).quantize(D("0.001"), "ROUND_FLOOR"))]
        first = rig.events(OffsetStepEnded)[0]
        assert first.booked_usd == booked
        closed = rig.events(OffsetStepEnded)[1]
        assert closed.booked_usd + booked >= 0

    play(scenario)


def test_the_losers_own_fees_are_paid_for_too() -> None:
    """EX-1016, EX-1001: fees of entry and exit count to the loss that is closed: all in all nothing is lost."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        rig.markets = (market("L/USDT"),)
        rig.venue(up=True)
        rig.holdings["l"].fee_rate = rig.holdings["a"].fee_rate = D("0.001")
        await run(rig)
        [_, (loser, qty)] = rig.steps()
        booked = 80 - 102 * 40 * D("0.001")
        loss = D("7.5") + D("192.5") * D("0.001")
        assert (loser, qty) == ("l", (booked / loss).quantize(D("0.001"), "ROUND_FLOOR"))
        assert 0 <= rig.events(OffsetEnded)[0].booked_usd < D("0.01")

    play(scenario)


def test_the_loser_is_measured_at_its_price_of_that_moment() -> None:
    """EX-1016: the loser fell further while the winners were closed: the booked profit pays for less of it."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")

        def falls(msg: RiskClose, held: Holding) -> RiskCloseEnded:
            rig.price("l", 90)
            return held.close(msg, D(52), 1)

        rig.scripts["a"] = falls
        await run(rig)
        assert rig.steps() == [("a", None), ("l", D(8))]

    play(scenario)


def test_a_superseded_winner_is_passed_over() -> None:
    """EX-1015: a group-wide exit took the winner first: that step is superseded, the next winner follows."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage)
        rig.scripts["a"] = lambda msg, held: ended(msg, "superseded", code="GroupClosing")
        await run(rig, 5)
        assert rig.steps()[:3] == [("a", None), ("b", D(40)), ("l", D("5.333"))]

    play(scenario)


def test_a_group_blocked_in_the_middle_of_a_plan_is_not_touched() -> None:
    """EX-1023: an operator blocks the second winner while the first is being closed: it is passed over."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage)
        rig.scripts["a"] = lambda msg, held: None
        await run(rig, 3)
        await stage.ask("offset", BlockGroup("b"))
        del rig.scripts["a"]
        await run(rig, 32)
        assert rig.steps()[:2] == [("a", None), ("l", D("10.666"))]

    play(scenario)


def test_an_unanswered_step_is_told_again_and_done_once() -> None:
    """EX-105: a close that was lost on the way is told again by its id, and the group does it once."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")

        def mute(msg: RiskClose, held: Holding) -> None:
            held.close(msg, D(52), 1)
            del rig.scripts["a"]

        rig.scripts["a"] = mute
        await run(rig, 5)
        assert len(rig.asked) == 1
        await run(rig, 30)
        assert [each.plan_id for each in rig.asked] == ["p1.1", "p1.1", "p1.2"]
        assert rig.holdings["a"].realized == 80

    play(scenario)


def test_a_closed_group_that_never_answers_is_asked_at_intervals() -> None:
    """EX-105: each telling makes a closed group say again that it is closed: that word is no reason to tell it again."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")

        def closed_and_mute(msg: RiskClose, held: Holding) -> None:
            held.close(msg, D(52), 1)

        rig.scripts["a"] = closed_and_mute
        await run(rig, 3 * RETELL_S + 5)
        assert [each.plan_id for each in rig.asked] == ["p1.1"] * 4

    play(scenario)


def test_an_answer_to_nothing_changes_nothing() -> None:
    """EX-105: an answer heard twice, or to a step nobody asked, is ignored."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        await run(rig, 5)
        before = len(rig.events())
        for step in ("p1.1", "p9.9"):
            answer = ended(RiskClose(group_id="a", plan_id=step, at=1), "closed", qty=40, booked=80)
            await stage.told("offset", answer)
        assert len(rig.events()) == before

    play(scenario)


def test_a_group_that_does_not_live_is_brought_back_for_its_step() -> None:
    """EX-1015: the step of a group whose actor is gone goes to the supervisor of the groups, as its mail."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        rig.scripts["a"] = lambda msg, held: None
        await run(rig, 3)
        stage.remove("a")
        await run(rig, 30)
        [mail] = of(rig.groups, GroupMail)[:1]
        assert isinstance(mail.message, RiskClose)
        assert (mail.group_path, mail.message.plan_id) == ("/house/a", "p1.1")

    play(scenario)


def test_a_cycle_makes_at_most_so_many_plans_and_goes_on_an_interval_later() -> None:
    """EX-1019: the cycle repeats while losers and winners remain, at most max_plans_per_cycle times."""

    async def scenario(stage: Stage) -> None:
        settings = replace(DONE_AT_ONCE, max_plans_per_cycle=2)
        rig = OffsetRig(stage, settings)
        for number in range(3):
            rig.group(f"l{number}", 1, 100)
        rig.group("w", 1000, 10)
        await rig.ripen()
        for number in range(3):
            rig.price(f"l{number}", 90)
        rig.price("w", 11)
        await run(rig, 2)
        assert [each.number for each in rig.events(OffsetStarted)] == [1, 2]
        await run(rig, 12)
        assert [each.number for each in rig.events(OffsetStarted)] == [1, 2, 1]
        assert [each.plan.loser for each in rig.events(OffsetStarted)] == ["l0", "l1", "l2"]

    play(scenario)


def test_with_partial_closes_off_a_shortfall_leaves_the_loser_alone() -> None:
    """EX-1014: winners and loser only in full: fees made the winners book less than the loss, so nothing of it is closed."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, replace(DONE_AT_ONCE, partial_close_enabled=False))
        rig.holdings["a"].slip = D(1)
        await run(rig, 5)
        assert rig.steps() == [("a", None), ("b", None)]
        assert rig.events(OffsetEnded)[0].code == "insufficient_winners"

    play(scenario)


def test_steps_are_asked_once_each() -> None:
    """EX-1015: no group is asked twice in a plan, and the record of asked steps equals what the groups heard."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage)
        await run(rig, 5)
        asked = [(each.group_id, each.qty) for each in rig.events(OffsetStepAsked)]
        assert asked == [(each.group_id, each.qty) for each in rig.asked]
        assert kinds(rig.groups) == []

    play(scenario)

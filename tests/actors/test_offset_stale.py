"""A plan that grows old while it runs: nothing is closed on prices of before, and who is skipped once stays skipped."""

from __future__ import annotations

import pytest

from protocol.groups import RiskClose, RiskCloseEnded
from protocol.offset import OffsetEnded, OffsetStepAsked, RiskFlagCleared, SkipOnce
from rules.group import replay
from rules.group.steps import STALE_STEP_S
from rules.offset import STALE_PLAN_S
from tests.actors.cast import D, Stage, play
from tests.actors.offset_rig import Holding, OffsetRig, prices, run, worked_example
from tests.actors.test_offset_recovery import EVENTS, cut
from tests.rules.group_bench import GROUP, only, wants
from tests.rules.group_bench import filled as bench_filled

SECOND = 10**9


def ended(rig: OffsetRig) -> tuple[str, str]:
    """Return how the last plan ended."""
    over = rig.events(OffsetEnded)[-1]
    return over.outcome, over.code


def test_a_winner_that_wins_no_more_is_left_alone() -> None:
    """EX-1009, EX-1015: while the first winner is closed the second one falls: its loss is not booked for the loser."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="ab")

        def falls(msg: RiskClose, held: Holding) -> RiskCloseEnded:
            rig.price("b", 21)
            return held.close(msg, rig.mark(held), stage.now)

        rig.scripts["a"] = falls
        prices(rig)
        await stage.settle()
        assert [group for group, _ in rig.steps()] == ["a", "l"]
        assert rig.holdings["b"].qty == 50
        assert rig.steps()[1] == ("l", D("10.666"))

    play(scenario)


def test_without_a_winner_left_nothing_is_closed() -> None:
    """EX-1016: all winners have fallen since the plan was made: it ends with that word, the loser is not touched."""
    begun = EVENTS[: next(index for index, each in enumerate(EVENTS) if isinstance(each, OffsetStepAsked))]

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, up=False)
        for group_id, qty, entry, side in (("l", 16, 100, "long"), ("a", 40, 50, "long"), ("b", 50, 20, "short")):
            rig.group(group_id, qty, entry, side=side)
        for symbol, price in (("l", "92.5"), ("a", 49), ("b", 21)):
            rig.price(symbol, price)
        rig.start()
        await stage.settle()
        rig.venue(up=True)
        await stage.settle()
        assert rig.asked == []
        assert ended(rig) == ("nothing_closed", "NotWinning")

    play(scenario, journal=cut(EVENTS, len(begun)))


@pytest.mark.parametrize(("hours", "closed"), [(0, ["a", "b", "l"]), (8, ["l"])])
def test_an_old_plan_closes_no_winner_it_has_not_asked(hours: int, closed: list[str]) -> None:
    """EX-1026: back after a night, a plan goes on only with what it has booked; its other winners need a fresh look."""
    asked = [index for index, each in enumerate(EVENTS) if isinstance(each, OffsetStepAsked)]

    async def after(stage: Stage) -> None:
        await stage.passes(hours * 3_600)
        rig = OffsetRig(stage)
        rig.group("l", 16, 100)
        rig.group("b", 50, 20, side="short")
        rig.unpriced = {"b": D(19), "l": D("92.5")}
        rig.start()
        await stage.settle()
        rig.price("l", "92.5")
        await stage.settle()
        assert [group for group, _ in rig.steps()] == closed[1:] if not hours else closed
        assert ended(rig)[0] == "done"

    play(after, journal=cut(EVENTS, asked[1]))


def test_a_group_refuses_a_step_that_was_asked_too_long_ago() -> None:
    """EX-1026: a step that reaches its group only after a minute closes nothing; what it did before it still answers."""
    bench = bench_filled(1)
    bench.now = 10 * STALE_STEP_S * SECOND
    asked_at = bench.now
    late = RiskClose(group_id=GROUP, plan_id="p1.1", qty=None, reply_to="/x", at=asked_at - (STALE_STEP_S + 1) * SECOND)
    events = bench.tell(late)
    [step] = [event for event in events if type(event).__name__ == "RiskStepEnded"]
    assert (step.status, step.code) == ("skipped", "StaleStep")
    assert wants(events) == []
    assert bench.tell(late) == ()
    assert replay(bench.journal) == bench.view
    in_time = RiskClose(group_id=GROUP, plan_id="p1.2", qty=D("0.5"), reply_to="/x", at=bench.now - SECOND)
    assert only(bench.tell(in_time), type(events[0])) == []
    assert STALE_PLAN_S >= STALE_STEP_S


def test_a_step_keeps_the_instant_it_was_asked_at() -> None:
    """EX-1015: told again, a step says when it was decided, not when it was told."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage, winners="a")
        rig.scripts["a"] = lambda _msg, _held: None
        prices(rig)
        await stage.settle()
        await run(rig, 35)
        assert len(rig.asked) == 2
        assert len({each.at for each in rig.asked}) == 1
        [asked] = rig.events(OffsetStepAsked)
        assert rig.asked[0].at == asked.at

    play(scenario)


def test_who_is_skipped_once_is_skipped_by_the_whole_cycle() -> None:
    """EX-1019, EX-1022: the flag is used up by the first plan's look; the cycle's further plans do not take the group."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage)
        rig.group("m", 10, 100)
        await stage.passes(25)
        await stage.ask("offset", SkipOnce("m"))
        rig.price("m", 94)
        prices(rig)
        await stage.settle()
        assert [each.group_id for each in rig.events(RiskFlagCleared)] == ["m"]
        assert "l" in [group for group, _ in rig.steps()]
        assert "m" not in [group for group, _ in rig.steps()]
        await run(rig, 15)
        assert "m" in [group for group, _ in rig.steps()]

    play(scenario)

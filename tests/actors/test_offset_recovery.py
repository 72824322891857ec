"""The loss offset may die between any two journal writes: what is left goes on to the same end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import RiskClose, RiskCloseEnded
from protocol.messages import Event
from protocol.offset import OffsetEnded, OffsetStepAsked, OffsetStepEnded
from runtime.journal import Entry
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import D, FailingJournal, Stage, play
from tests.actors.offset_rig import ENGINE, Holding, OffsetRig, run, worked_example

MARKS = {"l": D("92.5"), "a": D(52), "b": D(19), "c": D("10.1")}
WHOLE = {"l": D(0), "a": D(0), "b": D(10), "c": D(100)}
"""What the groups hold after the first worked plan."""


def whole_run() -> list[Event]:
    """Return the events of an engine that nothing happened to."""

    async def scenario(stage: Stage) -> list[Event]:
        rig = await worked_example(stage)
        await run(rig, 30)
        assert {name: held.qty for name, held in rig.holdings.items()} == WHOLE
        return rig.events()

    return play(scenario)


def cut(events: list[Event], length: int) -> MemoryJournal:
    """Return a journal that ends after so many events of the engine, as a dead process leaves it."""
    journal = FailingJournal()
    journal.append([Entry(ENGINE, seq, event, 1, seq, seq, 0) for seq, event in enumerate(events[:length], 1)])
    return journal


def replayed(rig: OffsetRig, events: list[Event], *, open_step_done: bool) -> None:
    """Bring the groups to where they stood after these events; the open step may have been done, its answer lost."""
    ended = {event.step_id for event in events if isinstance(event, OffsetStepEnded)}
    for event in events:
        if isinstance(event, OffsetStepAsked) and (event.step_id in ended or open_step_done):
            close = RiskClose(group_id=event.group_id, plan_id=event.step_id, qty=event.qty, at=1)
            rig.holdings[event.group_id].close(close, MARKS[event.group_id], 1)


EVENTS = whole_run()


@pytest.mark.parametrize("open_step_done", [False, True])
@pytest.mark.parametrize("length", range(len(EVENTS) + 1))
def test_a_cut_after_any_event_ends_the_same(length: int, open_step_done: bool) -> None:
    """EX-1201: killed after any event, with the open step done or not, the groups end with the same quantities."""

    async def scenario(stage: Stage) -> dict[str, Decimal]:
        rig = OffsetRig(stage)
        rig.unpriced = MARKS
        rig.group("l", 16, 100)
        rig.group("a", 40, 50)
        rig.group("b", 50, 20, side="short")
        rig.group("c", 100, 10)
        before = EVENTS[:length]
        replayed(rig, before, open_step_done=open_step_done)
        for held in rig.holdings.values():
            rig.say(held.group_id)
        rig.start()
        await stage.passes(25)
        await run(rig, 45)
        asked = rig.events(OffsetStepAsked)
        assert len({(event.plan_id, event.group_id) for event in asked}) == len(asked)
        return {name: held.qty for name, held in rig.holdings.items()}

    assert play(scenario, journal=cut(EVENTS, length)) == WHOLE


@pytest.mark.parametrize("length", range(len(EVENTS) + 1))
def test_events_fold_to_the_same_state_from_anywhere(length: int) -> None:
    """EX-1201: a snapshot after any event and the events after it give the state that all events give."""
    from actors.offset_state import OffsetState

    whole = OffsetState()
    for event in EVENTS:
        whole.fold(event)
    part = OffsetState()
    for event in EVENTS[:length]:
        part.fold(event)
    part = OffsetState.decoded(part.encoded())
    for event in EVENTS[length:]:
        part.fold(event)
    assert part == whole


def test_a_plan_goes_on_after_a_restart_of_everything_when_venue_and_groups_are_back() -> None:
    """EX-1015: with the winners closed and the loser not yet asked, the next life waits for both, then asks it."""
    asked = [index for index, event in enumerate(EVENTS) if isinstance(event, OffsetStepEnded)][1]

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage, up=False)
        rig.start()
        await stage.passes(5)
        assert rig.asked == []
        rig.venue(up=True)
        await stage.passes(5)
        rig.group("l", 16, 100)
        await stage.passes(5)
        assert rig.asked == []
        rig.price("l", "92.5")
        await stage.settle()
        assert rig.steps() == [("l", None)]
        assert rig.events(OffsetEnded)[-1].outcome == "done"

    play(scenario, journal=cut(EVENTS, asked + 1))


def test_a_loser_that_is_gone_after_a_restart_ends_the_plan() -> None:
    """EX-1015: the loser was closed while everything was down and never says how it stands: the plan ends (NotFound)."""
    asked = [index for index, event in enumerate(EVENTS) if isinstance(event, OffsetStepEnded)][1]

    async def scenario(stage: Stage) -> None:
        rig = OffsetRig(stage)
        rig.start()
        await stage.passes(200)
        [over] = rig.events(OffsetEnded)
        assert (over.outcome, over.code) == ("stopped", "NotFound")

    play(scenario, journal=cut(EVENTS, asked + 1))


@pytest.mark.parametrize("after", range(4))
def test_a_commit_that_fails_takes_the_step_back(after: int) -> None:
    """EX-1201: the disk is full for a moment while a plan runs: what was lost is made again, and all ends the same."""

    async def scenario(stage: Stage) -> None:
        rig = await worked_example(stage)
        journal = stage.journal
        assert isinstance(journal, FailingJournal)
        answered = 0

        def slowly(msg: RiskClose, held: Holding) -> RiskCloseEnded:
            nonlocal answered
            answered += 1
            if answered == after:
                journal.fail_next = 1
            return held.close(msg, MARKS[held.group_id], 1)

        rig.scripts = dict.fromkeys(WHOLE, slowly)
        journal.fail_next = int(after == 0)
        await run(rig, 90)
        assert {name: held.qty for name, held in rig.holdings.items()} == WHOLE

    play(scenario)

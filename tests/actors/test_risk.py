"""The risk coordinator: permits on demand, and a pause that survives."""

from __future__ import annotations

from typing import Any

from actors.risk import PERMITS, RiskCoordinator
from protocol.risk import EngineStatus, PauseEngine, Permit, RenewPermit, ResumeEngine
from tests.actors.cast import START, FailingJournal, S, Stage, kinds, play

PATH = "/house/risk"


def rig(stage: Stage) -> list[Permit]:
    """Start the coordinator; return the permits it publishes."""
    permits = stage.probe("permits", topics=(PERMITS,))
    stage.add("risk", RiskCoordinator)
    return permits


def said(permits: list[Permit]) -> list[tuple[int, str, str]]:
    """Return number, status and reason of permits."""
    return [(permit.number, permit.status.value, permit.reason) for permit in permits]


def test_a_permit_at_the_start_and_on_demand() -> None:
    """Each permit is stamped with the instant at which it was given; nothing is given by a clock."""

    async def script(stage: Stage) -> None:
        permits = rig(stage)
        await stage.passes(100)
        await stage.told("risk", RenewPermit())
        assert said(permits) == [(0, "running", ""), (0, "running", "")]
        assert [permit.at // S for permit in permits] == [START // S, START // S + 100]
        assert stage.events(PATH) == []

    play(script)


def test_pause_and_resume() -> None:
    """Each change is journalled once and published with a higher number; a repeat changes nothing (EX-111)."""

    async def script(stage: Stage) -> None:
        permits = rig(stage)
        await stage.told("risk", PauseEngine("rain"), PauseEngine("storm"), ResumeEngine(), ResumeEngine())
        assert said(permits)[1:] == [(1, "paused", "rain"), (2, "running", "")]
        assert [(event.number, event.status.value) for event in stage.events(PATH)] == [(1, "paused"), (2, "running")]
        assert [permit.entries_allowed for permit in permits] == [True, False, True]

    play(script)


def test_a_pause_survives() -> None:
    """A pause holds over a crash and over a new process until an operator ends it."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        permits = rig(stage)
        await stage.told("risk", PauseEngine(""))
        await stage.crash("risk")
        assert said(permits)[-1] == (1, "paused", "by an operator")

    async def second(stage: Stage) -> None:
        permits = rig(stage)
        await stage.settle()
        assert said(permits) == [(1, "paused", "by an operator")]
        await stage.told("risk", ResumeEngine())
        assert said(permits)[-1] == (2, "running", "")

    play(first, journal=journal)
    play(second, journal=journal)


def test_a_resume_that_is_not_kept_does_not_hold() -> None:
    """When the journal cannot keep the end of a pause, the next permit says paused again."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        permits = rig(stage)
        await stage.told("risk", PauseEngine("rain"))
        journal.failing = True
        await stage.told("risk", ResumeEngine())
        assert said(permits)[-1] == (1, "paused", "rain")

    play(script, journal=journal)


def test_whoever_subscribes_later_hears_the_newest() -> None:
    """The standing permit reaches a desk that starts after it was given."""

    async def script(stage: Stage) -> None:
        rig(stage)
        await stage.told("risk", PauseEngine("rain"))
        late: list[Any] = stage.probe("late", topics=(PERMITS,))
        await stage.settle()
        assert kinds(late) == ["Permit"]
        assert late[0].status is EngineStatus.PAUSED

    play(script)

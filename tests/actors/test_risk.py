"""The risk coordinator: permits on demand, and a pause that survives."""

from __future__ import annotations

from typing import Any

from actors.risk import PERMITS, PROBE_S, RiskCoordinator, tell_of_journal
from actors.session_topics import health_topic
from protocol.risk import (
    EngineStatus,
    EngineStatusChanged,
    EngineTrouble,
    EngineTroubleOver,
    PauseEngine,
    Permit,
    RenewPermit,
    ResumeEngine,
    StatusAnswer,
)
from protocol.venue import VenueHealth, VenueStatus
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import START, FailingJournal, S, Stage, kinds, play
from tests.actors.cuts import cuts

PATH = "/house/risk"


def rig(stage: Stage, *accounts: str) -> list[Permit]:
    """Start the coordinator; return the permits it publishes."""
    permits = stage.probe("permits", topics=(PERMITS,))
    stage.add("risk", lambda: RiskCoordinator(accounts))
    stage.system.durability.watchers.append(lambda error: tell_of_journal(stage.system, PATH, error))
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
    """When the journal cannot keep the end of a pause, the next permit says so, and paused again after it (EX-111)."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        permits = rig(stage)
        await stage.told("risk", PauseEngine("rain"))
        journal.failing = True
        await stage.told("risk", ResumeEngine())
        assert said(permits)[-1] == (1, "error", "the journal cannot be written: the disk is full")
        journal.failing = False
        await stage.passes(PROBE_S + 0.1)
        assert (permits[-1].status, permits[-1].reason) == (EngineStatus.PAUSED, "rain")

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


# --- Error --------------------------------------------------------------------------------------------------------------


def health(stage: Stage, account: str, status: VenueStatus) -> None:
    fact = VenueHealth(account=account, status=status, code="VenueDown", at=stage.now)
    stage.system.bus.publish(health_topic(account), fact, keep=True)


def statuses(stage: Stage) -> list[str]:
    """Return the journalled statuses."""
    return [event.status.value for event in stage.events(PATH, EngineStatusChanged)]


def test_error_while_every_venue_is_down() -> None:
    """EX-111: with every account's venue down the engine is in Error, and leaves it by itself when one is back."""

    async def script(stage: Stage) -> None:
        permits = rig(stage, "one", "two")
        health(stage, "one", VenueStatus.DOWN)
        await stage.settle()
        assert permits[-1].status is EngineStatus.RUNNING
        health(stage, "two", VenueStatus.STOPPED)
        await stage.settle()
        assert permits[-1].status is EngineStatus.ERROR
        assert not permits[-1].entries_allowed
        assert "one is down (VenueDown); two is stopped" in permits[-1].reason
        health(stage, "one", VenueStatus.UP)
        await stage.settle()
        assert permits[-1].status is EngineStatus.RUNNING
        assert statuses(stage) == ["error", "running"]

    play(script)


def test_error_while_the_journal_cannot_be_written() -> None:
    """EX-111, EX-1201: the first failed write brings Error, the first that works again ends it, whoever wrote."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        permits = rig(stage)
        await stage.settle()
        journal.failing = True
        await stage.told("risk", PauseEngine("rain"))
        assert permits[-1].status is EngineStatus.ERROR
        await stage.passes(60)
        assert permits[-1].status is EngineStatus.ERROR
        assert "disk is full" in permits[-1].reason
        journal.failing = False
        await stage.passes(PROBE_S + 0.1)
        assert permits[-1].status is EngineStatus.RUNNING
        assert statuses(stage) == ["error", "running"]

    play(script, journal=journal)


def test_a_configuration_that_is_invalid_at_the_start() -> None:
    """EX-111: any cause that is told holds entries until it is told to be over; two causes need two ends."""

    async def script(stage: Stage) -> None:
        permits = rig(stage)
        await stage.told(
            "risk", EngineTrouble("configuration", "pool.max is above 100"), EngineTrouble("other", "rain")
        )
        assert permits[-1].reason == "pool.max is above 100; rain"
        await stage.told("risk", EngineTroubleOver("other"), EngineTroubleOver("nothing"))
        assert (permits[-1].status, permits[-1].reason) == (EngineStatus.ERROR, "pool.max is above 100")
        await stage.told("risk", EngineTroubleOver("configuration"))
        assert permits[-1].status is EngineStatus.RUNNING

    play(script)


def test_a_pause_in_error_holds_after_it() -> None:
    """EX-111: what an operator wants meanwhile counts when the cause is gone; requests are answered with the status."""

    async def script(stage: Stage) -> None:
        permits = rig(stage)
        await stage.told("risk", EngineTrouble("x", "broken"))
        answer = await stage.ask("risk", PauseEngine("rain"))
        assert isinstance(answer, StatusAnswer)
        assert (answer.status, answer.reason) == (EngineStatus.ERROR, "broken")
        await stage.told("risk", EngineTroubleOver("x"))
        assert (permits[-1].status, permits[-1].reason) == (EngineStatus.PAUSED, "rain")
        answer = await stage.ask("risk", ResumeEngine())
        assert answer.status is EngineStatus.RUNNING
        numbers = [permit.number for permit in permits]
        assert numbers == sorted(numbers)

    play(script)


def test_an_error_does_not_outlive_its_cause() -> None:
    """EX-111, EX-1205: causes are found anew in each life, wherever the journal was cut; a pause stays."""
    whole = MemoryJournal()

    async def life(stage: Stage) -> None:
        rig(stage, "one")
        await stage.told("risk", PauseEngine("rain"))
        health(stage, "one", VenueStatus.DOWN)
        await stage.settle()
        await stage.told("risk", ResumeEngine())

    async def later(stage: Stage) -> None:
        permits = rig(stage, "one")
        await stage.settle()
        last = [event for event in stage.events(PATH, EngineStatusChanged) if event.status is not EngineStatus.ERROR]
        wanted = last[-1].status if last else EngineStatus.RUNNING
        assert permits[-1].status is wanted
        health(stage, "one", VenueStatus.UP)
        await stage.settle()
        assert permits[-1].status is wanted

    play(life, journal=whole)
    assert whole.head() == 4
    for cut in cuts(whole):
        play(later, journal=cut)


def test_a_trouble_known_at_the_start_is_in_the_first_permit() -> None:
    """EX-111: with an invalid configuration no permit ever allows an entry, until that is over; a pause is not forgotten."""

    async def script(stage: Stage) -> None:
        permits = stage.probe("permits", topics=(PERMITS,))
        stage.add("risk", lambda: RiskCoordinator((), {"configuration": "config.toml is invalid"}))
        await stage.settle()
        assert {permit.status for permit in permits} == {EngineStatus.ERROR}
        assert [(each.status, each.reason) for each in stage.events(PATH)] == [("error", "config.toml is invalid")]
        await stage.told("risk", PauseEngine("rain"), EngineTroubleOver("configuration"))
        assert said(permits)[-1][1:] == ("paused", "rain")

    play(script)

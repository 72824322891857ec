"""One account stopped until it is armed: over restarts, whatever the engine does, entries only."""

from __future__ import annotations

from typing import Any

from actors.risk import PERMITS, RiskCoordinator
from protocol.notifications import DaySummaryKept
from protocol.risk import (
    AccountArmed,
    AccountStanding,
    AccountStopped,
    ArmAccount,
    EngineStatus,
    PauseEngine,
    Permit,
    ResumeEngine,
    StopAccount,
)
from protocol.telegram import PhoneDropped, PhoneStrangers
from rules.event_log.classify import line_of
from rules.event_log.line import LineSeverity
from rules.notices.of_events import draft_of
from rules.telegram.commands import parse_command
from tests.actors.cast import FailingJournal, Stage, of, play


def newest(heard: list[Any]) -> Permit:
    return of(heard, Permit)[-1]


def test_a_stopped_account_stays_stopped_until_it_is_armed() -> None:
    """The permit bars the account alone, after a restart too; resuming the engine does not arm it."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        heard = stage.probe("ear", topics=(PERMITS,))
        stage.add("risk", lambda: RiskCoordinator(("a", "b")))
        await stage.settle()
        said = await stage.ask("risk", StopAccount("a", "odd fills", "ann"))
        assert said == AccountStanding("a", True, "odd fills")
        assert newest(heard).bars("a") == ("AccountStopped", "odd fills")
        assert newest(heard).bars("b") is None
        await stage.ask("risk", StopAccount("a", "again", "bob"))
        assert len(stage.events("/house/risk", AccountStopped)) == 1

    async def second(stage: Stage) -> None:
        heard = stage.probe("ear", topics=(PERMITS,))
        stage.add("risk", lambda: RiskCoordinator(("a", "b")))
        await stage.settle()
        await stage.ask("risk", PauseEngine("news"))
        assert newest(heard).bars("b") == ("EnginePaused", "news")
        await stage.ask("risk", ResumeEngine())
        assert newest(heard).status is EngineStatus.RUNNING
        assert newest(heard).bars("a") == ("AccountStopped", "odd fills")
        assert (await stage.ask("risk", ArmAccount("a", "ann"))).stopped is False
        assert newest(heard).bars("a") is None
        await stage.ask("risk", ArmAccount("a", "ann"))
        assert len(stage.events("/house/risk", AccountArmed)) == 1

    play(first, journal=journal)
    play(second, journal=journal)


def test_what_operators_read_of_it_and_of_the_phone() -> None:
    """EX-1401: a stop is a warning and a critical notice; strangers, given up messages and day summaries are lines."""
    stopped = line_of(AccountStopped("a", "odd fills", "ann", 1))
    assert stopped is not None
    assert stopped.severity is LineSeverity.WARNING
    assert "a takes no entries until it is armed by ann: odd fills" in stopped.text
    draft = draft_of(AccountStopped("a", "odd fills", "ann", 1))
    assert draft is not None
    assert draft.type == "kill_switch.activated"
    strangers = line_of(PhoneStrangers(update_id=1, count=2, chat=9, user=9, at=1))
    assert strangers is not None
    assert strangers.code == "TelegramUnauthorized"
    assert line_of(PhoneStrangers(update_id=1, count=0, chat=9, user=9, at=1)) is None
    summary = line_of(DaySummaryKept(day="2026-01-01", text="fine", at=1))
    assert summary is not None
    assert (summary.code, summary.text) == ("DaySummary", "2026-01-01: fine")
    dropped = line_of(PhoneDropped(id=1, chat=7, reason="blocked", at=1))
    assert dropped is not None
    assert "given up: blocked" in dropped.text


def test_a_command_that_nobody_knows_is_told_so() -> None:
    """ML-1081: an unknown command is UnknownCommand, never something near it."""
    assert parse_command("/closealll").error == "UnknownCommand"

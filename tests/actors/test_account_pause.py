"""The operator's pause of one account, beside the engine's: each survives a restart and is ended by itself (ML-1080)."""

from __future__ import annotations

import pytest

from actors.risk import PERMITS, RiskCoordinator
from protocol.codec import decode_json, encode_json
from protocol.risk import (
    AccountPaused,
    AccountResumed,
    Bar,
    EngineStatus,
    EngineStatusChanged,
    EngineTrouble,
    PauseEngine,
    Permit,
    ResumeEngine,
    StatusAnswer,
    StopAccount,
)
from rules.event_log.classify import line_of
from rules.event_log.line import LineSeverity
from rules.notices.of_events import draft_of
from tests.actors.cast import FailingJournal, Stage, of, play
from tests.actors.test_account_stop import newest

PATH = "/house/risk"


def test_an_account_is_paused_and_resumed_by_itself() -> None:
    """ML-1080, ML-922: only its own entries are barred; resuming the engine does not end it, nor the other way round."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        heard = stage.probe("ear", topics=(PERMITS,))
        stage.add("risk", lambda: RiskCoordinator(("a", "b")))
        await stage.settle()
        said = await stage.ask("risk", PauseEngine("news", "a"))
        assert said == StatusAnswer(EngineStatus.PAUSED, "account paused: news", 0, "a")
        assert newest(heard).bars("a") == Bar("AccountPaused", "news")
        assert newest(heard).bars("b") is None
        await stage.ask("risk", PauseEngine("again", "a"))
        assert [each.reason for each in stage.events(PATH, AccountPaused)] == ["news"]
        await stage.ask("risk", PauseEngine("lunch"))
        await stage.ask("risk", ResumeEngine())
        assert newest(heard).bars("a") == Bar("AccountPaused", "news")
        assert newest(heard).bars("b") is None
        await stage.ask("risk", PauseEngine("night"))

    async def second(stage: Stage) -> None:
        heard = stage.probe("ear", topics=(PERMITS,))
        stage.add("risk", lambda: RiskCoordinator(("a", "b")))
        await stage.settle()
        assert newest(heard).said("b") == "paused: night"
        assert newest(heard).held == (("a", Bar("AccountPaused", "news")),)
        said = await stage.ask("risk", ResumeEngine("a"))
        assert (said.status, said.reason) == (EngineStatus.PAUSED, "paused: night")
        assert newest(heard).status is EngineStatus.PAUSED
        assert (await stage.ask("risk", ResumeEngine())).status is EngineStatus.RUNNING
        assert newest(heard).bars("a") is None
        await stage.ask("risk", ResumeEngine("a"))
        assert len(stage.events(PATH, AccountResumed)) == 1
        assert len(stage.events(PATH, EngineStatusChanged)) == 4

    play(first, journal=journal)
    play(second, journal=journal)


def test_what_holds_an_account_is_told_apart() -> None:
    """An account that is stopped and paused says the stop first, then the pause; in Error the answer says Error."""

    async def script(stage: Stage) -> None:
        heard = stage.probe("ear", topics=(PERMITS,))
        stage.add("risk", lambda: RiskCoordinator(("a",)))
        await stage.settle()
        await stage.ask("risk", PauseEngine("", "a"))
        await stage.ask("risk", StopAccount("a", "odd fills", "ann"))
        assert newest(heard).said("a") == "account stopped: odd fills"
        assert [bar.code for _, bar in newest(heard).held] == ["AccountStopped", "AccountPaused"]
        said = await stage.ask("risk", ResumeEngine("a"))
        assert (said.status, said.reason) == (EngineStatus.PAUSED, "account stopped: odd fills")
        await stage.told("risk", EngineTrouble("venues", "no venue can be traded"))
        said = await stage.ask("risk", PauseEngine("x", "a"))
        assert (said.status, said.reason) == (EngineStatus.ERROR, "error: no venue can be traded")
        assert newest(heard).bars("a") == Bar("EnginePaused", "no venue can be traded")
        assert of(heard, Permit)[-1].held[-1] == ("a", Bar("AccountPaused", "x"))

    play(script)


def test_a_permit_of_before_is_read() -> None:
    """A recorded permit of a bulkhead that knew no account's pause holds nobody; so do its requests."""
    old = encode_json({"type": "Permit", "number": 3, "status": "running", "at": 5})
    assert decode_json(old, Permit).held == ()
    assert decode_json(encode_json({"type": "PauseEngine", "reason": "x"}), PauseEngine).account == ""


@pytest.mark.parametrize(
    ("event", "severity", "line", "kind", "title"),
    [
        (
            AccountPaused("a", "news", 1),
            LineSeverity.WARNING,
            "a takes no entries until it is resumed: news",
            "kill_switch.activated",
            "Account a is paused: no new entries, exits go on (news)",
        ),
        (
            AccountResumed("a", 1),
            LineSeverity.INFO,
            "the pause of a is over",
            "engine.running",
            "The pause of account a is over",
        ),
    ],
)
def test_what_operators_read_of_it(
    event: AccountPaused | AccountResumed, severity: LineSeverity, line: str, kind: str, title: str
) -> None:
    """EX-1401, DS-721: a pause is a warning in the log and a critical notice, its end tells itself."""
    said, draft = line_of(event), draft_of(event)
    assert said is not None
    assert (said.severity, said.text) == (severity, line)
    assert draft is not None
    assert (draft.type, draft.title) == (kind, title)

"""The event log's actor: its own lines once each, crowds thinned out, commands always, all of it durable."""

from __future__ import annotations

from typing import Any

import pytest

from actors.event_log import ALL_TOGETHER, OF_ONE_KIND, EventLog
from protocol.control import ReportContext, SupervisorReport
from protocol.event_log import (
    AcknowledgeEvents,
    EventLogged,
    EventsAcknowledged,
    LogEvent,
    NoteCommand,
    OperatorActed,
)
from runtime.memory_journal import MemoryJournal
from supervision.keeper import TOPIC
from tests.actors.cast import START, FailingJournal, Stage, play

PATH = "/house/log"


def lines(stage: Stage) -> list[EventLogged]:
    return stage.events(PATH, EventLogged)


def command(**fields: Any) -> NoteCommand:
    given = {"operator": "ann", "origin": "unix socket", "command": "pause", "outcome": "done", **fields}
    return NoteCommand(**given)


def report(context: ReportContext, offender: str = "/trading/groups/paper/x~g1") -> SupervisorReport:
    return SupervisorReport(
        supervisor="/trading", context=context, reason="KeyError('x')", offender=offender, delay_s=0.5, at=START
    )


def test_what_supervisors_report_is_in_the_log() -> None:
    """EX-1404: restarts are lines of the log, about the actor and its group; a quarantine is pinned (EX-1406)."""

    async def script(stage: Stage) -> None:
        stage.add("log", EventLog)
        await stage.settle()
        stage.system.bus.publish(TOPIC, report(ReportContext.RESTART))
        stage.system.bus.publish(TOPIC, report(ReportContext.QUARANTINED))
        await stage.settle()
        first, second = lines(stage)
        assert (first.code, first.severity, first.group_id, first.pinned) == ("ActorRestarted", "warning", "g1", False)
        assert first.text == "restart: KeyError('x'), again in 0.5 s"
        assert (second.code, second.severity, second.pinned) == ("ActorQuarantined", "error", True)

    play(script)


@pytest.mark.parametrize(
    ("context", "code", "pinned"),
    [
        (ReportContext.START_ERROR, "ActorNotStarted", False),
        (ReportContext.CHILD_TERMINATED, "ActorEnded", False),
        (ReportContext.SHUTDOWN_ERROR, "ActorNotStopped", False),
        (ReportContext.ESCALATED, "ActorEscalated", True),
        (ReportContext.RELEASED, "ActorReleased", False),
    ],
)
def test_each_word_of_a_supervisor_has_its_code(context: ReportContext, code: str, pinned: bool) -> None:
    """EX-1404: whatever a supervisor reports is one line with a code; what needs an operator is pinned (EX-1406)."""

    async def script(stage: Stage) -> None:
        stage.add("log", EventLog)
        await stage.settle()
        stage.system.bus.publish(TOPIC, report(context))
        await stage.settle()
        (line,) = lines(stage)
        assert (line.code, line.pinned) == (code, pinned)

    play(script)


@pytest.mark.parametrize("every", [0, 1])
def test_a_line_told_again_is_written_once(every: int) -> None:
    """EX-105: the same id changes nothing, also over a crash and over a new process."""
    journal = FailingJournal()
    line = LogEvent(id="a", code="Refused", text="no")

    async def first(stage: Stage) -> None:
        stage.system.durability.snapshot_every = every
        stage.add("log", EventLog)
        await stage.told("log", line, line)
        await stage.crash("log")
        await stage.told("log", line)
        assert len(lines(stage)) == 1

    async def second(stage: Stage) -> None:
        stage.add("log", EventLog)
        await stage.told("log", line, LogEvent(id="b", code="Refused", text="no"))
        assert [each.id for each in lines(stage)] == ["a", "b"]
        assert stage.actor("log").detail == "2 lines"

    play(first, journal=journal)
    play(second, journal=journal, start=START + 1)


def test_a_crowd_is_thinned_out_and_counted() -> None:
    """A crash loop cannot flood the journal: some lines, then one now and then that says how many were left out."""

    async def script(stage: Stage) -> None:
        stage.add("log", EventLog)
        await stage.told("log", *[LogEvent(code="ActorRestarted", text="again", about="/a") for _ in range(50)])
        assert len(lines(stage)) == OF_ONE_KIND.burst
        await stage.told("log", LogEvent(code="ActorRestarted", text="again", about="/b"))
        assert len(lines(stage)) == OF_ONE_KIND.burst + 1
        await stage.passes(OF_ONE_KIND.every_s + 1)
        await stage.told("log", LogEvent(code="ActorRestarted", text="again", about="/a"))
        assert lines(stage)[-1].left_out == 50 - OF_ONE_KIND.burst

    play(script)


def test_many_kinds_together_are_thinned_out_too() -> None:
    """A thousand actors that crash at once leave a bounded number of lines."""

    async def script(stage: Stage) -> None:
        stage.add("log", EventLog)
        await stage.told("log", *[LogEvent(code="X", text="x", about=f"/{number}") for number in range(500)])
        assert len(lines(stage)) == ALL_TOGETHER.burst

    play(script)


def test_every_command_is_written() -> None:
    """EX-1405: what operators do is journalled without exception: who, from where, what, with what, what came of it."""

    async def script(stage: Stage) -> None:
        stage.add("log", EventLog)
        await stage.told("log", *[command(arguments={"reason": str(number)}) for number in range(500)])
        acted = stage.events(PATH, OperatorActed)
        assert [each.arguments["reason"] for each in acted] == [str(number) for number in range(500)]
        assert (acted[0].operator, acted[0].origin, acted[0].command) == ("ann", "unix socket", "pause")

    play(script)


def test_alerts_are_acknowledged_by_name() -> None:
    """EX-1406: an acknowledgement is journalled with the operator's name and answered; a repeat does no harm."""

    async def script(stage: Stage) -> None:
        stage.add("log", EventLog)
        said = await stage.ask("log", AcknowledgeEvents("ann", (3, 5)))
        assert isinstance(said, EventsAcknowledged)
        await stage.ask("log", AcknowledgeEvents("ann", (3, 5)))
        assert [each.positions for each in stage.events(PATH)] == [(3, 5), (3, 5)]

    play(script)


def test_words_that_the_log_does_not_know_keep_no_line_out() -> None:
    """EX-1401: a line with an unknown severity, source or tag is written as information of the system."""

    async def script(stage: Stage) -> None:
        stage.add("log", EventLog)
        await stage.told("log", LogEvent(code="X", text="x", severity="odd", source="sea", tags=("entry", "odd")))
        line = lines(stage)[0]
        assert (line.severity, line.source, line.tags) == ("info", "system", ("entry",))

    play(script)


def test_a_journal_cut_anywhere_ends_in_the_same_lines() -> None:
    """Killed between any two writes and told again what nobody answered for, the log holds each line once."""
    told = [LogEvent(id=f"l{number}", code="X", text="x", about=f"/{number}") for number in range(6)]
    whole = MemoryJournal()

    async def run(stage: Stage) -> list[str]:
        stage.add("log", EventLog)
        await stage.told("log", *told)
        return [each.id for each in lines(stage)]

    expected = play(run, journal=whole)
    records = list(whole.read_all())
    for cut in range(len(records) + 1):
        kept = MemoryJournal()
        kept.append([record_entry(each) for each in records[:cut]])
        assert play(run, journal=kept, start=START + 1) == expected


def record_entry(record: Any) -> Any:
    from runtime.journal import Entry

    return Entry(*record[1:])

"""The notifier: one path from the journal to the notices, nothing lost over its lives, repeats, days."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from actors.event_log import EventLog
from actors.notifier import Backlog, Notifier, drafts_of
from protocol.event_log import AcknowledgeEvents, LogEvent
from protocol.notifications import (
    NOTICES,
    DayFigures,
    DaySummaryKept,
    DismissNotices,
    ListNotices,
    NoticeList,
    NoticesKept,
    NoticesRepeated,
    ReadNotices,
)
from protocol.values import Scope
from runtime.actor import Actor, handles
from tests.actors.cast import FailingJournal, S, Stage, play

PATH = "/house/notifier"


class Ear(Actor):
    """Hears what the notifier publishes."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def started(self) -> None:
        self.context.bus.subscribe(NOTICES, self.ref)

    @handles
    def hear(self, msg: NoticesKept | NoticesRepeated) -> None:
        self.log.append(msg)


def add(stage: Stage, **options: Any) -> list[Any]:
    async def backlog(after: int) -> Backlog:
        head = stage.journal.head()
        if after < 0:
            return Backlog((), head)
        return drafts_of([(each.position, each.at, each.event) for each in stage.journal.read_all(after)], head)

    said: list[Any] = []
    stage.add("ear", lambda: Ear(said))
    stage.add("log", EventLog)
    stage.add("notifier", lambda: Notifier(backlog, **options))
    return said


def line(code: str, **more: Any) -> LogEvent:
    return LogEvent(code=code, text=f"{code} happened", **more)


async def listed(stage: Stage, after: int = 0) -> NoticeList:
    found: NoticeList = await stage.ask("notifier", ListNotices(after=after))
    return found


def test_what_is_journalled_is_noticed_once() -> None:
    """EX-1406: a pinned line of the log becomes a critical notice, an ordinary one none; told again it is no second one."""

    async def script(stage: Stage) -> None:
        said = add(stage)
        await stage.settle()
        await stage.told("log", line("Down", id="1", pinned=True), line("Fine"), line("Down", id="1", pinned=True))
        found = await listed(stage)
        assert [(each.seq, each.type, each.title) for each in found.notices] == [(1, "alert.pinned", "Down happened")]
        assert found.unread == 1
        assert [each.seq for kept in said for each in kept.notices] == [1]

    play(script)


def test_what_happened_while_it_was_down_is_noticed_at_its_next_start() -> None:
    """No alert is lost: the journal is read from where it was left, in a later run too; what was known stays known."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        add(stage)
        await stage.settle()
        await stage.told("log", line("One", pinned=True))
        stage.remove("notifier")
        await stage.settle()
        await stage.told("log", line("Two", pinned=True), line("Three", severity="warning"))

    async def second(stage: Stage) -> None:
        add(stage)
        await stage.settle()
        await stage.told("log", line("Four", pinned=True))
        found = await listed(stage)
        assert [each.title.split()[0] for each in found.notices] == ["One", "Two", "Three", "Four"]
        await stage.crash("notifier")
        assert [each.seq for each in (await listed(stage)).notices] == [1, 2, 3, 4]

    play(first, journal=journal)
    play(second, journal=journal)


def test_critical_ones_are_said_again_until_acknowledged() -> None:
    """DK-261: again after 30 min, and after each further 30 min; not once an operator has acknowledged the alert."""

    async def script(stage: Stage) -> None:
        said = add(stage)
        await stage.settle()
        await stage.told("log", line("Down", pinned=True))
        await stage.passes(1_801)
        await stage.passes(1_801)
        assert [each.seqs for each in said if isinstance(each, NoticesRepeated)] == [(1,), (1,)]
        head = stage.journal.head()
        await stage.ask("log", AcknowledgeEvents("ann", through=head))
        await stage.passes(7_200)
        assert sum(isinstance(each, NoticesRepeated) for each in said) == 2
        assert (await listed(stage)).unread == 0

    play(script)


def test_read_and_dismissed_are_shared_and_last() -> None:
    """DS-722, DS-724: reading and dismissing change what every screen sees, and a crash changes nothing of it."""

    async def script(stage: Stage) -> None:
        add(stage)
        await stage.settle()
        await stage.told("log", *(line(name, pinned=True) for name in ("One", "Two", "Three")))
        assert (await stage.ask("notifier", ReadNotices(by="ann", seqs=(1,)))).unread == 2
        assert [each.seq for each in (await stage.ask("notifier", DismissNotices(by="ann", through=2))).notices] == [3]
        await stage.crash("notifier")
        found = await listed(stage)
        assert ([each.seq for each in found.notices], found.unread) == ([3], 1)
        assert [each.seq for each in (await listed(stage, after=3)).notices] == []

    play(script)


def test_a_day_is_summed_up_after_midnight_and_a_missed_one_at_the_next_start() -> None:
    """EX-1716: the summary of a local day is stored at midnight, once, and becomes a notice."""
    journal = FailingJournal()
    asked: list[str] = []

    figures = DayFigures(scope=Scope.PAPER, groups_closed=2, fills=9, volume_usd=Decimal("150.5"), net_pnl=Decimal(-3))

    async def summary(day: str) -> tuple[str, tuple[DayFigures, ...]]:
        asked.append(day)
        return f"{day} was fine", (figures,)

    async def first(stage: Stage) -> None:
        add(stage, summary=summary)
        await stage.settle()
        await stage.passes(3 * 86_400)
        assert asked == ["2023-11-14", "2023-11-15", "2023-11-16"]
        found = await listed(stage)
        assert found.notices[-1].type == "summary.day"
        assert "2023-11-16 was fine" in found.notices[-1].title
        days = [each.event for each in journal.read_all() if isinstance(each.event, DaySummaryKept)]
        assert [(each.day, each.figures) for each in days] == [(day, (figures,)) for day in asked]

    async def second(stage: Stage) -> None:
        add(stage, summary=summary)
        await stage.settle()
        assert asked[3:] == ["2023-11-19"]

    play(first, journal=journal)
    play(second, journal=journal, start=1_700_000_000 * S + 6 * 86_400 * S)


def test_a_house_that_began_today_sums_up_no_day_before() -> None:
    """EX-1716: the second start of the first day tells of no day on which nothing was there; the next day's start does."""
    journal = FailingJournal()
    asked: list[str] = []

    async def summary(day: str) -> tuple[str, tuple[DayFigures, ...]]:
        asked.append(day)
        return "fine", ()

    async def life(stage: Stage) -> None:
        add(stage, summary=summary)
        await stage.settle()
        await stage.told("log", line("Down", pinned=True))

    play(life, journal=journal)
    play(life, journal=journal, start=1_700_000_000 * S + 600 * S)
    assert asked == []
    play(life, journal=journal, start=1_700_000_000 * S + 86_400 * S)
    assert asked == ["2023-11-14"]

"""Durable actors: state is the sum of their events, whatever happens in between."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.actor import Do
from runtime.durable import SNAPSHOT_SHARE
from runtime.errors import ActorCrashed
from runtime.journal import Entry, JournalError, JournalUnavailable, SequenceConflict, Snapshot
from runtime.lifecycle import ChildExited
from runtime.memory_journal import MemoryJournal
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import (
    NO_DISK,
    Broken,
    Line,
    Nurse,
    Question,
    Said,
    Teller,
    TrackedJournal,
    pass_s,
    play,
    under_nurse,
)


class Snapper(Teller):
    """A teller that keeps snapshots."""

    SNAPSHOT_EVERY: ClassVar[int] = 4
    restored: ClassVar[list[int]] = []

    def snapshot(self) -> bytes:
        """Return the state."""
        return "\n".join(self.said).encode()

    def restore(self, state: bytes) -> None:
        """Take the state."""
        self.said = state.decode().split("\n")
        self.restored.append(len(self.said))


class NewSnapper(Snapper):
    """The same actor whose snapshots are laid out anew."""

    SNAPSHOT_VERSION: ClassVar[int] = 2


def teller(factory: Any = Teller, **options: Any) -> Spec:
    """Return the recipe of a teller."""
    return Spec("teller", factory, **options)


async def say(system: ActorSystem, *lines: str, factory: Any = Teller) -> object:
    """Start a teller, say lines to it; return its last answer."""
    ref = system.spawn(teller(factory))
    answer = None
    for line in lines:
        answer = await ref.ask(Question(line))
    return answer


@pytest.mark.parametrize("threaded", [False, True])
def test_the_state_is_rebuilt_from_the_journal(threaded: bool) -> None:
    """A second system on the same journal finds the state of the first, events in order, sequence unbroken."""
    journal = TrackedJournal()
    assert play(lambda system: say(system, "a", "b"), journal=journal, threaded_journal=threaded) == "a,b"
    assert play(lambda system: say(system, "c"), journal=journal, threaded_journal=threaded) == "a,b,c"
    assert [record.seq for record in journal.read("/teller")] == [1, 2, 3]


def test_recovered_runs_only_after_a_rebuild_that_found_something() -> None:
    """``recovered`` runs once after events or a snapshot were found, not at the very first start."""
    counts: list[int] = []

    class Counting(Teller):
        def recovered(self) -> None:
            counts.append(len(self.said))

        def started(self) -> Do:
            return Do([Said("start")])

    journal = MemoryJournal()
    play(lambda system: say(system, factory=Counting), journal=journal)
    assert counts == []
    play(lambda system: say(system, factory=Counting), journal=journal)
    assert counts == [2], "the events of the first life, and what this start said"


def test_the_state_survives_a_crash() -> None:
    """The next life has every event, also those of the turn in which the last one crashed."""

    def act(actor: Teller, msg: Any) -> Any:
        if msg.text == "bad":
            raise Broken("bad")
        return Do([Said(msg.text)], answer=list(actor.said))

    async def scenario(system: ActorSystem) -> object:
        ref = under_nurse(system, teller(lambda: Teller(act)))
        for text in ("a", "b", "bad", "c"):
            ref.tell(Line(text))
        return await ref.ask(Question("?"))

    assert play(scenario) == ["a", "b", "c"]


def test_snapshots_shorten_the_rebuild_and_change_nothing() -> None:
    """A rebuild starts from the newest snapshot and replays only what follows it."""
    journal = MemoryJournal()
    lines = [f"l{number}" for number in range(10)]
    play(lambda system: say(system, *lines, factory=Snapper), journal=journal)
    snapshot = journal.load_snapshot("/teller")
    assert snapshot is not None
    assert (snapshot.seq, snapshot.state) == (8, "\n".join(lines[:8]).encode())
    Snapper.restored.clear()
    assert play(lambda system: say(system, "x", factory=Snapper), journal=journal) == ",".join([*lines, "x"])
    assert Snapper.restored == [8]


def test_a_large_state_is_written_the_less_often() -> None:
    """The next snapshot waits for events in proportion to the bytes of the last one, counted over restarts."""
    journal = MemoryJournal()
    large = "x" * (SNAPSHOT_SHARE * 10)
    play(lambda system: say(system, large, "b", "c", "d", *"efgh", factory=Snapper), journal=journal)
    assert journal.load_snapshot("/teller").seq == 4  # type: ignore[union-attr]
    play(lambda system: say(system, *"ijklm", factory=Snapper), journal=journal)
    assert journal.load_snapshot("/teller").seq == 4  # type: ignore[union-attr]
    play(lambda system: say(system, *"nop", factory=Snapper), journal=journal)
    assert journal.load_snapshot("/teller").seq == 16  # type: ignore[union-attr]


def test_a_snapshot_of_another_layout_is_left_alone() -> None:
    """A snapshot whose version the actor does not write is not read: all events are replayed."""
    journal = MemoryJournal()
    lines = [f"l{number}" for number in range(5)]
    play(lambda system: say(system, *lines, factory=Snapper), journal=journal)
    Snapper.restored.clear()
    answer = play(lambda system: say(system, "x", factory=NewSnapper), journal=journal)
    assert (answer, Snapper.restored) == (",".join([*lines, "x"]), [])


@given(st.lists(st.integers(1, 5), max_size=8), st.integers(1, 7))
@settings(deadline=None)
def test_a_rebuild_equals_the_state_it_replaces(sizes: list[int], every: int) -> None:
    """Whatever the sizes of the handlers' decisions and the distance of snapshots, a rebuild gives the same state."""

    class Sized(Snapper):
        SNAPSHOT_EVERY: ClassVar[int] = every

    def act(actor: Teller, msg: Any) -> Any:
        if msg.text == "?":
            return ",".join(actor.said)
        number, size = map(int, msg.text.split(":"))
        return Do([Said(f"{number}.{index}") for index in range(size)])

    async def scenario(system: ActorSystem) -> object:
        ref = system.spawn(teller(lambda: Sized(act)))
        for number, size in enumerate(sizes):
            ref.tell(Line(f"{number}:{size}"))
        return await ref.ask(Question("?"))

    async def again(system: ActorSystem) -> object:
        return await system.spawn(teller(lambda: Sized(act))).ask(Question("?"))

    journal = MemoryJournal()
    expected = ",".join(f"{number}.{index}" for number, size in enumerate(sizes) for index in range(size))
    assert play(scenario, journal=journal) == expected
    assert play(again, journal=journal) == expected
    snapshot = journal.load_snapshot("/teller")
    assert (snapshot is not None) == (sum(sizes) >= every)


def test_a_decision_is_recorded_whole_or_not_at_all() -> None:
    """When one of a handler's events cannot be applied none of them reaches the journal."""

    def act(_: Teller, msg: Any) -> Do:
        return Do([Said(text) for text in msg.text.split()])

    journal = TrackedJournal()

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, teller(lambda: Teller(act)))
        for text in ("a b", "c unsayable d", "e"):
            ref.tell(Line(text))
        await pass_s()
        assert [letter.envelope.message.text for letter in system.dead_letters.all()] == ["c unsayable d"]

    play(scenario, journal=journal)
    assert journal.texts() == ["a", "b", "e"]


def test_a_snapshot_that_cannot_be_made_is_a_crash_before_the_journal() -> None:
    """An actor that cannot encode its state crashes on the message; its events are not recorded."""

    class Bad(Snapper):
        SNAPSHOT_EVERY: ClassVar[int] = 1

        def snapshot(self) -> bytes:
            raise Broken("no snapshot")

    journal = TrackedJournal()

    async def scenario(system: ActorSystem) -> None:
        with pytest.raises(ActorCrashed, match="no snapshot"):
            await under_nurse(system, teller(Bad)).ask(Question("a"))

    play(scenario, journal=journal)
    assert journal.texts() == []


def test_a_snapshot_the_journal_does_not_take_costs_nothing() -> None:
    """Events are durable without their snapshot: the answer arrives and the actor lives on."""

    class NoSnapshots(MemoryJournal):
        def save_snapshot(self, snapshot: Snapshot) -> None:
            raise NO_DISK

    async def scenario(system: ActorSystem) -> object:
        return await say(system, *"abcdefgh", factory=Snapper)

    assert play(scenario, journal=NoSnapshots()) == "a,b,c,d,e,f,g,h"


@pytest.mark.parametrize("threaded", [False, True])
def test_events_of_many_actors_join_one_commit(threaded: bool) -> None:
    """What one turn brings about over several actors is one transaction."""
    journal = TrackedJournal()

    def pass_on(name: str, following: str) -> Any:
        def act(_: Teller, msg: Any) -> Do:
            return Do([Said(f"{name} {msg.text}")], [(following, msg)] if following else [])

        return act

    async def scenario(system: ActorSystem) -> None:
        for name, following in (("a", "/b"), ("b", "/c"), ("c", "")):
            system.spawn(Spec(name, lambda name=name, following=following: Teller(pass_on(name, following))))
        system.tell("/a", Line("1"))
        await pass_s()

    play(scenario, journal=journal, threaded_journal=threaded)
    assert journal.log == [("commit", ["a 1", "b 1", "c 1"])]


class Raising(TrackedJournal):
    """A journal that raises what it is told to, before or after it wrote."""

    def __init__(self, error: Exception, *, after: bool) -> None:
        super().__init__()
        self.error: Exception | None = error
        self.after = after

    def append(self, entries: Any) -> int:
        """Raise once."""
        error, self.error = self.error, None
        if error is not None and not self.after:
            raise error
        position = super().append(entries)
        if error is not None:
            raise error
        return position


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("after", [False, True], ids=["not written", "written"])
@pytest.mark.parametrize("error", [NO_DISK, SequenceConflict("stale"), RuntimeError("a bug"), OSError(28, "no space")])
def test_whatever_the_journal_raises_the_writers_are_rebuilt(error: Exception, after: bool, threaded: bool) -> None:
    """A commit that failed, or of which nothing is known, ends in the state that the journal holds; later all works."""
    journal = Raising(error, after=after)
    exits: list[ChildExited] = []

    async def scenario(system: ActorSystem) -> object:
        ref = under_nurse(system, teller(), exits)
        with pytest.raises(JournalError):
            await ref.ask(Question("lost"))
        assert system.durability.error is not None
        answer = await ref.ask(Question("kept"))
        assert system.durability.error is None
        return answer

    answer = play(scenario, journal=journal, threaded_journal=threaded)
    assert answer == ("lost,kept" if after else "kept")
    assert journal.texts() == str(answer).split(",")
    assert all(isinstance(news.exit.error, JournalError) for news in exits)
    assert len(exits) == 1


@pytest.mark.parametrize("threaded", [False, True])
def test_a_failed_commit_crashes_exactly_the_actors_that_had_events_in_it(threaded: bool) -> None:
    """Writers of the failed batch crash and are rebuilt; others keep their lives."""
    journal = TrackedJournal()
    exits: list[ChildExited] = []

    async def scenario(system: ActorSystem) -> dict[str, int]:
        specs = [Spec(name, Teller) for name in ("one", "two", "three")]
        system.spawn(Spec("nurse", lambda: Nurse(specs, exits)))
        for name in ("one", "two", "three"):
            system.tell(f"/nurse/{name}", Line("first"))
        await pass_s()
        journal.failing = NO_DISK
        for name in ("one", "two"):
            system.tell(f"/nurse/{name}", Line("lost"))
        await pass_s()
        journal.failing = None
        for name in ("one", "two", "three"):
            system.tell(f"/nurse/{name}", Line("last"))
        await pass_s()
        return {each.path: each.restarts for each in system.stats() if each.path.startswith("/nurse/")}

    assert play(scenario, journal=journal, threaded_journal=threaded) == {
        "/nurse/one": 1,
        "/nurse/two": 1,
        "/nurse/three": 0,
    }
    for name in ("one", "two", "three"):
        assert journal.texts(f"/nurse/{name}") == ["first", "last"]


def test_an_actor_restarted_in_the_turn_of_a_failing_commit_lives_once() -> None:
    """A writer that crashed on its own and is rebuilt while its batch fails is not crashed again by that batch."""
    journal = TrackedJournal()
    exits: list[ChildExited] = []

    def act(_: Teller, msg: Any) -> Any:
        if msg.text == "bad":
            journal.failing = NO_DISK
            raise Broken("bad")
        return Do([Said(msg.text)])

    async def scenario(system: ActorSystem) -> tuple[str, int]:
        ref = under_nurse(system, teller(lambda: Teller(act)), exits)
        for text in ("lost", "bad"):
            ref.tell(Line(text))
        asyncio.get_running_loop().call_later(5, setattr, journal, "failing", None)
        await pass_s(10)
        ref.tell(Line("kept"))
        await pass_s()
        cell = system.cell_of(ref.path)
        assert cell is not None
        return cell.state.value, cell.lives

    state, lives = play(scenario, journal=journal)
    assert state == "running"
    assert [type(news.exit.error) for news in exits] == [Broken, Broken], (
        "bad was tried twice; the batch crashed nobody"
    )
    assert lives == 3
    assert journal.texts() == ["kept"]


def test_a_stale_writer_is_rebuilt_from_what_another_wrote() -> None:
    """When somebody else appended to the stream the writer crashes, reads what is there and goes on."""
    journal = TrackedJournal()

    async def scenario(system: ActorSystem) -> object:
        ref = under_nurse(system, teller())
        await ref.ask(Question("mine"))
        MemoryJournal.append(journal, [Entry("/nurse/teller", 2, Said("theirs"), 0, 1, 1, 0)])
        with pytest.raises(SequenceConflict):
            await ref.ask(Question("conflict"))
        return await ref.ask(Question("again"))

    assert play(scenario, journal=journal) == "mine,theirs,again"


def test_a_journal_that_cannot_be_read_is_a_failed_start() -> None:
    """An actor whose journal cannot be read does not start with an empty state: its parent hears why."""
    exits: list[ChildExited] = []

    class Unreadable(MemoryJournal):
        def read(self, stream: str, after_seq: int = 0) -> Any:
            raise JournalUnavailable("cannot be read")

    async def scenario(system: ActorSystem) -> None:
        under_nurse(system, teller(), exits, lives=1)
        await pass_s()

    play(scenario, journal=Unreadable())
    assert [(type(news.exit.error), news.starting) for news in exits] == [(JournalUnavailable, True)]

"""Persist: an async handler that waits until its events are durable."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runtime.actor import Do, handles
from runtime.errors import ActorCrashed
from runtime.journal import CommitUnknown, JournalUnavailable
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from tests.runtime.cast import NO_DISK, Line, Question, Said, Teller, TrackedJournal, pass_s, play, under_nurse
from tests.runtime.test_durable import Raising, Snapper, teller


class Persisting(Teller):
    """Journals by ``await self.persist``; ``act`` is awaited with the actor and the message."""

    @handles
    async def heard(self, msg: Line | Question) -> Any:  # type: ignore[override]
        """Await the act."""
        assert self.act is not None
        return await self.act(self, msg)


@pytest.mark.parametrize("threaded", [False, True])
def test_persist_returns_when_the_events_are_durable_and_applied(threaded: bool) -> None:
    """Before persist returns nothing is applied; after it the journal has the events and the state too."""
    journal = TrackedJournal()

    async def act(actor: Teller, msg: Any) -> str:
        before = list(actor.said)
        await actor.persist(Said(msg.text), Said(msg.text.upper()))
        assert journal.texts("/teller") == actor.said == [*before, msg.text, msg.text.upper()]
        await actor.persist()
        return ",".join(actor.said)

    async def scenario(system: ActorSystem) -> object:
        ref = system.spawn(teller(lambda: Persisting(act)))
        await ref.ask(Question("a"))
        assert system.now() == 0
        return await ref.ask(Question("b"))

    assert play(scenario, journal=journal, threaded_journal=threaded) == "a,A,b,B"


@pytest.mark.parametrize("threaded", [False, True])
def test_persist_raises_when_nothing_was_kept_and_the_handler_decides(threaded: bool) -> None:
    """A handler that takes the error lives on with the state as before; its next events follow without a gap."""
    journal = TrackedJournal()

    async def act(actor: Teller, msg: Any) -> str:
        try:
            await actor.persist(Said(msg.text))
        except JournalUnavailable:
            return "503"
        return ",".join(actor.said)

    async def scenario(system: ActorSystem) -> list[object]:
        ref = system.spawn(teller(lambda: Persisting(act)))
        answers = [await ref.ask(Question("a"))]
        journal.failing = NO_DISK
        answers.append(await ref.ask(Question("lost")))
        journal.failing = None
        answers.append(await ref.ask(Question("b")))
        cell = system.cell_of(ref.path)
        assert cell is not None
        assert cell.lives == 1
        return answers

    assert play(scenario, journal=journal, threaded_journal=threaded) == ["a", "503", "a,b"]
    assert [record.seq for record in journal.read("/teller")] == [1, 2]


def test_an_error_of_persist_that_nobody_takes_is_a_crash() -> None:
    """Left alone the error crashes the actor on its message, and its asker hears of it."""
    journal = TrackedJournal()

    async def act(actor: Teller, msg: Any) -> None:
        await actor.persist(Said(msg.text))

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, teller(lambda: Persisting(act)))
        journal.failing = NO_DISK
        with pytest.raises(ActorCrashed) as caught:
            await ref.ask(Question("lost"))
        assert isinstance(caught.value.cause, JournalUnavailable)
        journal.failing = None
        assert await ref.ask(Question("kept")) is None

    play(scenario, journal=journal)
    assert journal.texts() == ["kept"]


def test_persists_under_way_at_once_are_applied_in_their_order() -> None:
    """Several persists of one handler keep the order in which they were called, in the journal and in the state."""
    journal = TrackedJournal()

    async def act(actor: Teller, msg: Any) -> str:
        await asyncio.gather(*(actor.persist(Said(text)) for text in "abcdef"))
        return "".join(actor.said)

    async def scenario(system: ActorSystem) -> object:
        return await system.spawn(teller(lambda: Persisting(act))).ask(Question("?"))

    for seed in range(5):
        journal = TrackedJournal()
        answer = play(scenario, journal=journal, loop_seed=seed, seed=seed)
        assert sorted(str(answer)) == list("abcdef")
        assert journal.texts() == list(str(answer))


def test_persisted_events_are_snapshotted_and_recorded_under_their_message() -> None:
    """Persist counts towards snapshots, and its records carry the message's chain."""
    journal = MemoryJournal()

    class Both(Persisting, Snapper):
        pass

    async def act(actor: Teller, msg: Any) -> None:
        await actor.persist(Said(msg.text))

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(teller(lambda: Both(act)))
        for text in "abcde":
            await ref.ask(Question(text))

    play(scenario, journal=journal)
    snapshot = journal.load_snapshot("/teller")
    assert snapshot is not None
    assert (snapshot.seq, snapshot.state) == (4, b"a\nb\nc\nd")
    assert all(record.message_id == record.correlation_id > 0 for record in journal.read_all())


def test_an_async_handler_that_returns_events_needs_nobody_elses_turn() -> None:
    """Events that a coroutine returns are committed and answered at once, also when nothing else happens."""

    async def act(_: Teller, msg: Any) -> Do:
        await pass_s(1)
        return Do([Said(msg.text)], answer="durable")

    journal = TrackedJournal()

    async def scenario(system: ActorSystem) -> tuple[object, int]:
        answer = await system.spawn(teller(lambda: Persisting(act))).ask(Question("a"), 3600)
        return answer, system.now()

    assert play(scenario, journal=journal) == ("durable", 1_000_000_000)
    assert journal.texts() == ["a"]


@pytest.mark.parametrize("threaded", [False, True])
def test_a_handler_does_not_outlive_a_commit_that_nobody_knows_of(threaded: bool) -> None:
    """After CommitUnknown the actor is rebuilt from the journal, whatever its handler made of the error."""

    async def act(actor: Teller, msg: Any) -> str:
        try:
            await actor.persist(Said(msg.text))
        except JournalUnavailable:
            return "503"
        return ",".join(actor.said)

    async def scenario(system: ActorSystem) -> list[object]:
        ref = under_nurse(system, teller(lambda: Persisting(act)))
        return [await ref.ask(Question("kept")), await ref.ask(Question("after"))]

    journal = Raising(CommitUnknown("nobody answered"), after=True)
    assert play(scenario, journal=journal, threaded_journal=threaded) == ["503", "kept,after"]
    assert journal.texts() == ["kept", "after"]

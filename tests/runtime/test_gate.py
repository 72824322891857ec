"""The durability gate: nothing leaves the house before the journal knows what it rests on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.actor import NO_ANSWER, Actor, Do, handles
from runtime.errors import ActorStopped
from runtime.journal import Entry, JournalError
from runtime.memory_journal import MemoryJournal
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import (
    NO_DISK,
    Broken,
    Fact,
    Line,
    Nurse,
    Player,
    Question,
    Said,
    SlowPlayer,
    Teller,
    TrackedJournal,
    pass_s,
    play,
    under_nurse,
    until,
)

MODES = pytest.mark.parametrize("threaded", [False, True], ids=["inline", "threaded"])


class Edge(Actor):
    """Touches the outside world: logs what would have been sent, and what the journal knew then."""

    def __init__(self, log: list[Any], journal: TrackedJournal | None = None) -> None:
        self.log = log
        self.journal = journal

    @handles
    def send(self, msg: Line | Question) -> str:
        """Send."""
        self.log.append(("sent", msg.text))
        return f"sent {msg.text}"


def edge(log: list[Any]) -> Spec:
    """Return the recipe of the edge."""
    return Spec("edge", lambda: Edge(log), edge=True)


def orders(_: Teller, msg: Any) -> Do:
    """Decide, persist, act."""
    return Do([Said(msg.text)], [("/edge", Line(msg.text))], answer=f"{msg.text} taken")


@MODES
def test_a_message_to_an_edge_waits_for_the_commit(threaded: bool) -> None:
    """The edge hears of a decision only when its event is in the journal."""
    journal = TrackedJournal()

    async def scenario(system: ActorSystem) -> None:
        system.spawn(edge(journal.log))
        desk = system.spawn(Spec("desk", lambda: Teller(orders)))
        for text in "abc":
            desk.tell(Line(text))
            await pass_s()

    play(scenario, journal=journal, threaded_journal=threaded)
    assert journal.log == [entry for text in "abc" for entry in (("commit", [text]), ("sent", text))]


@MODES
def test_what_is_told_through_others_waits_too(threaded: bool) -> None:
    """An actor that journals nothing cannot carry an uncommitted decision past the gate."""
    journal = TrackedJournal()

    async def scenario(system: ActorSystem) -> None:
        system.spawn(edge(journal.log))
        system.spawn(Spec("relay", lambda: Player(lambda _, msg: Do(tells=[("/edge", msg)]))))
        desk = system.spawn(
            Spec("desk", lambda: Teller(lambda _, msg: Do([Said(msg.text)], [("/relay", Line(msg.text))])))
        )
        desk.tell(Line("x"))
        await pass_s()

    play(scenario, journal=journal, threaded_journal=threaded)
    assert journal.log == [("commit", ["x"]), ("sent", "x")]


@MODES
@pytest.mark.parametrize("how", ["do", "value", "none", "late", "async"])
def test_an_answer_waits_for_the_commit(threaded: bool, how: str) -> None:
    """Whatever form an answer has it leaves when all events recorded before it are durable."""
    journal = TrackedJournal()

    def act(actor: Teller, msg: Any) -> Any:
        context = actor.context
        if msg.text == "record":
            envelope = context.envelope
            assert envelope is not None
            if how == "late":
                return Do([Said("x")], then=lambda: context.answer(envelope, "late"), answer=NO_ANSWER)
            return Do([Said("x")], [(actor.ref, Line("nothing"))], answer="do")
        return None

    class Reader(Player):
        """Answers what it saw of a decision that is not committed."""

    async def scenario(system: ActorSystem) -> None:
        desk = system.spawn(Spec("desk", lambda: Teller(act)))
        answers: dict[str, Any] = {"value": "value", "none": None}
        reader = system.spawn(Spec("reader", lambda: Reader(lambda *_: answers.get(how))))
        if how == "async":

            async def slow(player: Any, msg: Any) -> str:
                desk.tell(Line("record"))
                await pass_s(0)
                return "async"

            asked = system.spawn(Spec("slow", lambda: SlowPlayer(slow))).ask(Question("?"))
        elif how in ("do", "late"):
            asked = desk.ask(Question("record"))
        else:
            desk.tell(Line("record"))
            asked = reader.ask(Question("?"))
        await asked
        journal.log.append("answered")

    play(scenario, journal=journal, threaded_journal=threaded)
    assert journal.log == [("commit", ["x"]), "answered"]


def test_with_nothing_recorded_nothing_waits() -> None:
    """A message to an edge and an answer go straight through when there is nothing to commit."""
    journal = TrackedJournal()

    async def scenario(system: ActorSystem) -> object:
        return await system.spawn(edge(journal.log)).ask(Question("x"))

    assert play(scenario, journal=journal) == "sent x"
    assert journal.log == [("sent", "x")]


@MODES
def test_when_the_commit_fails_nothing_leaves(threaded: bool) -> None:
    """A decision that was not kept never reaches the edge: dead letter; its asker hears the journal's error."""
    journal = TrackedJournal()

    async def scenario(system: ActorSystem) -> None:
        system.spawn(edge(journal.log))
        desk = under_nurse(system, Spec("desk", lambda: Teller(orders)))
        journal.failing = NO_DISK
        with pytest.raises(JournalError) as caught:
            await desk.ask(Question("x"))
        assert caught.value is NO_DISK
        journal.failing = None
        assert await desk.ask(Question("y")) == "y taken"
        await pass_s()
        letters = [(letter.envelope.message, letter.reason) for letter in system.dead_letters.all()]
        assert letters == [(Line("x"), "the journal could not be written")]

    play(scenario, journal=journal, threaded_journal=threaded)
    assert journal.log == [("commit", ["y"]), ("sent", "y")]


class SlowJournal(TrackedJournal):
    """A journal whose commits wait on its thread until they are let through."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Semaphore(0)
        self.failing_after_wait: Exception | None = None

    def append(self, entries: Sequence[Entry]) -> int:
        """Wait, then append."""
        assert self.gate.acquire(timeout=20)
        self.failing = self.failing_after_wait
        return super().append(entries)


def test_who_asked_an_edge_behind_a_failing_commit_hears_why() -> None:
    """A request that the gate held while the commit failed is answered with the journal's error and never sent."""
    journal = SlowJournal()

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(edge(journal.log))
        under_nurse(system, Spec("desk", lambda: Teller(orders))).tell(Line("a"))
        await until(lambda: system.durability._flying is not None)
        asked = asyncio.ensure_future(ref.ask(Question("q")))
        await pass_s(0)
        journal.failing_after_wait = NO_DISK
        journal.gate.release()
        with pytest.raises(JournalError) as caught:
            await asked
        assert caught.value is NO_DISK

    play(scenario, journal=journal, threaded_journal=True)
    assert journal.log == []


def test_while_a_commit_is_under_way_actors_work_on_and_virtual_time_stands_still() -> None:
    """With the journal on its own thread handlers run on meanwhile; timeouts do not pass; order is kept at the edge."""
    journal = SlowJournal()
    handled: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        system.spawn(edge(journal.log))
        desk = system.spawn(Spec("desk", lambda: Teller(orders)))
        quick = system.spawn(Spec("quick", lambda: Player(log=handled)))
        first = asyncio.ensure_future(desk.ask(Question("a"), 1.0))
        await until(lambda: system.durability._flying is not None)
        quick.tell(Line("meanwhile"))
        second = asyncio.ensure_future(desk.ask(Question("b"), 1.0))
        await until(lambda: bool(handled) and len(system.durability._held) >= 2)
        assert journal.log == []
        journal.gate.release(2)
        assert await asyncio.gather(first, second) == ["a taken", "b taken"]
        assert system.now() == 0

    play(scenario, journal=journal, threaded_journal=True)
    assert journal.log[0] == ("commit", ["a"])
    assert [each for each in journal.log if each[0] == "sent"] == [("sent", "a"), ("sent", "b")]
    assert journal.log.index(("commit", ["b"])) < journal.log.index(("sent", "b"))


def test_stopping_while_a_commit_is_under_way_loses_no_event() -> None:
    """A stop waits for the commit under way and commits the rest; askers are answered, held messages accounted for."""
    journal = SlowJournal()

    async def scenario(system: ActorSystem) -> object:
        desk = system.spawn(Spec("desk", lambda: Teller(orders)))
        system.spawn(edge(journal.log))
        first = asyncio.ensure_future(desk.ask(Question("a")))
        await until(lambda: system.durability._flying is not None)
        desk.tell(Line("b"))
        await until(lambda: bool(system.durability._open))
        journal.gate.release(2)
        await system.stop()
        return await first

    assert play(scenario, journal=journal, threaded_journal=True) == "a taken"
    assert journal.texts() == ["a", "b"]


def test_a_message_held_for_an_edge_that_stopped_is_accounted_for() -> None:
    """A held message whose edge has ended meanwhile is a dead letter; one that asked hears ActorStopped."""
    journal = SlowJournal()

    async def scenario(system: ActorSystem) -> list[Any]:
        system.spawn(edge(journal.log))
        ref = system.lookup("/edge")
        assert ref is not None
        system.spawn(Spec("desk", lambda: Teller(orders))).tell(Line("a"))
        await until(lambda: system.durability._flying is not None)
        asked = asyncio.ensure_future(ref.ask(Question("q")))
        await pass_s(0)
        cell = system.cell_of("/edge")
        assert cell is not None
        await cell.shutdown()
        await until(lambda: not cell.alive)
        journal.gate.release()
        with pytest.raises(ActorStopped):
            await asked
        return [letter.envelope.message for letter in system.dead_letters.all()]

    assert play(scenario, journal=journal, threaded_journal=True) == [Line("a"), Question("q")]


def test_a_listener_of_commits_that_raises_keeps_nothing_back() -> None:
    """What a listener raises is reported; the answer leaves and other listeners hear of the batch."""
    heard: list[int] = []

    def bad(_: Any) -> None:
        raise Broken("listener")

    async def scenario(system: ActorSystem) -> object:
        system.durability.listeners.extend([bad, lambda batch: heard.append(len(batch))])
        return await system.spawn(Spec("desk", lambda: Teller(orders))).ask(Question("a"))

    assert play(scenario) == "a taken"
    assert heard == [1]


def test_on_the_wall_clock_with_a_journal_thread() -> None:
    """The same promises hold on real time with real threads."""
    journal = TrackedJournal()

    async def main() -> list[object]:
        async with ActorSystem(journal=journal, threaded_journal=True) as system:
            system.spawn(edge(journal.log))
            desk = system.spawn(Spec("desk", lambda: Teller(orders)))
            answers = await asyncio.gather(*(desk.ask(Question(str(number))) for number in range(200)))
            assert system.durability.committed == 200
            assert system.durability.commits <= 200
            return answers

    assert asyncio.run(main()) == [f"{number} taken" for number in range(200)]
    assert_never_sent_before_committed(journal.log)
    assert [text for kind, text in journal.log if kind == "sent"] == [str(number) for number in range(200)]


def assert_never_sent_before_committed(log: list[Any]) -> None:
    """Check that each sent text was committed before."""
    committed: set[str] = set()
    for kind, what in log:
        if kind == "commit":
            committed.update(what)
        else:
            assert what in committed, f"{what} left before its event was durable"


script_steps = st.lists(
    st.tuples(st.sampled_from(["desk", "other", "relay"]), st.sampled_from(["tell", "ask", "wait", "fail", "mend"])),
    max_size=30,
)


@MODES
@given(script=script_steps, seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_over_any_script_no_edge_hears_of_what_the_journal_does_not_know(
    script: list[tuple[str, str]], seed: int, threaded: bool
) -> None:
    """For any messages, interleaving and journal failures: sent implies committed, and answered implies committed."""
    journal = TrackedJournal()

    def answer(actor: Teller, msg: Any) -> Do:
        return Do([Said(msg.text)], [("/edge", Line(msg.text)), ("/relay", Fact(1))], answer=msg.text)

    async def scenario(system: ActorSystem) -> None:
        system.spawn(edge(journal.log))
        specs = [Spec(name, lambda: Teller(answer)) for name in ("desk", "other")]
        system.spawn(Spec("nurse", lambda: Nurse(specs)))
        relay: Any = lambda _, msg: Do(tells=[("/nurse/other", msg)]) if isinstance(msg, Line) else None  # noqa: E731
        system.spawn(Spec("relay", lambda: Player(relay)))
        asked = []
        for number, (who, what) in enumerate(script):
            path = "/relay" if who == "relay" else f"/nurse/{who}"
            if what == "tell":
                system.tell(path, Line(str(number)))
            elif what == "ask" and who != "relay":
                ref = system.lookup(path)
                assert ref is not None
                asked.append(asyncio.ensure_future(ref.ask(Question(str(number)), 5)))
                asked[-1].add_done_callback(
                    lambda task: journal.log.append(("answered", task.result())) if not task.exception() else None
                )
            elif what == "wait":
                await pass_s()
            elif what in ("fail", "mend"):
                journal.failing = NO_DISK if what == "fail" else None
        await pass_s()
        journal.failing = None
        await pass_s()
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(each, str | JournalError) for each in results), results

    play(scenario, journal=journal, threaded_journal=threaded, seed=seed, loop_seed=seed)
    assert_never_sent_before_committed(journal.log)
    sent = [text for kind, text in journal.log if kind == "sent"]
    assert sorted(sent) == sorted(journal.texts()), "what is durable is sent, once"


def test_the_gate_never_holds_what_is_bound_for_the_house() -> None:
    """A message to an ordinary actor flows on within the turn; only edges wait."""
    journal = MemoryJournal()
    order: list[str] = []

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("inner", lambda: Player(lambda *_: order.append(f"inner, {journal.head()} durable"))))
        desk = system.spawn(
            Spec("desk", lambda: Teller(lambda _, msg: Do([Said(msg.text)], [("/inner", Line(msg.text))])))
        )
        desk.tell(Line("x"))
        await pass_s()

    play(scenario, journal=journal)
    assert order == ["inner, 0 durable"]

"""What was recorded decides the same again, and where it does not the first difference is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.messages import Event
from runtime.actor import Do
from runtime.context import Context
from runtime.differing import Divergence, Report
from runtime.memory_journal import MemoryJournal
from runtime.recording import Recorder
from runtime.spec import Spec
from runtime.system import ActorSystem
from runtime.tape import Item, Mark, TapeItem
from runtime.verifying import Verifier, verify_records
from tests.runtime.cast import (
    NO_DISK,
    Broken,
    Line,
    Question,
    Said,
    Teller,
    TrackedJournal,
    pass_s,
    play,
    under_nurse,
)


class Clerk(Teller):
    """A teller that says when it heard a line, what stood on the bus then, and how many lines it heard in this life."""

    def __init__(self, act: Callable[[Teller, Any], Any] | None = None) -> None:
        super().__init__(act or type(self).note)
        self.heard_here = 0

    def note(self, msg: Any) -> Do | None:
        """Decide: a line is written down unless it is empty."""
        self.heard_here += 1
        if msg.text == "fall":
            raise Broken("it fell")
        if msg.text == "":
            return None
        return Do([Said(f"{msg.text} {self.now()} {self.context.bus.kept('weather')} {self.heard_here}")])

    def rolled_back(self) -> None:
        """Count anew: the journal could not keep something."""
        self.heard_here = 0


class Liar(Clerk):
    """The same clerk after a rule has changed: it writes a ``late`` line otherwise."""

    def note(self, msg: Any) -> Do | None:
        """Decide."""
        do = Clerk.note(self, msg)
        return Do([Said("early")]) if do is not None and msg.text == "late" else do


class Mute(Clerk):
    """The same clerk that no longer writes down one line."""

    def note(self, msg: Any) -> Do | None:
        """Decide."""
        return None if msg.text == "late" else Clerk.note(self, msg)


class Chatty(Clerk):
    """The same clerk that writes down empty lines too."""

    def note(self, msg: Any) -> Do | None:
        """Decide."""
        return Clerk.note(self, Line("empty") if msg.text == "" else msg)


LINES = ("one", "", "two", "late", "three")


def recorded(lines: tuple[str, ...] = LINES, journal: MemoryJournal | None = None) -> tuple[Any, Recorder]:
    """Tell lines to a clerk, a second apart; return journal and recorder."""
    kept = journal if journal is not None else MemoryJournal()
    recorder = Recorder()

    async def scenario(system: ActorSystem) -> None:
        recorder.attach(system)
        ref = under_nurse(system, Spec("clerk", Clerk))
        for number, line in enumerate(lines):
            if line == "turn":
                recorder.turn()
                continue
            if line == "no disk":
                assert isinstance(kept, TrackedJournal)
                kept.failing = NO_DISK
                continue
            system.bus.publish("weather", number, keep=True)
            ref.tell(Line(line))
            await pass_s(1)
            if isinstance(kept, TrackedJournal):
                kept.failing = None

    play(scenario, journal=kept)
    return kept, recorder


def checked_by(kind: type[Clerk], journal: Any, items: list[TapeItem]) -> Report:
    """Check a record with clerks of another kind."""
    verifier = Verifier(journal, lambda _: kind(), settled=True)
    for item in items:
        verifier.take(item)
    return verifier.finish()


def found(kind: type[Clerk]) -> Divergence:
    """Return the divergence that clerks of another kind show on the usual lines."""
    journal, recorder = recorded()
    divergence = verify_records(journal, recorder.items, lambda _: kind())
    assert divergence is not None
    return divergence


def test_the_same_inputs_decide_the_same() -> None:
    """EX-self-check: an actor fed with what was recorded decides exactly what the journal has."""
    journal, recorder = recorded()
    report = checked_by(Clerk, journal, recorder.items)
    assert (report.divergence, report.messages, report.events, report.lost) == (None, 5, 4, 0)
    assert verify_records(journal, recorder.items) is None


@pytest.mark.parametrize("kind", [Liar, Mute, Chatty])
def test_a_changed_rule_is_found(kind: type[Clerk]) -> None:
    """A rule that decides otherwise is a divergence: another event, none, or one too many."""
    assert found(kind) is not None


def test_a_divergence_names_its_message_and_what_differs() -> None:
    """The divergence says stream, number, position, message, what was expected and what came, field by field."""
    seen = found(Liar)
    assert (seen.stream, seen.seq, seen.position) == ("/nurse/clerk", 3, 3)
    assert (seen.cause.name, seen.cause.message) == ("Line", Line("late"))
    assert isinstance(seen.expected, Said)
    assert seen.fields == (("text", seen.expected.text, "early"),)


def test_an_event_that_is_no_longer_decided_is_found_at_its_message() -> None:
    """The journal's event that the actor does not decide any more is expected, at the message it came from."""
    seen = found(Mute)
    assert (seen.seq, seen.got, seen.cause.message) == (3, None, Line("late"))


def test_an_event_altered_in_the_journal_is_found() -> None:
    """An event that was changed by hand is not what its actor decides."""
    journal, recorder = recorded()
    record = journal._streams["/nurse/clerk"][1]
    journal._streams["/nurse/clerk"][1] = record._replace(event=Said("bought by mistake"))
    seen = verify_records(journal, recorder.items)
    assert seen is not None
    assert (seen.seq, seen.cause.message) == (2, Line("two"))


def test_an_event_added_to_the_journal_is_found() -> None:
    """An event that nobody decided is found, also at the very end."""
    journal, recorder = recorded()
    last = journal._streams["/nurse/clerk"][-1]
    journal._streams["/nurse/clerk"].append(last._replace(seq=last.seq + 1, position=99, message_id=7))
    seen = verify_records(journal, recorder.items)
    assert seen is not None
    assert (seen.seq, seen.position, seen.got) == (5, 99, None)


def test_an_event_that_the_journal_never_got_is_found() -> None:
    """What an actor decides and no journal has is a divergence once everything has been committed."""
    journal, recorder = recorded()
    journal._streams["/nurse/clerk"].pop()
    seen = verify_records(journal, recorder.items)
    assert seen is not None
    assert (seen.position, seen.expected) == (0, None)


def test_lives_follow_each_other() -> None:
    """A life that crashed is followed by one that begins from the journal: what stood in memory only is gone with it."""
    journal, recorder = recorded(("one", "fall", "two", "fall", "three"))
    report = checked_by(Clerk, journal, recorder.items)
    # The message that crashed is tried once more in the next life, then parked.
    assert (report.divergence, report.lives, report.events) == (None, 5, 3)


def test_a_crash_that_no_longer_happens_is_found() -> None:
    """An actor that raises where it did not then has diverged."""

    class Brittle(Clerk):
        def note(self, msg: Any) -> Do | None:
            if msg.text == "late":
                raise Broken("it has become brittle")
            return Clerk.note(self, msg)

    journal, recorder = recorded()
    seen = verify_records(journal, recorder.items, lambda _: Brittle())
    assert seen is not None
    assert "brittle" in seen.why
    assert seen.cause.message == Line("late")


def test_a_commit_that_failed_is_no_divergence() -> None:
    """Events that the journal could not keep were decided for nobody: their actor begins anew without them."""
    journal, recorder = recorded(("one", "no disk", "two", "three"), TrackedJournal())
    report = checked_by(Clerk, journal, recorder.items)
    assert (report.divergence, report.lives, report.events, report.lost) == (None, 2, 2, 1)


def test_a_bystander_is_told_to_forget() -> None:
    """A living actor that had no events in a lost batch forgets what stood in memory only, on the record too."""
    journal, recorder = TrackedJournal(), Recorder()

    async def scenario(system: ActorSystem) -> None:
        recorder.attach(system)
        bystander = system.spawn(Spec("bystander", Clerk))
        writer = under_nurse(system, Spec("writer", Clerk))
        bystander.tell(Line("one"))
        await pass_s(1)
        journal.failing = NO_DISK
        writer.tell(Line("lost"))
        await pass_s(1)
        journal.failing = None
        bystander.tell(Line("two"))
        await pass_s(1)

    play(scenario, journal=journal)
    assert any(item[0] == Item.ROLLED_BACK for item in recorder.items)
    assert journal.texts("/bystander")[-1].endswith(" 1"), "it counts anew"
    assert verify_records(journal, recorder.items) is None


def test_memory_that_stands_in_no_journal_is_frozen_and_thawed() -> None:
    """Where the record begins anew each life goes on as it stood, what it counted in memory included."""
    journal, recorder = recorded(("one", "two", "turn", "three", "four"))
    begun = next(n for n, item in enumerate(recorder.items) if item[0] == Item.MARK and n > 0)
    report = checked_by(Clerk, journal, recorder.items[begun:])
    assert (report.divergence, report.messages, report.events, report.gaps) == (None, 2, 2, [])


def test_a_gap_is_said_and_is_no_divergence() -> None:
    """What is missing ends the check of a life until it says how it stands; it never looks like a divergence."""
    journal, recorder = recorded(("one", "two", "three", "turn", "four"))
    items = [*recorder.items[:4], (int(Item.MARK), 0, Mark.GAP.value, "a segment is missing"), *recorder.items[9:]]
    report = checked_by(Clerk, journal, items)
    assert report.divergence is None
    assert report.gaps == ["a segment is missing"]
    # Not the one under way before the gap either: what it read may be missing.
    assert report.events == 1


def test_what_nobody_writes_is_dropped_and_said() -> None:
    """A record that nobody takes does not grow without end: what is dropped is a gap, and lives are followed after it."""
    journal, recorder = MemoryJournal(), Recorder(limit=20)

    async def scenario(system: ActorSystem) -> None:
        recorder.attach(system)
        ref = system.spawn(Spec("clerk", Clerk))
        for _ in range(100):
            ref.tell(Line("on and on"))
            await pass_s(1)

    play(scenario, journal=journal)
    assert len(recorder.items) < 30
    report = checked_by(Clerk, journal, recorder.items)
    assert report.divergence is None
    assert report.gaps == ["too much waited to be written"]
    assert report.events > 0


def test_without_a_recorder_nothing_is_wrapped() -> None:
    """A system that does not record has plain contexts and bound handlers: it pays nothing."""

    async def scenario(system: ActorSystem) -> tuple[Any, Any]:
        ref = system.spawn(Spec("clerk", Clerk))
        return ref.cell.actor, ref.cell.handlers[Line]

    actor, handler = play(scenario)
    assert type(actor.context) is Context
    assert handler == actor.heard


class Asker(Teller):
    """Asks another actor before it writes down what that said."""

    @staticmethod
    async def ask(self: Any, msg: Any) -> Do:
        """Write down what the other answers."""
        ref = self.context.system.lookup("/oracle")
        answer = await ref.ask(Question(msg.text))
        return Do([Said(f"{answer} {self.now()}")])


class AsyncAsker(Asker):
    """Its handler waits."""

    def __init__(self) -> None:
        super().__init__(Asker.ask)

    async def heard(self, msg: Line) -> Any:
        """Ask."""
        return await Asker.ask(self, msg)

    heard.__handles__ = True  # type: ignore[attr-defined]


def test_answers_to_an_async_handler_are_recorded() -> None:
    """What an async handler was answered it is answered again, though nobody is there."""
    journal, recorder = MemoryJournal(), Recorder()

    async def scenario(system: ActorSystem) -> None:
        recorder.attach(system)
        system.spawn(Spec("oracle", lambda: Teller(lambda _, msg: f"yes, {msg.text}")))
        asker = system.spawn(Spec("asker", AsyncAsker))
        for text in ("rain", "snow"):
            asker.tell(Line(text))
            await pass_s(1)

    play(scenario, journal=journal)
    said = [record.event for record in journal.read("/asker")]
    assert [isinstance(event, Event) and str(event).count("yes") for event in said] == [1, 1]
    assert verify_records(journal, recorder.items) is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "", "fall", "turn", "no disk"]), max_size=12))
def test_whatever_happens_decides_the_same_again(lines: list[str]) -> None:
    """Lines, crashes, lost commits and new files in any order: the record always agrees with the journal."""
    journal, recorder = recorded(tuple(lines), TrackedJournal())
    report = checked_by(Clerk, journal, recorder.items)
    assert report.divergence is None
    assert report.events == journal.head()

"""Envelopes: whatever way a message takes, its causal chain can be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runtime.actor import Do
from runtime.envelope import Envelope
from runtime.memory_journal import MemoryJournal
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Line, Player, Question, Said, SlowPlayer, Teller, pass_s, play


class Tracer(Player):
    """Keeps the envelopes of what it handles."""

    def __init__(self, envelopes: list[Envelope]) -> None:
        def act(player: Player, _: Any) -> str:
            envelope = player.context.envelope
            assert envelope is not None
            envelopes.append(envelope)
            return "traced"

        super().__init__(act)


def chain(first: Callable[[ActorSystem], Spec], **options: Any) -> tuple[Envelope, Envelope]:
    """Tell ``first`` a line from outside; return the envelopes it and the tracer handled."""
    envelopes: list[Envelope] = []
    handled: list[Envelope] = []

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("tracer", lambda: Tracer(envelopes)))
        ref = system.spawn(first(system))
        cell = system.cell_of(ref.path)
        assert cell is not None
        accept = cell.accept
        cell.accept = lambda envelope: (handled.append(envelope), accept(envelope))[1]  # type: ignore[method-assign]
        ref.tell(Line("from outside"))
        await pass_s(10)

    play(scenario, **options)
    (traced,) = envelopes
    return handled[0], traced


def tracer(actor: Any) -> Any:
    """Return the tracer's reference."""
    ref = actor.context.system.lookup("/tracer")
    assert ref is not None
    return ref


def tells(player: Any, msg: Any) -> None:
    """Tell the tracer directly."""
    tracer(player).tell(Line("x"))


def returns(player: Any, msg: Any) -> Do:
    """Return what is to be told."""
    return Do(tells=[(tracer(player), Line("x"))])


def returns_a_path(player: Any, msg: Any) -> Do:
    """Return what is to be told to a path."""
    return Do(tells=[("/tracer", Line("x"))])


def publishes(player: Any, msg: Any) -> None:
    """Publish a fact on the bus."""
    player.context.bus.subscribe("news", tracer(player))
    player.context.bus.publish("news", Line("x"))


async def tells_after_a_wait(player: Any, msg: Any) -> None:
    """Tell when something was awaited in between."""
    await pass_s(1)
    tracer(player).tell(Line("x"))


async def tells_at_once(player: Any, msg: Any) -> None:
    """Tell in the first step of a coroutine."""
    tracer(player).tell(Line("x"))


async def returns_after_a_wait(player: Any, msg: Any) -> Do:
    """Return what is to be told when something was awaited."""
    await pass_s(1)
    return Do(tells=[(tracer(player), Line("x"))])


async def asks(player: Any, msg: Any) -> None:
    """Ask when something was awaited."""
    await pass_s(1)
    assert await tracer(player).ask(Question("?")) == "traced"


@pytest.mark.parametrize("act", [tells, returns, returns_a_path, publishes], ids=lambda act: act.__name__)
def test_a_told_message_keeps_its_cause(act: Any) -> None:
    """What a plain handler tells, returns or publishes carries the handled message's id as cause, and its chain."""
    cause, traced = chain(lambda _: Spec("first", lambda: Player(act)))
    assert (traced.causation_id, traced.correlation_id) == (cause.message_id, cause.correlation_id)
    assert traced.sender == "/first"


@pytest.mark.parametrize(
    "act", [tells_at_once, tells_after_a_wait, returns_after_a_wait, asks], ids=lambda act: act.__name__
)
def test_an_async_handler_keeps_its_cause_over_each_wait(act: Any) -> None:
    """What an async handler tells, returns or asks, before and after it waited, carries its message's id as cause."""
    cause, traced = chain(lambda _: Spec("first", lambda: SlowPlayer(act)))
    assert (traced.causation_id, traced.correlation_id) == (cause.message_id, cause.correlation_id)
    assert traced.sender == "/first"


def test_a_message_from_outside_begins_a_chain() -> None:
    """A message told by no actor has no cause and no sender; its chain is named by its own id."""
    first, _ = chain(lambda _: Spec("first", lambda: Player(tells)))
    assert (first.causation_id, first.correlation_id, first.sender) == (0, first.message_id, "")


def test_a_pipe_keeps_its_cause() -> None:
    """The message with a pipe's result is caused by the message whose handler piped."""

    def act(player: Player, msg: Any) -> Any:
        if msg.text == "from outside":
            player.context.pipe(pass_s(1), lambda _: Line("piped"))
            return None
        return Do(tells=[("/tracer", Line("x"))])

    cause, traced = chain(lambda _: Spec("first", lambda: Player(act)))
    assert traced.correlation_id == cause.correlation_id
    assert traced.causation_id == cause.message_id + 1, "the piped message stands between"


def test_what_is_told_inside_a_pipe_keeps_its_cause() -> None:
    """A coroutine that is piped acts in its actor's name."""

    async def work(player: Player) -> None:
        await pass_s(1)
        tracer(player).tell(Line("x"))

    def act(player: Player, _: Any) -> None:
        player.context.pipe(work(player), lambda _: None)

    cause, traced = chain(lambda _: Spec("first", lambda: Player(act)))
    assert (traced.causation_id, traced.sender) == (cause.message_id, "/first")


def test_a_timer_begins_a_chain_of_its_own() -> None:
    """A timer's message has no cause: what it brings about is traced to the timer's firing."""

    def act(player: Player, msg: Any) -> Any:
        if msg.text == "from outside":
            player.timers.after(1, Line("timer"))
            return None
        envelope = player.context.envelope
        assert envelope is not None
        assert (envelope.causation_id, envelope.sender) == (0, "/first")
        return Do(tells=[("/tracer", Line("x"))])

    cause, traced = chain(lambda _: Spec("first", lambda: Player(act)))
    assert traced.correlation_id == traced.causation_id != cause.correlation_id


def test_a_do_may_continue_an_older_chain() -> None:
    """A stated correlation id puts the events and the messages of a Do into that chain; the cause stays the cause."""
    journal = MemoryJournal()

    def act(teller: Teller, msg: Any) -> Do:
        return Do([Said("x")], [("/tracer", Line("x"))], correlation_id=77)

    cause, traced = chain(lambda _: Spec("first", lambda: Teller(act)), journal=journal)
    assert (traced.causation_id, traced.correlation_id) == (cause.message_id, 77)
    (record,) = journal.read_all()
    assert (record.correlation_id, record.message_id) == (77, cause.message_id)


def test_an_event_is_recorded_under_the_message_that_brought_it_about() -> None:
    """Each record carries the handled message's id, its chain and its cause."""
    journal = MemoryJournal()

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("teller", Teller))
        first = system.spawn(Spec("first", lambda: Player(lambda _, msg: Do(tells=[("/teller", msg)]))))
        first.tell(Line("x"))
        await pass_s()

    play(scenario, journal=journal)
    (record,) = journal.read_all()
    assert record.correlation_id == record.causation_id == record.message_id - 1


def test_ids_never_repeat_over_starts_of_a_journal() -> None:
    """A second start on the same journal hands out ids above all earlier ones."""
    journal = MemoryJournal()
    seen: list[int] = []

    async def scenario(system: ActorSystem) -> None:
        seen.extend(system.next_id() for _ in range(3))

    play(scenario, journal=journal)
    play(scenario, journal=journal)
    assert len(set(seen)) == 6
    assert seen == sorted(seen)


@pytest.mark.parametrize("inline", [True, False])
def test_a_thread_keeps_its_cause(inline: bool) -> None:
    """What a handler tells from its own thread carries its message's id as cause, on the loop or beside it."""
    cause, traced = chain(lambda _: Spec("first", lambda: Player(tells), dispatch="thread"), inline_threads=inline)
    assert (traced.causation_id, traced.correlation_id) == (cause.message_id, cause.correlation_id)
    assert traced.sender == "/first"

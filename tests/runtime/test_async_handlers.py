"""Async handlers: one message at a time, cut off with their life, never the end of their system."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runtime.clock import NANOS
from runtime.errors import ActorCrashed, ActorError, ActorStopped
from runtime.lifecycle import ChildExited, ExitKind
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Cue, Line, Player, Question, SlowPlayer, pass_s, play, texts, under_nurse


def test_one_message_at_a_time_in_order() -> None:
    """While a handler waits its actor handles nothing else, not even what its lane would let overtake it."""
    steps: list[str] = []

    async def act(_: SlowPlayer, msg: Any) -> None:
        steps.append(f"{msg.text} begins")
        await pass_s(1)
        steps.append(f"{msg.text} ends")

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("slow", lambda: SlowPlayer(act)))
        for message in (Line("a"), Line("b")):
            ref.tell(message)
        await pass_s(0.5)
        ref.tell(Cue("first"))
        await pass_s(10)

    play(scenario)
    assert steps == [f"{text} {what}" for text in ("a", "first", "b") for what in ("begins", "ends")]


def test_others_are_served_meanwhile() -> None:
    """An actor that waits keeps nobody else from working."""
    log: list[Any] = []

    async def act(*_: Any) -> None:
        await pass_s(100)

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("slow", lambda: SlowPlayer(act))).tell(Line("x"))
        await pass_s()
        system.spawn(Spec("quick", lambda: Player(log=log))).tell(Line("y"))
        await pass_s()

    play(scenario)
    assert texts(log) == ["y"]


def test_the_answer_of_an_async_handler() -> None:
    """What the coroutine returns is the answer."""

    async def act(_: SlowPlayer, msg: Any) -> str:
        await pass_s(1)
        return str(msg.text) * 2

    async def scenario(system: ActorSystem) -> object:
        return await system.spawn(Spec("slow", lambda: SlowPlayer(act))).ask(Question("ab"))

    assert play(scenario) == "abab"


def test_a_crash_after_a_wait_is_a_crash_on_that_message() -> None:
    """An error after an await crashes the actor on its message: tried once more, then parked."""
    log: list[Any] = []
    exits: list[ChildExited] = []

    async def act(_: SlowPlayer, msg: Any) -> None:
        await pass_s(1)
        if msg.text == "bad":
            raise Broken("bad")

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("slow", lambda: SlowPlayer(act, log)), exits)
        for text in ("bad", "good"):
            ref.tell(Line(text))
        await pass_s(100)
        assert [each.poison for each in system.dead_letters.all()] == [True]

    play(scenario)
    assert texts(log) == ["bad", "bad", "good"]
    assert [(type(news.exit.error), news.exit.envelope.message) for news in exits] == [(Broken, Line("bad"))] * 2


def test_a_handler_whose_await_was_cancelled_crashes_its_actor() -> None:
    """A cancelled future under a handler is a crash with the message given back, never silence."""
    exits: list[ChildExited] = []

    async def act(_: SlowPlayer, msg: Any) -> str:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future
        return "never"

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("slow", lambda: SlowPlayer(act)), exits)
        with pytest.raises(ActorCrashed, match="cancelled"):
            await ref.ask(Question("?"))

    play(scenario)
    assert [type(news.exit.error) for news in exits] == [ActorError]


def test_a_plain_handler_that_raises_cancelled_crashes_its_actor_only() -> None:
    """CancelledError out of a plain handler is a crash like any other; the pump goes on."""
    log: list[Any] = []

    def act(_: Player, msg: Any) -> None:
        if msg.text == "bad":
            raise asyncio.CancelledError

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("player", lambda: Player(act, log)))
        other = system.spawn(Spec("other", lambda: Player(log=log)))
        for text in ("bad", "good"):
            ref.tell(Line(text))
        other.tell(Line("other"))
        await pass_s()

    play(scenario)
    assert sorted(texts(log)) == ["bad", "bad", "good", "other"]


@pytest.mark.parametrize("asked", [True, False])
def test_a_message_whose_handler_is_cut_off_by_a_crash_is_given_back(asked: bool) -> None:
    """When a life ends in the middle of a handler its asker hears of it, a told message is handled by the next life."""
    log: list[Any] = []

    async def act(player: SlowPlayer, msg: Any) -> str:
        if len(log) == 1:
            player.context.pipe(pass_s(1), lambda _: 1 / 0)
            await pass_s(50)
        return "done"

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("slow", lambda: SlowPlayer(act, log)))
        if asked:
            with pytest.raises(ActorCrashed, match="division"):
                await ref.ask(Question("x"), 100)
            assert system.now() == 1 * NANOS
        else:
            ref.tell(Line("x"))
        await pass_s(5)

    play(scenario)
    assert texts(log) == (["x"] if asked else ["x", "x"])


def test_a_message_that_is_cut_off_again_and_again_is_parked() -> None:
    """A message in whose handling two lives ended is poison."""

    async def act(player: SlowPlayer, _: Any) -> None:
        player.context.pipe(pass_s(1), lambda _: 1 / 0)
        await pass_s(50)

    async def scenario(system: ActorSystem) -> list[bool]:
        under_nurse(system, Spec("slow", lambda: SlowPlayer(act))).tell(Line("x"))
        await pass_s(20)
        return [each.poison for each in system.dead_letters.all()]

    assert play(scenario) == [True]


def test_a_cut_off_handler_changes_nothing_in_the_next_life() -> None:
    """What an ended life's handler returns or does at its end is dropped; the next life is not disturbed."""
    log: list[Any] = []
    told: list[Any] = []

    async def act(player: SlowPlayer, msg: Any) -> Any:
        if msg.text == "bad" and len(log) == 1:
            player.context.pipe(pass_s(1), lambda _: 1 / 0)
            try:
                await pass_s(50)
            except asyncio.CancelledError:
                return "swallowed it"
        await pass_s(2)
        told.append(msg.text)
        return None

    async def scenario(system: ActorSystem) -> bool:
        ref = under_nurse(system, Spec("slow", lambda: SlowPlayer(act, log)))
        for text in ("bad", "next"):
            ref.tell(Line(text))
        await pass_s(20)
        cell = system.cell_of("/nurse/slow")
        assert cell is not None
        return cell.busy

    assert play(scenario) is False
    assert told == ["bad", "next"]


def test_a_handler_that_never_took_a_step_is_closed_and_given_back() -> None:
    """A life that ends before its handler's first step leaves no coroutine unawaited; the next life handles the message."""
    log: list[Any] = []

    async def act(*_: Any) -> None:
        await pass_s(1)

    async def scenario(system: ActorSystem) -> int:
        slow = under_nurse(system, Spec("slow", lambda: SlowPlayer(act, log)))
        cell = system.cell_of(slow.path)
        assert cell is not None
        killer = system.spawn(Spec("killer", lambda: Player(lambda *_: cell.crash(Broken("outside"), None))))
        slow.tell(Line("x"))
        killer.tell(Line("now"))
        await pass_s(10)
        assert cell.lives == 2
        return len(system.tasks)

    assert play(scenario) == 0
    assert texts(log) == ["x"]


def test_stopping_waits_for_the_handler_under_way() -> None:
    """An orderly stop lets the present handler end and answer; what waits is not handled any more."""
    done: list[str] = []

    async def act(_: SlowPlayer, msg: Any) -> str:
        await pass_s(2)
        done.append(msg.text)
        return "done"

    async def scenario(system: ActorSystem) -> list[object]:
        ref = system.spawn(Spec("slow", lambda: SlowPlayer(act)))
        asked = [asyncio.ensure_future(ref.ask(Question(text), 60)) for text in "ab"]
        await pass_s()
        await system.stop()
        return await asyncio.gather(*asked, return_exceptions=True)

    first, second = play(scenario)
    assert (first, done) == ("done", ["a"])
    assert isinstance(second, ActorStopped)


def test_a_handler_beyond_the_deadline_is_cut_off() -> None:
    """A stop is held to its deadline: a handler that does not end is cancelled, its asker is told, the exit is killed."""
    exits: list[ChildExited] = []

    async def act(*_: Any) -> None:
        await asyncio.Event().wait()

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("slow", lambda: SlowPlayer(act), stop_s=3.0), exits, lives=1)
        asked = asyncio.ensure_future(ref.ask(Question("?"), 600))
        await pass_s()
        began = system.now()
        nurse = system.cell_of("/nurse")
        assert nurse is not None
        nurse.children["slow"].begin_stop()
        with pytest.raises(ActorCrashed, match="did not stop within 3"):
            await asked
        assert system.now() - began == 3 * NANOS
        await pass_s()

    play(scenario)
    assert [news.exit.kind for news in exits] == [ExitKind.KILLED]


@pytest.mark.parametrize("when", ["before the wait", "after the wait"])
def test_an_async_handler_may_end_its_life(when: str) -> None:
    """Stop and escalate take effect when the handler is done: its result still counts, nothing more is handled."""
    log: list[Any] = []
    exits: list[ChildExited] = []

    async def act(player: SlowPlayer, msg: Any) -> str:
        if when == "before the wait":
            player.context.escalate(Broken("enough"))
        await pass_s(1)
        if when == "after the wait":
            player.context.escalate(Broken("enough"))
        return "answered"

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("slow", lambda: SlowPlayer(act, log)), exits, lives=1)
        asked = asyncio.ensure_future(ref.ask(Question("a")))
        await pass_s()
        ref.tell(Line("b"))
        assert await asked == "answered"
        await pass_s(5)

    play(scenario)
    assert texts(log) == ["a"]
    assert [str(news.exit.error) for news in exits] == ["enough"]


def test_handle_time_of_an_async_handler_is_counted_once() -> None:
    """Each message, plain or awaited, adds one to the histogram."""

    async def act(*_: Any) -> None:
        await pass_s(1)

    async def scenario(system: ActorSystem) -> int:
        ref = system.spawn(Spec("slow", lambda: SlowPlayer(act)))
        for text in "abc":
            ref.tell(Line(text))
        await pass_s(10)
        return sum(next(each for each in system.stats() if each.path == "/slow").histogram)

    assert play(scenario) == 3

"""Asking: a typed answer or one error that says what happened; deadlines on the injected clock."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from runtime.actor import NO_ANSWER, Do
from runtime.clock import NANOS
from runtime.errors import ActorCrashed, ActorStopped, AskTimeout, MailboxFull
from runtime.pump import ASKS_AT_ONCE
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Line, Player, Question, SlowPlayer, pass_s, play, under_nurse


def answers(answer: object) -> Spec:
    """Return the recipe of an actor that answers everything with this."""
    return Spec("player", lambda: Player(lambda *_: answer))


@pytest.mark.parametrize("given", ["yes", 0, "", [], ["a", "b"], ("a",), False])
def test_what_a_handler_returns_is_the_answer(given: object) -> None:
    """Any value but Do is the answer itself, also an empty one or a list."""

    async def scenario(system: ActorSystem) -> object:
        return await system.spawn(answers(given)).ask(Question("?"))

    assert play(scenario) == given


def test_a_do_carries_the_answer_beside_its_tells() -> None:
    """A Do's answer reaches the asker, its messages their actors."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> object:
        other = system.spawn(Spec("other", lambda: Player(log=log)))
        return await system.spawn(answers(Do(tells=[(other, Line("told"))], answer="done"))).ask(Question("?"))

    assert play(scenario) == "done"
    assert log == [Line("told")]


def test_a_list_of_dos_is_answered_by_its_last() -> None:
    """Several Dos are carried out in order; the last one's answer is the answer."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> object:
        other = system.spawn(Spec("other", lambda: Player(log=log)))
        dos = [Do(tells=[(other, Line("1"))], answer="no"), Do(tells=[(other, Line("2"))], answer="last")]
        return await system.spawn(answers(dos)).ask(Question("?"))

    assert play(scenario) == "last"
    assert log == [Line("1"), Line("2")]


def test_a_handler_that_returns_nothing_answers_none() -> None:
    """An asker is always answered: with None when the handler returned nothing."""

    async def scenario(system: ActorSystem) -> object:
        return await system.spawn(answers(None)).ask(Question("?"))

    assert play(scenario) is None


def test_an_ask_times_out_on_the_injected_clock() -> None:
    """An hour's deadline passes at once on virtual time and says that the outcome is unknown."""

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(answers(NO_ANSWER))
        began = system.now()
        with pytest.raises(AskTimeout, match="/player did not answer in time; whether it acted is unknown"):
            await ref.ask(Question("?"), 3600.0)
        assert system.now() - began == 3600 * NANOS

    play(scenario)


def test_deadlines_pass_in_their_order() -> None:
    """Each of many asks fails at its own deadline."""
    failed: list[tuple[float, float]] = []

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(answers(NO_ANSWER))

        async def ask(timeout_s: float) -> None:
            with pytest.raises(AskTimeout):
                await ref.ask(Question("?"), timeout_s)
            failed.append((timeout_s, system.now() / NANOS))

        await asyncio.gather(*(ask(seconds) for seconds in (5.0, 1.0, 3.0, 2.0, 4.0)))

    play(scenario)
    assert failed == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0), (5.0, 5.0)]


def test_an_answer_may_come_later() -> None:
    """A handler that returns NO_ANSWER keeps its envelope and answers it when it knows; a second answer changes nothing."""
    kept: list[Any] = []

    def act(player: Player, msg: Any) -> Any:
        if isinstance(msg, Question):
            kept.append(player.context.envelope)
            return NO_ANSWER
        player.context.answer(kept[0], msg.text)
        player.context.answer(kept[0], "again")
        return None

    async def scenario(system: ActorSystem) -> object:
        ref = system.spawn(Spec("player", lambda: Player(act)))
        asked = asyncio.ensure_future(ref.ask(Question("?"), 60.0))
        await pass_s(10)
        assert not asked.done()
        ref.tell(Line("at last"))
        return await asked

    assert play(scenario) == "at last"


def test_a_late_answer_may_be_an_error() -> None:
    """An answer that was put off may be an error; the asker gets it raised."""
    kept: list[Any] = []

    def act(player: Player, msg: Any) -> Any:
        if isinstance(msg, Question):
            kept.append(player.context.envelope)
            return NO_ANSWER
        player.context.answer(kept[0], error=Broken("no"))
        return None

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", lambda: Player(act)))
        asked = asyncio.ensure_future(ref.ask(Question("?")))
        await pass_s()
        ref.tell(Line("go"))
        with pytest.raises(Broken):
            await asked

    play(scenario)


def test_asking_who_has_stopped_fails_at_once() -> None:
    """An actor that has ended for good answers ActorStopped, also to requests that were waiting."""

    def act(player: Player, _: Any) -> Any:
        player.context.stop()
        return NO_ANSWER

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", lambda: Player(act)))
        first, second = (asyncio.ensure_future(ref.ask(Question(text))) for text in "ab")
        with pytest.raises(ActorStopped):
            await second
        assert not ref.alive
        began = system.now()
        with pytest.raises(ActorStopped):
            await ref.ask(Question("?"))
        assert system.now() == began
        with pytest.raises(AskTimeout):
            await first

    play(scenario)


def test_an_asker_hears_of_the_crash_and_no_retry_acts_behind_its_back() -> None:
    """A crash on a request is told to its asker with its cause; the request is not handled again."""
    log: list[Any] = []

    def act(_: Player, msg: Any) -> str:
        if msg.text == "bad":
            raise Broken("boom")
        return "fine"

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("player", lambda: Player(act, log)))
        with pytest.raises(ActorCrashed, match="boom") as caught:
            await ref.ask(Question("bad"))
        assert isinstance(caught.value.cause, Broken)
        assert await ref.ask(Question("good")) == "fine"

    play(scenario)
    assert log == [Question("bad"), Question("good")]


def test_a_full_mailbox_refuses_requests() -> None:
    """A request beyond the capacity fails with MailboxFull; those that fit are answered."""

    async def scenario(system: ActorSystem) -> list[object]:
        ref = system.spawn(Spec("player", lambda: Player(lambda _, msg: msg.text), capacity=2))
        asked = asyncio.gather(*(ref.ask(Question(text)) for text in "abc"), return_exceptions=True)
        system.pump.schedule()  # somebody else is to be served too: no ask is served at once
        return await asked

    *fine, refused = play(scenario)
    assert fine == ["a", "b"]
    assert isinstance(refused, MailboxFull)
    assert "/player" in str(refused)


def test_an_ask_that_nobody_else_waits_with_is_served_at_once() -> None:
    """An ask of an idle system is answered in the asker's own turn, and every so often one lets the loop turn."""

    async def scenario(system: ActorSystem) -> list[int]:
        ref = system.spawn(Spec("player", lambda: Player(lambda _, msg: msg.text)))
        turns: list[int] = []
        turned = 0

        def turn() -> None:
            nonlocal turned
            turned += 1
            system.loop.call_soon(turn)

        system.loop.call_soon(turn)
        for _ in range(3 * ASKS_AT_ONCE):
            assert await ref.ask(Question("a")) == "a"
            turns.append(turned)
        return turns

    turns = play(scenario)
    assert turns[:ASKS_AT_ONCE] == [0] * ASKS_AT_ONCE
    assert turns[-1] >= 2, "who asks in a loop starves nobody"


def test_an_ask_served_at_once_keeps_its_askers_place() -> None:
    """The causal chain of the asker goes on after the answer as before it."""

    async def scenario(system: ActorSystem) -> tuple[object, object]:
        ref = system.spawn(Spec("player", lambda: Player(lambda _, msg: msg.text)))
        before = system.current, system.current_path, system.running
        await ref.ask(Question("a"))
        return before, (system.current, system.current_path, system.running)

    before, after = play(scenario)
    assert before == after


def test_a_request_waits_for_its_actors_next_life() -> None:
    """A request that comes while its actor is between two lives is answered by the next one."""

    def act(_: Player, msg: Any) -> str:
        if msg.text == "bad":
            raise Broken("boom")
        return "fine"

    async def scenario(system: ActorSystem) -> object:
        ref = under_nurse(system, Spec("player", lambda: Player(act)))
        ref.tell(Line("bad"))
        return await ref.ask(Question("good"))

    assert play(scenario) == "fine"


def test_a_cancelled_asker_leaves_nothing_behind() -> None:
    """An asker that goes away is forgotten; the answer that comes later hurts nobody."""

    async def act(_: SlowPlayer, msg: Any) -> str:
        await pass_s(10)
        return str(msg.text)

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", lambda: SlowPlayer(act)))
        asked = asyncio.ensure_future(ref.ask(Question("?"), 60.0))
        await pass_s()
        asked.cancel()
        await pass_s(20)
        assert len(system.asks) == 0
        assert await ref.ask(Question("!"), 60.0) == "!"

    play(scenario)


def test_answered_asks_are_not_kept_until_their_deadlines() -> None:
    """Asks with long deadlines that were answered do not pile up: memory is bounded by those that wait."""

    async def scenario(system: ActorSystem) -> int:
        slow = system.spawn(Spec("slow", lambda: Player(lambda *_: NO_ANSWER)))
        waiting = [asyncio.ensure_future(slow.ask(Question("?"), 7_000.0)) for _ in range(10)]
        await pass_s()
        ref = system.spawn(answers("yes"))
        for _ in range(6_000):
            await ref.ask(Question("?"), 86_400.0)
        kept = len(system.asks._deadlines)
        assert len(system.asks) == len(waiting)
        for each in waiting:
            each.cancel()
        return kept

    assert play(scenario) < 2_100


class _Refused(Exception):
    pass


def test_an_answer_that_is_an_error_is_let_go_of() -> None:
    """An error that was answered with is freed with its frames: an outage of hours must not fill the memory."""

    def fail(player: Player, msg: Any) -> Any:
        envelope = player.context.envelope

        async def work() -> None:
            raise _Refused(msg.text)

        player.context.pipe(work(), lambda _: None, lambda error: player.context.answer(envelope, None, error))
        return NO_ANSWER

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", lambda: Player(fail)))
        for _ in range(20):
            with pytest.raises(_Refused):
                await ref.ask(Question("?"), 60.0)

    play(scenario)
    gc.collect()
    assert [each for each in gc.get_objects() if isinstance(each, _Refused)] == []

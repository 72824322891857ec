"""Thread dispatch: the handler runs in a thread of its own, everything else stays on the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from runtime.actor import Do
from runtime.errors import ActorCrashed
from runtime.lifecycle import ChildExited
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import (
    Broken,
    Line,
    Player,
    Question,
    SlowPlayer,
    Teller,
    TrackedJournal,
    pass_s,
    play,
    texts,
    under_nurse,
)

Scenario = Callable[[ActorSystem], Coroutine[Any, Any, Any]]


def threaded(act: Any, log: list[Any] | None = None, **options: Any) -> Spec:
    """Return the recipe of a player on a thread."""
    return Spec("threaded", lambda: Player(act, log), dispatch="thread", **options)


def on_wall_clock(scenario: Scenario) -> Any:
    """Run a scenario on real time."""

    async def main() -> Any:
        async with ActorSystem() as system:
            return await scenario(system)

    return asyncio.run(main())


def test_the_handler_runs_in_another_thread_one_message_at_a_time() -> None:
    """Handlers of one actor share one thread that is not the loop's."""

    async def scenario(system: ActorSystem) -> list[object]:
        ref = system.spawn(threaded(lambda *_: threading.get_ident()))
        assert system.threads == 1
        return [await ref.ask(Question("?")) for _ in range(3)]

    idents = set(on_wall_clock(scenario))
    assert len(idents) == 1
    assert threading.get_ident() not in idents


def test_the_loop_is_free_while_a_handler_blocks() -> None:
    """A blocking handler keeps only its own actor from working."""
    released = threading.Event()

    async def scenario(system: ActorSystem) -> object:
        ref = system.spawn(threaded(lambda *_: released.wait(20)))
        asked = asyncio.ensure_future(ref.ask(Question("?"), 30))
        quick = system.spawn(Spec("quick", lambda: Player(lambda *_: "yes")))
        assert await quick.ask(Question("?")) == "yes"
        assert not asked.done()
        released.set()
        return await asked

    assert on_wall_clock(scenario) is True


def test_in_the_simulator_handlers_run_inline() -> None:
    """On a virtual clock a thread actor's handlers run on the loop and no thread is made."""

    async def scenario(system: ActorSystem) -> object:
        ref = system.spawn(threaded(lambda *_: threading.get_ident()))
        assert system.threads == 0
        return await ref.ask(Question("?"))

    assert play(scenario) == threading.get_ident()


def test_a_crash_in_the_thread_is_supervised() -> None:
    """An error in the thread crashes the actor: its asker hears it, a told message is tried once more, then parked."""
    log: list[Any] = []
    exits: list[ChildExited] = []

    def act(_: Player, msg: Any) -> str:
        if msg.text == "bad":
            raise Broken("in the thread")
        return "fine"

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, threaded(act, log), exits)
        with pytest.raises(ActorCrashed, match="in the thread"):
            await ref.ask(Question("bad"))
        ref.tell(Line("bad"))
        assert await ref.ask(Question("good")) == "fine"
        assert [each.poison for each in system.dead_letters.all()] == [True]
        assert system.threads == 1

    on_wall_clock(scenario)
    assert texts(log) == ["bad", "bad", "bad", "good"]
    assert [type(news.exit.error) for news in exits] == [Broken] * 3


def test_systemexit_in_a_thread_harms_no_other_thread() -> None:
    """A handler that raises SystemExit crashes its own actor; the threads of others live on."""

    def act(_: Player, msg: Any) -> str:
        if msg.text == "exit":
            raise SystemExit(1)
        return "alive"

    async def scenario(system: ActorSystem) -> object:
        ref = under_nurse(system, threaded(act))
        other = system.spawn(Spec("other", lambda: Player(act), dispatch="thread"))
        with pytest.raises(ActorCrashed):
            await ref.ask(Question("exit"))
        assert await ref.ask(Question("?")) == "alive"
        return await other.ask(Question("?"))

    assert on_wall_clock(scenario) == "alive"


def test_the_threads_own_messages_and_timers_arrive() -> None:
    """From its thread a handler may tell and set timers; they arrive on the loop."""
    told = threading.Event()
    log: list[Any] = []

    def act(player: Player, msg: Any) -> None:
        if msg.text == "go":
            player.context.system.lookup("/other").tell(Line("told"))  # type: ignore[union-attr]
            player.timers.after(0.001, Line("timer"))
        elif msg.text == "timer":
            told.set()

    async def scenario(system: ActorSystem) -> bool:
        system.spawn(Spec("other", lambda: Player(log=log)))
        system.spawn(threaded(act)).tell(Line("go"))
        return await asyncio.get_running_loop().run_in_executor(None, told.wait, 20)

    assert on_wall_clock(scenario)
    assert texts(log) == ["told"]


def test_a_thread_may_return_events_and_messages() -> None:
    """What a handler returns from its thread is journalled, told and answered as from any handler."""
    journal = TrackedJournal()

    async def main() -> object:
        async with ActorSystem(journal=journal) as system:
            ref = system.spawn(Spec("teller", Teller, dispatch="thread"))
            await ref.ask(Question("a"))
            return await ref.ask(Question("b"))

    assert asyncio.run(main()) == "a,b"
    assert journal.texts("/teller") == ["a", "b"]


def test_stopping_leaves_no_thread() -> None:
    """When the system has stopped every handler thread has ended, those of crashed lives too."""
    before = set(threading.enumerate())

    def act(_: Player, msg: Any) -> None:
        if msg.text == "bad":
            raise Broken("x")

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, threaded(act))
        for _ in range(5):
            with pytest.raises(ActorCrashed):
                await ref.ask(Question("bad"))
        for name in "abc":
            await system.spawn(Spec(name, Player, dispatch="thread")).ask(Question("?"))
        await system.stop()
        assert set(threading.enumerate()) - before == set()

    on_wall_clock(scenario)


def test_a_start_that_is_refused_leaves_no_thread() -> None:
    """A life that cannot be made gives its thread back."""
    before = set(threading.enumerate())

    def factory() -> Player:
        raise Broken("no actor")

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("threaded", factory, dispatch="thread"))
        await system.stop()
        assert set(threading.enumerate()) - before == set()

    on_wall_clock(scenario)


def test_a_stop_waits_for_the_thread_but_not_beyond_its_deadline() -> None:
    """A handler that blocks for ever is abandoned at the deadline; its asker is told and the system ends."""
    released = threading.Event()

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(threaded(lambda *_: released.wait(20), stop_s=0.05))
        asked = asyncio.ensure_future(ref.ask(Question("?"), 30))
        await pass_s(0)
        await system.stop()
        with pytest.raises(ActorCrashed, match="did not stop"):
            await asked

    on_wall_clock(scenario)
    released.set()


def test_virtual_time_stands_still_while_a_real_thread_works() -> None:
    """With real threads under a virtual clock no timeout can pass while a handler works."""
    released = threading.Event()

    async def scenario(system: ActorSystem) -> tuple[object, int]:
        ref = system.spawn(threaded(lambda *_: released.wait(20)))
        threading.Timer(0.02, released.set).start()
        return await ref.ask(Question("?"), 1.0), system.now()

    assert play(scenario, inline_threads=False) == (True, 0)


def test_an_async_handler_of_a_thread_actor_runs_on_the_loop() -> None:
    """A coroutine that a thread actor's handler returns is awaited on the loop, still one message at a time."""

    async def act(_: SlowPlayer, msg: Any) -> Any:
        await pass_s(0)
        return Do(answer=threading.get_ident())

    async def scenario(system: ActorSystem) -> object:
        ref = system.spawn(Spec("slow", lambda: SlowPlayer(act), dispatch="thread"))
        return await ref.ask(Question("?"))

    assert on_wall_clock(scenario) == threading.get_ident()


def test_any_thread_may_tell() -> None:
    """A reference may be used from any thread; such a message comes from outside."""
    arrived = asyncio.Event()

    async def scenario(system: ActorSystem) -> list[Any]:
        log: list[Any] = []
        ref = system.spawn(Spec("player", lambda: Player(lambda *_: arrived.set(), log)))
        await asyncio.get_running_loop().run_in_executor(None, ref.tell, Line("x"))
        await asyncio.wait_for(arrived.wait(), 20)
        return log

    assert on_wall_clock(scenario) == [Line("x")]


def test_telling_after_the_end_is_silent() -> None:
    """A thread that outlives its system may tell without an error; nobody hears it."""
    kept: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        kept.append(system.spawn(Spec("player", Player)))
        await pass_s(0)

    on_wall_clock(scenario)
    errors: list[BaseException] = []

    def tell() -> None:
        try:
            kept[0].tell(Line("late"))
        except BaseException as error:  # noqa: BLE001 - the test asserts that there is none
            errors.append(error)

    thread = threading.Thread(target=tell)
    thread.start()
    thread.join()
    assert errors == []

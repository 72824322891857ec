"""Pipes: something awaited beside the actor comes back as a message."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from runtime.clock import VirtualClock
from runtime.errors import ActorError
from runtime.lifecycle import ChildExited
from runtime.loop import run_virtual
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Line, Player, pass_s, play, texts, under_nurse


async def later(text: str, seconds: float = 1.0) -> str:
    """Return a text after a while."""
    await pass_s(seconds)
    return text


async def fails(seconds: float = 1.0) -> str:
    """Raise after a while."""
    await pass_s(seconds)
    raise Broken("no")


def piping(make: Any, failed: Any = None, **options: Any) -> Any:
    """Return an act that pipes on the line ``go``."""

    def act(player: Player, msg: Any) -> None:
        if msg.text == "go":
            player.context.pipe(make(), Line, failed, **options)
        elif msg.text == "crash":
            raise Broken("crash")
        elif msg.text == "stop":
            player.context.stop()

    return act


def test_a_result_comes_back_as_a_message_and_the_actor_is_free_meanwhile() -> None:
    """While a pipe waits its actor handles other messages; then it hears the result."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", lambda: Player(piping(lambda: later("result")), log)))
        ref.tell(Line("go"))
        ref.tell(Line("meanwhile"))
        await pass_s(2)

    play(scenario)
    assert texts(log) == ["go", "meanwhile", "result"]


def test_a_failure_comes_back_as_the_message_that_was_agreed() -> None:
    """With ``failed`` an error is told as that message and crashes nobody."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        act = piping(fails, lambda error: Line(f"failed: {error}"))
        system.spawn(Spec("player", lambda: Player(act, log))).tell(Line("go"))
        await pass_s(2)

    play(scenario)
    assert texts(log) == ["go", "failed: no"]


def test_a_failure_nobody_agreed_on_crashes_the_actor() -> None:
    """Without ``failed`` an error is the actor's crash."""
    exits: list[ChildExited] = []

    async def scenario(system: ActorSystem) -> None:
        under_nurse(system, Spec("player", lambda: Player(piping(fails))), exits).tell(Line("go"))
        await pass_s(2)

    play(scenario)
    assert [type(news.exit.error) for news in exits] == [Broken]


def test_a_result_that_cannot_be_made_a_message_is_a_failure() -> None:
    """What ``into`` raises counts as the failure of the pipe."""
    log: list[Any] = []

    def act(player: Player, msg: Any) -> None:
        if msg.text == "go":
            player.context.pipe(later("x"), lambda result: Line(str(1 / 0)), lambda error: Line(type(error).__name__))

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("player", lambda: Player(act, log))).tell(Line("go"))
        await pass_s(2)

    play(scenario)
    assert texts(log) == ["go", "ZeroDivisionError"]


def test_no_message_is_told_for_a_result_that_is_none() -> None:
    """``into`` may return None: then nothing is told."""
    log: list[Any] = []

    def act(player: Player, msg: Any) -> None:
        player.context.pipe(later("x"), lambda _: None)

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("player", lambda: Player(act, log))).tell(Line("go"))
        await pass_s(2)

    play(scenario)
    assert texts(log) == ["go"]


@pytest.mark.parametrize("ending", ["crash", "stop"])
def test_a_pipe_is_cancelled_with_its_life(ending: str) -> None:
    """At the end of a life what it awaits is cancelled; the next life never hears of it."""
    log: list[Any] = []
    cancelled: list[str] = []

    async def noted() -> str:
        try:
            return await later("ghost", 10.0)
        except asyncio.CancelledError:
            cancelled.append("cancelled")
            raise

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("player", lambda: Player(piping(noted), log)))
        ref.tell(Line("go"))
        await pass_s(1)
        ref.tell(Line(ending))
        await pass_s(100)

    play(scenario)
    assert cancelled == ["cancelled"]
    assert "ghost" not in texts(log)


def test_a_pipe_that_never_took_a_step_is_closed() -> None:
    """A life that ends in the turn in which it pipes leaves no coroutine unawaited and nothing running."""

    def act(player: Player, _: Any) -> None:
        player.context.pipe(later("ghost"), Line)
        raise Broken("at once")

    async def scenario(system: ActorSystem) -> int:
        under_nurse(system, Spec("player", lambda: Player(act)), lives=1).tell(Line("go"))
        await pass_s()
        return len(system.tasks)

    assert play(scenario) == 0


def test_what_is_cancelled_under_a_pipe_is_its_failure() -> None:
    """A future that somebody else cancels is told as a failure, or crashes the actor; it is never silence."""
    log: list[Any] = []
    exits: list[ChildExited] = []

    async def scenario(system: ActorSystem) -> None:
        futures = [asyncio.get_running_loop().create_future() for _ in range(2)]
        told = piping(lambda: futures[0], lambda error: Line(type(error).__name__))
        system.spawn(Spec("told", lambda: Player(told, log))).tell(Line("go"))
        under_nurse(system, Spec("crashed", lambda: Player(piping(lambda: futures[1]))), exits).tell(Line("go"))
        await pass_s()
        for future in futures:
            future.cancel()
        await pass_s()

    play(scenario)
    assert texts(log) == ["go", "ActorError"]
    assert [type(news.exit.error) for news in exits] == [ActorError]


@pytest.mark.parametrize("real", [True, False])
def test_a_real_pipe_holds_virtual_time(real: bool) -> None:
    """``real=True`` keeps a virtual clock still while a thread works; without it time runs on to the next timer."""
    log: list[str] = []
    released = threading.Event()

    async def main(clock: VirtualClock) -> int:
        async with ActorSystem(clock=clock) as system:

            def act(player: Player, msg: Any) -> None:
                log.append(msg.text)
                if msg.text == "go":
                    player.timers.after(3600, Line("timer"))
                    work = asyncio.get_running_loop().run_in_executor(None, released.wait, 20)
                    player.context.pipe(work, lambda _: Line("result"), real=real)
                    if real:
                        threading.Timer(0.02, released.set).start()
                elif msg.text == "timer":
                    released.set()

            system.spawn(Spec("player", lambda: Player(act))).tell(Line("go"))
            await pass_s(3599 if real else 3601)
            return clock.now()

    run_virtual(main)
    assert log[:2] == (["go", "result"] if real else ["go", "timer"])

"""What a life holds outside the system is let go of however it ends; calls from outside crash whom they are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from protocol.messages import Message
from runtime.actor import Actor, handles
from runtime.lifecycle import ChildExited, ExitKind
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Line, pass_s, play, under_nurse


class Holder(Actor):
    """Logs its starts and its letting go; its first life raises on the line ``crash``."""

    def __init__(self, log: list[str], release: Callable[[], Any] = lambda: None) -> None:
        self.log = log
        self.release = release

    def started(self) -> None:
        self.log.append("started")

    def stopping(self) -> None:
        self.log.append("stopping")

    def let_go(self) -> Any:
        self.log.append("let go")
        return self.release()

    @handles
    def line(self, msg: Line) -> None:
        if msg.text == "crash" and self.log.count("started") == 1:
            raise Broken("as told")


def test_a_crashed_life_lets_go_before_the_next_begins() -> None:
    """After a crash ``let_go`` runs to its end, once, before the next life starts; ``stopping`` does not run."""
    log: list[str] = []

    async def slowly() -> None:
        await pass_s(1)
        log.append("gone")

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("holder", lambda: Holder(log, slowly)))
        ref.tell(Line("crash"))
        await pass_s(2)
        assert log == ["started", "let go", "gone", "started"]

    play(scenario)


def test_an_orderly_end_lets_go_after_stopping() -> None:
    """At an orderly end ``stopping`` runs first, then ``let_go``, once."""
    log: list[str] = []

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("holder", lambda: Holder(log)))
        await system.stop()

    play(scenario)
    assert log == ["started", "stopping", "let go"]


def test_a_failed_start_lets_go() -> None:
    """A life that fails in ``started`` lets go of what it already holds."""
    log: list[str] = []

    class HalfWay(Holder):
        async def started(self) -> None:  # type: ignore[override]
            log.append("half-way")
            raise Broken("the rest failed")

    async def scenario(system: ActorSystem) -> None:
        exits: list[ChildExited] = []
        under_nurse(system, Spec("holder", lambda: HalfWay(log)), exits, lives=1)
        await pass_s()
        assert [(news.exit.kind, news.starting) for news in exits] == [(ExitKind.CRASH, True)]

    play(scenario)
    assert log == ["half-way", "let go"]


@pytest.mark.parametrize("wait", ["for ever", "raise"])
def test_nobody_waits_for_ever_for_a_life_to_let_go(wait: str) -> None:
    """One that does not let go by its deadline, or raises, is reported; its next life begins all the same."""
    log: list[str] = []

    async def badly() -> None:
        if wait == "raise":
            raise Broken("it is stuck")
        await anyio.sleep_forever()

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("holder", lambda: Holder(log, badly), stop_s=3.0))
        ref.tell(Line("crash"))
        await pass_s(3.1)
        assert log == ["started", "let go", "started"]

    play(scenario)


def test_a_killed_life_lets_go() -> None:
    """A life that misses its deadline is abandoned, and lets go beside the house that goes on."""
    log: list[str] = []

    class Stubborn(Holder):
        async def stopping(self) -> None:  # type: ignore[override]
            await anyio.sleep_forever()

    async def scenario(system: ActorSystem) -> None:
        under_nurse(system, Spec("holder", lambda: Stubborn(log), stop_s=1.0), lives=1)
        nurse = system.cell_of("/nurse")
        assert nurse is not None
        nurse.actor.context.stop_child("holder")  # type: ignore[union-attr]
        await pass_s(2)
        assert log == ["started", "let go"]

    play(scenario)


class Heard(Message, frozen=True):
    """What a callback passes on."""

    text: str


class Listener(Holder):
    """Hands out a callback; raises in it on ``crash``."""

    def __init__(self, log: list[str], callbacks: list[Callable[..., None]]) -> None:
        super().__init__(log)
        self.callbacks = callbacks

    def started(self) -> None:
        self.callbacks.append(self.context.callback(self.told))

    def told(self, text: str) -> None:
        if text == "crash":
            raise Broken("in a callback")
        self.ref.tell(Heard(text))

    @handles
    def heard(self, msg: Heard) -> None:
        envelope = self.context.envelope
        assert envelope is not None
        self.log.append(f"{msg.text} by {envelope.sender}")


def test_a_callback_crashes_its_actor_and_not_its_caller() -> None:
    """What a callback raises ends the life that made it; the caller, another actor, does not notice."""
    log: list[str] = []
    callbacks: list[Callable[..., None]] = []

    async def scenario(system: ActorSystem) -> None:
        exits: list[ChildExited] = []
        under_nurse(system, Spec("listener", lambda: Listener(log, callbacks)), exits)
        callbacks[0]("one")
        await pass_s()
        callbacks[0]("crash")
        callbacks[0]("lost")
        await pass_s()
        callbacks[0]("of an ended life")
        callbacks[1]("two")
        await pass_s()
        assert [str(news.exit.error) for news in exits] == ["in a callback"]

    play(scenario)
    assert log == ["one by /nurse/listener", "let go", "two by /nurse/listener", "stopping", "let go"]

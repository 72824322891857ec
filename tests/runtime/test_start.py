"""Starts: slow ones, failed ones, and the names under which actors live."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.actor import Actor, Do
from runtime.errors import SpawnRefused
from runtime.lifecycle import ChildExited
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Line, Nurse, Player, Question, Teller, pass_s, play, texts, under_nurse
from tests.runtime.test_crash import crash_on


@pytest.mark.parametrize("where", ["factory", "started", "async started", "recovered"])
def test_a_failed_start_is_its_parents_news_and_nobodys_crash(where: str) -> None:
    """Whatever fails at a start is told to the parent as a start that never came up; the parent lives on."""
    exits: list[ChildExited] = []

    class Bad(Player):
        def started(self) -> Any:
            if where == "started":
                raise Broken(where)
            return self.wait() if where == "async started" else None

        async def wait(self) -> None:
            await pass_s(1)
            raise Broken(where)

    def factory() -> Actor:
        if where == "factory":
            raise Broken(where)
        return Bad()

    class BadTeller(Teller):
        def recovered(self) -> None:
            raise Broken(where)

    async def scenario(system: ActorSystem) -> str:
        if where == "recovered":
            await system.spawn(Spec("first", BadTeller)).ask(Question("x"))

            class Same(BadTeller):
                stream = "/first"  # type: ignore[assignment]

            spec = Spec("child", Same)
        else:
            spec = Spec("child", factory)
        system.spawn(Spec("nurse", lambda: Nurse([spec], exits, lives=3)))
        await pass_s(10)
        return next(each.state for each in system.stats() if each.path == "/nurse")

    assert play(scenario) == "running"
    assert [(type(news.exit.error), str(news.exit.error), news.starting) for news in exits] == [
        (Broken, where, True)
    ] * 3


def test_messages_wait_for_a_slow_start() -> None:
    """Until an async start is done nothing is handled; then everything that came meanwhile, in order."""
    log: list[Any] = []

    class Slow(Player):
        async def started(self) -> None:  # type: ignore[override]
            await pass_s(5)
            self.log.append(Line("started"))

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("slow", lambda: Slow(log=log)))
        ref.tell(Line("a"))
        await pass_s(1)
        assert log == []
        await pass_s(5)

    play(scenario)
    assert texts(log) == ["started", "a"]


def test_what_a_start_returns_is_carried_out_in_the_actors_name() -> None:
    """A Do that ``started`` returns is told by the actor itself, also when its parent restarts it."""
    senders: list[str] = []

    class Greeter(Player):
        def started(self) -> Do:
            return Do(tells=[("/hall", Line("here"))])

    def note(player: Player, _: Any) -> None:
        envelope = player.context.envelope
        assert envelope is not None
        senders.append(envelope.sender)

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("hall", lambda: Player(note)))
        ref = under_nurse(system, Spec("greeter", lambda: Greeter(crash_on("bad"))))
        ref.tell(Line("bad"))
        await pass_s()

    play(scenario)
    assert senders == ["/nurse/greeter"] * 3


def test_escalating_while_starting_ends_the_life_before_its_first_message() -> None:
    """A start that escalates never handles a message; it is told as a start that never came up."""
    exits: list[ChildExited] = []
    log: list[Any] = []

    class Hopeless(Player):
        def started(self) -> None:
            self.context.escalate(Broken("hopeless"))

    async def scenario(system: ActorSystem) -> None:
        under_nurse(system, Spec("child", lambda: Hopeless(log=log)), exits, lives=1).tell(Line("x"))
        await pass_s()

    play(scenario)
    assert log == []
    assert [(str(news.exit.error), news.starting) for news in exits] == [("hopeless", True)]


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a\nb", "x" * 201])
def test_a_malformed_name_is_refused(name: str) -> None:
    """Names have one to 200 characters, no slash and no white space."""
    with pytest.raises(SpawnRefused):
        Spec(name, Player)


def test_a_name_is_taken_while_its_actor_lives_and_free_afterwards() -> None:
    """Two living siblings never share a name; references to the old actor reach the new one."""
    logs: tuple[list[Any], list[Any]] = ([], [])

    def act(player: Player, msg: Any) -> None:
        if msg.text == "stop":
            player.context.stop()

    async def scenario(system: ActorSystem) -> None:
        old = system.spawn(Spec("player", lambda: Player(act, logs[0])))
        with pytest.raises(SpawnRefused, match="already exists"):
            system.spawn(Spec("player", Player))
        old.tell(Line("stop"))
        await pass_s()
        new = system.spawn(Spec("player", lambda: Player(act, logs[1])))
        assert (old == new, hash(old) == hash(new)) == (True, True)
        old.tell(Line("hello"))
        await pass_s()

    play(scenario)
    assert [texts(log) for log in logs] == [["stop"], ["hello"]]

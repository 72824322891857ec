"""Subscribers of the bus that want only some facts of a topic."""

from __future__ import annotations

from typing import Any

from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Fact, Line, Player, pass_s, play, under_nurse


def big(fact: Any) -> bool:
    """Want numbers above 10."""
    return isinstance(fact, Fact) and fact.number > 10


class Choosy(Player):
    """A player that wants big numbers only, in each of its lives."""

    def started(self) -> None:
        """Subscribe."""
        self.context.bus.subscribe("news", self.ref, wanted=big)


def crash(player: Player, msg: Any) -> None:
    """Crash when the text says so."""
    if getattr(msg, "text", "") == "crash":
        raise Broken("crash")


def test_a_fact_that_is_not_wanted_is_not_told() -> None:
    """A choosy subscriber hears the facts its condition is true of; publish counts whom it told; the others hear all."""
    log: list[Any] = []
    everything: list[Any] = []

    async def scenario(system: ActorSystem) -> list[int]:
        system.spawn(Spec("choosy", lambda: Choosy(log=log)))
        plain = system.spawn(Spec("plain", lambda: Player(log=everything)))
        await pass_s()
        system.bus.subscribe("news", plain)
        counts = [system.bus.publish("news", Fact(number)) for number in (1, 11, 10, 12)]
        assert system.bus.publish("other", Fact(99)) == 0
        assert system.bus.topics() == {"news": 2}
        await pass_s()
        return counts

    assert play(scenario) == [1, 2, 1, 2]
    assert log == [Fact(11), Fact(12)]
    assert everything == [Fact(1), Fact(11), Fact(10), Fact(12)]


def test_the_kept_fact_is_told_only_when_it_is_wanted() -> None:
    """Who subscribes later hears the standing truth of the topic if its condition is true of it, unless it asks not to."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", lambda: Player(log=log)))
        system.bus.publish("small", Fact(1), keep=True)
        system.bus.publish("large", Fact(20), keep=True)
        system.bus.publish("silent", Fact(30), keep=True)
        system.bus.subscribe("small", ref, wanted=big)
        system.bus.subscribe("large", ref, wanted=big)
        system.bus.subscribe("silent", ref, wanted=big, tell_kept=False)
        await pass_s()

    play(scenario)
    assert log == [Fact(20)]


def test_a_new_condition_takes_the_place_of_the_old_one() -> None:
    """Subscribing again with another condition replaces it; unsubscribing ends it, and twice is once."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", lambda: Player(log=log)))
        system.bus.subscribe("news", ref, wanted=big)
        system.bus.subscribe("news", ref, wanted=lambda fact: fact.number < 5)
        system.bus.publish("news", Fact(20))
        system.bus.publish("news", Fact(4))
        system.bus.unsubscribe("news", ref)
        system.bus.unsubscribe("news", ref)
        system.bus.publish("news", Fact(3))
        assert system.bus.topics() == {}
        await pass_s()

    play(scenario)
    assert log == [Fact(4)]


def test_a_choosy_subscription_ends_with_the_life_that_made_it() -> None:
    """A crash ends it; the next life subscribes itself and hears a fact once."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("choosy", lambda: Choosy(crash, log)))
        await pass_s()
        ref.tell(Line("crash"))
        await pass_s()
        ref.tell(Line("crash"))
        await pass_s()
        log.clear()
        system.bus.publish("news", Fact(11))
        await pass_s()

    play(scenario)
    assert log == [Fact(11)]


def test_a_publisher_can_ask_whether_a_fact_is_awaited() -> None:
    """Whoever makes a fact at a cost first asks whether a choosy subscriber would hear it; the others do not count."""

    async def scenario(system: ActorSystem) -> list[bool]:
        system.spawn(Spec("plain", lambda: Player(log=[])))
        plain = system.lookup("/plain")
        assert plain is not None
        system.bus.subscribe("news", plain)
        before = [system.bus.choosy("news"), system.bus.awaited("news", Fact(11))]
        choosy = system.spawn(Spec("choosy", lambda: Choosy(log=[])))
        await pass_s()
        during = [system.bus.choosy("news"), system.bus.awaited("news", Fact(11)), system.bus.awaited("news", Fact(10))]
        system.bus.unsubscribe("news", choosy)
        return [*before, *during, system.bus.choosy("news")]

    assert play(scenario) == [False, False, True, True, False, False]

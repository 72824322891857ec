"""Death watch, and the bus of facts."""

from __future__ import annotations

from typing import Any

from runtime.actor import Actor, handles
from runtime.lifecycle import ExitKind, Terminated
from runtime.ref import ActorRef
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Fact, Line, Player, pass_s, play, under_nurse


class Watcher(Actor):
    """Watches whom it is told to; logs who ended and why."""

    def __init__(self, watched: ActorRef, log: list[Terminated]) -> None:
        self.watched = watched
        self.log = log

    def started(self) -> None:
        """Watch."""
        self.context.watch(self.watched)

    @handles
    def ended(self, news: Terminated) -> None:
        """Log."""
        self.log.append(news)


class Listener(Player):
    """A player that subscribes to a topic in each of its lives."""

    def started(self) -> None:
        """Subscribe, twice: the second changes nothing."""
        self.context.bus.subscribe("news", self.ref)
        self.context.bus.subscribe("news", self.ref)


def act_or_end(player: Player, msg: Any) -> None:
    """Crash or stop when the text says so."""
    if msg.text == "crash":
        raise Broken("crash")
    if msg.text == "stop":
        player.context.stop()


def test_a_watcher_hears_once_of_the_end_for_good() -> None:
    """Terminated says who ended and how; it comes once."""
    log: list[Terminated] = []

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", lambda: Player(act_or_end)))
        system.spawn(Spec("watcher", lambda: Watcher(ref, log)))
        await pass_s()
        ref.tell(Line("stop"))
        await pass_s()

    play(scenario)
    assert [(news.path, news.exit.kind) for news in log] == [("/player", ExitKind.NORMAL)]


def test_a_restart_is_no_end() -> None:
    """An actor that gets another life has not ended: its watchers hear nothing until it ends for good."""
    log: list[Terminated] = []

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("player", lambda: Player(act_or_end)))
        system.spawn(Spec("watcher", lambda: Watcher(ref, log)))
        await pass_s()
        ref.tell(Line("crash"))
        await pass_s()
        assert log == []
        ref.tell(Line("stop"))
        await pass_s()

    play(scenario)
    assert [news.path for news in log] == ["/nurse/player"]


def test_watching_who_has_ended_is_answered_at_once() -> None:
    """Whoever watches an actor that is gone hears so at once."""
    log: list[Terminated] = []

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", lambda: Player(act_or_end)))
        ref.tell(Line("stop"))
        await pass_s()
        system.spawn(Spec("watcher", lambda: Watcher(ref, log)))
        await pass_s()

    play(scenario)
    assert [news.path for news in log] == ["/player"]


def test_news_that_nobody_reads_are_no_dead_letters() -> None:
    """Terminated for a watcher that ended too, or does not handle it, is dropped without a dead letter."""

    async def scenario(system: ActorSystem) -> int:
        ref = system.spawn(Spec("player", lambda: Player(act_or_end)))
        system.spawn(Spec("blind", lambda: Player()))
        system.cell_of("/blind").watch(ref)  # type: ignore[union-attr]
        ref.tell(Line("stop"))
        await pass_s()
        await system.stop()
        return system.dead_letters.total

    assert play(scenario) == 0


def test_a_fact_is_told_to_all_subscribers_of_its_topic_in_their_order() -> None:
    """Publishing tells each subscriber once, in the order they subscribed, and returns how many they are."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        for name in ("one", "two"):
            system.spawn(Spec(name, lambda name=name: Listener(lambda *_: log.append(name), [])))
        system.spawn(Spec("deaf", lambda: Player(lambda *_: log.append("deaf"))))
        await pass_s()
        assert system.bus.publish("news", Line("x")) == 2
        assert system.bus.publish("other", Line("x")) == 0
        assert system.bus.topics() == {"news": 2}
        await pass_s()

    play(scenario)
    assert log == ["one", "two"]


def test_a_subscription_ends_with_the_life_that_made_it() -> None:
    """A crash ends subscriptions; the next life subscribes itself, so a fact is never told twice."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("listener", lambda: Listener(act_or_end, log)))
        await pass_s()
        ref.tell(Line("crash"))
        await pass_s()
        ref.tell(Line("crash"))
        await pass_s()
        log.clear()
        system.bus.publish("news", Line("fact"))
        await pass_s()
        assert log == [Line("fact")]
        ref.tell(Line("stop"))
        await pass_s()
        assert system.bus.topics() == {}

    play(scenario)


def test_the_subscribers_own_policy_applies_to_published_facts() -> None:
    """A full subscriber refuses or keeps as the type says; the publisher and the others notice nothing."""
    logs: dict[str, list[Any]] = {"small": [], "large": []}

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("small", lambda: Listener(None, logs["small"]), capacity=1))
        system.spawn(Spec("large", lambda: Listener(None, logs["large"])))
        await pass_s()
        for number in range(3):
            system.bus.publish("news", Line(str(number)))
        for number in range(3):
            system.bus.publish("news", Fact(number))
        await pass_s()

    play(scenario)
    facts = [Fact(number) for number in range(3)]
    assert logs["small"] == [Line("0"), *facts]
    assert logs["large"] == [Line("0"), Line("1"), Line("2"), *facts]


def test_unsubscribing_while_a_fact_is_published_keeps_the_round_whole() -> None:
    """A publish under way tells those who were subscribed when it began."""

    async def scenario(system: ActorSystem) -> int:
        log: list[Any] = []
        refs = [system.spawn(Spec(name, lambda: Player(log=log))) for name in "abc"]
        for ref in refs:
            system.bus.subscribe("news", ref)
        system.bus.publish("news", Line("x"))
        system.bus.unsubscribe("news", refs[0])
        await pass_s()
        system.bus.publish("news", Line("y"))
        await pass_s()
        return len(log)

    assert play(scenario) == 5

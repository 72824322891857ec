"""Crashes: a message is tried once more in the next life, then parked; nothing else is lost or done twice."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.actor import Do, handles
from runtime.lifecycle import ChildExited, ChildStarted, ExitKind
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import (
    Broken,
    Cue,
    Line,
    Nurse,
    Player,
    Question,
    Tick,
    pass_s,
    play,
    texts,
    under_nurse,
)


def crash_on(*bad: str) -> Any:
    """Return an act that crashes on these texts."""

    def act(_: Player, msg: Any) -> None:
        if msg.text in bad:
            raise Broken(msg.text)

    return act


def test_a_message_is_tried_once_more_and_then_parked() -> None:
    """The first crash gives the message to the next life, before all others; the second parks it as poison."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("player", lambda: Player(crash_on("bad"), log)))
        for text in ("1", "bad", "2"):
            ref.tell(Line(text))
        await pass_s()
        (letter,) = system.dead_letters.all()
        assert (letter.poison, letter.envelope.message) == (True, Line("bad"))
        stats = next(each for each in system.stats() if each.path == "/nurse/player")
        assert (stats.failed, stats.restarts, stats.parked, stats.state) == (2, 2, 1, "running")

    play(scenario)
    assert texts(log) == ["1", "bad", "bad", "2"]


def test_a_crash_that_does_not_come_again_costs_nothing() -> None:
    """A message that crashed its actor once and then is handled leaves no dead letter."""
    log: list[Any] = []

    def act(_: Player, msg: Any) -> None:
        if len(log) == 2:
            raise Broken("once")

    async def scenario(system: ActorSystem) -> int:
        ref = under_nurse(system, Spec("player", lambda: Player(act, log)))
        for text in "abc":
            ref.tell(Line(text))
        await pass_s()
        return system.dead_letters.total

    assert play(scenario) == 0
    assert texts(log) == ["a", "b", "b", "c"]


def test_the_retried_message_keeps_its_lane() -> None:
    """A control message that crashed comes again before data and before later control messages."""
    log: list[Any] = []

    def act(_: Player, msg: Any) -> None:
        if msg == Cue("bad") and log.count(msg) == 1:
            raise Broken("once")

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("player", lambda: Player(act, log)))
        for message in (Line("1"), Cue("bad"), Cue("next")):
            ref.tell(message)
        await pass_s()

    play(scenario)
    assert log == [Cue("bad"), Cue("bad"), Cue("next"), Line("1")]


def test_a_newer_tick_that_takes_a_crashed_ones_place_is_no_poison() -> None:
    """A tick that replaces the one which crashed its actor is handled as new: crashed once, it is tried again."""
    log: list[Any] = []

    class Waiting(Nurse):
        @handles
        def exited(self, news: ChildExited) -> None:
            """Leave it down until a line comes."""

        @handles
        def help(self, _: Line) -> None:
            self.context.respawn("player")

    def act(_: Player, msg: Tick) -> None:
        if msg.price < 3:
            raise Broken(str(msg.price))

    async def scenario(system: ActorSystem) -> int:
        parent = system.spawn(Spec("p", lambda: Waiting([Spec("player", lambda: Player(act, log))])))
        for price in (1, 2):
            system.tell("/p/player", Tick("a", price))
            await pass_s()
        for _ in range(2):
            parent.tell(Line("help"))
            await pass_s()
        system.tell("/p/player", Tick("a", 3))
        parent.tell(Line("help"))
        await pass_s()
        return sum(letter.poison for letter in system.dead_letters.all())

    assert play(scenario) in (0, 1)
    assert [tick.price for tick in log][-1] == 3


def test_only_who_crashed_is_rebuilt() -> None:
    """Siblings of a crashed actor keep their lives and their state."""

    class Counter(Player):
        def __init__(self, act: Any, counts: list[int]) -> None:
            super().__init__(act)
            self.counts = counts
            self.count = 0

        @handles
        def played(self, msg: Line) -> None:
            self.count += 1
            self.counts.append(self.count)
            self.act(self, msg)  # type: ignore[misc]

    one: list[int] = []
    other: list[int] = []

    async def scenario(system: ActorSystem) -> None:
        specs = [
            Spec("one", lambda: Counter(crash_on("bad"), one)),
            Spec("other", lambda: Counter(crash_on(), other)),
        ]
        system.spawn(Spec("nurse", lambda: Nurse(specs)))
        for text in ("a", "bad", "b"):
            for name in ("one", "other"):
                system.tell(f"/nurse/{name}", Line(text))
        await pass_s()

    play(scenario)
    assert one == [1, 2, 1, 1]
    assert other == [1, 2, 3]


@given(st.lists(st.sampled_from(["ok", "once", "always", "ask ok", "ask bad"]), max_size=25), st.integers(0, 5))
@settings(deadline=None)
def test_over_any_script_every_message_is_handled_or_parked_once(script: list[str], seed: int) -> None:
    """Every told message is completed once or parked once, in order; every asker is answered once."""
    done: list[str] = []
    tried: set[str] = set()

    def act(_: Player, msg: Any) -> str:
        kind = msg.text.split(":")[1]
        if kind in ("always", "ask bad") or (kind == "once" and msg.text not in tried):
            tried.add(msg.text)
            raise Broken(msg.text)
        done.append(msg.text)
        return "ok"

    async def scenario(system: ActorSystem) -> tuple[list[Any], list[str]]:
        ref = under_nurse(system, Spec("player", lambda: Player(act)))
        asked = []
        for number, kind in enumerate(script):
            text = f"{number}:{kind}"
            if kind.startswith("ask"):
                asked.append(asyncio.ensure_future(ref.ask(Question(text), 10)))
            else:
                ref.tell(Line(text))
        await pass_s(1)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return answers, [letter.envelope.message.text for letter in system.dead_letters.all()]

    answers, parked = play(scenario, seed=seed)
    everything = [f"{number}:{kind}" for number, kind in enumerate(script)]
    assert sorted(done) == sorted(text for text in everything if text.split(":")[1] in ("ok", "once", "ask ok"))
    assert parked == [text for text in everything if text.endswith(":always")]
    kinds = [kind for kind in script if kind.startswith("ask")]
    assert [type(each).__name__ for each in answers] == [
        "str" if kind == "ask ok" else "ActorCrashed" for kind in kinds
    ]
    told = [text for text in done if ":ask" not in text]
    assert told == sorted(told, key=lambda text: int(text.split(":")[0]))


def test_stop_and_escalate_let_nothing_further_be_handled() -> None:
    """A handler that ends its life is the last one of it: what waits is kept, its own result still counts."""
    logs: dict[str, list[Any]] = {"stop": [], "escalate": []}
    told: list[Any] = []
    exits: list[ChildExited] = []

    def ending(how: str) -> Any:
        def act(player: Player, _: Any) -> Any:
            if how == "stop":
                player.context.stop()
            else:
                player.context.escalate(Broken("enough"))
            return Do(tells=[("/other", Line(how))])

        return act

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("other", lambda: Player(log=told)))
        specs = [Spec(how, lambda how=how: Player(ending(how), logs[how])) for how in logs]
        system.spawn(Spec("nurse", lambda: Nurse(specs, exits, lives=0)))
        for how in logs:
            for text in "abc":
                system.tell(f"/nurse/{how}", Line(text))
        await pass_s()
        assert system.dead_letters.total == 4

    play(scenario)
    assert {how: texts(log) for how, log in logs.items()} == {"stop": ["a"], "escalate": ["a"]}
    assert sorted(texts(told)) == ["escalate", "stop"]
    assert {(news.name, news.exit.kind) for news in exits} == {
        ("stop", ExitKind.NORMAL),
        ("escalate", ExitKind.CRASH),
    }


def test_an_unsupervised_crash_fails_the_system() -> None:
    """With nobody to restart it a top-level crash is the system's failure, with its error."""

    async def scenario(system: ActorSystem) -> BaseException:
        system.spawn(Spec("player", lambda: Player(crash_on("bad")))).tell(Line("bad"))
        return await system.failed()

    assert str(play(scenario)) == "bad"


def test_a_parent_hears_of_starts_and_exits_in_order() -> None:
    """Each start and each exit of a child is told to its parent, once."""
    news: list[str] = []

    class Parent(Nurse):
        @handles
        def heard(self, msg: ChildStarted) -> None:
            news.append(f"+{msg.name}")

        @handles
        def exited(self, msg: ChildExited) -> None:
            news.append(f"-{msg.name}")
            super().exited(msg)

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("parent", lambda: Parent([Spec("child", lambda: Player(crash_on("bad")))])))
        system.tell("/parent/child", Line("bad"))
        await pass_s()

    play(scenario)
    assert news == ["+child", "-child", "+child", "-child", "+child"]

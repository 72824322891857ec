"""One seed is one run: a small world with everything in it gives the same journal each time."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.messages import Event
from runtime import pump
from runtime.actor import Actor, Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor
from runtime.lifecycle import ChildExited
from runtime.memory_journal import MemoryJournal
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Fact, Line, Nurse, Player, Question, Said, SlowPlayer, pass_s, play


class Clerk(DurableActor):
    """Journals every fact with who told it, asks the oracle now and then, crashes on every 17th."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def started(self) -> None:
        """Work on a timer too."""
        self.timers.every(0.7, Line("timer"))

    def apply(self, event: Event) -> None:
        """Count."""
        self.count += 1

    @handles
    def fact(self, msg: Fact) -> Do:
        """Journal it, pass every third on."""
        envelope = self.context.envelope
        assert envelope is not None
        if msg.number % 17 == 16 and not envelope.attempts:
            raise Broken("17th")
        tells: list[Any] = [("/oracle", Line(self.name))] if msg.number % 3 == 0 else []
        return Do([Said(f"{self.name} {msg.number} from {envelope.sender} after {self.count}")], tells)

    @handles
    def timer(self, msg: Line) -> Do:
        """Journal the tick, with a drawn number."""
        return Do([Said(f"{self.name} tick {self.context.random.random()} after {self.count}")])

    @handles
    async def asked(self, msg: Question) -> str:
        """Wait, journal, answer."""
        await pass_s(0.01)
        await self.persist(Said(f"{self.name} asked {msg.text} after {self.count}"))
        return str(self.count)


class World(Nurse):
    """The parent of the clerks."""

    @handles
    def exited(self, news: ChildExited) -> None:
        """Respawn at once."""
        super().exited(news)


async def world(system: ActorSystem) -> None:
    """Let three clerks, an oracle and two sources work for some seconds of virtual time."""
    names = ("anna", "bert", "cora")
    specs = [Spec(name, lambda name=name: Clerk(name)) for name in names]
    system.spawn(Spec("world", lambda: World(specs)))

    async def oracle(player: SlowPlayer, msg: Any) -> None:
        await pass_s(0.005)
        ref = system.lookup(f"/world/{msg.text}")
        assert ref is not None
        await ref.ask(Question("oracle"), 60)

    system.spawn(Spec("oracle", lambda: SlowPlayer(oracle)))

    def source(player: Player, msg: Any) -> Do:
        tells = [(f"/world/{name}", Fact(number)) for number in range(msg.number, msg.number + 20) for name in names]
        return Do(tells=tells)

    for name in ("left", "right"):
        system.spawn(Spec(name, lambda: Player(source)))
    for turn in range(5):
        system.tell("/left", Fact(turn * 20))
        system.tell("/right", Fact(turn * 20))
        await pass_s(1)
    await pass_s(20)


def run(seed: int | None) -> tuple[str, list[str]]:
    """Return digest and texts of a world's journal."""
    journal = MemoryJournal()
    play(world, journal=journal, seed=seed, loop_seed=seed)
    events = [record.event for record in journal.read_all()]
    return journal.digest(), [event.text for event in events if isinstance(event, Said)]


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_one_seed_is_one_run(seed: int | None) -> None:
    """Durable actors, timers, async handlers, crashes and randomness: the same seed gives the same journal."""
    first, second = run(seed), run(seed)
    assert first == second
    assert len(first[1]) > 600


def test_another_seed_is_another_interleaving_of_the_same_work() -> None:
    """Seeds differ in order and drawn numbers, never in what was done."""
    runs = [run(seed) for seed in range(4)]
    assert len({digest for digest, _ in runs}) == 4
    worked = [sorted(text.split(" after ")[0] for text in texts if " tick " not in text) for _, texts in runs]
    assert all(each == worked[0] for each in worked)


def test_the_speed_of_the_machine_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """When tasks run between messages is counted, not timed: slices that a slow machine would cut short do not matter."""
    before = run(1)
    monkeypatch.setattr(pump, "SLICE_S", 0.0)
    assert run(1) == before


class Busy(Actor):
    """Tells itself so many messages while a task watches."""

    def __init__(self, log: list[int]) -> None:
        self.log = log

    @handles
    def fact(self, msg: Fact) -> None:
        """Count down."""
        self.log.append(msg.number)
        if msg.number:
            self.ref.tell(Fact(msg.number - 1))


def test_tasks_run_at_the_same_message_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task beside a busy actor takes its steps at the same points of the work in each run, one after each slice."""
    monkeypatch.setattr(pump, "SLICE_TURNS", 10)

    async def scenario(system: ActorSystem) -> list[int]:
        log: list[int] = []
        seen: list[int] = []
        system.spawn(Spec("busy", lambda: Busy(log))).tell(Fact(9_000))
        while not log or log[-1]:
            await pass_s(0)
            seen.append(len(log))
        return seen

    first = play(scenario)
    assert first == play(scenario)
    assert first == [*range(10 * pump.BUDGET, 9_001, 10 * pump.BUDGET), 9_001]


def test_virtual_instants_are_those_of_the_messages() -> None:
    """Every record carries the virtual instant at which its message was handled."""
    journal = MemoryJournal()
    play(world, journal=journal)
    instants = [record.at for record in journal.read_all()]
    assert instants == sorted(instants)
    assert {at % (NANOS // 1000) for at in instants} == {0}

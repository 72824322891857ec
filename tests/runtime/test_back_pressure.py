"""Back-pressure: a producer of facts rests while its reader is full, and always goes on again."""

from __future__ import annotations

import asyncio
from typing import Any

from runtime.actor import Do, handles
from runtime.lifecycle import ChildExited
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Fact, Line, Nurse, Player, Question, SlowPlayer, pass_s, play, under_nurse


def path_stats(system: ActorSystem, path: str) -> Any:
    """Return the numbers of one actor."""
    return next(each for each in system.stats() if each.path == path)


def test_a_producer_is_slowed_and_resumed_and_no_fact_is_lost() -> None:
    """While its reader is full a producer handles nothing; when there is room it goes on where it was."""
    log: list[Any] = []
    gate = asyncio.Event()
    depths: list[int] = []

    async def read(player: SlowPlayer, _: Any) -> None:
        if len(player.log) == 1:
            await gate.wait()

    async def scenario(system: ActorSystem) -> None:
        reader = system.spawn(Spec("reader", lambda: SlowPlayer(read, log), capacity=4))
        producer = system.spawn(Spec("producer", lambda: Player(lambda _, msg: Do(tells=[(reader, msg)]))))
        for number in range(100):
            producer.tell(Fact(number))
        await pass_s()
        depths.append(path_stats(system, "/reader").depth)
        depths.append(path_stats(system, "/producer").depth)
        gate.set()
        await pass_s()

    play(scenario)
    assert depths[0] <= 6, "the producer stopped soon after the mailbox was full"
    assert depths[1] >= 90, "what the producer did not handle waits with it"
    assert log == [Fact(number) for number in range(100)]


def test_two_actors_that_flood_each_other_never_wait_for_each_other() -> None:
    """Mutual producers with full mailboxes do not deadlock: who is waited for does not wait."""

    async def scenario(system: ActorSystem) -> tuple[int, int]:
        logs: tuple[list[Any], list[Any]] = ([], [])

        def echo(other: str) -> Any:
            def act(player: Player, msg: Fact) -> Any:
                return Do(tells=[(other, Fact(msg.number - 1)), (other, Fact(msg.number - 1))] if msg.number else [])

            return act

        left = system.spawn(Spec("left", lambda: Player(echo("/right"), logs[0]), capacity=2))
        system.spawn(Spec("right", lambda: Player(echo("/left"), logs[1]), capacity=2))
        left.tell(Fact(10))
        await pass_s()
        return len(logs[0]), len(logs[1])

    handled = play(scenario)
    assert sum(handled) == 2**11 - 1


def test_three_producers_in_a_ring_never_deadlock() -> None:
    """A ring of producers with the smallest mailboxes always handles everything."""

    async def scenario(system: ActorSystem) -> int:
        logs: list[list[Any]] = [[], [], []]

        def act_for(index: int) -> Any:
            def act(_: Player, msg: Fact) -> Any:
                following = f"/p{(index + 1) % 3}"
                return Do(tells=[(following, Fact(msg.number - 1))] * 2 if msg.number else [])

            return act

        for index in range(3):
            system.spawn(Spec(f"p{index}", lambda index=index: Player(act_for(index), logs[index]), capacity=1))
        system.tell("/p0", Fact(9))
        await pass_s()
        return sum(map(len, logs))

    assert play(scenario) == 2**10 - 1


def test_an_async_producer_is_slowed_too() -> None:
    """What an async handler tells counts as its actor's: it handles no further message until there is room."""
    gate = asyncio.Event()

    async def read(*_: Any) -> None:
        await gate.wait()

    async def scenario(system: ActorSystem) -> tuple[int, int]:
        reader = system.spawn(Spec("reader", lambda: SlowPlayer(read), capacity=2))

        async def produce(_: SlowPlayer, msg: Any) -> None:
            await pass_s()
            reader.tell(msg)

        producer = system.spawn(Spec("producer", lambda: SlowPlayer(produce)))
        for number in range(20):
            producer.tell(Fact(number))
        await pass_s(1)
        before = path_stats(system, "/reader").depth
        gate.set()
        await pass_s(1)
        return before, path_stats(system, "/reader").handled

    before, handled = play(scenario)
    assert before <= 4
    assert handled == 20


class Onlooker(Nurse):
    """A parent that leaves a crashed child down until it is told a line."""

    @handles
    def exited(self, news: ChildExited) -> None:
        """Do nothing yet."""

    @handles
    def help(self, _: Line) -> None:
        """Give the child its next life."""
        self.context.respawn("reader")


def test_a_reader_that_is_down_slows_nobody() -> None:
    """A flooded compartment that is down does not stop its producers; its facts wait for its next life."""
    read: list[Any] = []
    produced: list[Any] = []

    def act(_: Player, msg: Fact) -> None:
        if len(read) == 1:
            raise Broken("down")

    async def scenario(system: ActorSystem) -> None:
        parent = system.spawn(Spec("on", lambda: Onlooker([Spec("reader", lambda: Player(act, read), capacity=2)])))
        producer = system.spawn(
            Spec("producer", lambda: Player(lambda _, msg: Do(tells=[("/on/reader", msg)]), produced))
        )
        for number in range(30):
            producer.tell(Fact(number))
        await pass_s()
        assert len(produced) == 30
        assert path_stats(system, "/on/reader").depth == 30
        parent.tell(Line("go on"))
        await pass_s()

    play(scenario)
    assert read == [Fact(0), *(Fact(number) for number in range(30))]


def test_a_producer_goes_on_when_its_full_reader_crashes() -> None:
    """The end of a reader's life frees whoever waits for it; the facts are handled by its next life."""
    handled: list[Any] = []

    def act(player: Player, msg: Any) -> None:
        if isinstance(msg, Fact) and msg.number == 0 and len(handled) == 1:
            raise Broken("first")

    async def scenario(system: ActorSystem) -> None:
        reader = under_nurse(system, Spec("reader", lambda: Player(act, handled), capacity=2))
        producer = system.spawn(Spec("producer", lambda: Player(lambda _, msg: Do(tells=[(reader, msg)]))))
        for number in range(20):
            producer.tell(Fact(number))
        await pass_s()

    play(scenario)
    assert handled == [Fact(0), *(Fact(number) for number in range(20))]


def test_offer_waits_for_room() -> None:
    """A producer outside actors that offers is slowed instead of refused."""
    log: list[Any] = []

    async def read(*_: Any) -> None:
        await pass_s(1)

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("reader", lambda: SlowPlayer(read, log), capacity=3))
        for number in range(20):
            await ref.offer(Line(str(number)))
        await pass_s(60)
        assert system.dead_letters.total == 0

    play(scenario)
    assert [each.text for each in log] == [str(number) for number in range(20)]


def test_offer_ends_when_the_reader_ends_for_good() -> None:
    """Who waits for room with an actor that stops is not left waiting; the message is a dead letter."""

    async def read(player: SlowPlayer, _: Any) -> None:
        await pass_s(5)
        player.context.stop()

    async def scenario(system: ActorSystem) -> list[Any]:
        ref = system.spawn(Spec("reader", lambda: SlowPlayer(read), capacity=1))
        ref.tell(Line("first"))
        await pass_s()
        ref.tell(Line("second"))
        await asyncio.wait_for(ref.offer(Line("third")), 60)
        return [letter.envelope.message for letter in system.dead_letters.all()]

    assert play(scenario) == [Line("second"), Line("third")]


def test_a_slowed_producer_can_still_be_stopped() -> None:
    """Whoever rests for its reader's sake ends in order all the same, and the reader after it."""

    async def read(*_: Any) -> None:
        await asyncio.Event().wait()

    async def scenario(system: ActorSystem) -> float:
        reader = system.spawn(Spec("reader", lambda: SlowPlayer(read), capacity=1, stop_s=1.0))
        producer = system.spawn(Spec("producer", lambda: Player(lambda _, msg: Do(tells=[(reader, msg)]))))
        for number in range(9):
            producer.tell(Fact(number))
        await pass_s()
        began = system.now()
        await system.stop()
        return (system.now() - began) / 1e9

    assert play(scenario) == 1.0


def test_an_asked_question_does_not_slow() -> None:
    """Only facts slow their producer: a refused question is answered to its asker instead."""

    async def scenario(system: ActorSystem) -> list[object]:
        ref = system.spawn(Spec("player", lambda: Player(lambda *_: "yes"), capacity=1))
        asked = asyncio.gather(*(ref.ask(Question("?")) for _ in range(2)), return_exceptions=True)
        system.pump.schedule()  # somebody else is to be served too: no ask is served at once
        return await asked

    assert [type(each).__name__ for each in play(scenario)] == ["str", "MailboxFull"]

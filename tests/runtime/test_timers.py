"""Timers: messages at their instants, on the injected clock, ended with the life that set them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runtime.actor import Actor, handles
from runtime.clock import NANOS
from runtime.lifecycle import ChildExited
from runtime.spec import Spec
from runtime.system import ActorSystem
from runtime.timers import Timer, TimerQueue
from tests.runtime.cast import Broken, Line, Player, pass_s, play, texts, under_nurse


class Clockwork(Actor):
    """Sets timers as the test says when it starts; logs what comes with the second it came at."""

    def __init__(self, wind: Any, log: list[tuple[float, str]], act: Any = None) -> None:
        self.wind = wind
        self.log = log
        self.act = act

    def started(self) -> None:
        """Set the timers."""
        self.wind(self)

    @handles
    def came(self, msg: Line) -> None:
        """Log the message."""
        self.log.append((self.now() / NANOS, msg.text))
        if self.act is not None:
            self.act(self, msg)


def wound(wind: Any, seconds: float, act: Any = None) -> list[tuple[float, str]]:
    """Return what timers brought within a span of virtual time."""
    log: list[tuple[float, str]] = []

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("clockwork", lambda: Clockwork(wind, log, act)))
        await pass_s(seconds)

    play(scenario)
    return log


def test_after_tells_once() -> None:
    """A message set for later comes once, at its second."""
    assert wound(lambda actor: actor.timers.after(90, Line("x")), 1_000) == [(90.0, "x")]


def test_at_tells_at_an_instant_and_at_once_when_it_has_passed() -> None:
    """An instant in the past is due now; one in the future is due then."""

    def wind(actor: Clockwork) -> None:
        actor.timers.at(-5 * NANOS, Line("past"))
        actor.timers.at(5 * NANOS, Line("future"))

    assert wound(wind, 10) == [(0.0, "past"), (5.0, "future")]


def test_every_tells_each_period_from_the_first_on() -> None:
    """A periodic message comes first after one period."""
    assert wound(lambda actor: actor.timers.every(10, Line("x")), 35) == [(10.0, "x"), (20.0, "x"), (30.0, "x")]


def test_a_period_is_positive() -> None:
    """A period of nothing would never let the clock move."""

    def wind(actor: Clockwork) -> None:
        with pytest.raises(ValueError, match="period"):
            actor.timers.every(0, Line("x"))

    assert wound(wind, 1) == []


def test_a_stream_tells_each_message_at_its_instant() -> None:
    """Timed messages come when their instants come; equal instants keep their order."""
    steps = [(1 * NANOS, Line("a")), (3 * NANOS, Line("b")), (3 * NANOS, Line("c")), (7 * NANOS, Line("d"))]
    log = wound(lambda actor: actor.timers.stream(iter(steps)), 10)
    assert log == [(1.0, "a"), (3.0, "b"), (3.0, "c"), (7.0, "d")]


def test_an_empty_stream_is_no_timer() -> None:
    """A stream without steps sets nothing."""
    made: list[object] = []
    wound(lambda actor: made.append(actor.timers.stream(iter(()))), 1)
    assert made == [None]


def test_streams_and_timers_come_in_the_order_of_their_instants() -> None:
    """Several sources are merged by time."""

    def wind(actor: Clockwork) -> None:
        actor.timers.stream(iter([(second * NANOS, Line("even")) for second in (2, 4, 6)]))
        actor.timers.stream(iter([(second * NANOS, Line("odd")) for second in (1, 3, 5)]))
        actor.timers.after(3.5, Line("after"))

    assert [text for _, text in wound(wind, 10)] == ["odd", "even", "odd", "after", "even", "odd", "even"]


def test_a_stream_is_read_one_step_ahead_only() -> None:
    """A long history is never held in memory: its iterator is asked for one step more than was told."""
    asked: list[int] = []

    def steps() -> Iterator[tuple[int, Line]]:
        for second in range(1_000_000):
            asked.append(second)
            yield second * NANOS, Line(str(second))

    log = wound(lambda actor: actor.timers.stream(steps()), 10.5)
    assert len(log) == 11
    assert len(asked) == 12


def test_a_cancelled_timer_never_comes() -> None:
    """Cancelling is final for each kind, and may be done twice and from a handler."""
    timers: list[Timer] = []

    def wind(actor: Clockwork) -> None:
        timers.append(actor.timers.every(3, Line("every")))
        timers.append(actor.timers.after(7, Line("after")))
        timers.append(actor.timers.stream(iter([(second * NANOS, Line("stream")) for second in range(1, 50)])))
        actor.timers.after(4, Line("cancel"))

    def act(_: Clockwork, msg: Line) -> None:
        if msg.text == "cancel":
            for timer in [*timers, *timers]:
                timer.cancel()

    log = wound(wind, 100, act)
    assert [text for _, text in log] == ["stream", "stream", "every", "stream", "cancel", "stream"]
    assert log[-1][0] == 4.0, "a step that was due with the cancelling message was already on its way"


def test_timers_end_with_the_life_that_set_them() -> None:
    """A crashed actor's timers never reach its next life, which sets its own."""
    log: list[tuple[float, str]] = []
    lives: list[int] = []

    def wind(actor: Clockwork) -> None:
        lives.append(len(lives) + 1)
        actor.timers.every(10, Line(f"life {lives[-1]}"))

    def act(actor: Clockwork, _: Line) -> None:
        if len(log) == 2:
            raise Broken("second")

    async def scenario(system: ActorSystem) -> int:
        under_nurse(system, Spec("clockwork", lambda: Clockwork(wind, log, act)))
        await pass_s(45)
        return sum(1 for *_, timer in system.timers._heap if timer.alive)

    assert play(scenario) == 1
    # The message of the crash is tried once more by the next life, which may handle it.
    assert [text for _, text in log] == ["life 1", "life 1", "life 1", "life 2", "life 2"]


def test_a_timer_of_an_ended_life_cannot_be_made() -> None:
    """The timers of an ended life, used by what outlived it, set nothing for the next life."""
    log: list[tuple[float, str]] = []
    first: list[Any] = []

    def wind(actor: Clockwork) -> None:
        first.append(actor.timers)

    def act(*_: Any) -> None:
        if len(log) == 1:
            raise Broken("first life")

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("clockwork", lambda: Clockwork(wind, log, act)))
        ref.tell(Line("crash"))
        await pass_s(1)
        assert len(first) == 2
        first[0].after(1, Line("ghost"))
        first[1].after(2, Line("alive"))
        await pass_s(10)

    play(scenario)
    assert [text for _, text in log] == ["crash", "crash", "alive"]


def test_a_failing_stream_crashes_its_actor_and_nobody_else() -> None:
    """What a stream's iterator raises is its actor's crash; the step it gave before is told, other timers go on."""
    log: list[tuple[float, str]] = []
    exits: list[ChildExited] = []

    def steps() -> Iterator[tuple[int, Line]]:
        yield 1 * NANOS, Line("good")
        raise Broken("the file ends in the middle")

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("other", lambda: Clockwork(lambda actor: actor.timers.every(1, Line("tick")), log)))
        under_nurse(
            system, Spec("reader", lambda: Clockwork(lambda actor: actor.timers.stream(steps()), log)), exits, lives=1
        )
        await pass_s(3.5)

    play(scenario)
    assert [type(news.exit.error) for news in exits] == [Broken]
    assert [text for _, text in log].count("tick") == 3


def test_a_stream_step_that_is_no_step_crashes_its_actor() -> None:
    """A malformed step is its actor's crash, not the pump's."""
    exits: list[ChildExited] = []

    async def scenario(system: ActorSystem) -> None:
        steps: Any = iter([(1 * NANOS, Line("good")), "x"])
        under_nurse(system, Spec("r", lambda: Clockwork(lambda a: a.timers.stream(steps), [])), exits, lives=1)
        await pass_s(3)

    play(scenario)
    assert [type(news.exit.error) for news in exits] == [ValueError]


class _StillClock:
    def __init__(self) -> None:
        self.instant = 0

    def now(self) -> int:
        return self.instant

    def real_seconds_until(self, at: int) -> float:
        return 0.0


class _Target:
    incarnation = 1

    def __init__(self) -> None:
        self.told: list[Any] = []

    def post(self, message: Any) -> None:
        self.told.append(message)


@pytest.mark.parametrize(("late_by", "following"), [(0, 20), (1, 20), (9, 20), (10, 30), (11, 30), (95, 110)], ids=str)
def test_a_late_periodic_timer_never_fires_in_a_burst(late_by: int, following: int) -> None:
    """However late, a period fires once and goes on at the next instant of its own grid."""
    clock, target = _StillClock(), _Target()
    queue = TimerQueue(clock)
    queue.add(Timer(target, 1, 10, "x", 10))  # type: ignore[arg-type]
    assert queue.fire_due(10 + late_by) == 1
    assert queue.next_at() == following
    assert target.told == ["x"]


def test_cancelled_timers_do_not_pile_up() -> None:
    """Setting and cancelling a far timer for each message keeps memory bounded by those that are alive."""

    async def scenario(system: ActorSystem) -> int:
        def act(player: Player, _: Any) -> None:
            player.timers.after(86_400, Line("deadline")).cancel()

        system.spawn(Spec("clockwork", lambda: Clockwork(lambda actor: actor.timers.after(60, Line("first")), [])))
        ref = system.spawn(Spec("player", lambda: Player(act)))
        for _ in range(6_000):
            ref.tell(Line("tick"))
        await pass_s()
        return len(system.timers)

    assert play(scenario) < 1_100


def test_sweeping_keeps_every_living_timer() -> None:
    """Sweeping dead timers out loses none that is alive."""
    log: list[tuple[float, str]] = []

    def wind(actor: Clockwork) -> None:
        for number in range(3_000):
            timer = actor.timers.after(3_000 - number, Line(str(number)))
            if number % 3:
                timer.cancel()

    log = wound(wind, 3_001)
    assert texts([Line(text) for _, text in log]) == [str(number) for number in range(2_997, -1, -3)]

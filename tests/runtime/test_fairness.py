"""Fairness, and the numbers an operator reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import pump
from runtime.clock import NANOS
from runtime.errors import LiveLock
from runtime.metrics import BUCKETS, ActorStats, quantile_ns
from runtime.pump import BUDGET
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Cue, Line, Player, SlowPlayer, Stranger, pass_s, play, under_nurse


@pytest.mark.parametrize("flood", [Line("flood"), Stranger()], ids=["handled", "unhandled"])
def test_a_flooded_actor_does_not_starve_others(flood: Any) -> None:
    """An actor with thousands of messages is served in portions; one that got a single message later waits for one."""
    served: list[int] = []

    async def scenario(system: ActorSystem) -> None:
        count = 0

        def counting(*_: Any) -> None:
            nonlocal count
            count += 1

        system.dead_letters.listener = counting
        flooded = system.spawn(Spec("flooded", lambda: Player(counting)))
        other = system.spawn(Spec("other", lambda: Player(lambda *_: served.append(count))))
        for _ in range(5_000):
            flooded.tell(flood)
        other.tell(Line("me too"))
        await pass_s()
        assert count == 5_000

    play(scenario)
    assert len(served) == 1
    assert 0 < served[0] <= BUDGET


def test_an_actor_that_tells_itself_without_end_stops_neither_others_nor_tasks() -> None:
    """Endless work of one actor leaves room for others, for tasks and for the system's stop."""
    log: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        endless = system.spawn(Spec("endless", lambda: Player(lambda player, msg: player.ref.tell(msg))))
        endless.tell(Line("again"))
        other = system.spawn(Spec("other", lambda: Player(log=log)))
        for number in range(3):
            other.tell(Line(str(number)))
            await pass_s(0)
            await pass_s(0)
        assert len(log) == 3
        await system.stop()

    play(scenario)


def tell_again(player: Player, msg: Any) -> None:
    """Tell oneself the same once more."""
    player.ref.tell(msg)


def arm_again(player: Player, msg: Any) -> None:
    """Set a timer to the present instant."""
    player.timers.at(player.now(), msg)


@pytest.mark.parametrize(
    ("again", "who"), [(tell_again, "/endless"), (arm_again, "a timer set to the present instant")]
)
def test_a_circle_at_one_instant_of_virtual_time_fails_the_system(
    again: Any, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Actors that talk without end while virtual time stands still are named, instead of a replay that never ends."""
    monkeypatch.setattr(pump, "STILL_SLICES", 3)

    async def scenario(system: ActorSystem) -> str:
        system.spawn(Spec("endless", lambda: Player(again))).tell(Line("again"))
        error = await system.failed()
        assert isinstance(error, LiveLock)
        return str(error)

    assert play(scenario).endswith(f"3072 turns; still at work: {who}")


def test_work_at_one_instant_that_ends_is_no_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any amount of work at one instant is done when it comes in portions that end."""
    monkeypatch.setattr(pump, "STILL_SLICES", 1)
    monkeypatch.setattr(pump, "SLICE_TURNS", 8)
    portion = 12 * BUDGET
    handled: list[Any] = []

    async def scenario(system: ActorSystem) -> None:
        busy = system.spawn(Spec("busy", lambda: Player(log=handled)))
        for wave in range(4):
            for _ in range(portion):
                busy.tell(Line("work"))
            while len(handled) < (wave + 1) * portion:
                await pass_s(0)
        assert system._failure is None

    play(scenario)
    assert len(handled) == 4 * portion


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=BUCKETS + 1), st.floats(0, 1))
def test_a_quantile_is_the_upper_edge_of_its_bucket(histogram: list[int], quantile: float) -> None:
    """At least the share ``quantile`` of all values lies below the returned bound, and less below its half."""
    bound = quantile_ns(histogram, quantile)
    total = sum(histogram)
    if not total:
        assert bound == 0
        return
    bucket = bound.bit_length() - 1
    assert bound == 2**bucket
    assert sum(histogram[: bucket + 1]) >= quantile * total
    assert bucket == 0 or sum(histogram[:bucket]) < quantile * total


@pytest.mark.parametrize(
    ("times", "quantile", "bound"),
    [
        ([], 0.99, 0),
        ([1000], 0.5, 1024),
        ([1023, 1024], 0.5, 1024),
        ([1023, 1024], 1.0, 2048),
        ([100] * 99 + [50_000], 0.99, 128),
        ([100] * 98 + [50_000] * 2, 0.99, 65_536),
        ([0], 1.0, 1),
    ],
)
def test_p99_by_example(times: list[int], quantile: float, bound: int) -> None:
    """Handle times of so many nanoseconds give this bound."""
    histogram = [0] * (BUCKETS + 1)
    for each in times:
        histogram[min(each.bit_length(), BUCKETS)] += 1
    assert quantile_ns(histogram, quantile) == bound


def stats_of(system: ActorSystem, path: str) -> ActorStats:
    """Return an actor's numbers."""
    return next(each for each in system.stats() if each.path == path)


def test_depth_and_age_are_those_of_what_waits() -> None:
    """Depth counts all lanes; the age is that of the oldest waiting message on the injected clock."""

    async def act(*_: Any) -> None:
        await pass_s(100)

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("slow", lambda: SlowPlayer(act)))
        ref.tell(Line("under way"))
        await pass_s(1)
        ref.tell(Line("oldest"))
        await pass_s(3)
        ref.tell(Cue("newer"))
        await pass_s(2)
        stats = stats_of(system, "/slow")
        assert (stats.depth, stats.oldest_age_ns) == (2, 5 * NANOS)

    play(scenario)


def test_numbers_outlive_a_life() -> None:
    """Counts go on over restarts; kind, state and dispatch tell what is there now."""

    def act(_: Player, msg: Any) -> None:
        if msg.text == "bad":
            raise Broken("x")

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("player", lambda: Player(act), dispatch="thread"))
        for text in ("a", "bad", "b"):
            ref.tell(Line(text))
        await pass_s()
        stats = stats_of(system, "/nurse/player")
        assert (stats.handled, stats.failed, stats.restarts, stats.parked) == (4, 2, 2, 1)
        assert (stats.kind, stats.state, stats.dispatch, stats.depth) == ("Player", "running", "thread", 0)
        assert sum(stats.histogram) == 4
        assert 0 < stats.p(0.5) <= stats.p(0.99)

    play(scenario)


def test_stats_come_in_the_order_of_the_tree() -> None:
    """Parents before children, siblings in the order of their making."""

    async def scenario(system: ActorSystem) -> list[str]:
        under_nurse(system, Spec("child", Player))
        system.spawn(Spec("last", Player))
        return [each.path for each in system.stats()]

    assert play(scenario) == ["/", "/nurse", "/nurse/child", "/last"]

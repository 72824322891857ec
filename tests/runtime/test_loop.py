"""The virtual loop: asyncio as it is, but waiting takes no time; sockets and threads still work."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from runtime.clock import NANOS, VirtualClock
from runtime.loop import run_virtual
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Line, Player, pass_s

DAY_S = 86_400


def test_months_pass_in_an_instant() -> None:
    """A wait of 90 days of virtual time returns at once, at the very nanosecond."""

    async def main(clock: VirtualClock) -> int:
        await pass_s(90 * DAY_S)
        return clock.now()

    began = time.perf_counter()
    assert run_virtual(main, start=7) == 7 + 90 * DAY_S * NANOS
    assert time.perf_counter() - began < 5


def test_a_minutes_timer_over_months_is_exact_and_quick() -> None:
    """A system with a timer a minute over 60 days tells each message once, on its minute."""
    instants: list[int] = []

    class Minutes(Player):
        def started(self) -> None:
            self.timers.every(60, Line("tick"))

    async def main(clock: VirtualClock) -> None:
        async with ActorSystem(clock=clock) as system:
            system.spawn(Spec("m", lambda: Minutes(lambda player, _: instants.append(player.now()))))
            await pass_s(60 * DAY_S + 1)

    run_virtual(main)
    assert instants == [minute * 60 * NANOS for minute in range(1, 60 * DAY_S // 60 + 1)]


def test_timeouts_pass_on_virtual_time() -> None:
    """Asyncio's own timeouts follow the virtual clock."""

    async def main(clock: VirtualClock) -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3_600):
                await asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 1_800)
        return clock.now()

    assert run_virtual(main) == 5_400 * NANOS


def test_waits_end_in_the_order_of_their_instants() -> None:
    """Timers of asyncio and of a system come in one order."""
    order: list[str] = []

    async def main(clock: VirtualClock) -> None:
        async with ActorSystem(clock=clock) as system:

            class Timed(Player):
                def started(self) -> None:
                    for second in (1, 3, 5):
                        self.timers.after(second, Line(f"system {second}"))

            system.spawn(Spec("timed", lambda: Timed(lambda _, msg: order.append(msg.text))))
            for second in (2, 4, 6):
                await pass_s(second - clock.now() / NANOS)
                order.append(f"asyncio {second}")

    run_virtual(main)
    assert order == ["system 1", "asyncio 2", "system 3", "asyncio 4", "system 5", "asyncio 6"]


def test_two_systems_on_one_loop_keep_their_own_time_order() -> None:
    """Each system's timers come at their instants, also while the other steps through time."""
    order: list[tuple[str, int]] = []

    async def main(clock: VirtualClock) -> None:
        async with ActorSystem(clock=clock) as one, ActorSystem(clock=clock) as two:
            for name, system, period in (("one", one, 2), ("two", two, 3)):

                class Timed(Player):
                    period_s = period

                    def started(self) -> None:
                        self.timers.every(self.period_s, Line("tick"))

                def act(player: Player, _: Any, name: str = name) -> None:
                    order.append((name, player.now() // NANOS))

                system.spawn(Spec("timed", lambda cls=Timed, act=act: cls(act)))
            await pass_s(10.5)

    run_virtual(main)
    assert sorted(order) == [("one", second) for second in (2, 4, 6, 8, 10)] + [("two", second) for second in (3, 6, 9)]
    assert [second for _, second in order] == sorted(second for _, second in order)


async def echo_once(text: bytes) -> bytes:
    """Send a text through a real socket to an echo server and back."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(text + b"\n")
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    return answer.strip()


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_a_real_socket_works_while_time_is_held(seed: int | None) -> None:
    """Under a hold bytes go over a real socket and no virtual time passes, whatever the seed shuffles."""

    async def main(clock: VirtualClock) -> tuple[bytes, int]:
        timer = asyncio.ensure_future(pass_s(3_600))
        with clock.hold():
            answers = await asyncio.gather(*(echo_once(b"text %d" % number) for number in range(5)))
        now = clock.now()
        timer.cancel()
        return b",".join(answers), now

    assert run_virtual(main, seed=seed) == (b"text 0,text 1,text 2,text 3,text 4", 0)


def test_transports_keep_their_order_under_every_seed() -> None:
    """Large transfers arrive whole and in order while a seed shuffles tasks."""
    chunks = [bytes([number]) * 70_000 for number in range(20)]

    async def main(clock: VirtualClock) -> bytes:
        received = bytearray()
        done = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65_536):
                received.extend(data)
            writer.close()
            done.set()

        with clock.hold():
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
            writer.close()
            await writer.wait_closed()
            await done.wait()
            server.close()
            await server.wait_closed()
        return bytes(received)

    for seed in range(3):
        assert run_virtual(main, seed=seed) == b"".join(chunks)


def test_a_thread_wakes_a_held_loop() -> None:
    """What a thread hands to a held loop arrives before any timer passes."""

    async def main(clock: VirtualClock) -> int:
        timer = asyncio.ensure_future(pass_s(1))
        with clock.hold():
            await asyncio.get_running_loop().run_in_executor(None, threading.Event().wait, 0.02)
        assert not timer.done()
        timer.cancel()
        return clock.now()

    assert run_virtual(main) == 0


def steps(seed: int | None) -> list[int]:
    """Return the order in which tasks that are all ready take their steps."""
    order: list[int] = []

    async def main(_: VirtualClock) -> None:
        async def walk(number: int) -> None:
            for _ in range(3):
                order.append(number)
                await pass_s(0)

        await asyncio.gather(*(walk(number) for number in range(6)))

    run_virtual(main, seed=seed)
    return order


def test_a_seed_draws_the_order_of_tasks() -> None:
    """Without a seed tasks go in turn; with one they overtake each other, the same way each time, another for another."""
    assert steps(None) == [*range(6)] * 3
    assert steps(1) == steps(1)
    assert len({tuple(steps(seed)) for seed in range(10)}) > 5
    assert all(sorted(steps(seed)) == sorted(steps(None)) for seed in range(10))


def test_plain_callbacks_keep_their_order_under_every_seed() -> None:
    """Callbacks that are no task steps are never shuffled: transports rely on their order."""

    async def main(_: VirtualClock) -> list[int]:
        order: list[int] = []
        for number in range(50):
            asyncio.get_running_loop().call_soon(order.append, number)
        await pass_s(0)
        await pass_s(0)
        return order

    for seed in range(5):
        assert run_virtual(main, seed=seed) == list(range(50))


def test_an_error_of_the_body_passes_through() -> None:
    """What the body raises, run_virtual raises."""

    async def main(_: VirtualClock) -> None:
        await pass_s(5)
        raise KeyError("x")

    with pytest.raises(KeyError):
        run_virtual(main)


def test_asks_and_sleeps_agree_on_the_time() -> None:
    """However many steps a replay takes, the loop's time and the clock's are one."""

    async def main(clock: VirtualClock) -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        for _ in range(1_000):
            await pass_s(0.001)
        return loop.time(), clock.now()

    seconds, nanos = run_virtual(main, start=1_700_000_000 * NANOS)
    assert nanos - 1_700_000_000 * NANOS == NANOS
    assert seconds == pytest.approx(1.0, abs=1e-9)


def test_a_timer_that_is_due_exactly_now_runs_also_years_after_the_start() -> None:
    """A float of seconds grows coarser than a nanosecond; a timer due at this very instant must run all the same.

    It once did not: eight months into a replay the loop turned for ever and time stood still.
    """

    async def main(_: VirtualClock) -> int:
        loop = asyncio.get_running_loop()
        for _ in range(1, 40):
            await pass_s(365 * DAY_S + 1 / 3)
            rung = asyncio.Event()
            loop.call_at(loop.time(), rung.set)
            await asyncio.wait_for(rung.wait(), 1)
        return round(loop.time() / (365 * DAY_S))

    assert run_virtual(main, start=1_704_067_200 * NANOS) == 39

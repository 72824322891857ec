"""What the actors are measured against: the same traffic over pykka's threads and over asyncio.Queue."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Final

import pykka

from protocol.messages import Message, Request

__all__ = [
    "ASKS",
    "BURST",
    "TELLS",
    "Ask",
    "Fact",
    "Start",
    "pykka_asks",
    "pykka_burst",
    "pykka_tells",
    "queue_asks",
    "queue_burst",
    "queue_tells",
    "round_trips",
]

BURST: Final = 20_000
TELLS: Final = 20_000
ASKS: Final = 5_000


class Start(Message, frozen=True):
    """Tell so many."""

    count: int


class Fact(Message, frozen=True):
    """What travels; ``left`` more follow."""

    left: int


class Ask(Request[int], frozen=True):
    """What is asked."""

    number: int


# --- burst -------------------------------------------------------------------------------------------------------------


class PykkaReader(pykka.ThreadingActor):
    """Counts facts in its thread."""

    def __init__(self, done: threading.Event) -> None:
        super().__init__()
        self.done = done
        self.count = 0

    def on_receive(self, message: Any) -> None:
        """Count."""
        self.count += 1
        if not message.left:
            self.done.set()


class PykkaProducer(pykka.ThreadingActor):
    """Tells a burst from its thread."""

    def __init__(self, reader: pykka.ActorRef[PykkaReader]) -> None:
        super().__init__()
        self.reader = reader

    def on_receive(self, message: Any) -> None:
        """Tell the burst."""
        tell = self.reader.tell
        for left in range(message.count - 1, -1, -1):
            tell(Fact(left))


def pykka_burst(count: int = BURST) -> float:
    """Return messages a second that one pykka actor tells another."""
    done = threading.Event()
    reader = PykkaReader.start(done)
    producer = PykkaProducer.start(reader)
    began = perf_counter()
    producer.tell(Start(count))
    done.wait()
    took = perf_counter() - began
    pykka.ActorRegistry.stop_all()
    return count / took


def queue_burst(count: int = BURST) -> float:
    """Return messages a second through an asyncio.Queue from one task to another."""

    async def run() -> float:
        queue: asyncio.Queue[Fact] = asyncio.Queue()

        async def produce() -> None:
            for left in range(count - 1, -1, -1):
                queue.put_nowait(Fact(left))

        async def read() -> int:
            handled = 1
            while (await queue.get()).left:
                handled += 1
            return handled

        began = perf_counter()
        await asyncio.gather(read(), produce())
        return count / (perf_counter() - began)

    return asyncio.run(run())


# --- tell --------------------------------------------------------------------------------------------------------------


class PykkaPlayer(pykka.ThreadingActor):
    """Sends each fact back until none is left."""

    def __init__(self, done: threading.Event) -> None:
        super().__init__()
        self.done = done

    def on_receive(self, message: Any) -> None:
        """Take the partner, or send it back."""
        if isinstance(message, pykka.ActorRef):
            self.other = message
        elif message.left:
            self.other.tell(Fact(message.left - 1))
        else:
            self.done.set()


def pykka_tells(count: int = TELLS) -> float:
    """Return messages a second told in turn between two pykka actors."""
    done = threading.Event()
    one, two = PykkaPlayer.start(done), PykkaPlayer.start(done)
    one.tell(two)
    two.tell(one)
    began = perf_counter()
    one.tell(Fact(count))
    done.wait()
    took = perf_counter() - began
    pykka.ActorRegistry.stop_all()
    return count / took


def queue_tells(count: int = TELLS) -> float:
    """Return messages a second told in turn between two tasks over two queues."""

    async def run() -> float:
        queues: list[asyncio.Queue[Fact]] = [asyncio.Queue(), asyncio.Queue()]
        done = asyncio.Event()

        async def play(mine: asyncio.Queue[Fact], other: asyncio.Queue[Fact]) -> None:
            while True:
                fact = await mine.get()
                if not fact.left:
                    done.set()
                    return
                other.put_nowait(Fact(fact.left - 1))

        tasks = [asyncio.ensure_future(play(*queues)), asyncio.ensure_future(play(*reversed(queues)))]
        began = perf_counter()
        queues[0].put_nowait(Fact(count))
        await done.wait()
        took = perf_counter() - began
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return count / took

    return asyncio.run(run())


# --- ask ---------------------------------------------------------------------------------------------------------------


async def round_trips(count: int, ask: Callable[[int], Awaitable[int]]) -> float:
    """Ask one after the other; return round trips a second."""
    began = perf_counter()
    for number in range(count):
        assert await ask(number) == number
    return count / (perf_counter() - began)


class PykkaAnswerer(pykka.ThreadingActor):
    """Answers with the number."""

    def on_receive(self, message: Any) -> int:
        """Answer."""
        number: int = message.number
        return number


def pykka_asks(count: int = ASKS) -> float:
    """Return round trips a second of asks from this thread to a pykka actor."""
    ref = PykkaAnswerer.start()
    began = perf_counter()
    for number in range(count):
        assert ref.ask(Ask(number), timeout=5.0) == number
    took = perf_counter() - began
    ref.stop()
    return count / took


def queue_asks(count: int = ASKS) -> float:
    """Return round trips a second over a queue of requests with a future each."""

    async def run() -> float:
        queue: asyncio.Queue[tuple[Ask, asyncio.Future[int]]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def answer() -> None:
            while True:
                request, future = await queue.get()
                future.set_result(request.number)

        def ask(number: int) -> asyncio.Future[int]:
            future: asyncio.Future[int] = loop.create_future()
            queue.put_nowait((Ask(number), future))
            return future

        task = asyncio.ensure_future(answer())
        try:
            return await round_trips(count, ask)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return asyncio.run(run())

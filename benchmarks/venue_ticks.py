"""Measure a fast venue: ``python -m benchmarks.venue_ticks [--rate R] [--seconds S]``.

A server in a process of its own tells 10,000 quotes a second of 20 markets over one WebSocket, in Binance's own words,
however slowly they are read. This process is pinned to one core: the client library, the adapter, the account's session and
an actor that hears every market through a mailbox that conflates. Each price bears its number, so its age when it is heard
is known.

Growth is what the second half of a round has more than the first: of the median age, and of memory. The floor is a bare
WebSocket client that reads the same quotes and parses their JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp

from actors.session import VenueSession, market_topic
from benchmarks.measure import Row, on_one_core, percentile, row_of, table
from benchmarks.venue_process import FIRST_PRICE, KEY, SECRET, STEP, symbols
from protocol.market import PriceTick, SubscribeMarket
from protocol.secret import Secret
from runtime.actor import Actor, handles
from runtime.spec import Spec
from runtime.system import ActorSystem
from service.api.status import memory_bytes
from venues.access import Access, Tools
from venues.contract import Venue
from venues.known import make_venue

__all__ = ["Round", "Server", "access", "rows", "serving", "tools"]

RATE: Final = 10_000
SECONDS: Final = 10.0
ROUNDS: Final = 3
MARKETS: Final = 20
_ROOT: Final = Path(__file__).parents[1]
_MB: Final = 1024 * 1024


class Server:
    """The server process and where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, stream_url: str) -> None:
        self._process = process
        self.url = url
        self.stream_url = stream_url

    async def tell(self, rate: int, seconds: float) -> dict[str, Any]:
        """Have quotes told; return when the first left, and how many did."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{rate} {seconds}\n".encode())
        said: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return said


@asynccontextmanager
async def serving(markets: int = MARKETS) -> AsyncIterator[Server]:
    """Run the server until the block ends."""
    command = [sys.executable, "-m", "benchmarks.venue_process", str(markets)]
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=_ROOT)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, range(os.cpu_count() or 1))  # where this one is pinned, its child is not
    assert process.stdout is not None
    assert process.stdin is not None
    said = json.loads(await process.stdout.readline())
    try:
        yield Server(process, said["url"], said["stream_url"])
    finally:
        process.stdin.close()
        await process.wait()


def access(server: Server) -> Access:
    """Return how the server's account is reached; nothing slows its calls down."""
    return Access(
        account="acc",
        venue="binance",
        url=server.url,
        stream_url=server.stream_url,
        key=Secret(KEY),
        secret=Secret(SECRET),
        conservative=None,
        symbols=tuple(symbols(MARKETS)),
    )


def tools() -> Tools:
    """Return the real clock, real waits, and chance that is always the same."""
    return Tools(time.time_ns, asyncio.sleep, lambda: 0.5)


class Round(NamedTuple):
    """One round: processor time, ages (ms) of what was heard in each half, and memory (bytes) after each half."""

    cpu_s: float
    ages: tuple[list[float], list[float]]
    memory: tuple[int, int]
    told: int


class _Ear(Actor):
    """Hears every market; a waiting price is replaced by a newer one of its market."""

    def __init__(self, heard: Callable[[PriceTick], None], names: list[str]) -> None:
        self._heard = heard
        self._names = names

    def started(self) -> None:
        for name in self._names:
            self.context.bus.subscribe(market_topic("acc", name), self.ref)

    @handles
    def price(self, msg: PriceTick) -> None:
        self._heard(msg)


async def _through_the_session(rate: int, seconds: float) -> Round:
    """Run one round: half of it, a look, the other half."""
    halves: list[list[tuple[int, float]]] = [[]]
    names = symbols(MARKETS)

    def heard(tick: PriceTick) -> None:
        if tick.bid >= FIRST_PRICE:
            halves[-1].append((time.time_ns(), float(tick.bid)))

    async with serving() as server, ActorSystem() as system:

        def make() -> Venue:
            return make_venue(access(server), tools())

        system.spawn(Spec("desk", Actor))
        system.spawn(Spec("ear", lambda: _Ear(heard, names)))
        session = system.spawn(
            Spec("session", lambda: VenueSession(account="acc", venue=make, desk="/desk"), edge=True)
        )
        for each in names:
            session.tell(SubscribeMarket(each))
        await asyncio.sleep(2)  # house: the streams of a server on the wall clock are joined
        await server.tell(rate, 1)
        await asyncio.sleep(1)  # house: what was told to warm up is heard
        ages, memory, cpu, told = [], [], 0.0, 0
        for _ in range(2):
            halves[-1].clear()
            began = time.process_time()
            said = await server.tell(rate, seconds / 2)
            await asyncio.sleep(0.5)  # house: the last of them are heard
            cpu += time.process_time() - began
            told += said["sent"]
            ages.append([_age_ms(at, bid, said["first_at"], rate) for at, bid in halves[-1]])
            memory.append(memory_bytes())
    return Round(cpu, (ages[0], ages[1]), (memory[0], memory[1]), told)


def _age_ms(at: int, bid: float, first_at: int, rate: int) -> float:
    """Return how old a price is when it is heard: it was due when its number came up."""
    return (at - first_at - round((bid - FIRST_PRICE) / STEP) / rate * 1e9) / 1e6


async def _bare(rate: int, seconds: float) -> float:
    """Return the processor time, in seconds, of reading and parsing the same quotes with nothing behind it."""
    async with (
        serving() as server,
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{server.stream_url}/ws/0") as socket,
    ):
        topics = [f"{each.replace('/', '').lower()}@bookTicker" for each in symbols(MARKETS)]
        await socket.send_json({"method": "SUBSCRIBE", "params": topics, "id": 1})
        began = time.process_time()
        telling = asyncio.create_task(server.tell(rate, seconds))
        read = 0
        while read < rate * seconds:
            read += "u" in json.loads((await socket.receive()).data)
        await telling
        return time.process_time() - began


def rows(rate: int = RATE, seconds: float = SECONDS, rounds: int = ROUNDS) -> list[Row]:
    """Measure on one core; return cost, ages and growth."""
    ours: list[Round] = []
    bare: list[float] = []
    with on_one_core():
        for _ in range(rounds):
            ours.append(asyncio.run(_through_the_session(rate, seconds)))
            bare.append(asyncio.run(_bare(rate, seconds)) / (rate * seconds) * 1e6)
    name = f"{rate:,} quotes/s over one WebSocket"
    cost = [each.cpu_s / each.told * 1e6 for each in ours]
    first, second = ([age for each in ours for age in each.ages[half]] for half in (0, 1))
    return [
        row_of(f"{name}: processor time a quote", cost, "us", against=("bare WebSocket and JSON", bare)),
        row_of(f"{name}: share of a core", [each * rate / 1e4 for each in cost], "%"),
        Row(f"{name}: age p50", percentile(first + second, 0.5), "ms"),
        Row(f"{name}: age p99", percentile(first + second, 0.99), "ms"),
        Row(f"{name}: growth of age", statistics.median(_growth(each) for each in ours), "ms"),
        Row(f"{name}: growth of memory", statistics.median(_grown(each) for each in ours), "MB"),
    ]


def _growth(one: Round) -> float:
    return percentile(one.ages[1], 0.5) - percentile(one.ages[0], 0.5)


def _grown(one: Round) -> float:
    return (one.memory[1] - one.memory[0]) / _MB


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, default=RATE, help="quotes a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of a round")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(table(rows(options.rate, options.seconds, options.rounds)))

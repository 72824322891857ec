"""The API over the network: how long an answer takes while many ask, and what a stream to fifty clients costs.

``python -m benchmarks.api [--quick]``. A daemon in a process of its own, with its door open, is asked by eight clients at
once over connections that stay open; the floor is aiohttp in a process of its own that answers the same bytes, asked in
turns with it. *Stream*: commands that each commit one event, while fifty clients follow and while none does; the difference
in processor time, by item delivered, beside aiohttp saying the same text to fifty sockets.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
import psutil

from benchmarks.measure import Row, percentile, row_of, table
from service.api.client import Client

__all__ = ["rows"]

ROOT: Final = Path(__file__).resolve().parents[1]
AT_ONCE: Final = 8
LISTENERS: Final = 50
CONFIG: Final = """
[app]
data_dir = "data"
[market]
source = "synthetic"
liveliness = 0.0001
[webhook]
port = 0
[demo]
signals = false
[api]
enabled = true
port = 0
requests_per_minute = 1000000
"""


class House(NamedTuple):
    """A running daemon, and aiohttp alone beside it."""

    daemon: psutil.Process
    url: str
    headers: dict[str, str]
    bare: psutil.Process
    bare_url: str


def rows(requests: int = 4_000, rounds: int = 4, events: int = 300) -> list[Row]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as folder, _house(Path(folder)) as house:
        return asyncio.run(_measured(house, requests, rounds, events))


async def _measured(house: House, requests: int, rounds: int, events: int) -> list[Row]:
    paths = {"who asks": "/v1/me", "health of each compartment": "/v1/health", "status": "/v1/status"}
    found: dict[str, list[float]] = {name: [] for name in (*paths, "bare")}
    async with aiohttp.ClientSession(headers=house.headers) as session:
        await _asked(session, house.url + "/v1/me", AT_ONCE)  # the token is proven once in a life of the daemon
        for _ in range(rounds):
            for name, path in paths.items():
                found[name].append(percentile(await _asked(session, house.url + path, requests // 4), 0.99))
            found["bare"].append(percentile(await _asked(session, house.bare_url + "/answer", requests // 4), 0.99))
        against = "a bare aiohttp handler", found["bare"]
        made = [row_of(f"API p99, {AT_ONCE} at once: {name}", found[name], "ms", against=against) for name in paths]
        return [*made, *await _streams(house, session, rounds, events)]


async def _asked(session: aiohttp.ClientSession, url: str, count: int) -> list[float]:
    """Ask so often, several at once; return how many milliseconds each answer took."""
    took: list[float] = []

    async def asks() -> None:
        for _ in range(count // AT_ONCE):
            begin = time.perf_counter()
            async with session.get(url) as response:
                await response.read()
                assert response.status == 200, await response.text()
            took.append((time.perf_counter() - begin) * 1e3)

    await asyncio.gather(*(asks() for _ in range(AT_ONCE)))
    return took


async def _streams(house: House, session: aiohttp.ClientSession, rounds: int, events: int) -> list[Row]:
    costs: dict[str, list[float]] = {"items": [], "bare": [], "late": []}
    text = json.dumps({"kind": "event", "text": "x" * 700})
    for _ in range(rounds):
        alone = await _cost(house.daemon, _acts(session, house, events))
        async with _listening(session, house.url + "/v1/stream?bundle=1") as heard:
            beside = await _cost(house.daemon, _acts(session, house, events))
            await _heard(heard, events)
        costs["items"].append(max(0.0, beside - alone) / (events * LISTENERS) * 1e6)
        costs["late"].append(percentile(heard[0], 0.99) * 1e3)
        quiet = await _cost(house.bare, _says(session, house, events, text))
        async with _listening(session, house.bare_url + "/listen"):
            loud = await _cost(house.bare, _says(session, house, events, text))
        costs["bare"].append(max(1e-9, loud - quiet) / (events * LISTENERS) * 1e6)
    against = "aiohttp sending the same text", costs["bare"]
    return [
        row_of(f"stream to {LISTENERS} clients, processor an item", costs["items"], "us", against=against),
        row_of(f"stream to {LISTENERS} clients, commit to client p99", costs["late"], "ms"),
    ]


async def _cost(process: psutil.Process, work: AsyncIterator[None]) -> float:
    """Return the processor seconds that a process used while some work was done."""
    before = process.cpu_times()
    async for _ in work:
        pass
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system)


async def _acts(session: aiohttp.ClientSession, house: House, events: int) -> AsyncIterator[None]:
    for _ in range(events):
        async with session.post(house.url + "/v1/incidents/seen", json={}) as response:
            await response.read()
        yield


async def _says(session: aiohttp.ClientSession, house: House, events: int, text: str) -> AsyncIterator[None]:
    for _ in range(events):
        async with session.post(house.bare_url + "/say", data=text) as response:
            await response.read()
        yield


@asynccontextmanager
async def _listening(session: aiohttp.ClientSession, url: str) -> AsyncIterator[list[list[float]]]:
    """Have fifty listeners; yield for each how late its items came, in seconds."""
    late: list[list[float]] = [[] for _ in range(LISTENERS)]

    async def listen(into: list[float], line: aiohttp.ClientWebSocketResponse) -> None:
        async for message in line:
            now, count = time.time_ns(), message.data.count('"type": "OperatorActed"')
            if into is late[0] and count:  # one reads: fifty that parse JSON would measure themselves
                items = [item for item in json.loads(message.data) if item.get("type") == "OperatorActed"]
                into.extend((now - item["at"]) / 1e9 for item in items)
            else:
                into.extend([0.0] * count)

    lines = [await session.ws_connect(url) for _ in range(LISTENERS)]
    tasks = [asyncio.create_task(listen(into, line)) for into, line in zip(late, lines, strict=True)]
    try:
        yield late
    finally:
        for line in lines:
            await line.close()
        await asyncio.gather(*tasks)


async def _heard(late: list[list[float]], events: int) -> None:
    async with asyncio.timeout(60):
        while any(len(each) < events for each in late):  # noqa: ASYNC110 - fifty tasks fill fifty lists
            await asyncio.sleep(0.01)


@contextmanager
def _house(folder: Path) -> Iterator[House]:
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "answer").write_bytes(b'{"name":"bench","kind":"token","scopes":["metrics","read","trade","admin"]}')
    command = [sys.executable, "-m", "service.cli", "up", "--no-view", "--config", str(folder / "config.toml")]
    bare = [sys.executable, "-m", "benchmarks.api_bare", str(folder / "answer")]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as daemon,
        subprocess.Popen(bare, cwd=ROOT, stdout=subprocess.PIPE, text=True) as floor,
    ):
        try:
            owner = Client(folder / "data" / "bulkhead.sock")
            url = _ready(owner, folder / "log")
            token = owner.post("/v1/tokens", {"name": "bench", "scope": "admin"})["token"]
            assert floor.stdout is not None
            port = json.loads(floor.stdout.readline())["port"]
            headers = {"Authorization": f"Bearer {token}"}
            processes = psutil.Process(daemon.pid), psutil.Process(floor.pid)
            yield House(processes[0], url, headers, processes[1], f"http://127.0.0.1:{port}")
        finally:
            daemon.terminate()
            floor.terminate()


def _ready(owner: Client, log: Path) -> str:
    from service.api.client import DaemonNotRunning, DaemonRefused

    for _ in range(600):
        try:
            return str(owner.get("/v1/status")["api_url"])
        except (DaemonNotRunning, DaemonRefused):
            time.sleep(0.05)
    raise RuntimeError(f"the daemon did not come up: {log.read_text()[-2000:]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description="measure the API over the network")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(table(rows(800, 2, 100) if options.quick else rows()))

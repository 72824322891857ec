"""Measure the cache against what it stands on, in the same run: ``python -m benchmarks cache``.

On a Redis server (started here, on a unix socket): the cache, typed values and time-outs and all, against the bare client
library that moves the same bytes; a lock with its token against the library's own lock. In the process: against a dict. One
caller that waits for each answer, so the figures are round trips. Without a redis-server only the process is measured.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from benchmarks.measure import Row, in_turns, row_of
from protocol.nodes import Quote
from runtime.clock import WallClock
from store.cache.frames import framed
from store.cache.keys import QUOTE_TTL_S, quote_key
from store.cache.memory import MemoryCache
from store.cache.opening import Shared, open_shared

__all__ = ["rows"]

MANY: Final = 100
_QUOTE: Final = Quote("binance", 1_700_000_000_000_000_000, Decimal("64123.4"), Decimal("64123.5"), Decimal("64123.4"))
_KEYS: Final = [quote_key("paper", f"S{number}/USDT") for number in range(MANY)]
_READY_S: Final = 10.0


def rows(rounds: int = 15, share: float = 1.0) -> list[Row]:
    """Return the rows; ``share`` scales the calls of a round."""
    found = _in_process(rounds, max(1, round(20_000 * share)))
    with _server() as url:
        return found + (_on_redis(url, rounds, max(1, round(1_000 * share))) if url else [])


# --- in the process ----------------------------------------------------------------------------------------------------


def _in_process(rounds: int, calls: int) -> list[Row]:
    cache, plain = MemoryCache(WallClock().now), {"key": _QUOTE}
    cache.write("key", _QUOTE, QUOTE_TTL_S)

    def dict_get() -> None:
        plain.get("key")

    def dict_set() -> None:
        plain["key"] = _QUOTE

    figures = in_turns(
        rounds,
        {
            "get": lambda: _rate(calls, lambda: cache.read("key", Quote)),
            "dict get": lambda: _rate(calls, dict_get),
            "set": lambda: _rate(calls, lambda: cache.write("key", _QUOTE, QUOTE_TTL_S)),
            "dict set": lambda: _rate(calls, dict_set),
        },
    )
    return [
        row_of(f"cache in the process, {name}", figures[name], "/s", against=("a dict", figures[f"dict {name}"]))
        for name in ("get", "set")
    ]


def _rate(calls: int, call: Callable[[], Any]) -> float:
    began = perf_counter()
    for _ in range(calls):
        call()
    return calls / (perf_counter() - began)


# --- on a server -------------------------------------------------------------------------------------------------------


def _on_redis(url: str, rounds: int, calls: int) -> list[Row]:
    from redis.asyncio import Redis

    with asyncio.Runner() as runner:
        shared = open_shared(url, now=WallClock().now, node="bench", epoch=1)
        bare = Redis.from_url(url, protocol=2)  # as the cache
        works, found = _works(shared, bare), []
        for name, peer in _PEERS.items():
            times = max(10, calls // 10) if "100" in name else calls
            pairs = [runner.run(_side_by_side(works[name], works[f"bare {name}"], times)) for _ in range(rounds)]
            ours, theirs = zip(*pairs, strict=True)
            found.append(row_of(f"cache on Redis, {name}", ours, "/s", against=(peer, theirs)))
        runner.run(bare.aclose())
        assert shared.link is not None
        runner.run(shared.link.close())
    return found


_PEERS: Final = {
    "get": "redis-py's get of the same bytes",
    "set": "redis-py's set of the same bytes",
    "get of 100": "redis-py's mget of the same bytes",
    "set of 100": "redis-py's pipeline of the same sets",
    "lock and release": "redis-py's lock, which has no token",
}


def _works(shared: Shared, bare: Any) -> Mapping[str, Callable[[], Awaitable[Any]]]:
    cache, locks, frame = shared.cache, shared.locks, framed(_QUOTE)
    assert frame is not None
    ttl_ms, values = round(QUOTE_TTL_S * 1_000), dict.fromkeys(_KEYS, _QUOTE)

    async def bare_set_of_many() -> None:
        async with bare.pipeline(transaction=False) as pipe:
            for key in _KEYS:
                pipe.set(key, frame, px=ttl_ms)
            await pipe.execute()

    async def lock() -> None:
        fence = await locks.acquire("locks:order:bench", "bench", 30)
        assert fence is not None
        assert await locks.release(fence)

    async def bare_lock() -> None:
        held = bare.lock("bench", timeout=30)
        assert await held.acquire(blocking=False)
        await held.release()

    return {
        "set of 100": lambda: cache.set_many(values, QUOTE_TTL_S),
        "bare set of 100": bare_set_of_many,
        "set": lambda: cache.set(_KEYS[0], _QUOTE, QUOTE_TTL_S),
        "bare set": lambda: bare.set(_KEYS[0], frame, px=ttl_ms),
        "get": lambda: cache.get(_KEYS[0], Quote),
        "bare get": lambda: bare.get(_KEYS[0]),
        "get of 100": lambda: cache.get_many(_KEYS, Quote),
        "bare get of 100": lambda: bare.mget(_KEYS),
        "lock and release": lock,
        "bare lock and release": bare_lock,
    }


async def _side_by_side(
    ours: Callable[[], Awaitable[Any]], theirs: Callable[[], Awaitable[Any]], times: int
) -> tuple[float, float]:
    """Return both rates, of the median call: two calls next to each other have the same moment of the machine."""
    took: tuple[list[float], list[float]] = ([], [])
    for call in range(times):
        for place in (0, 1):
            which = (call + place) % 2
            began = perf_counter()
            await (theirs if which else ours)()
            took[which].append(perf_counter() - began)
    return 1 / statistics.median(took[0]), 1 / statistics.median(took[1])


@contextmanager
def _server() -> Iterator[str]:
    """Run a server that keeps nothing; yields its address, empty where there is none to run."""
    binary = shutil.which("redis-server")
    if binary is None:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="bh-redis-") as folder:
        path = Path(folder) / "redis.sock"
        command = [binary, "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
        process = subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = perf_counter() + _READY_S
            while not path.exists() and perf_counter() < end:
                time.sleep(0.01)
            yield f"unix://{path}"
        finally:
            process.kill()
            process.wait()

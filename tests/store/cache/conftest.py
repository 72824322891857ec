"""Both caches, both locks, both kinds of channels: one more back end is one more line in ``BACKENDS``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import pytest

from runtime.clock import WallClock
from store.cache.errors import CacheError
from store.cache.opening import Shared, open_shared
from tests.servers.redis import RedisServer, redis_server, server_of_module

__all__ = ["anyio_backend", "redis_server", "server_of_module", "shared"]

WITHIN_S: Final = 20.0
PATIENT_S: Final = 1.5
"""How long a test's server has for an answer: a machine that is busy with other tests is not away."""

BACKENDS: Final = ("memory", "redis")


class Time:
    """The wall clock, which a test may put forward."""

    def __init__(self) -> None:
        self._clock = WallClock()
        self.ahead_ns = 0

    def now(self) -> int:
        """Return the instant."""
        return self._clock.now() + self.ahead_ns


async def eventually(condition: Callable[[], Any], what: str) -> None:
    """Wait until something is so."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while not condition():  # noqa: ASYNC110 - what is awaited happens in another process
                await asyncio.sleep(0.005)  # house: sockets have no clock of ours
    except TimeoutError:
        pytest.fail(f"not within {WITHIN_S} s: {what}")


async def answered(shared: Shared) -> None:
    """Wait until the server answers again; a connection that broke unseen costs one ping."""
    assert shared.link is not None
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                await shared.link.ping()
            except CacheError:
                continue
            return


async def close(shared: Shared) -> None:
    """Close what was opened."""
    if shared.link is not None:
        await shared.link.close()


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture
def time() -> Time:
    """Return a clock that a test may put forward."""
    return Time()


@pytest.fixture(params=BACKENDS)
async def shared(request: Any, time: Time) -> AsyncIterator[Shared]:
    """Return what nodes share, of each back end."""
    url = request.getfixturevalue("redis_server").url if request.param == "redis" else ""
    opened = open_shared(url, now=time.now, node="a", epoch=1, answer_s=PATIENT_S)
    yield opened
    await close(opened)


@pytest.fixture
async def away(redis_server: RedisServer, time: Time) -> AsyncIterator[Shared]:
    """Return what is on the Redis server, to be lost by the test."""
    opened = open_shared(redis_server.url, now=time.now, node="a", epoch=1, prefix="test:", answer_s=PATIENT_S)
    yield opened
    await close(opened)

"""Losing the server: reads answer what the process knows or nothing, writes wait or are counted, nobody waits for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any, cast

import pytest

from protocol.errors import FeatureUnavailable
from store.cache.errors import CacheAway, CacheRefused
from store.cache.opening import Shared, open_shared
from store.cache.redis_cache import RedisCache
from store.cache.redis_link import RedisLink, address_of
from tests.servers.redis import RedisServer
from tests.store.cache.conftest import PATIENT_S, answered, close, eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
async def other(redis_server: RedisServer, time: Any) -> AsyncIterator[Shared]:
    """Return what another node sees of the same server."""
    opened = open_shared(redis_server.url, now=time.now, node="b", epoch=1, prefix="test:", answer_s=PATIENT_S)
    yield opened
    await close(opened)


async def test_killed_mid_use(away: Shared, other: Shared, redis_server: RedisServer) -> None:
    """DS-711: with the server gone own values are read from the process, others' are nothing, writes wait for its return."""
    await away.cache.set("mine", 1, 60)
    await other.cache.set("theirs", 2, 60)
    assert await away.cache.get("theirs", int) == 2
    redis_server.kill()
    assert not await away.cache.set("mine", 3, 60)
    assert not await away.cache.set_in_map("map", {"x": 1}, 60)
    assert await away.cache.get_many(["mine", "theirs"], int) == [3, None]
    assert await away.cache.get_map("map", int) == {"x": 1}
    assert await other.cache.get("mine", int) is None
    assert away.cache.stats().held == 2
    redis_server.start()
    await answered(away)
    await answered(other)
    assert await away.flush() == 2
    assert await other.cache.get("mine", int) == 3
    assert await other.cache.get_map("map", int) == {"x": 1}
    assert away.cache.stats().held == 0
    assert redis_server.ask("PTTL", "test:map") > b":50000"


async def test_a_server_that_comes_back_empty(away: Shared, redis_server: RedisServer) -> None:
    """DK-251: what was only there is gone and read as nothing, whatever the process remembers of it."""
    await away.cache.set("mine", 1, 60)
    redis_server.kill()
    redis_server.start()
    await answered(away)
    assert await away.cache.get("mine", int) is None
    assert await away.flush() == 0


async def test_a_stopped_server_costs_one_timeout(away: Shared, redis_server: RedisServer) -> None:
    """A server that neither answers nor closes costs one time-out, not one a call; a ping finds out that it is back."""
    await away.cache.set("mine", 1, 60)
    redis_server.pause()
    began = perf_counter()
    for _ in range(200):
        assert await away.cache.get("mine", int) == 1
        assert not await away.cache.set("mine", 1, 60)
    assert perf_counter() - began < 20 * PATIENT_S, "of 400 calls"
    assert away.cache.stats().fallbacks == 200
    redis_server.go_on()
    await answered(away)
    assert await away.flush() == 1
    assert await away.cache.set("mine", 2, 60)


async def test_a_reader_in_a_hurry(away: Shared, redis_server: RedisServer) -> None:
    """RG-1205: whoever reads with a limit of 50 ms has an answer by then, and its hurry does not shut out the others."""
    await away.cache.set("mine", 1, 60)
    redis_server.pause()
    began = perf_counter()
    assert await away.cache.get("mine", int, within_s=0.05) == 1
    assert perf_counter() - began < PATIENT_S
    redis_server.go_on()
    assert await away.cache.get("mine", int) == 1
    assert away.cache.stats().fallbacks == 1


async def test_while_it_is_known_to_be_away_nobody_tries(away: Shared) -> None:
    """Once whoever watches the link says that it is away, calls are answered without asking the server."""
    assert away.link is not None
    away.link.away = True
    failures: list[str] = []
    away.link.on_failure = failures.append
    assert not await away.cache.set("mine", 1, 60)
    assert await away.cache.get("mine", int) == 1
    assert failures == [], "what was not tried has not failed"
    away.link.away = False
    assert await away.cache.get("mine", int) is None, "it never reached the server"
    assert await away.flush() == 1


async def test_a_failure_is_told_once_in_a_while(away: Shared, redis_server: RedisServer) -> None:
    """Whoever watches the link hears of a failed call with its reason, once in each second of failing."""
    failures: list[str] = []
    assert away.link is not None
    away.link.on_failure = failures.append
    await away.cache.set("a", 1)
    redis_server.kill()
    await asyncio.gather(*(away.cache.get("a", int) for _ in range(3)))
    for _ in range(50):
        await away.cache.get("a", int)
    assert 1 <= len(failures) <= 3
    assert str(redis_server.socket) in failures[0]


async def test_a_server_that_takes_no_writes(away: Shared, redis_server: RedisServer) -> None:
    """A replica without its master refuses writes: they are dropped and counted, reads go on, the link is not lost."""
    failures: list[str] = []
    assert away.link is not None
    away.link.on_failure = failures.append
    await away.cache.set("a", 1)
    redis_server.ask("REPLICAOF", "127.0.0.1", "1")
    assert not await away.cache.set("a", 2)
    assert not await away.cache.set_many({"a": 2, "b": 3})
    assert await away.cache.get("a", int) == 1
    assert await away.locks.acquire("locks:order:x", "a", 30) is None
    assert away.link is not None
    with pytest.raises(CacheRefused, match=r"read.only"):
        await cast("RedisLink", away.link).call(lambda redis: redis.set("test:a", b"x"))
    assert away.cache.stats().dropped == 3
    assert failures == []
    redis_server.fresh()
    assert await away.cache.set("a", 2)


async def test_a_server_that_is_full(away: Shared, redis_server: RedisServer) -> None:
    """Out of memory: writes are dropped and counted, reads go on."""
    await away.cache.set("a", 1)
    redis_server.ask("CONFIG", "SET", "maxmemory", "1")
    assert not await away.cache.set("a", 2)
    assert await away.cache.get("a", int) == 1
    assert away.cache.stats().dropped == 1


async def test_what_waits_is_bounded_and_the_newest(redis_server: RedisServer, time: Any) -> None:
    """DS-711: of a key the newest value waits, of too many keys those written last; what has ended is not written."""
    link = RedisLink(redis_server.url, now=time.now)
    cache = RedisCache(link, now=time.now, max_held=3)
    link.away = True
    for number in range(5):
        await cache.set(f"k{number}", number)
    await cache.set("k2", "newest")
    await cache.set("short", 1, 5)
    assert cache.stats()[-2:] == (3, 3)
    time.ahead_ns = 6_000_000_000
    link.away = False
    await cache.flush()
    assert await cache.get_many(["k0", "k1", "k2", "k3", "k4", "short"], object) == [
        None,
        None,
        "newest",
        None,
        4,
        None,
    ]
    await link.close()


async def test_a_deletion_waits_too(away: Shared, other: Shared) -> None:
    """What was taken away while the server was away is taken away there when it is back."""
    await away.cache.set("a", 1)
    await away.cache.set_in_map("m", {"x": 1, "y": 2})
    assert away.link is not None
    away.link.away = True
    await away.cache.set("a", 2)
    await away.cache.delete("a")
    await away.cache.delete_in_map("m", "x")
    assert await away.cache.get("a", int) is None
    away.link.away = False
    await away.flush()
    assert await other.cache.get("a", int) is None
    assert await other.cache.get_map("m", int) == {"y": 2}


async def test_nobody_there_from_the_start(time: Any, tmp_path: Any) -> None:
    """A server that was never there is no error: reads are nothing, writes wait, a ping says why."""
    shared = open_shared(f"unix://{tmp_path}/nobody.sock", now=time.now, node="a", epoch=1)
    assert await shared.cache.get("a", int) is None
    assert not await shared.cache.set("a", 1)
    assert shared.link is not None
    with pytest.raises(CacheAway, match=r"nobody\.sock"):
        await shared.link.ping()
    await close(shared)


async def test_closed_while_calls_are_under_way(away: Shared, redis_server: RedisServer) -> None:
    """Nothing stays open of calls that were under way when the link was closed; a ping opens it again."""
    assert away.link is not None
    calls = [asyncio.create_task(away.link.ping()) for _ in range(3)]
    calls += [asyncio.create_task(away.cache.get("a", int)) for _ in range(3)]
    await asyncio.sleep(0)  # house: lets them begin
    await away.link.close()
    await asyncio.gather(*calls, return_exceptions=True)
    await eventually(
        lambda: redis_server.ask("CLIENT", "LIST").count(b"id=") == 1, "only the asking connection is open"
    )
    assert not await away.cache.set("a", 1)
    await away.link.ping()
    assert await away.cache.set("a", 1)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:pass@host:1/0", "host:1"),
        ("rediss://user:pass@host", "host:6379"),
        ("redis://", "localhost:6379"),
        ("unix://user:pass@/run/redis.sock", "/run/redis.sock"),
    ],
)
async def test_an_address_shows_no_password(url: str, shown: str) -> None:
    """EX-1508: what is shown of a server is where it is, never who we are to it."""
    assert address_of(url) == shown


async def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, time: Any) -> None:
    """DS-849: a configured server without its library ends with FeatureUnavailable; without a URL nothing is imported."""
    import sys

    for name in [name for name in sys.modules if name.startswith(("redis", "store.cache.redis"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    assert open_shared("", now=time.now, node="a", epoch=1).link is None
    with pytest.raises(FeatureUnavailable, match=r"pip install 'bulkhead\[redis\]'") as caught:
        open_shared("redis://localhost", now=time.now, node="a", epoch=1)
    assert caught.value.extra == "redis"

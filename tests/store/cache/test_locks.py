"""Locks with fencing tokens: one owner at a time, tokens that only grow, also between processes and over lost servers."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.clock import WallClock
from store.cache.contract import Fence
from store.cache.keys import order_lock
from store.cache.memory_locks import MemoryLocks
from store.cache.opening import Shared
from tests.house.sources import ROOT
from tests.servers.redis import RedisServer
from tests.store.cache.conftest import answered

pytestmark = pytest.mark.anyio

NAME = order_lock("trend")


async def test_one_owner_at_a_time(shared: Shared) -> None:
    """DK-159: while anybody holds a lock nobody gets it, not even its owner again; another name is another lock."""
    fence = await shared.locks.acquire(NAME, "a", 30)
    assert fence is not None
    assert (fence.name, fence.owner) == ("locks:order:trend", "a")
    assert await shared.locks.acquire(NAME, "b", 30) is None
    assert await shared.locks.acquire(NAME, "a", 30) is None
    assert await shared.locks.acquire(order_lock("other"), "b", 30) is not None


async def test_released_only_by_its_owner(shared: Shared) -> None:
    """DK-159: a fence that is not the holder's releases and renews nothing; the holder's does."""
    fence = await shared.locks.acquire(NAME, "a", 30)
    assert fence is not None
    for foreign in (Fence(NAME, "b", fence.token, fence.until), Fence(NAME, "a", fence.token - 1, fence.until)):
        assert not await shared.locks.release(foreign)
        assert await shared.locks.renew(foreign, 30) is None
    assert await shared.locks.acquire(NAME, "b", 30) is None
    assert await shared.locks.release(fence)
    assert not await shared.locks.release(fence)
    assert await shared.locks.acquire(NAME, "b", 30) is not None


async def test_a_later_holder_has_a_larger_token(shared: Shared) -> None:
    """Each acquisition of a name has a larger token than all before it."""
    tokens = []
    for owner in "abcde":
        fence = await shared.locks.acquire(NAME, owner, 30)
        assert fence is not None
        tokens.append(fence.token)
        await shared.locks.release(fence)
    assert tokens == sorted(set(tokens))


async def test_a_lock_ends_by_itself(shared: Shared, time: Any) -> None:
    """A lock that is not renewed ends, and its late holder can neither renew nor release the next one's."""
    old = await shared.locks.acquire(NAME, "a", 0.001)
    assert old is not None
    time.ahead_ns = 1_000_000_000
    assert not old.holds(time.now())
    while (new := await shared.locks.acquire(NAME, "b", 30)) is None:
        pass  # the server counts by its own clock
    assert new.token > old.token
    assert await shared.locks.renew(old, 30) is None
    assert not await shared.locks.release(old)
    assert await shared.locks.renew(new, 30) is not None


async def test_a_renewed_lock_is_held_on(shared: Shared, redis_server: RedisServer) -> None:
    """DK-159: renewing keeps owner and token and moves the end."""
    fence = await shared.locks.acquire(NAME, "a", 30)
    assert fence is not None
    longer = await shared.locks.renew(fence, 90)
    assert longer is not None
    assert (longer.owner, longer.token) == (fence.owner, fence.token)
    assert longer.until > fence.until + 50_000_000_000
    if shared.link is not None:
        assert int(redis_server.ask("PTTL", NAME).strip(b":\r\n")) > 80_000


async def test_tokens_grow_although_the_server_lost_everything(away: Shared, redis_server: RedisServer) -> None:
    """A server that was killed and comes back empty gives a larger token than any before: no receiver takes it for old."""
    before = await away.locks.acquire(NAME, "a", 30)
    redis_server.kill()
    redis_server.start()
    await answered(away)
    after = await away.locks.acquire(NAME, "b", 30)
    assert before is not None
    assert after is not None
    assert after.token > before.token
    assert await away.locks.renew(before, 30) is None, "the first holder learns that it holds nothing"


async def test_no_server_no_lock(away: Shared, redis_server: RedisServer) -> None:
    """DK-159: who cannot ask for a lock does not have it; nothing is raised, held or waited for."""
    fence = await away.locks.acquire(NAME, "a", 30)
    assert fence is not None
    redis_server.kill()
    assert await away.locks.acquire(order_lock("other"), "a", 30) is None
    assert await away.locks.renew(fence, 30) is None
    assert not await away.locks.release(fence)


STEPS = st.lists(
    st.tuples(st.sampled_from(["acquire", "renew", "release"]), st.sampled_from("ab"), st.integers(0, 40)), max_size=30
)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
async def test_never_two_holders(steps: list[tuple[str, str, int]]) -> None:
    """Whatever two owners do, whenever: at no instant do both hold fences that are good, and tokens only grow."""
    now = [1_000_000_000_000]
    locks = MemoryLocks(lambda: now[0])
    fences: dict[str, Fence] = {}
    newest = 0
    for act, owner, waited_s in steps:
        now[0] += waited_s * 1_000_000_000
        fence = fences.get(owner)
        if act == "acquire":
            found = await locks.acquire(NAME, owner, 30)
            if found is not None:
                assert found.token > newest
                fences[owner], newest = found, found.token
        elif fence is not None and act == "renew":
            longer = await locks.renew(fence, 30)
            if longer is not None:
                assert longer.token == newest, "an old holder held on"
                fences[owner] = longer
        elif fence is not None and await locks.release(fence):
            del fences[owner]
        assert sum(each.holds(now[0]) for each in fences.values()) <= 1


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_the_server_answers_as_the_process_does(away: Shared, steps: list[tuple[str, str, int]]) -> None:
    """Without time passing, locks on the server give, renew and release exactly when those in the process do."""
    model, clock = MemoryLocks(WallClock().now), object()
    pairs: dict[str, tuple[Fence, Fence]] = {}
    name = order_lock(str(id(clock)) + str(steps))
    for act, owner, _ in steps:
        pair = pairs.get(owner)
        if act == "acquire":
            here, there = await model.acquire(name, owner, 600), await away.locks.acquire(name, owner, 600)
            assert (here is None) == (there is None)
            if here is not None and there is not None:
                pairs[owner] = (here, there)
        elif pair is not None:
            if act == "renew":
                held = await model.renew(pair[0], 600), await away.locks.renew(pair[1], 600)
                assert (held[0] is None) == (held[1] is None)
            else:
                assert await model.release(pair[0]) == await away.locks.release(pair[1])


async def test_two_processes_contend(redis_server: RedisServer) -> None:
    """Two real processes that want one lock at once never hold it together; every token is given once and they grow."""
    counted = 60
    command = [sys.executable, "-m", "tests.store.cache.lock_child", redis_server.url, str(counted)]
    children = [
        await asyncio.create_subprocess_exec(*command, owner, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        for owner in ("a", "b")
    ]
    said = [(await child.communicate())[0].split() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    tokens = [[int(token) for token in each] for each in said]
    assert [len(each) for each in tokens] == [counted, counted]
    assert all(each == sorted(each) for each in tokens)
    together = tokens[0] + tokens[1]
    assert len(set(together)) == len(together)
    # Each child raised the counter under the lock by reading, then writing: a lock held twice would have lost a step.
    assert redis_server.ask("GET", "counter") == b"$3\r\n120\r\n"
    assert redis_server.ask("GET", "newest").split()[1] == str(max(together)).encode()

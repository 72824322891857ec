"""Facts between nodes: in order, never twice, and never missed without a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from protocol.nodes import EngineMoved, FromNode, MessagesMissed
from protocol.risk import EngineStatus
from store.cache.contract import Channels
from store.cache.errors import CacheAway
from store.cache.keys import NODE_CHANNEL
from store.cache.memory_channels import MemoryChannels, MemoryHub
from store.cache.opening import open_shared
from store.cache.redis_channels import RedisChannels
from store.cache.redis_link import RedisLink
from tests.servers.redis import RedisServer
from tests.store.cache.conftest import PATIENT_S, eventually

pytestmark = pytest.mark.anyio


class Rig:
    """Nodes that can be made at will on one server or hub, which can be lost and come back."""

    def __init__(self, make: Callable[[str, int], Channels], lose: Callable[[], Any], find: Callable[[], Any]) -> None:
        self.node = make
        self.lose = lose
        self.find = find


@pytest.fixture(params=["memory", "redis"])
async def rig(request: Any, time: Any) -> AsyncIterator[Rig]:
    """Return a rig of each back end."""
    if request.param == "memory":
        hub = MemoryHub()
        yield Rig(lambda name, epoch: MemoryChannels(hub, node=name, epoch=epoch), hub.cut, hub.come_back)
        return
    server = request.getfixturevalue("redis_server")
    opened = []

    def make(name: str, epoch: int) -> Channels:
        opened.append(open_shared(server.url, now=time.now, node=name, epoch=epoch, answer_s=PATIENT_S))
        return opened[-1].channels

    def find() -> None:
        server.start()
        time.ahead_ns += 2_000_000_000

    yield Rig(make, server.kill, find)
    for shared in opened:
        assert shared.link is not None
        await shared.link.close()


def moved(number: int) -> EngineMoved:
    """Return a fact that can be told from others."""
    return EngineMoved(number, EngineStatus.PAUSED, "news", 1)


@asynccontextmanager
async def listening(channels: Channels, *names: str) -> AsyncIterator[list[Any]]:
    """Listen inside the block; yields what is heard, once the subscription stands."""
    heard: list[Any] = []
    task = asyncio.create_task(channels.listen(names or (NODE_CHANNEL,), heard.append))
    await eventually(lambda: len(heard) >= len(names or (NODE_CHANNEL,)) or task.done(), "a subscription")
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def numbers(heard: list[Any]) -> list[int]:
    """Return the numbers of the facts among what was heard."""
    return [each.fact.number for each in heard if isinstance(each, FromNode)]


async def test_facts_come_in_order(rig: Rig) -> None:
    """What a node publishes is heard by another, in order, with who said it; it begins with the word to read."""
    a, b = rig.node("a", 7), rig.node("b", 1)
    async with listening(b) as heard:
        assert heard == [MessagesMissed(NODE_CHANNEL, "", heard[0].reason)]
        for number in range(50):
            assert await a.publish(NODE_CHANNEL, moved(number))
        await eventually(lambda: len(heard) == 51, "fifty facts")
        assert heard[1] == FromNode(NODE_CHANNEL, "a", 7, 1, moved(0))
        assert numbers(heard) == list(range(50))
    assert b.stats().heard == 50
    assert a.stats().published == 50


async def test_many_at_once_stay_in_order(rig: Rig) -> None:
    """Facts that are published without waiting for each other leave in the order they were said."""
    a, b = rig.node("a", 1), rig.node("b", 1)
    async with listening(b) as heard:
        await asyncio.gather(*(a.publish(NODE_CHANNEL, moved(number)) for number in range(200)))
        await eventually(lambda: len(heard) >= 201, "two hundred facts")
        assert numbers(heard) == list(range(200))
        assert b.stats().gaps == 1


async def test_nobody_hears_himself_or_other_channels(rig: Rig) -> None:
    """A node does not hear what it said, nor what is said on channels it did not ask for."""
    a, b = rig.node("a", 1), rig.node("b", 1)
    async with listening(a, "one", "two") as heard:
        await a.publish("one", moved(1))
        await b.publish("three", moved(2))
        await b.publish("two", moved(3))
        await eventually(lambda: numbers(heard), "the fact that is for a")
        assert numbers(heard) == [3]
        assert {each.channel for each in heard if isinstance(each, MessagesMissed)} == {"one", "two"}


async def test_a_lost_server_ends_listening_and_holds_what_is_said(rig: Rig) -> None:
    """A broken subscription is an error to whoever listens; facts said meanwhile wait and come in order after the gap."""
    a, b = rig.node("a", 1), rig.node("b", 1)
    async with listening(b) as heard:
        await a.publish(NODE_CHANNEL, moved(0))
        await eventually(lambda: numbers(heard) == [0], "the first fact")
    heard = []
    task = asyncio.create_task(b.listen([NODE_CHANNEL], heard.append))
    await eventually(lambda: heard, "a subscription")
    rig.lose()
    with pytest.raises(CacheAway):
        await asyncio.wait_for(task, 10)
    for number in (1, 2, 3):
        assert not await a.publish(NODE_CHANNEL, moved(number))
    assert a.stats().waiting == 3
    rig.find()
    async with listening(b) as heard:
        assert isinstance(heard[0], MessagesMissed)
        assert await a.flush() == 3
        await eventually(lambda: numbers(heard) == [1, 2, 3], "what had waited")
    assert a.stats().waiting == 0


async def test_what_was_missed_is_announced_before_what_follows(rig: Rig) -> None:
    """A hole in a node's count is told with its node before the fact behind it: somebody did not hear everything."""
    a, b = rig.node("a", 1), rig.node("b", 1)
    async with listening(b) as heard:
        await a.publish(NODE_CHANNEL, moved(1))
        await eventually(lambda: numbers(heard) == [1], "the first fact")
        a._seq[NODE_CHANNEL] += 4  # type: ignore[attr-defined]  # four facts that never left
        await a.publish(NODE_CHANNEL, moved(6))
        await eventually(lambda: len(heard) == 4, "the gap and the fact behind it")
        assert heard[2] == MessagesMissed(NODE_CHANNEL, "a", "4 messages between 1 and 6")
        assert numbers(heard) == [1, 6]


async def test_a_node_that_started_anew_is_heard_and_announced(rig: Rig) -> None:
    """RG-1209: a later life of a node counts anew; its end is a gap, and what its earlier life says late is not heard."""
    old, new, b = rig.node("a", 1), rig.node("a", 2), rig.node("b", 1)
    async with listening(b) as heard:
        await old.publish(NODE_CHANNEL, moved(1))
        await new.publish(NODE_CHANNEL, moved(2))
        await old.publish(NODE_CHANNEL, moved(3))
        await new.publish(NODE_CHANNEL, moved(4))
        await eventually(lambda: 4 in numbers(heard), "the later life")
        assert numbers(heard) == [1, 2, 4]
        assert [each.reason for each in heard if isinstance(each, MessagesMissed)][1:] == ["the node has started anew"]


async def test_garbage_is_counted_and_not_heard(redis_server: RedisServer, time: Any) -> None:
    """DS-712: a frame that cannot be read is dropped and counted, and the subscription goes on."""
    a = open_shared(redis_server.url, now=time.now, node="a", epoch=1, answer_s=PATIENT_S)
    b = open_shared(redis_server.url, now=time.now, node="b", epoch=1)
    async with listening(b.channels) as heard:
        redis_server.ask("PUBLISH", NODE_CHANNEL, "garbage")
        redis_server.ask("PUBLISH", NODE_CHANNEL, "\0")
        await a.channels.publish(NODE_CHANNEL, moved(1))
        await eventually(lambda: numbers(heard) == [1], "the fact behind the garbage")
        assert b.channels.stats().unreadable == 2
    for shared in (a, b):
        assert shared.link is not None
        await shared.link.close()


async def test_a_mute_server_ends_listening(redis_server: RedisServer, time: Any) -> None:
    """DS-710: a subscription that stays silent is asked for an answer; a stopped server is found out by it."""
    link = RedisLink(redis_server.url, now=time.now)
    channels = RedisChannels(link, node="b", epoch=1, beat_s=0.1, answer_s=1)
    heard: list[Any] = []
    task = asyncio.create_task(channels.listen([NODE_CHANNEL], heard.append))
    await eventually(lambda: heard, "a subscription")
    redis_server.pause()
    with pytest.raises(CacheAway, match="not answered within"):
        await asyncio.wait_for(task, 10)
    redis_server.go_on()
    await link.close()


async def test_silence_is_no_loss(redis_server: RedisServer, time: Any) -> None:
    """A server that answers is not lost, however long nobody says anything."""
    link = RedisLink(redis_server.url, now=time.now)
    channels = RedisChannels(link, node="b", epoch=1, beat_s=0.01, answer_s=2)
    a = open_shared(redis_server.url, now=time.now, node="a", epoch=1)
    async with listening(channels) as heard:
        await eventually(lambda: b"cmdstat_ping:calls=" in redis_server.ask("INFO", "commandstats"), "a beat")
        await a.channels.publish(NODE_CHANNEL, moved(1))
        await eventually(lambda: numbers(heard) == [1], "a fact after the silence")
        assert len(heard) == 2
    await link.close()
    assert a.link is not None
    await a.link.close()

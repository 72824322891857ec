"""Channels inside the process: one hub stands for the server, each node has channels of its own on it.

A daemon alone talks to nobody. Tests put several nodes on one hub and cut it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from protocol.nodes import FromNode, NodeFact
from store.cache.contract import ChannelStats, Sink
from store.cache.errors import CacheAway
from store.cache.hearing import Heard, Hearing
from store.cache.waiting import Waiting

__all__ = ["MemoryChannels", "MemoryHub"]


class MemoryHub:
    """What the channels of several nodes meet on; ``away`` stands for a server that is gone."""

    def __init__(self) -> None:
        self.away = False
        self._listening: dict[asyncio.Future[None], tuple[frozenset[str], Hearing]] = {}

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listening)

    def cut(self) -> None:
        """Go away: every subscription breaks, nothing is taken until ``come_back``."""
        self.away = True
        for broken in list(self._listening):
            if not broken.done():
                broken.set_exception(CacheAway("the hub was cut"))

    def come_back(self) -> None:
        """Take subscriptions and facts again."""
        self.away = False

    def post(self, said: FromNode) -> None:
        """Tell a fact to all who listen."""
        for channels, hearing in list(self._listening.values()):
            if said.channel in channels:
                hearing.hear(said)

    async def listen(self, channels: frozenset[str], hearing: Hearing) -> None:
        """Have somebody hear until cancelled or cut."""
        if self.away:
            raise CacheAway("the hub is away")
        broken = asyncio.get_running_loop().create_future()
        self._listening[broken] = (channels, hearing)
        try:
            hearing.begins(sorted(channels), "the subscription begins")
            await broken
        finally:
            del self._listening[broken]


class MemoryChannels:
    """One node on a hub."""

    def __init__(self, hub: MemoryHub, *, node: str, epoch: int) -> None:
        self._hub = hub
        self._node = node
        self._epoch = epoch
        self._seq: dict[str, int] = {}
        self._waiting = Waiting()
        self._published = 0
        self._heard = Heard()

    async def publish(self, channel: str, fact: NodeFact) -> bool:
        """Tell the other nodes, after what waits."""
        seq = self._seq[channel] = self._seq.get(channel, 0) + 1
        self._waiting.add(FromNode(channel, self._node, self._epoch, seq, fact))
        await self.flush()
        return not self._waiting

    async def flush(self) -> int:
        """Send what waits."""
        if self._hub.away:
            return 0
        leaving = self._waiting.first(len(self._waiting))
        for said in leaving:
            self._hub.post(said)
        self._waiting.sent(leaving)
        self._published += len(leaving)
        return len(leaving)

    async def listen(self, channels: Iterable[str], sink: Sink) -> None:
        """Hear the other nodes until cancelled or cut."""
        await self._hub.listen(frozenset(channels), Hearing(self._node, sink, self._heard))

    def stats(self) -> ChannelStats:
        """Return the counts."""
        return ChannelStats(
            published=self._published,
            heard=self._heard.facts,
            unreadable=self._heard.unreadable,
            gaps=self._heard.gaps,
            waiting=len(self._waiting),
            overflowed=self._waiting.overflowed,
        )

"""Channels over a Redis server's publish and subscribe, which alone would lose messages without a word.

What is published is counted (``hearing``), what cannot leave waits in order (``waiting``), and a subscription that breaks
ends ``listen`` with an error: the next one begins with the announcement that something may have been missed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any, Final

from protocol.nodes import FromNode, NodeFact
from store.cache.contract import ChannelStats, Sink
from store.cache.errors import BadFrame, CacheAway, CacheError
from store.cache.frames import framed, unframed
from store.cache.hearing import Heard, Hearing
from store.cache.redis_link import LINK_ERRORS, PING_S, RedisLink
from store.cache.waiting import Waiting

__all__ = ["BEAT_S", "RedisChannels"]

BEAT_S: Final = 10.0
"""A subscription that has been silent for so long is asked whether it is still there (DS-710)."""

_AT_ONCE: Final = 500


class RedisChannels:
    """One node. ``epoch`` is when it started: a listener tells its lives apart by it."""

    def __init__(
        self,
        link: RedisLink,
        *,
        node: str,
        epoch: int,
        prefix: str = "",
        beat_s: float = BEAT_S,
        answer_s: float = PING_S,
    ) -> None:
        self._link = link
        self._node = node
        self._epoch = epoch
        self._prefix = prefix
        self._beat_s = beat_s
        self._answer_s = answer_s
        self._seq: dict[str, int] = {}
        self._waiting = Waiting()
        self._sending = False
        self._heard = Heard()
        self._published = 0

    # --- out -----------------------------------------------------------------------------------------------------------

    async def publish(self, channel: str, fact: NodeFact) -> bool:
        """Tell the other nodes, after what waits."""
        seq = self._seq[channel] = self._seq.get(channel, 0) + 1
        self._waiting.add(FromNode(channel, self._node, self._epoch, seq, fact))
        await self.flush()
        return not len(self._waiting)

    async def flush(self) -> int:
        """Send what waits, one batch after the other: two at once could arrive in the wrong order."""
        if self._sending:
            return 0
        self._sending, sent = True, 0
        try:
            # What cannot leave now waits for the next call.
            with contextlib.suppress(CacheError):
                while leaving := self._waiting.first(_AT_ONCE):
                    await self._send(leaving)
                    self._waiting.sent(leaving)
                    sent += len(leaving)
        finally:
            self._sending = False
            self._published += sent
        return sent

    async def _send(self, leaving: list[FromNode]) -> None:
        frames = [(self._prefix + said.channel, framed(said)) for said in leaving]

        async def send(redis: Any) -> None:
            async with redis.pipeline(transaction=False) as pipe:
                for channel, frame in frames:
                    if frame is not None:
                        pipe.publish(channel, frame)
                await pipe.execute()

        await self._link.call(send)

    # --- in ------------------------------------------------------------------------------------------------------------

    async def listen(self, channels: Iterable[str], sink: Sink) -> None:
        """Hear the other nodes until cancelled; raise CacheAway when the connection is lost."""
        wanted = sorted(channels)
        hearing = Hearing(self._node, sink, self._heard)
        subscription: Any = self._link.redis.pubsub()
        try:
            async with asyncio.timeout(self._answer_s):
                await subscription.subscribe(*(self._prefix + channel for channel in wanted))
                for _ in wanted:
                    await self._next(subscription, self._answer_s)
            hearing.begins(wanted, "the subscription begins here")
            while True:
                await self._hear_one(subscription, hearing)
        except LINK_ERRORS as error:
            raise CacheAway(str(self._link.judged(error))) from error
        finally:
            await subscription.aclose()

    async def _hear_one(self, subscription: Any, hearing: Hearing) -> None:
        message = await subscription.get_message(timeout=self._beat_s)
        if message is None:
            # Connected but mute: a stopped server and a cut cable look like silence.
            await subscription.ping()
            message = await self._next(subscription, self._answer_s)
        if message["type"] != "message":
            return
        try:
            hearing.hear(unframed(message["data"], FromNode))
        except BadFrame:
            self._heard.unreadable += 1

    async def _next(self, subscription: Any, within_s: float) -> Any:
        message = await subscription.get_message(timeout=within_s)
        if message is None:
            raise CacheAway(f"{self._link.address}: a subscription is not answered within {within_s:g} s")
        return message

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

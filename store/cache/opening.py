"""Make the cache, locks and channels that a configuration names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from store.cache.contract import ANSWER_S, Cache, Channels, Locks
from store.cache.memory import MemoryCache
from store.cache.memory_channels import MemoryChannels, MemoryHub
from store.cache.memory_locks import MemoryLocks

__all__ = ["Link", "Shared", "open_shared"]


class Link(Protocol):
    """What somebody who supervises a link to a server needs of it."""

    address: str
    away: bool
    on_failure: Callable[[str], None]

    async def ping(self) -> int:
        """Return how long the server took to answer, nanoseconds; raise CacheError."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class Shared(NamedTuple):
    """What nodes share. ``link`` None: nobody shares anything, it is all inside this process.

    ``flush`` writes what was held back while the server was away and returns how many values and facts that were.
    """

    cache: Cache
    locks: Locks
    channels: Channels
    link: Link | None
    flush: Callable[[], Awaitable[int]]


def open_shared(
    url: str, *, now: Callable[[], int], node: str, epoch: int, prefix: str = "", answer_s: float = ANSWER_S
) -> Shared:
    """Return what a URL names (``redis://``, ``rediss://`` or ``unix://``); empty: the process itself.

    Nothing is connected yet, so a server that is away is no error here; afterwards it has ``answer_s`` for each call. Raises
    FeatureUnavailable without the library.
    """
    if not url:
        channels = MemoryChannels(MemoryHub(), node=node, epoch=epoch)
        return Shared(MemoryCache(now), MemoryLocks(now), channels, None, channels.flush)
    from store.cache.redis_cache import RedisCache
    from store.cache.redis_channels import RedisChannels
    from store.cache.redis_link import RedisLink
    from store.cache.redis_locks import RedisLocks

    link = RedisLink(url, now=now, answer_s=answer_s)
    cache = RedisCache(link, now=now, prefix=prefix)
    there = RedisChannels(link, node=node, epoch=epoch, prefix=prefix)

    async def flush() -> int:
        return await cache.flush() + await there.flush()

    return Shared(cache, RedisLocks(link, now=now, prefix=prefix), there, link, flush)

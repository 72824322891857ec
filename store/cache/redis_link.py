"""The connections to a Redis server: every call has a time-out, and one failure spares the next calls their wait.

``pip install 'bulkhead[redis]'`` brings the client library; only the ``redis_*`` modules of this package import it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from protocol.errors import FeatureUnavailable
from store.cache.contract import ANSWER_S
from store.cache.errors import CacheAway, CacheError, CacheRefused

try:
    from redis import exceptions
    from redis.asyncio import ConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
except ImportError as error:
    raise FeatureUnavailable("redis", "a shared cache on Redis") from error

__all__ = ["HOLD_OFF_S", "LINK_ERRORS", "PING_S", "RedisLink", "address_of"]

PING_S: Final = 2.0
"""Longest wait for the answer to a health ping (DS-710)."""

HOLD_OFF_S: Final = 1.0
"""After a failure nobody but a ping asks the server for so long: one time-out is paid, not one a call."""

LINK_ERRORS: Final = (exceptions.RedisError, OSError)
"""What the library raises when a server is away, or refuses."""

_CONNECTIONS: Final = 16
_NANOS: Final = 1_000_000_000
_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""A peer that vanished without a word is noticed within 25 s, where nothing else does sooner."""

T = TypeVar("T")


def address_of(url: str) -> str:
    """Return host and port, or the socket's path, of a URL; never user and password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"


class RedisLink:
    """One server as a process sees it. ``away`` is set by whoever supervises the link: then no call is even tried.

    ``on_failure`` is called with the reason of each call that found the server away.
    """

    def __init__(self, url: str, *, now: Callable[[], int], answer_s: float = ANSWER_S) -> None:
        self.address = address_of(url)
        self.away = False
        self.on_failure: Callable[[str], None] = lambda _: None
        self._now = now
        self._answer_s = answer_s
        self._shut_until = 0
        self._closed = False
        self._redis = _client(url, answer_s)

    async def call(self, ask: Callable[[Redis], Awaitable[Any]], within_s: float | None = None) -> Any:
        """Ask the server something; raise CacheAway within ``within_s`` seconds or at once, CacheRefused when it refuses."""
        if self.away or self._closed:
            raise CacheAway(f"{self.address} is away")
        if self._now() < self._shut_until:
            raise CacheAway(f"{self.address} has just failed")
        try:
            return await self._ask(ask, self._answer_s if within_s is None else min(within_s, self._answer_s))
        except CacheAway as error:
            # A caller in more of a hurry than we are says nothing about the server.
            if within_s is None or within_s >= self._answer_s:
                self._shut_until = self._now() + round(HOLD_OFF_S * _NANOS)
                self.on_failure(str(error))
            raise

    async def ping(self) -> int:
        """Return how long the server took to answer, nanoseconds; raise CacheError. A closed link is opened again."""
        # The loop's own time: it is never set, and runs at the pace of the world also where the house replays history.
        clock, self._closed = asyncio.get_running_loop().time, False
        began = clock()
        await self._ask(lambda redis: cast("Awaitable[Any]", redis.ping()), PING_S)
        self._shut_until = 0
        return round((clock() - began) * _NANOS)

    async def _ask(self, ask: Callable[[Redis], Awaitable[Any]], within_s: float) -> Any:
        try:
            async with asyncio.timeout(within_s):
                return await ask(self._redis)
        except TimeoutError as error:
            raise CacheAway(f"{self.address}: no answer within {within_s:g} s") from error
        except LINK_ERRORS as error:
            raise self.judged(error) from error
        finally:
            if self._closed:
                # Closed while this was under way: it may just have made a connection that nobody would close.
                await self._redis.aclose()

    def judged(self, error: Exception) -> CacheError:
        """Return what an error of the library means: the server is away, or it refuses."""
        said = str(error) or type(error).__name__
        text = said if self.address in said else f"{self.address}: {said}"
        return CacheRefused(text) if isinstance(error, exceptions.ResponseError) else CacheAway(text)

    @property
    def redis(self) -> Redis:
        """The client itself, for subscriptions."""
        return self._redis

    async def close(self) -> None:
        """Close every connection; what is asked from now on is refused, until the next ping."""
        self._closed = True
        await self._redis.aclose()


def _client(url: str, answer_s: float) -> Redis:
    options: dict[str, Any] = {}
    if urlsplit(url).scheme != "unix":
        found = {getattr(socket, name): value for name, value in _KEEP_ALIVE.items() if hasattr(socket, name)}
        options |= {"socket_keepalive": True, "socket_keepalive_options": found}
    pool = ConnectionPool.from_url(
        url,
        # Plain answers: pushes of the newer protocol would come between a command and its answer.
        protocol=2,
        max_connections=_CONNECTIONS,
        socket_connect_timeout=PING_S,
        socket_timeout=max(answer_s, PING_S),
        # No tries behind our back: whoever asks is answered in time, and the link itself decides when to try again.
        retry=Retry(NoBackoff(), 0),
        **options,
    )
    return Redis.from_pool(pool)

"""Locks on a Redis server. A lock alone protects nothing from a holder that slept past its end: the token does (Fence)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from store.cache.contract import Fence
from store.cache.errors import CacheError
from store.cache.redis_link import RedisLink

__all__ = ["RedisLocks"]

_NANOS: Final = 1_000_000_000

_ACQUIRE: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
-- Numbers of the clock are above all that a counter has reached: a server that comes back empty, or lost the last writes
-- in a failover, gives no token twice.
local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(at, last + 1))
redis.call('SET', KEYS[2], token)
redis.call('SET', KEYS[1], ARGV[1] .. '|' .. token, 'PX', ARGV[2])
return token
"""
_RENEW: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisLocks:
    """Each step is one script, which the server runs as a whole. An unreachable server gives no lock."""

    def __init__(self, link: RedisLink, *, now: Callable[[], int], prefix: str = "") -> None:
        self._link = link
        self._now = now
        self._prefix = prefix

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Fence | None:
        """Take a lock that nobody holds."""
        # From before the question: the server counts from later, so the holder stops first.
        until = self._now() + round(ttl_s * _NANOS)
        key = self._prefix + name
        token = await self._run(_ACQUIRE, [key, f"{key}:token"], owner, _ms(ttl_s))
        return Fence(name, owner, int(token), until) if token else None

    async def renew(self, fence: Fence, ttl_s: float) -> Fence | None:
        """Hold on, as long as it is this fence's."""
        until = self._now() + round(ttl_s * _NANOS)
        held = await self._run(_RENEW, [self._prefix + fence.name], _value(fence), _ms(ttl_s))
        return Fence(fence.name, fence.owner, fence.token, until) if held else None

    async def release(self, fence: Fence) -> bool:
        """Let go of what is still this fence's."""
        return bool(await self._run(_RELEASE, [self._prefix + fence.name], _value(fence)))

    async def _run(self, script: str, keys: list[str], *arguments: str) -> Any:
        try:
            return await self._link.call(lambda redis: redis.eval(script, len(keys), *keys, *arguments))
        except CacheError:
            return None


def _value(fence: Fence) -> str:
    return f"{fence.owner}|{fence.token}"


def _ms(ttl_s: float) -> str:
    return str(max(1, round(ttl_s * 1_000)))

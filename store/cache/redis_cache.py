"""The cache on a Redis server; while that is away the process answers for itself and holds back what it would have written.

After the link is back, ``flush`` writes the newest value of each key that was written meanwhile (DS-711).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from store.cache.contract import CacheStats
from store.cache.errors import BadFrame, CacheAway, CacheRefused
from store.cache.frames import encoded, frame, framed, unframed
from store.cache.memory import MAX_KEYS, MemoryCache
from store.cache.redis_link import RedisLink

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisCache"]

_NANOS: Final = 1_000_000_000
_AT_ONCE: Final = 500
"""Held writes sent in one go."""

T = TypeVar("T")
_Where: TypeAlias = tuple[str, str | None]
"""A key, and a field where the key is a map."""


class _Held(NamedTuple):
    """A write that waits; ``frame`` None: a deletion, ``until`` None: for ever."""

    frame: bytes | None
    until: int | None


_Writes: TypeAlias = dict[_Where, _Held]


class RedisCache:
    """Values as frames under their keys, maps as hashes. ``prefix`` stands before every key on the server."""

    def __init__(self, link: RedisLink, *, now: Callable[[], int], prefix: str = "", max_held: int = MAX_KEYS) -> None:
        self._link = link
        self._now = now
        self._prefix = prefix
        self._max_held = max_held
        self._local = MemoryCache(now)
        self._held: _Writes = {}
        self._hits = self._misses = self._undecodable = self._fallbacks = self._refused = self._dropped = 0

    # --- reading -------------------------------------------------------------------------------------------------------

    async def get(self, key: str, of: type[T], *, within_s: float | None = None) -> T | None:
        """Return the value under a key."""
        try:
            data = await self._link.call(lambda redis: redis.get(self._prefix + key), within_s)
        except CacheAway:
            self._fallbacks += 1
            return self._local.read(key, of)
        except CacheRefused:
            self._refused += 1
            return None
        return self._read(data, of)

    async def get_many(self, keys: Sequence[str], of: type[T]) -> list[T | None]:
        """Return the values under several keys."""
        if not keys:
            return []
        names = [self._prefix + key for key in keys]
        try:
            found = await self._link.call(lambda redis: redis.mget(names))
        except CacheAway:
            self._fallbacks += len(keys)
            return [self._local.read(key, of) for key in keys]
        except CacheRefused:
            self._refused += 1
            return [None] * len(keys)
        return [self._read(data, of) for data in found]

    async def get_map(self, key: str, of: type[T]) -> dict[str, T]:
        """Return what stands in a map."""
        try:
            found = await self._link.call(lambda redis: _awaitable(redis.hgetall(self._prefix + key)))
        except CacheAway:
            self._fallbacks += 1
            return await self._local.get_map(key, of)
        except CacheRefused:
            self._refused += 1
            return {}
        if not found:
            self._misses += 1
        values = {field.decode(errors="replace"): self._read(data, of) for field, data in found.items()}
        return {field: value for field, value in values.items() if value is not None}

    def _read(self, data: bytes | None, of: type[T]) -> T | None:
        if data is None:
            self._misses += 1
            return None
        try:
            value = unframed(data, of)
        except BadFrame:
            self._undecodable += 1
            return None
        self._hits += 1
        return value

    # --- writing -------------------------------------------------------------------------------------------------------

    async def set(self, key: str, value: Any, ttl_s: float | None = None) -> bool:
        """Put a value under a key."""
        return await self.set_many({key: value}, ttl_s)

    async def set_many(self, values: Mapping[str, Any], ttl_s: float | None = None) -> bool:
        """Put several values in one go."""
        until = self._until(ttl_s)
        writes: _Writes = {}
        for key, value in values.items():
            body = encoded(value)
            if body is None:
                self._dropped += 1
                continue
            self._local.write_body(key, body, ttl_s)
            writes[key, None] = _Held(frame(body), until)
        return await self._write(writes, whole=len(values))

    async def set_in_map(self, key: str, values: Mapping[str, Any], ttl_s: float | None = None) -> bool:
        """Put values into a map."""
        until = self._until(ttl_s)
        await self._local.set_in_map(key, values, ttl_s)
        frames = {field: framed(value) for field, value in values.items()}
        writes: _Writes = {(key, field): _Held(data, until) for field, data in frames.items() if data is not None}
        self._dropped += len(values) - len(writes)
        return await self._write(writes, whole=len(values), renew=(key, until))

    async def delete(self, *keys: str) -> None:
        """Take away values or whole maps."""
        await self._local.delete(*keys)
        for held in [held for held in self._held if held[0] in keys]:
            del self._held[held]
        await self._write({(key, None): _Held(None, None) for key in keys}, whole=len(keys))

    async def delete_in_map(self, key: str, *fields: str) -> None:
        """Take values out of a map."""
        await self._local.delete_in_map(key, *fields)
        await self._write({(key, field): _Held(None, None) for field in fields}, whole=len(fields))

    async def flush(self) -> int:
        """Write what was held back and has not ended since; return how many writes are done."""
        done = 0
        while self._held:
            some = dict(list(self._held.items())[:_AT_ONCE])
            try:
                await self._send({where: held for where, held in some.items() if not self._ended(held)})
            except CacheAway:
                break
            except CacheRefused:
                self._refused += 1
                self._dropped += len(some)
            else:
                done += len(some)
            for where, held in some.items():
                # Written anew meanwhile: that stays to be sent.
                if self._held.get(where) is held:
                    del self._held[where]
        return done

    def stats(self) -> CacheStats:
        """Return the counts."""
        return CacheStats(
            hits=self._hits,
            misses=self._misses,
            undecodable=self._undecodable,
            fallbacks=self._fallbacks,
            refused=self._refused,
            held=len(self._held),
            dropped=self._dropped,
        )

    # --- inside --------------------------------------------------------------------------------------------------------

    def _until(self, ttl_s: float | None) -> int | None:
        return None if ttl_s is None else self._now() + round(ttl_s * _NANOS)

    def _ended(self, held: _Held) -> bool:
        return held.until is not None and held.until <= self._now()

    async def _write(
        self,
        writes: _Writes,
        *,
        whole: int,
        renew: tuple[str, int | None] | None = None,
    ) -> bool:
        if not writes and renew is None:
            return whole == 0
        try:
            await self._send(writes, renew)
        except CacheAway:
            self._hold(writes)
            return False
        except CacheRefused:
            self._refused += 1
            self._dropped += len(writes)
            return False
        for where in writes if self._held else ():
            self._held.pop(where, None)
        return len(writes) == whole

    def _hold(self, writes: _Writes) -> None:
        for where, write in writes.items():
            # Newest last: what was written longest ago is the first to go.
            self._held.pop(where, None)
            self._held[where] = write
        while len(self._held) > self._max_held:
            del self._held[next(iter(self._held))]
            self._dropped += 1

    async def _send(self, writes: _Writes, renew: tuple[str, int | None] | None = None) -> None:
        if not writes and renew is None:
            return
        if len(writes) == 1 and renew is None:
            await self._link.call(lambda redis: self._one(redis, *next(iter(writes.items()))))
            return
        await self._link.call(lambda redis: self._several(redis, writes, renew))

    def _one(self, redis: Any, where: _Where, write: _Held) -> Awaitable[Any]:
        """Ask a client, or a pipeline, for one write."""
        key, field = self._prefix + where[0], where[1]
        if write.frame is None:
            return _awaitable(redis.delete(key) if field is None else redis.hdel(key, field))
        if field is not None:
            return _awaitable(redis.hset(key, field, write.frame))
        return _awaitable(redis.set(key, write.frame, px=self._left_ms(write.until)))

    async def _several(self, redis: Redis, writes: _Writes, renew: tuple[str, int | None] | None) -> None:
        async with redis.pipeline(transaction=False) as pipe:
            for where, write in writes.items():
                self._one(pipe, where, write)
            ends = {where[0]: write.until for where, write in writes.items() if where[1] is not None and write.frame}
            if renew is not None:
                ends[renew[0]] = renew[1]
            for key, until in ends.items():
                left = self._left_ms(until)
                pipe.persist(self._prefix + key) if left is None else pipe.pexpire(self._prefix + key, left)
            await pipe.execute()

    def _left_ms(self, until: int | None) -> int | None:
        return None if until is None else max(1, (until - self._now()) // 1_000_000)


def _awaitable(answer: Any) -> Awaitable[Any]:
    """Say what the library's types, which stand for its blocking client too, leave open."""
    return cast("Awaitable[Any]", answer)

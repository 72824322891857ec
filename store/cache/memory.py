"""The cache inside the process: for one daemon alone, for tests, and behind the shared one while that is away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from protocol.codec import MAX_MESSAGE_BYTES, decode_msgpack, encode_msgpack
from protocol.errors import ValidationError
from store.cache.contract import CacheStats

__all__ = ["MAX_KEYS", "MemoryCache"]

MAX_KEYS: Final = 10_000
"""Keys kept; beyond it what has ended goes first, then what was written longest ago."""

_NANOS: Final = 1_000_000_000
_NEVER: Final = 2**63 - 1

T = TypeVar("T")


class _Kept(msgspec.Struct, gc=False):
    until: int
    value: bytes | dict[str, bytes]


class MemoryCache:
    """Keeps values encoded, as a server would: what is read is never the object that was written."""

    def __init__(self, now: Callable[[], int], *, max_keys: int = MAX_KEYS) -> None:
        self._now = now
        self._max_keys = max_keys
        self._kept: dict[str, _Kept] = {}
        self._hits = self._misses = self._undecodable = self._refused = self._dropped = 0

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: str, of: type[T], *, within_s: float | None = None) -> T | None:  # noqa: ARG002 - at once
        """Return the value under a key."""
        return self.read(key, of)

    def read(self, key: str, of: type[T]) -> T | None:
        """Return the value under a key without waiting, as only this cache can."""
        kept = self._standing(key)
        if kept is None:
            self._misses += 1
            return None
        if not isinstance(kept.value, bytes):
            self._refused += 1
            return None
        return self._decoded(kept.value, of)

    async def get_many(self, keys: Sequence[str], of: type[T]) -> list[T | None]:
        """Return the values under several keys."""
        return [self.read(key, of) for key in keys]

    async def set(self, key: str, value: Any, ttl_s: float | None = None) -> bool:
        """Put a value under a key."""
        return self.write(key, value, ttl_s)

    def write(self, key: str, value: Any, ttl_s: float | None = None) -> bool:
        """Put a value under a key without waiting."""
        body = self._encoded(value)
        return body is not None and self._keep(key, body, ttl_s)

    def write_body(self, key: str, body: bytes, ttl_s: float | None = None) -> None:
        """Put a value that is encoded already."""
        self._keep(key, body, ttl_s)

    async def set_many(self, values: Mapping[str, Any], ttl_s: float | None = None) -> bool:
        """Put several values."""
        kept = [self.write(key, value, ttl_s) for key, value in values.items()]
        return all(kept)

    async def delete(self, *keys: str) -> None:
        """Take away values or whole maps."""
        for key in keys:
            self._kept.pop(key, None)

    async def get_map(self, key: str, of: type[T]) -> dict[str, T]:
        """Return what stands in a map."""
        kept = self._standing(key)
        if kept is None:
            self._misses += 1
            return {}
        if isinstance(kept.value, bytes):
            self._refused += 1
            return {}
        found = {field: self._decoded(body, of) for field, body in kept.value.items()}
        return {field: value for field, value in found.items() if value is not None}

    async def set_in_map(self, key: str, values: Mapping[str, Any], ttl_s: float | None = None) -> bool:
        """Put values into a map, leaving the others."""
        kept = self._standing(key)
        if kept is not None and isinstance(kept.value, bytes):
            self._refused += 1
            return False
        before: dict[str, bytes] = kept.value if kept is not None and isinstance(kept.value, dict) else {}
        bodies = {field: self._encoded(value) for field, value in values.items()}
        fitting = {field: body for field, body in bodies.items() if body is not None}
        if before or fitting:
            self._keep(key, before | fitting, ttl_s)
        return len(fitting) == len(bodies)

    async def delete_in_map(self, key: str, *fields: str) -> None:
        """Take values out of a map; an empty one is gone."""
        kept = self._standing(key)
        if kept is None or isinstance(kept.value, bytes):
            return
        for field in fields:
            kept.value.pop(field, None)
        if not kept.value:
            del self._kept[key]

    def stats(self) -> CacheStats:
        """Return the counts."""
        return CacheStats(
            hits=self._hits,
            misses=self._misses,
            undecodable=self._undecodable,
            refused=self._refused,
            dropped=self._dropped,
        )

    # --- inside --------------------------------------------------------------------------------------------------------

    def _encoded(self, value: Any) -> bytes | None:
        body = encode_msgpack(value)
        if len(body) > MAX_MESSAGE_BYTES:
            self._dropped += 1
            return None
        return body

    def _decoded(self, body: bytes, of: type[T]) -> T | None:
        try:
            value = decode_msgpack(body, of)
        except ValidationError:
            self._undecodable += 1
            return None
        self._hits += 1
        return value

    def _standing(self, key: str) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is not None and kept.until <= self._now():
            del self._kept[key]
            return None
        return kept

    def _keep(self, key: str, value: bytes | dict[str, bytes], ttl_s: float | None) -> bool:
        until = _NEVER if ttl_s is None else self._now() + round(ttl_s * _NANOS)
        # Last in the order of writing, also when it stood before: the first is the one to go.
        self._kept.pop(key, None)
        if len(self._kept) >= self._max_keys:
            self._make_room()
        self._kept[key] = _Kept(until, value)
        return True

    def _make_room(self) -> None:
        now = self._now()
        for key in [key for key, kept in self._kept.items() if kept.until <= now]:
            del self._kept[key]
        while len(self._kept) >= self._max_keys:
            del self._kept[next(iter(self._kept))]
            self._dropped += 1

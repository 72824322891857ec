"""Locks inside the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from store.cache.contract import Fence

__all__ = ["MemoryLocks"]

_NANOS: Final = 1_000_000_000


class MemoryLocks:
    """Held in a table; the token follows the clock in microseconds, as on a server, and never stands still."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._held: dict[str, Fence] = {}
        self._token = 0

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Fence | None:
        """Take a lock that nobody holds."""
        now = self._now()
        held = self._held.get(name)
        if held is not None and held.holds(now):
            return None
        self._token = max(self._token + 1, now // 1_000)
        fence = Fence(name, owner, self._token, now + round(ttl_s * _NANOS))
        self._held[name] = fence
        return fence

    async def renew(self, fence: Fence, ttl_s: float) -> Fence | None:
        """Hold on, as long as it has not ended."""
        now = self._now()
        if not self._is_held(fence, now):
            return None
        longer = Fence(fence.name, fence.owner, fence.token, now + round(ttl_s * _NANOS))
        self._held[fence.name] = longer
        return longer

    async def release(self, fence: Fence) -> bool:
        """Let go of what is still this fence's."""
        if not self._is_held(fence, self._now()):
            return False
        del self._held[fence.name]
        return True

    def _is_held(self, fence: Fence, now: int) -> bool:
        held = self._held.get(fence.name)
        return held is not None and held.holds(now) and (held.owner, held.token) == (fence.owner, fence.token)

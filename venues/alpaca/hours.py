"""When Alpaca's market is open: asked once, and again when that may have changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from runtime.clock import NANOS
from venues.alpaca.rest import Rest
from venues.alpaca.words import instant

__all__ = ["Hours"]


class Hours:
    """The regular session. ``now`` is our clock; the venue's is followed through the offset of each answer."""

    def __init__(self, rest: Rest, now: Callable[[], int]) -> None:
        self._rest = rest
        self._now = now
        self._ahead = 0
        self._changes_at = 0
        self._open = False

    def seems_open(self, at: int) -> bool:
        """Whether the market is open at an instant of our clock, by the last answer; past its next change: not."""
        return self._open and at + self._ahead < self._changes_at

    async def server_time(self) -> int:
        """Ask for the venue's clock."""
        before = self._now()
        said = await self._rest.clock()
        at = instant(str(said["timestamp"]))
        self._ahead = at - (before + self._now()) // 2
        self._open = bool(said["is_open"])
        self._changes_at = instant(str(said["next_close"] if self._open else said["next_open"]))
        return at

    async def closed_until(self) -> str | None:
        """Return None while the market is open, else the time of its next opening."""
        if self._now() + self._ahead >= self._changes_at:
            await self.server_time()
        if self._open:
            return None
        return f"{datetime.fromtimestamp(self._changes_at // NANOS, UTC):%Y-%m-%d %H:%M} UTC"

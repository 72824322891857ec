"""Market data lines: an account has about a hundred, and a contract can be asked for once at a time.

The library knows a contract's request by the contract: of two at the same time the first to end would end the other's, and
its own would stay for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

__all__ = ["MOST_LINES", "Lines"]

MOST_LINES: Final = 90
"""Lines that chains may hold together; the others are for the prices that are followed."""


class Lines:
    """The lines of one connection; whoever wants too many, or one that is in use, waits."""

    def __init__(self) -> None:
        self._busy: set[int] = set()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def held(self, con_ids: Iterable[int]) -> AsyncIterator[None]:
        """Hold the lines of some contracts, ``MOST_LINES`` at most, until the block ends."""
        wanted = frozenset(con_ids)
        assert len(wanted) <= MOST_LINES, len(wanted)
        while self._busy & wanted or len(self._busy) + len(wanted) > MOST_LINES:
            await self._freed.wait()
        self._busy |= wanted
        try:
            yield
        finally:
            self._busy -= wanted
            self._freed.set()
            self._freed = asyncio.Event()

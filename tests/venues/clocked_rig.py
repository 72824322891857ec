"""A crypto adapter over a server on this loop whose clocks a test moves, and that can be started anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from runtime.clock import WallClock
from tests.servers.venues.http import HttpVenue
from tests.venues.hall_rig import HallRig, sooner
from tests.venues.manual_time import Heard
from venues.access import Access, Tools
from venues.crypto import CryptoVenue

__all__ = ["ClockedRig", "Clocks", "running"]

_NS = 1_000_000_000
_NOW = WallClock().now


class Clocks:
    """The venue's clock and ours, each as far ahead of the wall as a test says."""

    def __init__(self) -> None:
        self.venue_ahead_s = 0.0
        self.our_ahead_s = 0.0

    def venue(self) -> int:
        """Return the venue's time."""
        return _NOW() + round(self.venue_ahead_s * _NS)

    def ours(self) -> int:
        """Return our time."""
        return _NOW() + round(self.our_ahead_s * _NS)

    def pass_by(self, seconds: float) -> None:
        """Let time pass everywhere."""
        self.venue_ahead_s += seconds
        self.our_ahead_s += seconds


class ClockedRig(HallRig):
    """``access`` says how to reach the server."""

    def __init__(self, server: HttpVenue, access: Callable[[HttpVenue], Access], symbol: str, clocks: Clocks) -> None:
        self.access = access(server)
        super().__init__(server, self.access, symbol)
        self.clocks = clocks
        self._lives: list[CryptoVenue] = []
        self.restart()

    def restart(self) -> None:
        """Begin another life: a new adapter, not connected, that remembers nothing."""
        self.heard = Heard()
        self.venue = CryptoVenue(self.access, Tools(self.clocks.ours, sooner, lambda: 0.0))
        self._lives.append(self.venue)

    async def close(self) -> None:
        """Close the adapters of all lives."""
        for venue in self._lives:
            await venue.close()


@asynccontextmanager
async def running(
    make: Callable[[Callable[[], int]], HttpVenue], access: Callable[[HttpVenue], Access], symbol: str
) -> AsyncIterator[ClockedRig]:
    """Run a server, made for a clock, with an adapter that is not connected."""
    clocks = Clocks()
    async with make(clocks.venue) as server:
        rig = ClockedRig(server, access, symbol, clocks)
        try:
            yield rig
        finally:
            await rig.close()

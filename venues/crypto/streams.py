"""One kind of streams of a connection, kept open: connect, notice the end, connect again with growing pauses.

::

    connect ──ready──▶ live ──ended, or found mute──▶ down ──pause──▶ connect
                                                        └─ meanwhile ``poll`` every ``POLL_S``
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from venues.access import Tools
from venues.ccxt_public.chores import Chores
from venues.crypto.calls import Calls
from venues.crypto.dialect import Exchange, Row
from venues.crypto.exchange import hang_up
from venues.errors import VenueDown, VenueError
from venues.waits import told_to_wait_s

__all__ = ["POLL_S", "Mute", "Streams"]

POLL_S: Final = 2.0
_READY_S: Final = 10.0
_BACKOFF_MAX_S: Final = 30.0
_FAILURES_FOR_GOOD: Final = 5
"""After so many tries in a row whose polling fails too, the session is told: it makes the whole connection anew."""


class Mute(VenueDown):
    """Connected, and silent about what has happened."""


class Streams(ABC):
    """A kind of streams on a ccxt exchange object of its own. ``lost_for_good`` is called when polling fails too.

    ``became`` hears that the streams are live, or are not and why. It is the ``Tap`` of that object.
    """

    def __init__(
        self,
        calls: Calls,
        exchange: Exchange,
        tools: Tools,
        lost_for_good: Callable[[str], None],
        became: Callable[[bool, str], None],
    ) -> None:
        self._became = became
        self._calls = calls
        self._exchange = exchange
        self._tools = tools
        self._lost_for_good = lost_for_good
        self._lost: asyncio.Future[None] | None = None
        self._chores: Chores | None = None
        """Of the streams that are held now; a kind may start more."""
        self._connections = asyncio.Event()
        self._failures = 0
        self.live = asyncio.Event()
        self.malformed_frames = 0
        self.reconnects = 0

    # --- what a kind is ------------------------------------------------------------------------------------------------

    @abstractmethod
    async def wanted(self) -> None:
        """Return when there is something to subscribe."""

    @abstractmethod
    def watches(self) -> Iterable[Callable[[], Awaitable[Any]]]:
        """Return the calls that subscribe."""

    @abstractmethod
    async def ready(self) -> None:
        """Return when everything is subscribed, and what was missed before has been caught up with."""

    @abstractmethod
    async def watch_over(self) -> None:
        """Stay while the streams are good; raise Mute when they are not."""

    @abstractmethod
    async def poll(self) -> None:
        """Ask over REST for what the streams would have told."""

    # --- the tap's part ------------------------------------------------------------------------------------------------

    @abstractmethod
    def order(self, order: Row) -> None:
        """Hear a unified order."""

    @abstractmethod
    def trade(self, trade: Row) -> None:
        """Hear a unified trade of ours."""

    @abstractmethod
    def quote(self, symbol: str, ticker: Row) -> None:
        """Hear a unified ticker."""

    @abstractmethod
    def frame(self, frame: Any) -> None:
        """Hear any readable frame."""

    def connected(self) -> None:
        """Hear that a connection is open."""
        self._connections.set()

    def lost(self, error: BaseException) -> None:
        """Hear that a connection has ended."""
        if self._lost is not None and not self._lost.done():
            self._lost.set_exception(error)

    def malformed(self, reason: str) -> None:
        """Hear of a frame that could not be read: what it said is unknown: connect anew and catch up."""
        self.malformed_frames += 1
        self.lost(VenueDown(self._calls.dialect.venue, f"a frame that cannot be read: {reason}"))

    # --- life ----------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the streams until cancelled."""
        while True:
            await self.wanted()
            try:
                await self._session()
            except VenueError as error:
                reason, told_to_wait = error.message, told_to_wait_s(error)
            self.live.clear()
            self._became(False, reason)
            self._failures += 1
            self.reconnects += 1
            await self._tools.sleep(told_to_wait)
            backoff = min(_BACKOFF_MAX_S, 2.0 ** min(self._failures - 1, 10))
            await self._poll_for(backoff * (0.5 + self._tools.random() / 2))

    async def _session(self) -> None:
        """Hold the streams; ends only by an error."""
        self._lost = lost = asyncio.get_running_loop().create_future()
        self._connections.clear()
        self._chores = chores = Chores(self.lost)
        try:
            self.subscribe(chores)
            chores.start(self._hold(), "streams")
            await lost
        except (VenueError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - the outermost edge: whatever ends a stream is the venue's, and ends it
            raise self._calls.blame.of_read(error) from None
        finally:
            self._chores = None
            lost.cancel()
            await chores.cancel()
            await hang_up(self._exchange, self)

    def subscribe(self, chores: Chores) -> None:
        """Start every call that subscribes; ccxt fails it when the venue refuses."""
        for watch in self.watches():
            chores.start(_as_coroutine(watch), "watch")

    async def _hold(self) -> None:
        try:
            async with asyncio.timeout(_READY_S):
                await self.ready()
        except TimeoutError:
            raise VenueDown(self._calls.dialect.venue, f"no subscription within {_READY_S:g} s") from None
        self._failures = 0
        self.live.set()
        self._became(True, "")
        await self.watch_over()

    async def _poll_for(self, seconds: float) -> None:
        """Ask every ``POLL_S`` until so many seconds have passed."""
        left = seconds
        while left > 0:
            pause = min(left, POLL_S)
            try:
                await self.poll()
            except VenueError as error:
                pause = max(pause, told_to_wait_s(error))
                if self._failures >= _FAILURES_FOR_GOOD:
                    self._lost_for_good(f"neither streams nor questions are answered: {error.message}")
            await self._tools.sleep(pause)
            left -= pause


async def _as_coroutine(make: Callable[[], Awaitable[Any]]) -> Any:
    return await make()

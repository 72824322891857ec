"""The heartbeat of one connection: asked for every 55 s, and what its age means (PF-237, PF-238)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from protocol.market import FeedState
from rules.broker.heartbeat import EVERY_S, SessionAge, next_heartbeat, session_age
from runtime.clock import NANOS
from venues.access import Tools
from venues.errors import VenueError

__all__ = ["Heartbeat"]


class Heartbeat:
    """``ask`` is the heartbeat itself, ``feed`` hears when it is late or back, ``lost`` that the session has expired."""

    def __init__(
        self,
        tools: Tools,
        ask: Callable[[], Awaitable[None]],
        feed: Callable[[FeedState, str], None],
        lost: Callable[[str], None],
    ) -> None:
        self._tools = tools
        self._ask = ask
        self._feed = feed
        self._lost = lost
        self.age = SessionAge.ACTIVE
        self.last_ok = tools.now()
        self.failures = 0

    async def beat(self) -> None:
        """Wait until the next heartbeat is due, then ask for it."""
        await self._tools.sleep(next_heartbeat(0, failed=self.failures > 0))
        await self.heartbeat()

    async def heartbeat(self) -> None:
        """Ask, and say how old the session is."""
        try:
            await self._ask()
        except VenueError:
            self.failures += 1
        else:
            self.failures, self.last_ok = 0, self._tools.now()
        before, self.age = self.age, session_age(self.last_ok / NANOS, self._tools.now() / NANOS).age
        if self.age is SessionAge.EXPIRED:
            self._lost("no heartbeat was answered for five minutes")
        elif self.age is not before:
            late = self.age is SessionAge.LATE
            words = f"no heartbeat for more than {EVERY_S} s: no new entries" if late else "heartbeats are answered"
            self._feed(FeedState.DEGRADED if late else FeedState.LIVE, words)

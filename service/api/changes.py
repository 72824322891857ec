"""Which groups look different now: said when the read models have caught up, so that whoever asks then sees it."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import anyio
from anyio import CapacityLimiter

from runtime.journal import JournalError
from service.api.items import change_item
from service.api.reading import Reading

if TYPE_CHECKING:
    from service.api.hub import Hub

__all__ = ["LOOK_EVERY_S", "Changes"]

LOOK_EVERY_S: Final = 0.05
"""How often it is looked whether the read models have caught up; they are kept by another process."""

_TRIES: Final = 100


class Changes:
    """Collects the groups of events; nothing is done while nobody listens to the stream."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._groups: set[str] = set()
        self._position = 0
        self._news = asyncio.Event()
        self._turn = CapacityLimiter(1)

    def note(self, item: dict[str, Any]) -> None:
        """Hear of an event that somebody listens to."""
        if item["position"] and item["group_id"]:
            self._groups.add(item["group_id"])
            self._position = item["position"]
            self._news.set()

    async def run(self, hub: Hub, now: Any) -> None:
        """Say what changed, for as long as the daemon lives."""
        while True:
            await self._news.wait()
            self._news.clear()
            groups, position = sorted(self._groups), self._position
            self._groups.clear()
            if await self._caught_up(position):
                hub.publish(change_item(position, groups, now()))

    async def _caught_up(self, position: int) -> bool:
        """Wait until the read models are at a position; give up after a while: they may be broken."""
        for _ in range(_TRIES):
            try:
                if await self._reading.views(lambda views: views.position()) >= position:
                    return True
            except JournalError:
                pass  # they are being made anew; until then nobody could see anything in them
            # In a thread: a clock that stands still would never wake a timer.
            await anyio.to_thread.run_sync(Event().wait, LOOK_EVERY_S, limiter=self._turn, abandon_on_cancel=True)
        return False

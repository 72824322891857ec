"""Spreads what happens to those who follow. A slow follower loses items and is told how many; nobody waits for it."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from protocol.signals import SignalRouted
from runtime.journal import Entry, Record
from service.api.filters import ItemFilter
from service.api.items import Names, event_item
from service.api.ring import PACE_S, Ring

__all__ = ["OUTCOMES_KEPT", "QUEUE_ITEMS", "Follower", "Hub"]

QUEUE_ITEMS: Final = 2_000
"""Items that wait for one slow follower; what comes then is dropped."""

OUTCOMES_KEPT: Final = 1_000
"""Newest routed signals whose outcome is remembered for who asks right after sending one."""


class Follower:
    """One client that follows; ``take`` empties what waits for it."""

    def __init__(self, wanted: ItemFilter) -> None:
        self.wanted = wanted
        self.after = 0
        self._waiting: deque[tuple[int, str]] = deque()
        self._dropped = 0
        self._news = asyncio.Event()
        self.closed = False

    def offer(self, position: int, text: str) -> None:
        """Queue an item, or count it as dropped."""
        if len(self._waiting) >= QUEUE_ITEMS:
            self._dropped += 1
        else:
            self._waiting.append((position, text))
        self._news.set()

    def close(self) -> None:
        """Let the follower's connection end."""
        self.closed = True
        self.wake()

    def wake(self) -> None:
        """Have it look whether it may stay."""
        self._news.set()

    async def wait(self) -> None:
        """Wait until something is to be sent."""
        await self._news.wait()

    def take(self) -> list[str]:
        """Return what waits; items that history has already shown are left out, dropped ones are counted."""
        self._news.clear()
        texts = [text for position, text in self._waiting if not position or position > self.after]
        self._waiting.clear()
        if self._dropped:
            texts.append(json.dumps({"kind": "dropped", "count": self._dropped}))
            self._dropped = 0
        return texts


class Hub:
    """All followers of one daemon. ``head`` is the journal's newest position at the moment of a commit."""

    def __init__(self, head: Callable[[], int], *, pace_s: float = PACE_S) -> None:
        self.head = head
        self.ring = Ring(pace_s=pace_s)
        self.heard: Callable[[dict[str, Any]], None] | None = None
        self.names = Names()
        self.followers: set[Follower] = set()
        self._routed: OrderedDict[str, SignalRouted] = OrderedDict()
        self._waiters: dict[str, asyncio.Future[SignalRouted]] = {}

    @property
    def is_heard(self) -> bool:
        """Whether anybody follows."""
        return bool(self.followers or self.ring.seats)

    def committed(self, batch: Sequence[Entry]) -> None:
        """Hear of a commit; costs next to nothing while nobody follows."""
        for entry in batch:
            if type(entry.event) is SignalRouted:
                self._note(entry.event)
        if not self.is_heard:
            return
        first = self.head() - len(batch) + 1
        for position, entry in enumerate(batch, first):
            self.publish(event_item(Record(position, *entry)))

    def publish(self, item: dict[str, Any]) -> None:
        """Offer an item to all who want it."""
        if not self.is_heard:
            return
        item = self.names.complete(item)
        self.ring.add(item)
        if self.heard is not None and self.ring.seats:
            self.heard(item)
        text = ""
        for follower in self.followers:
            if follower.wanted.wants(item):
                text = text or json.dumps(item, ensure_ascii=False)
                follower.offer(item["position"], text)

    def wake(self) -> None:
        """Have all who follow look whether they may stay."""
        self.ring.wake()
        for follower in self.followers:
            follower.wake()

    def close(self) -> None:
        """End every follower's connection."""
        self.ring.close()
        for follower in self.followers:
            follower.close()

    # --- what became of a signal ---------------------------------------------------------------------------------------

    def _note(self, event: SignalRouted) -> None:
        self._routed[event.signal_id] = event
        if len(self._routed) > OUTCOMES_KEPT:
            self._routed.popitem(last=False)
        waiter = self._waiters.pop(event.signal_id, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(event)

    async def routed(self, signal_id: str, timeout_s: float) -> SignalRouted | None:
        """Return what became of a signal, None when that is not known in time."""
        if (known := self._routed.get(signal_id)) is not None:
            return known
        waiter: asyncio.Future[SignalRouted] = asyncio.get_running_loop().create_future()
        self._waiters[signal_id] = waiter
        try:
            done, _ = await asyncio.wait({waiter}, timeout=timeout_s)
            return waiter.result() if done else None
        finally:
            self._waiters.pop(signal_id, None)

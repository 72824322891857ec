"""A clock that stands still until the test moves it, and a sink that remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from protocol.market import FeedState, FeedStatus
from protocol.messages import Message

T = TypeVar("T")
NS = 1_000_000_000
PATIENCE_S = 60.0


class ManualTime:
    """``sleep`` and ``now_ns`` for an adapter; time passes only in ``passes``."""

    def __init__(self, start_s: int = 1_723_161_255) -> None:
        self._now = start_s * NS
        self._sleepers: dict[asyncio.Future[None], int] = {}
        self._changed = asyncio.Event()

    def now_ns(self) -> int:
        return self._now

    def now_ms(self) -> int:
        return self._now // 1_000_000

    async def sleep(self, seconds: float) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers[waiting] = self._now + round(seconds * NS)
        self._changed.set()
        try:
            await waiting
        finally:
            del self._sleepers[waiting]

    async def passes(self, seconds: float) -> None:
        """Wait until somebody sleeps for exactly ``seconds`` from now, then let that time pass."""
        due = self._now + round(seconds * NS)
        async with asyncio.timeout(PATIENCE_S):
            while due not in self._sleepers.values():
                self._changed.clear()
                await self._changed.wait()
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        """Let time pass whoever sleeps."""
        self._now += round(seconds * NS)
        for waiting, due in self._sleepers.items():
            if due <= self._now and not waiting.done():
                waiting.set_result(None)


class Heard:
    """A sink: remembers every message and wakes the test that waits for one."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = asyncio.Event()

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        self._changed.set()

    def of(self, kind: type[T], **fields: Any) -> list[T]:
        """Return the messages of a kind whose fields have these values, oldest first."""
        return [
            item
            for item in self.messages
            if isinstance(item, kind) and all(getattr(item, name) == value for name, value in fields.items())
        ]

    async def until(self, condition: Callable[[], object]) -> None:
        """Return as soon as ``condition`` holds; it is asked again at every message."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def one(self, kind: type[T], **fields: Any) -> T:
        """Wait for a message of a kind with these field values; return the newest."""
        await self.until(lambda: self.of(kind, **fields))
        return self.of(kind, **fields)[-1]

    def forget(self) -> None:
        self.messages.clear()

    async def state(self, state: FeedState) -> FeedStatus:
        return await self.one(FeedStatus, state=state)

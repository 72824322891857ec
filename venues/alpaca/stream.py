"""One stream of Alpaca's, kept open: connect, hear, and when it breaks wait and begin again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from venues.access import Tools
from venues.alpaca.library import WebSocketException
from venues.alpaca.unreadable import UNREADABLE

__all__ = ["BROKEN", "Line"]

BROKEN: Final = (WebSocketException, OSError, TimeoutError, EOFError, *UNREADABLE)
"""How a stream ends. The library reads messages without a look, so one that is broken shows as any of these."""

_BEGIN_S: Final = 10.0
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 30.0


class Line:
    """``begin`` makes and opens a stream, ``up`` is called after each opening, ``down`` with the reason of each end.

    ``lost`` is called once after ``patience`` openings in a row have failed; the line is given up then.
    """

    def __init__(
        self,
        tools: Tools,
        begin: Callable[[], Awaitable[Any]],
        *,
        up: Callable[[], Awaitable[None]],
        down: Callable[[str], None],
        lost: Callable[[str], None],
        patience: int = 8,
    ) -> None:
        self._tools = tools
        self._begin = begin
        self._up = up
        self._down = down
        self._lost = lost
        self._patience = patience
        self._stream: Any = None
        self._task: asyncio.Task[None] | None = None

    @property
    def stream(self) -> Any:
        """The open stream, None while there is none."""
        return self._stream

    async def open(self) -> None:
        """Open it for the first time, then keep it open; raises one of ``BROKEN`` when the first time fails."""
        await self._open()
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """End it for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.drop()

    async def drop(self) -> None:
        """End the present connection; the line opens the next one."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(*BROKEN):
                await stream.close()

    async def _open(self) -> None:
        async with asyncio.timeout(_BEGIN_S):
            self._stream = await self._begin()

    async def _keep(self) -> None:
        failed = 0
        while True:
            reason = "it ended"
            try:
                if self._stream is None:
                    await self._open()
                    await self._up()
                failed = 0
                await self._stream.consume()
            except BROKEN as error:
                reason = f"{type(error).__name__}: {error}"[:200]
            await self.drop()
            self._down(reason)
            failed += 1
            if failed > self._patience:
                self._lost(reason)
                return
            wait = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (failed - 1))
            await self._tools.sleep(wait * (0.5 + self._tools.random() / 2))

"""Coroutines that run beside the pump: each has an owner, an ending is insisted on, none is waited for endlessly.

A task that is to end is cancelled, and again at intervals while it goes on: code that swallows one cancellation is common.
One that swallows them all is reported and left behind, because whoever waits for it (a supervisor with a deadline, the
end of the system) has to go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

__all__ = ["INSIST_S", "INSIST_TIMES", "Report", "Tasks"]

INSIST_S: Final = 1.0
"""Seconds between two cancellations of a task that goes on."""

INSIST_TIMES: Final = 5
"""Cancellations after which a task that goes on is left behind."""

Report = Callable[[str, str, BaseException | None], None]


class Tasks:
    """All tasks of one system."""

    __slots__ = ("_loop", "_report", "_running")

    def __init__(self, report: Report) -> None:
        self._report = report
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._running)

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run on this loop from now on."""
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, Any], path: str) -> asyncio.Task[None]:
        """Run a coroutine; an error that nobody took is reported, never lost."""
        assert self._loop is not None, "the system is not open"
        task = self._loop.create_task(self._contained(work, path), name=path)
        self._running.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            work.close()  # it may have been cancelled before its first step

        task.add_done_callback(ended)
        return task

    async def _contained(self, work: Coroutine[Any, Any, Any], path: str) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the outermost edge of a task
            self._report(path, "a task failed", error)

    def end(self, task: asyncio.Task[None], times: int = INSIST_TIMES) -> None:
        """Cancel a task, and again while it goes on; report it when it outlives that."""
        if task.done():
            return
        if times == 0:
            self._report(task.get_name(), "a task ignores that it was cancelled and is left behind", None)
            return
        task.cancel()
        assert self._loop is not None
        again = self._loop.call_later(INSIST_S, self.end, task, times - 1)
        task.add_done_callback(lambda _: again.cancel())

    async def close(self) -> None:
        """Cancel whatever is left and wait until it has ended, but not for long."""
        for _ in range(INSIST_TIMES):
            running = self._running - {asyncio.current_task()}
            if not running:
                return
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=INSIST_S)
        for task in self._running - {asyncio.current_task()}:
            self._report(task.get_name(), "a task ignores that it was cancelled and is left behind", None)

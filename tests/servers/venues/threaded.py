"""A venue server on a thread of its own, for daemons and commands that run a loop themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.servers.venues.http import HttpVenue

__all__ = ["Threaded", "on_a_thread"]

T = TypeVar("T")
PATIENCE_S = 60


class Threaded:
    """The server, and a way to have its thread do something."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: HttpVenue) -> None:
        self._loop = loop
        self.server = server

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop; return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def do(self, call: Callable[..., T], *arguments: Any) -> T:
        """Call something on the server's loop; return what it returns."""

        async def work() -> T:
            return call(*arguments)

        return self.run(work())


@contextmanager
def on_a_thread(make: Callable[[], HttpVenue]) -> Iterator[Threaded]:
    """Run a server until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="venue")
    thread.start()

    async def begin() -> HttpVenue:
        return await make().__aenter__()

    async def end(server: HttpVenue) -> None:
        await server.__aexit__(None, None, None)

    try:
        threaded = Threaded(loop, asyncio.run_coroutine_threadsafe(begin(), loop).result(PATIENCE_S))
        try:
            yield threaded
        finally:
            threaded.run(end(threaded.server))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()

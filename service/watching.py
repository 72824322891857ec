"""Keep an eye on a running system from outside it: the pulse of its loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.clock import VirtualClock
from runtime.loop_watch import LoopWatch
from runtime.system import ActorSystem

__all__ = ["watched"]

log = logging.getLogger("bulkhead")


def _blocked(seconds: float, stacks: str) -> None:
    log.critical("the event loop has not answered for %.1f s\n%s", seconds, stacks)


@asynccontextmanager
async def watched(system: ActorSystem) -> AsyncIterator[None]:
    """Watch a system for as long as the block lasts; on a virtual clock nothing is watched, time means nothing there."""
    if isinstance(system.clock, VirtualClock):
        yield
        return
    with LoopWatch(asyncio.get_running_loop(), _blocked) as watch:
        system.loop_watch = watch
        yield

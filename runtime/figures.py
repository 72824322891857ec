"""What a system holds at one moment, counted: nothing of it may grow for as long as the load stays the same."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from runtime.system import ActorSystem

__all__ = ["Figures", "figures_of"]


class Figures(NamedTuple):
    """Counts: actors, tasks of the loop, timers and asks under way, threads, messages that wait, subscriptions.

    ``oldest_ms`` is the age of the oldest message that waits, ``handled`` how many were handled ever.
    """

    actors: int
    tasks: int
    timers: int
    asks: int
    threads: int
    waiting: int
    oldest_ms: float
    subscriptions: int
    handled: int
    failed: int
    restarts: int


def figures_of(system: ActorSystem) -> Figures:
    """Count; costs a look at every actor."""
    stats = system.stats()
    return Figures(
        actors=len(stats),
        tasks=len(asyncio.all_tasks()),
        timers=system.timers.alive,
        asks=len(system.asks),
        threads=threading.active_count(),
        waiting=sum(each.depth for each in stats),
        oldest_ms=max((each.oldest_age_ns for each in stats), default=0) / 1e6,
        subscriptions=sum(system.bus.topics().values()),
        handled=sum(each.handled for each in stats),
        failed=sum(each.failed for each in stats),
        restarts=sum(each.restarts for each in stats),
    )

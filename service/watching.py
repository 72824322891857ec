"""Keep an eye on a running system from outside it: incident files of what crashes, the pulse of its loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial

from protocol.groups.recovery import DaemonStarted
from runtime.clock import VirtualClock
from runtime.loop_watch import LoopWatch
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.api.status import installed_version
from service.hiding import Hiding
from service.incidents import IncidentKeeper, incidents_folder, newest_events
from service.process_log import running_log

__all__ = ["watched"]


@asynccontextmanager
async def watched(system: ActorSystem, active: ActiveConfig, hiding: Hiding, run: DaemonStarted) -> AsyncIterator[None]:
    """Watch a system for as long as the block lasts; the pulse only on a real clock: time means nothing on a virtual one."""
    version = installed_version()

    def told() -> dict[str, object]:
        return {"run": run.run, "version": version, "config_version": active.version}

    running = running_log()
    with running.of_house(system, hiding.known, hiding.looked_up) if running is not None else nullcontext():
        async with _black_box(system, active, told, hiding.looked_up):
            yield


@asynccontextmanager
async def _black_box(
    system: ActorSystem,
    active: ActiveConfig,
    told: Callable[[], dict[str, object]],
    hidden: Callable[[], tuple[str, ...]],
) -> AsyncIterator[None]:
    """Write incident files of what crashes, and feel the pulse of the loop."""
    config = active.config
    keeper = IncidentKeeper(incidents_folder(config.app.data_dir), told, hidden, partial(newest_events, config))
    box = system.black_box
    box.prefix, box.sink, box.more = f"i{told()['run']}-", keeper.take, keeper.count
    system.durability.listeners.append(box.committed)
    try:
        if isinstance(system.clock, VirtualClock):
            yield
            return
        with LoopWatch(asyncio.get_running_loop(), box.blocked) as watch:
            system.loop_watch = watch
            yield
    finally:
        box.flush()
        box.sink = None
        keeper.close()

"""What the daemon's process holds, counted: for a soak, and for whoever suspects that something grows."""

from __future__ import annotations

import gc
import sys
from typing import Any

from aiohttp import web

from runtime.figures import figures_of
from service.access.roles import Scope
from service.api.answers import answer
from service.api.peers import caller_of
from service.api.shared import Shared
from service.api.status import memory_bytes

__all__ = ["register"]


def register(app: web.Application, shared: Shared) -> None:
    """Register the address; ``collect=1`` collects rubbish first, so that ``blocks`` of memory are those somebody holds."""

    async def figures(request: web.Request) -> web.Response:
        # It holds up everything for a moment: not at the word of whoever only looks.
        if request.query.get("collect") == "1" and caller_of(request).may(Scope.ADMIN):
            gc.collect()  # what nobody holds any more would look like growth
        system = shared.host.system
        watch = system.loop_watch
        found: dict[str, Any] = figures_of(system)._asdict()
        found["loop"] = watch.lag()._asdict() if watch is not None else None
        found["memory_bytes"] = memory_bytes()
        found["blocks"] = sys.getallocatedblocks()
        found["dead_letters"] = system.dead_letters.total
        found["committed"] = system.durability.committed
        return answer(found)

    app.router.add_get("/v1/figures", figures)

"""How a run ends: in order, or because the system as a whole failed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from runtime.system import ActorSystem

__all__ = ["failed_before"]


async def failed_before(system: ActorSystem, ended: Coroutine[Any, Any, object]) -> BaseException | None:
    """Wait until a run has ended or its system as a whole fails; return why it failed, None when it did not."""
    loop = asyncio.get_running_loop()
    failed, over = loop.create_task(system.failed()), loop.create_task(ended)
    try:
        await asyncio.wait({failed, over}, return_when=asyncio.FIRST_COMPLETED)
        return failed.result() if failed.done() else None
    finally:
        for task in (failed, over):
            task.cancel()

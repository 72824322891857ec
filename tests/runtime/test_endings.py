"""How a run ends."""

from __future__ import annotations

import asyncio

from runtime.clock import VirtualClock
from runtime.endings import failed_before
from runtime.loop import run_virtual
from runtime.system import ActorSystem


def test_a_run_ends_in_order_or_by_the_failure_of_the_system() -> None:
    """Whichever comes first says how it ended, and nothing of the other goes on waiting."""

    async def script(clock: VirtualClock) -> None:
        failure = RuntimeError("by the test")
        for fails in (False, True):
            over = asyncio.Event()
            async with ActorSystem(clock=clock) as system:
                before = asyncio.all_tasks()
                waiting = asyncio.create_task(failed_before(system, over.wait()))
                for _ in range(3):
                    await asyncio.sleep(0)  # house: tasks begin
                assert not waiting.done()
                if fails:
                    system.fail(failure)
                else:
                    over.set()
                assert await waiting is (failure if fails else None)
                await asyncio.sleep(0)  # house: what was cancelled ends
                assert asyncio.all_tasks() == before

    run_virtual(script)

"""The pulse of the loop, felt from a thread beside it."""

from __future__ import annotations

import asyncio
import threading

from runtime.loop_watch import LoopWatch


def test_a_blocked_loop_is_noticed_and_the_stack_shows_who_blocks() -> None:
    """A plain call that does not return is reported once, with what the loop's thread does; then the pulse goes on."""
    found: list[tuple[float, str]] = []
    reported, beaten = threading.Event(), threading.Event()

    def blocked(seconds: float, stacks: str) -> None:
        found.append((seconds, stacks))
        reported.set()

    def a_handler_that_blocks() -> None:
        assert reported.wait(60)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with LoopWatch(loop, blocked, beat_s=0.01, blocked_s=0.05) as watch:
            a_handler_that_blocks()
            async with asyncio.timeout(20):
                while watch.lag().beats < 3:
                    await loop.run_in_executor(None, beaten.wait, 0.01)
            lag = watch.lag()
        assert lag.blocked == 1
        assert lag.worst_ms >= 50

    asyncio.run(main())
    ((seconds, stacks),) = found
    assert seconds >= 0.05
    assert stacks.startswith("thread MainThread:")
    assert "in a_handler_that_blocks" in stacks


def test_the_watch_ends_with_its_block_and_with_its_loop() -> None:
    """No thread is left, also when the loop closed first."""

    async def main() -> LoopWatch:
        watch = LoopWatch(asyncio.get_running_loop(), lambda *_: None, beat_s=0.01)
        watch.__enter__()
        return watch

    watch = asyncio.run(main())
    watch.__exit__(None, None, None)
    watch._thread.join(60)
    assert "loop-watch" not in {thread.name for thread in threading.enumerate()}

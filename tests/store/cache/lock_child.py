"""A process that wants a lock again and again: ``python -m tests.store.cache.lock_child URL TIMES OWNER``.

Under the lock it does what goes wrong when two do it at once: read a counter, then write it one larger. It also keeps the
newest token in ``newest`` and ends with an error when it meets one that is not below its own. Prints its tokens.
"""

from __future__ import annotations

import asyncio
import sys

from redis.asyncio import Redis

from runtime.clock import WallClock
from store.cache.opening import open_shared


async def contend(url: str, times: int, owner: str) -> list[int]:
    """Hold the lock ``times`` times; return the tokens."""
    shared = open_shared(url, now=WallClock().now, node=owner, epoch=1, answer_s=10)
    plain = Redis.from_url(url)
    tokens: list[int] = []
    while len(tokens) < times:
        fence = await shared.locks.acquire("locks:order:trend", owner, 30)
        if fence is None:
            continue
        newest, counter = await plain.mget("newest", "counter")
        assert int(newest or 0) < fence.token, f"{newest!r} was given before {fence.token}"
        await plain.set("newest", fence.token)
        await plain.set("counter", int(counter or 0) + 1)
        tokens.append(fence.token)
        assert await shared.locks.release(fence)
    await plain.aclose()
    assert shared.link is not None
    await shared.link.close()
    return tokens


if __name__ == "__main__":
    print(*asyncio.run(contend(sys.argv[1], int(sys.argv[2]), sys.argv[3])))  # noqa: T201 - its answer

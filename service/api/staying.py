"""Ends connections of callers who may stay no longer: what another process took away, this one learns only by looking.

A request looks by itself (``Access.caller``); who listens asks nothing, for hours maybe. So the store of people is looked
at while anybody listens, and whoever listens is woken: a session whose time is over ends then as well, however quiet it is.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from service.access.keeper import Access
from service.api.hub import Hub

__all__ = ["LOOK_S", "look_who_stays"]

LOOK_S: Final = 2.0
"""Seconds between two looks; what was taken away on another machine ends a connection within that and one query."""


async def look_who_stays(closed: asyncio.Event, access: Access, hub: Hub) -> None:
    """Look until ``closed``; nothing is asked of the store while nobody listens."""
    while not closed.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await closed.wait()
        if hub.is_heard:
            await access.look()
            hub.wake()

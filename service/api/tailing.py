"""The WebSocket of events: what the journal holds since the wanted moment, then what is committed, as it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

from rules.notation import whole_number
from runtime.journal import JournalError
from service.api.answers import Refused
from service.api.filters import filter_of
from service.api.hub import Follower, Hub
from service.api.items import event_item
from service.api.leaving import until_gone
from service.api.listeners import HEARD_MOST
from service.api.reading import Reading
from store.queries import Views
from store.reading import JournalReader

__all__ = ["HISTORY_MOST", "learn_names", "tail"]

HISTORY_MOST: Final = 10_000
"""Newest records of the past that a follower may ask for."""


async def tail(
    request: web.Request,
    hub: Hub,
    reading: Reading,
    may_stay: Callable[[], bool] = lambda: True,
    heartbeat_s: float | None = None,
) -> web.WebSocketResponse:
    """Follow events: ``type``, ``group``, ``symbol``, ``severity`` narrow, ``since`` (ns) or ``last`` begin in the past.

    With ``follow=0`` only the past is sent. ``may_stay`` is asked before anything is sent. A unix socket needs no heartbeat:
    it tells at once when its other end is gone.
    """
    wanted = filter_of(request.query)
    past = _past(request.query)
    socket = web.WebSocketResponse(heartbeat=heartbeat_s, compress=False, max_msg_size=HEARD_MOST)
    await socket.prepare(request)
    follower = Follower(wanted)
    await learn_names(reading, hub)
    hub.followers.add(follower)
    try:
        # Who wants nothing of the past hears all from here on: what is committed while a journal is read would be past.
        if any(past):
            for text in await reading.journal(lambda journal: _history(journal, hub, follower, past)):
                if not may_stay():
                    return socket
                await socket.send_str(text)
        if request.query.get("follow") != "0":
            await _forward(request, socket, follower, may_stay)
    finally:
        hub.followers.discard(follower)
        await socket.close()
    return socket


def _past(query: Mapping[str, str]) -> tuple[int, int]:
    """Return (since, last): the instant from which on, and how many at most."""
    numbers = []
    for name, default in (("since", 0), ("last", 0)):
        text = query.get(name, str(default))
        number = whole_number(text)
        if number is None:
            raise Refused(422, "WrongType", f"{name} is a whole number", path=name, value=text)
        numbers.append(number)
    return numbers[0], min(numbers[1], HISTORY_MOST)


async def learn_names(reading: Reading, hub: Hub) -> None:
    """Learn which symbols the ids of living groups and orders stand for, as far as the read models can say."""
    with suppress(JournalError):  # they are being made anew: events are heard all the same, and name most of them
        await reading.views(lambda views: _learn(views, hub))


def _learn(views: Views, hub: Hub) -> None:
    for group in views.groups(open_only=True):
        hub.names.learn(group.group_id, group.symbol)
    for order in views.orders(open_only=True):
        hub.names.learn(order.group_id, order.symbol, order.client_order_id)


def _history(journal: JournalReader, hub: Hub, follower: Follower, past: tuple[int, int]) -> list[str]:
    """Return the wanted items of the past and note how far they reach."""
    since, last = past
    head = journal.head()
    follower.after = head
    found: list[str] = []
    for record in journal.read_all(max(0, head - HISTORY_MOST), limit=min(head, HISTORY_MOST)):
        item = hub.names.complete(event_item(record))
        if record.at >= since and follower.wanted.wants(item):
            found.append(json.dumps(item, ensure_ascii=False))
    return found[-last:] if last else found


async def _forward(
    request: web.Request, socket: web.WebSocketResponse, follower: Follower, may_stay: Callable[[], bool]
) -> None:
    """Send what comes until the client or the daemon ends the connection."""
    gone: asyncio.Task[Any] = asyncio.ensure_future(until_gone(request, socket))
    try:
        while not follower.closed and not gone.done():
            news = asyncio.ensure_future(follower.wait())
            await asyncio.wait({gone, news}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            if not may_stay():
                return
            for text in follower.take():
                await socket.send_str(text)
    except ConnectionError:
        return
    finally:
        gone.cancel()

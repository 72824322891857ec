"""The stream that can be resumed: everything after a position of the journal, without a gap or a repeat, then as it comes.

Items have the shape of ``/v1/tail``. Of these the stream says itself: ``hello`` (where it begins), ``live`` (everything that
was missed has been sent), ``lost`` (too far behind: these positions are to be looked up elsewhere), ``dropped`` (so many
items that are in no journal were said while this listener was slow).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import WSCloseCode, web

from runtime.clock import VirtualClock
from service.api.answers import Refused
from service.api.filters import ItemFilter, filter_of
from service.api.items import event_item
from service.api.leaving import until_gone
from service.api.listeners import HEARD_MOST
from service.api.peers import caller_of
from service.api.ring import Said
from service.api.shared import Shared
from service.api.tailing import learn_names
from store.reading import JournalReader

__all__ = ["CATCH_UP_MOST", "HEARTBEAT_S", "PIECE", "register"]

CATCH_UP_MOST: Final = 200_000
"""Records that a listener is sent from the journal; what lies further back is ``lost`` to it."""

PIECE: Final = 1_000
"""Records that are read at a time: somebody else may read in between."""

HEARTBEAT_S: Final = 20.0
"""How often a network listener is asked whether it is still there."""

_NUMBER_LONGEST: Final = 18


def register(app: web.Application, shared: Shared) -> None:
    """Register the address."""

    async def stream(request: web.Request) -> web.WebSocketResponse:
        with shared.listeners.one(caller_of(request)):
            return await _Listener(request, shared).serve()

    app.router.add_get("/v1/stream", stream)


class _Listener:
    """One connection. ``position`` is the journal's newest record that it has heard of, or need not."""

    def __init__(self, request: web.Request, shared: Shared) -> None:
        self._request = request
        self._shared = shared
        self._wanted = filter_of(request.query)
        self._kinds = frozenset(filter(None, request.query.get("kind", "").split(",")))
        self._in_bundles = request.query.get("bundle") == "1"
        self._head = shared.hub.head
        self._position = _after(request.query, self._head())
        virtual = isinstance(shared.host.system.clock, VirtualClock)
        # On a virtual clock time flies, and nobody could answer a heartbeat in time.
        beat = None if virtual else HEARTBEAT_S
        self._socket = web.WebSocketResponse(heartbeat=beat, compress=False, max_msg_size=HEARD_MOST)

    async def serve(self) -> web.WebSocketResponse:
        """Speak until one of the two ends it."""
        await self._socket.prepare(self._request)
        ring = self._shared.hub.ring
        seat = ring.join()
        gone: asyncio.Task[None] = asyncio.ensure_future(until_gone(self._request, self._socket))
        gone.add_done_callback(lambda _: seat.news.set())
        try:
            await learn_names(self._shared.reading, self._shared.hub)
            await self._say({"kind": "hello", "head": self._head(), "after": self._position})
            await self._catch_up()
            await self._say({"kind": "live", "position": self._position})
            while not ring.closed and not gone.done() and self._shared.access.still(caller_of(self._request)):
                seat.news.clear()
                said, dropped = ring.take(seat)
                await self._send(said)
                if dropped is not None:
                    await self._behind(dropped)
                await seat.news.wait()
        except ConnectionError:
            pass  # it has gone in the middle of an item; there is nobody to tell
        finally:
            ring.leave(seat)
            gone.cancel()
            may_stay = self._shared.access.still(caller_of(self._request))
            await self._socket.close(code=WSCloseCode.GOING_AWAY if may_stay else WSCloseCode.POLICY_VIOLATION)
        return self._socket

    async def _behind(self, dropped: int) -> None:
        """Read in the journal what is no longer in the ring."""
        if dropped:
            await self._say({"kind": "dropped", "count": dropped})
        await self._catch_up()

    async def _catch_up(self) -> None:
        """Send what the journal holds after our position."""
        first = self._head() - CATCH_UP_MOST
        if self._position < first:
            await self._say(
                {"kind": "lost", "after": self._position, "through": first, "count": first - self._position}
            )
            self._position = first
        while self._position < self._head() and self._shared.access.still(caller_of(self._request)):
            pieces = await self._shared.reading.journal(self._piece)
            if not pieces:
                return
            await self._send(pieces)

    def _piece(self, journal: JournalReader) -> list[Said]:
        """Read some records, on the thread that reads."""
        names = self._shared.hub.names
        found = []
        for record in journal.read_all(self._position, limit=PIECE):
            item = names.complete(event_item(record))
            found.append(Said(record.position, item, json.dumps(item, ensure_ascii=False) if self._wants(item) else ""))
        return found

    async def _send(self, said: Sequence[Said]) -> None:
        """Send what is wanted of these and was not sent before."""
        texts = []
        for position, item, text in said:
            if position and position <= self._position:
                continue
            self._position = position or self._position
            if self._wants(item):
                texts.append(text)
        if self._in_bundles and texts:
            await self._socket.send_str(f"[{','.join(texts)}]")
            return
        for text in texts:
            await self._socket.send_str(text)

    def _wants(self, item: Mapping[str, Any]) -> bool:
        if self._kinds and item["kind"] not in self._kinds:
            return False
        return self._wanted == _EVERYTHING or self._wanted.wants(item)

    async def _say(self, item: dict[str, Any]) -> None:
        text = json.dumps(item)
        await self._socket.send_str(f"[{text}]" if self._in_bundles else text)


_EVERYTHING: Final = ItemFilter(severity="debug")


def _after(query: Mapping[str, str], head: int) -> int:
    text = query.get("after", "")
    if not text:
        return head
    if not (text.isascii() and text.isdigit() and len(text) < _NUMBER_LONGEST):
        raise Refused(422, "WrongType", "after is a position of the journal: a whole number", path="after", value=text)
    if int(text) > head:
        message = f"the journal ends at {head}: it is another one, begin anew with after=0 or without it"
        raise Refused(409, "PositionAhead", message, path="after", value=text)
    return int(text)

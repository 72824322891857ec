"""A v20 stream: newline-delimited JSON in HTTP chunks, with heartbeats, that breaks off in the middle of a chunk."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from aiohttp import web

from tests.servers.venues.faults import Fault, Faults, Unruly

__all__ = ["ChunkStream"]

HALF, WHOLE, CUT = "half", "whole", "cut"


class ChunkStream:
    """One client's stream; ``names`` are the instruments of a pricing stream."""

    def __init__(self, faults: Faults, names: set[str] | None = None) -> None:
        self.names = names
        self._faults = faults
        self._outgoing: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._way = Unruly(faults, self._outgoing.put_nowait, self.cut)

    def tell(self, message: dict[str, Any]) -> None:
        """Tell a fact, whatever is armed."""
        line = json.dumps(message)
        self._way.tell((WHOLE, line), (HALF, line[: len(line) // 2]))

    def reply(self, message: dict[str, Any]) -> None:
        """Say a heartbeat, or the snapshot at the beginning; only silence befalls it."""
        if not self._faults.armed(Fault.MUTE):
            self._outgoing.put_nowait((WHOLE, json.dumps(message)))

    def cut(self) -> None:
        """End the connection without a word, once what was said before is out."""
        self._outgoing.put_nowait((CUT, ""))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Send until the client goes or the connection is cut."""
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        response.enable_chunked_encoding()
        with suppress(ConnectionError, RuntimeError):
            await response.prepare(request)
            while True:
                kind, line = await self._outgoing.get()
                if kind == CUT:
                    break
                if kind == HALF and not self._outgoing.empty() and self._next_cuts():
                    self._break(request, line)
                    return response
                await response.write(line.encode() + b"\n")
        if request.transport is not None:
            request.transport.abort()
        return response

    def _next_cuts(self) -> bool:
        return bool(self._outgoing._queue[0][0] == CUT)  # type: ignore[attr-defined]  # asyncio has no peek

    def _break(self, request: web.Request, line: str) -> None:
        """Announce a chunk, send half of it, and hang up."""
        if request.transport is not None:
            half = line.encode()
            request.transport.write(f"{2 * len(half):x}\r\n".encode() + half)
            request.transport.close()

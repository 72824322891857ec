"""A door to the network: an HTTP application at a TCP address, for so many connections that take so long and no more.

Whoever says nothing, or says it a byte at a time (slow-loris), holds a connection for a moment; a crowd holds so many. The
process needs its descriptors for venues and journal.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any, Final, NamedTuple
from weakref import WeakSet

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from runtime.listening import stop_accepting

__all__ = ["CONNECTIONS_MOST", "HANDSHAKE_S", "IDLE_S", "LINGER_S", "UNREAD_S", "Door", "Guests"]

CONNECTIONS_MOST: Final = 256
"""Connections at once; what comes beyond is closed."""

IDLE_S: Final = 20.0
"""Seconds a connection may take to say what it wants, line by line, and may be silent between two requests."""

LINGER_S: Final = 1.0
"""Seconds in which the rest of a body that was refused is still read, so that its sender hears why."""

HANDSHAKE_S: Final = 10.0
"""Seconds that agreeing on encryption may take."""

UNREAD_S: Final = 60
"""Seconds in which nothing of what a connection was sent arrives (its reader has gone, or reads nothing) until it ends."""

_BACKLOG: Final = 64
_UNREAD_OPTION: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it


class Guests(NamedTuple):
    """How many connections at once: in all, and of one address (None: as many)."""

    most: int = CONNECTIONS_MOST
    most_each: int | None = None


class _Closed(asyncio.Protocol):
    """What a connection too many meets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it: no answer costs less than any."""
        transport.close()


class _Visitor(web.RequestHandler):
    """A connection from the network; it is counted for as long as anything holds it, its handshake included."""

    def __init__(self, crowd: _Crowd, served: Any, **more: Any) -> None:
        super().__init__(served, **more)
        self.crowd = crowd
        self.address = ""
        self.turned_away = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless its address has enough of them."""
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        if self.crowd.has_enough_of(self.address):
            self.turned_away = True
            transport.close()
            return
        super().connection_made(transport)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP without repeating it, and without a page in the log: it may come by the thousand."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        if request.writer.output_size:
            raise ConnectionError("it is answered already")
        response = web.Response(status=status, text="this is no request\n", headers={"Server": "bulkhead"})
        response.force_close()
        return response

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self.address = ""
        if not self.turned_away:
            super().connection_lost(exc)


class _Crowd:
    """Everybody who is connected."""

    def __init__(self, guests: Guests) -> None:
        self.guests = guests
        self.visitors: WeakSet[_Visitor] = WeakSet()

    def has_enough_of(self, address: str) -> bool:
        """Tell whether an address, the newest of its connections included, has more than its share."""
        most = self.guests.most_each
        return most is not None and sum(each.address == address for each in self.visitors) > most


class Door:
    """A listening TCP address; ``port`` is the one that it got, ``secure`` says whether it speaks TLS."""

    def __init__(self, server: asyncio.Server, crowd: _Crowd, *, secure: bool) -> None:
        self._server = server
        self._crowd = crowd
        self.secure = secure
        self.port = int(server.sockets[0].getsockname()[1])

    @property
    def count(self) -> int:
        """Return how many connections there are."""
        return len(self._crowd.visitors)

    @classmethod
    async def open(
        cls,
        runner: web.AppRunner,
        host: str,
        port: int,
        *,
        context: ssl.SSLContext | None = None,
        guests: Guests | None = None,
    ) -> Door:
        """Listen for an application that is set up; raise the system's error for an address that cannot be had."""
        served, loop = runner.server, asyncio.get_running_loop()
        assert served is not None, "the runner is set up"
        crowd = _Crowd(guests if guests is not None else Guests(CONNECTIONS_MOST))
        how = {"loop": loop, "access_log": None, "keepalive_timeout": IDLE_S, "lingering_time": LINGER_S}

        def made() -> asyncio.Protocol:
            if len(crowd.visitors) >= crowd.guests.most:
                return _Closed()
            visitor = _Visitor(crowd, served, **how)
            crowd.visitors.add(visitor)
            return visitor

        handshake = HANDSHAKE_S if context is not None else None
        server = await loop.create_server(
            made, host, port, ssl=context, ssl_handshake_timeout=handshake, backlog=_BACKLOG
        )
        if _UNREAD_OPTION is not None:
            for each in server.sockets:  # who is accepted inherits it
                each.setsockopt(socket.IPPROTO_TCP, _UNREAD_OPTION, UNREAD_S * 1_000)
        return cls(server, crowd, secure=context is not None)

    async def close(self) -> None:
        """Let nobody in any more; those who are in end with the runner."""
        await stop_accepting(self._server.sockets)
        self._server.close()

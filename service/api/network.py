"""The door to the network: the same addresses over TCP, for so many connections and no more."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final
from weakref import WeakSet

from aiohttp import web

from protocol.errors import ValidationError
from service.config import Config, ConfigError

__all__ = ["CONNECTIONS_MOST", "HANDSHAKE_S", "IDLE_S", "LINGER_S", "Door", "tls_context"]

CONNECTIONS_MOST: Final = 256
"""Connections at once. The daemon needs its file descriptors for venues and journal; what comes beyond is closed."""

IDLE_S: Final = 20.0
"""Seconds a connection may take to say what it wants, line by line, and may be silent between two requests."""

LINGER_S: Final = 1.0
"""Seconds in which the rest of a body that was refused is still read, so that its sender hears why."""

HANDSHAKE_S: Final = 10.0
_BACKLOG: Final = 64


class _Closed(asyncio.Protocol):
    """What a connection too many meets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it: no answer costs less than any."""
        transport.close()


class _Visitor(web.RequestHandler):
    """A connection from the network; it is counted for as long as anything holds it, its handshake included."""


class Door:
    """A listening TCP address; ``port`` is the one that it got."""

    def __init__(self, server: asyncio.Server, visitors: WeakSet[_Visitor], *, secure: bool) -> None:
        self._server = server
        self._visitors = visitors
        self.secure = secure
        self.port = int(server.sockets[0].getsockname()[1])

    @property
    def count(self) -> int:
        """Return how many connections there are."""
        return len(self._visitors)

    @classmethod
    async def open(cls, config: Config, runner: web.AppRunner) -> Door:
        """Listen as the configuration says; raise ``ConfigError`` for a certificate that is none, or the system's error."""
        served, loop = runner.server, asyncio.get_running_loop()
        assert served is not None, "the runner is set up"
        visitors: WeakSet[_Visitor] = WeakSet()

        def made() -> asyncio.Protocol:
            # Those of the control socket are not among them: its owner comes in, however full it is here.
            if len(visitors) >= CONNECTIONS_MOST:
                return _Closed()
            visitor = _Visitor(served, loop=loop, access_log=None, keepalive_timeout=IDLE_S, lingering_time=LINGER_S)  # type: ignore[arg-type]
            visitors.add(visitor)
            return visitor

        context = tls_context(config)
        server = await loop.create_server(
            made,
            config.api.host,
            config.api.port,
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE_S if context is not None else None,
            backlog=_BACKLOG,
        )
        return cls(server, visitors, secure=context is not None)

    def close(self) -> None:
        """Let nobody in any more; those who are in end with the runner."""
        self._server.close()


def tls_context(config: Config) -> ssl.SSLContext | None:
    """Return how connections are encrypted, None when they are not; TLS 1.2 at least."""
    api = config.api
    if api.tls_cert is None or api.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(api.tls_cert, api.tls_key)
    except (OSError, ssl.SSLError) as error:
        message = f"this certificate and key cannot be used: {error}"
        problem = ValidationError("api.tls_cert", message, code="CertificateUnusable", value=str(api.tls_cert))
        raise ConfigError([problem], source="the configuration") from error
    return context

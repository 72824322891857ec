"""The door to the network: the same addresses over TCP, encrypted where others can listen."""

from __future__ import annotations

import ssl

from aiohttp import web

from actors.http_door import Door
from protocol.errors import ValidationError
from service.config import Config, ConfigError

__all__ = ["open_door", "tls_context"]


async def open_door(config: Config, runner: web.AppRunner) -> Door:
    """Listen as the configuration says; raise ``ConfigError`` for a certificate that is none, or the system's error.

    Connections of the control socket are not counted there: its owner comes in, however full it is.
    """
    return await Door.open(runner, config.api.host, config.api.port, context=tls_context(config))


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

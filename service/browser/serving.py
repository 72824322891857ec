"""Serve the cockpit until told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Final, NamedTuple

from aiohttp import web

from actors.http_door import Door
from protocol.errors import ValidationError
from service.api.network import tls_context
from service.browser.daemon_door import DaemonDoor
from service.browser.screens import Screens, Seat
from service.browser.site import Site, Terms
from service.config import Config, ConfigError
from service.config.safety_rules import LOOPBACK

__all__ = ["PORT", "Address", "check", "serve"]

PORT: Final = 8789
"""Where it listens unless told otherwise: beside the API."""

_SHUTDOWN_S: Final = 2.0


class Address(NamedTuple):
    """Where it listens; ``port`` 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = PORT


def check(address: Address, config: Config) -> None:
    """Refuse to send passwords in plain text over a network; raise ``ConfigError``."""
    if address.host in LOOPBACK or config.api.tls_cert is not None or config.api.behind_proxy:
        return
    message = "others can reach this address: set api.tls_cert and api.tls_key, or api.behind_proxy, or use 127.0.0.1"
    problem = ValidationError("--host", message, code="PlainTextRefused", value=address.host)
    raise ConfigError([problem], source="the command line")


async def serve(
    seat: Seat, address: Address, config: Config, now: Callable[[], int], told: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; ``told`` hears the URL once it listens."""
    check(address, config)
    context = tls_context(config)
    screens = Screens(seat, now)
    api = config.api
    terms = Terms(now, api.trusted_proxies, api.allowed_origins, api.behind_proxy, demo=seat.demo)
    site = Site(DaemonDoor(socket=seat.socket, url=seat.url), screens, terms)
    runner = web.AppRunner(site.app(), access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    door: Door | None = None
    try:
        door = await Door.open(runner, address.host, address.port, context=context)
        shown = f"[{address.host}]" if ":" in address.host else address.host
        told(f"{'https' if door.secure else 'http'}://{shown}:{door.port}")
        await _told_to_stop()
    finally:
        if door is not None:
            await door.close()
        await runner.cleanup()
        screens.close()


async def _told_to_stop() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()

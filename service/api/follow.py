"""Follow the daemon's events from another process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from service.api.client import Client, DaemonNotRunning, DaemonRefused

__all__ = ["follow"]


def follow(
    where: Client | Path, wanted: dict[str, Any], show: Callable[[dict[str, Any]], None], *, on: bool = True
) -> None:
    """Call ``show`` with each item until the daemon stops or Ctrl-C; without ``on`` only with those of the past."""
    query = {name: str(value) for name, value in wanted.items() if value not in (None, "")}
    if not on:
        query["follow"] = "0"
    try:
        asyncio.run(_follow(where if isinstance(where, Client) else Client(where), query, show))
    except KeyboardInterrupt:
        return


async def _follow(client: Client, query: dict[str, str], show: Callable[[dict[str, Any]], None]) -> None:
    connector = None if client.url else aiohttp.UnixConnector(path=str(client.socket_path))
    address = f"{client.url or 'http://bulkhead'}/v1/tail"
    async with aiohttp.ClientSession(connector=connector, headers=client.headers) as session:
        try:
            async with session.ws_connect(address, params=query) as line:
                async for message in line:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        show(json.loads(message.data))
        except aiohttp.WSServerHandshakeError as error:
            raise DaemonRefused(error.status, {"code": "Refused", "message": error.message}) from error
        except (aiohttp.ClientConnectorError, OSError) as error:
            raise DaemonNotRunning(client.where, str(getattr(error, "strerror", None) or error)) from error

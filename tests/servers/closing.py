"""The end of a server of the tests: who connects at the last moment is ended too."""

from __future__ import annotations

from aiohttp import web

from runtime.listening import stop_accepting

__all__ = ["no_more_guests"]


async def no_more_guests(runner: web.AppRunner) -> None:
    """Stop listening; everybody accepted so far is a connection that the runner ends."""
    for site in list(runner.sites):
        server = site._server  # what a site listens on is not public
        if server is not None:
            await stop_accepting(server.sockets)  # type: ignore[attr-defined]  # it is an asyncio.Server
        await site.stop()

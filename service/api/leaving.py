"""The end of a listener: it says goodbye, its connection breaks, or it answers no heartbeat."""

from __future__ import annotations

from aiohttp import WSCloseCode, WSMsgType, web

__all__ = ["until_gone"]


async def until_gone(request: web.Request, socket: web.WebSocketResponse) -> None:
    """Wait until a listener is gone; the connection of one that answers no heartbeat is cut.

    aiohttp closes such a connection, which waits until everything was sent: to a listener that reads nothing, for ever,
    and with it whoever sends.
    """
    async for message in socket:
        if message.type is WSMsgType.ERROR:
            break
    if socket.close_code == WSCloseCode.ABNORMAL_CLOSURE and request.transport is not None:
        request.transport.abort()

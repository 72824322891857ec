"""The floor of ``benchmarks.api``: aiohttp alone, in a process of its own: one answer, and one text said to all who listen.

``python -m benchmarks.api_bare ANSWER_FILE`` prints its port.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web

__all__ = ["main"]


def main() -> None:
    """Serve until SIGTERM."""
    body = Path(sys.argv[1]).read_bytes()
    listeners: set[web.WebSocketResponse] = set()

    async def answer(request: web.Request) -> web.Response:  # noqa: ARG001 - aiohttp passes it
        return web.Response(body=body, content_type="application/json")

    async def say(request: web.Request) -> web.Response:
        text = (await request.read()).decode()
        for each in listeners:
            await each.send_str(text)
        return web.json_response({"said": len(listeners)})

    async def listen(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        listeners.add(socket)
        try:
            async for _ in socket:
                pass
        finally:
            listeners.discard(socket)
        return socket

    async def serve() -> None:
        app = web.Application()
        app.add_routes([web.get("/answer", answer), web.post("/say", say), web.get("/listen", listen)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()

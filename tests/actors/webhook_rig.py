"""The webhook listener on a free port, a gateway that answers as a test says, and a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import aiohttp

from actors.webhook import WebhookListener
from protocol.signals import SignalAnswer
from protocol.webhook import WebhookRequest
from runtime.actor import NO_ANSWER, Actor, handles
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from tests.actors.cast import Broken, Stage

__all__ = ["MOST", "PATIENCE_S", "TOKEN", "Rig", "chunks", "head", "serve"]

TOKEN = "a-token-nobody-guesses"
MOST = 1_000
PATIENCE_S = 60.0


class Gateway(Actor):
    """Stands for the gateway: remembers requests and answers as the test says."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    @handles
    def request(self, msg: WebhookRequest) -> Any:
        self.rig.requests.append(msg)
        self.rig.came.set()
        answer = self.rig.answer
        if answer is None:
            return NO_ANSWER
        if isinstance(answer, Broken):
            raise answer
        if isinstance(answer, Exception):
            envelope = self.context.envelope
            assert envelope is not None
            self.context.answer(envelope, error=answer)
            return NO_ANSWER
        return answer


class Rig:
    """The listener ``/house/webhook`` on a free port, its gateway and a client."""

    def __init__(
        self, stage: Stage, client: aiohttp.ClientSession, *, gateway: bool = True, proxies: tuple[str, ...] = ()
    ) -> None:
        self.stage = stage
        self.client = client
        self.requests: list[WebhookRequest] = []
        self.came = asyncio.Event()
        self.answer: SignalAnswer | Exception | None = SignalAnswer(200, "accepted", "s1")
        if gateway:
            stage.add("gateway", lambda: Gateway(self))
        stage.add(
            "webhook",
            lambda: WebhookListener(
                host="127.0.0.1",
                port=0,
                token=TOKEN,
                user="ann",
                gateway="/house/gateway",
                max_body_bytes=MOST,
                trusted_proxies=proxies,
            ),
        )

    @property
    def port(self) -> int:
        listener = self.stage.actor("webhook")
        return listener.port if listener is not None else 0

    async def listening(self, after: object = None) -> None:
        """Wait until a life of the listener listens, another one than ``after``."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.port or self.stage.actor("webhook") is after:
                await self.turn()

    @staticmethod
    async def turn() -> None:
        """Give everybody else a turn."""
        turned = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.001, turned.set_result, None)
        await turned

    def url(self, path: str = f"/webhook/{TOKEN}") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def post(self, data: Any = b"{}", *, path: str = f"/webhook/{TOKEN}", **how: Any) -> tuple[int, Any]:
        """Post a body; return status and decoded answer. Redirects are not followed."""
        async with self.client.post(self.url(path), data=data, allow_redirects=False, **how) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.text()

    async def raw(self, *parts: bytes, close: bool = False, whole: bool = False) -> bytes:
        """Send bytes as they are; return the first line that comes back (``whole``: all), or hang up after the last part."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await self.turn()
            if close:
                return b""
            async with asyncio.timeout(PATIENCE_S):
                return await (reader.read(4096) if whole else reader.readline())
        finally:
            writer.close()


def serve(scenario: Callable[[Rig], Coroutine[Any, Any, None]], **how: Any) -> None:
    """Run a scenario against a listening listener, in real time."""

    async def main() -> None:
        journal = MemoryJournal()
        async with ActorSystem(journal=journal) as system, aiohttp.ClientSession() as client:
            rig = Rig(Stage(system, journal), client, **how)
            await rig.listening()
            await scenario(rig)

    asyncio.run(main())


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """Yield parts: a body whose length nobody knows beforehand."""
    for part in parts:
        yield part


def head(length: int, path: str = f"/webhook/{TOKEN}") -> bytes:
    """Return the head of a POST that promises so many bytes."""
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n".encode()

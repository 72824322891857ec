"""The small daemon with its door to the network open, and clients that come through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple, TypeVar

import aiohttp
import anyio

from service.access.people import add_person, create_token
from service.access.roles import Role, Scope
from service.api.server import ApiServer
from tests.service.api_rig import Rig, run

__all__ = ["PASSWORD", "PROXY", "Answer", "Network", "network", "since"]

T = TypeVar("T")

PASSWORD: Final = "correct horse battery"
PROXY: Final = {"BULKHEAD_API__TRUSTED_PROXIES": '["127.0.0.1/32"]'}
OPEN: Final = {"BULKHEAD_API__ENABLED": "true", "BULKHEAD_API__PORT": "0"}


class Answer(NamedTuple):
    """What a request was answered with."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body["code"])


class Network:
    """A client of the network door; nothing is shown unless a test says what."""

    def __init__(self, rig: Rig, session: aiohttp.ClientSession) -> None:
        self.rig = rig
        self.session = session
        cell = rig.host.system.cell_of("/operators/api")
        assert cell is not None
        assert isinstance(cell.actor, ApiServer)
        self.server = cell.actor
        self.shared = cell.actor.shared
        assert self.shared.door is not None
        self.url = f"http://127.0.0.1:{self.shared.door.port}"

    async def ask(self, method: str, path: str, token: str = "", **given: Any) -> Answer:
        headers = dict(given.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.url + path, headers=headers, **given) as response:
            try:
                body = await response.json(content_type=None)
            except ValueError:
                body = await response.text()
            return Answer(response.status, body, response.headers)

    async def token(self, scope: Scope, name: str = "", **more: Any) -> str:
        """Return the token of a program."""
        now = self.shared.access.now()
        made = await self.shared.access.change(
            lambda store: create_token(store, name or f"{scope}-program", scope, by="test", now=now, **more)
        )
        return str(made[1])

    async def person(self, name: str, role: Role) -> None:
        """Let somebody in."""
        now = self.shared.access.now()
        await self.shared.access.change(lambda store: add_person(store, name, role, PASSWORD, now=now))

    async def login(self, name: str, password: str = PASSWORD, **more: Any) -> Answer:
        headers = more.pop("headers", {})
        given = {"name": name, "password": password, **more}
        return await self.ask("POST", "/v1/login", json=given, headers=headers)

    @asynccontextmanager
    async def listening(self, token: str, **query: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Follow the stream."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.ws_connect(self.url + "/v1/stream", params=query, headers=headers) as line:
            with anyio.fail_after(20):
                yield line


def since(net: Network, passed_ns: int) -> None:
    """Have time pass for who is let in."""
    later = net.shared.access.now() + passed_ns
    net.shared.access.now = lambda: later


def network(work: Callable[[Network], Awaitable[T]], **settings: str) -> T:
    """Run a test's work against a rig of its own whose door is open."""

    async def inside(rig: Rig) -> T:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            return await work(Network(rig, session))

    return run(inside, **{**OPEN, **settings})

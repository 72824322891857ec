"""The way to the daemon: answers, refusals, silence; a stream that misses nothing when the line is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.servers.closing import no_more_guests
from tui.link import DaemonLink, LinkLost, LinkRefused, LinkState, LinkTimeout

pytestmark = pytest.mark.anyio


class Daemon:
    """Speaks the API's shapes on a socket; each connection to the stream plays the next script."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.bodies: list[Any] = []
        self.queries: list[dict[str, str]] = []
        self.scripts: list[list[Any]] = []
        self.stream_status = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/status", self.status)
        app.router.add_get("/v1/silent", self.silent)
        app.router.add_get("/v1/broken", self.broken)
        app.router.add_post("/v1/pause", self.pause)
        app.router.add_get("/v1/stream", self.stream)
        app.router.add_get("/v1/tail", self.stream)
        return app

    async def status(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        return web.json_response({"asked": dict(request.query)})

    async def silent(self, request: web.Request) -> web.Response:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("never answered")

    async def broken(self, request: web.Request) -> web.Response:
        return web.Response(text="<html>")

    async def pause(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        self.bodies.append(await request.json())
        body = {"code": "ReadOnlyMode", "message": "the engine is read only", "path": "/v1/pause", "value": ""}
        return web.json_response(body, status=403)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        self.queries.append(dict(request.query))
        if self.stream_status and request.path == "/v1/stream":
            status, self.stream_status = self.stream_status, 0
            return web.json_response({"code": "X", "message": "x"}, status=status)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for item in self.scripts.pop(0) if self.scripts else []:
            await socket.send_json(item)
        if not self.scripts:
            await asyncio.get_running_loop().create_future()
        await socket.close()
        return socket


@asynccontextmanager
async def served(folder: Path, daemon: Daemon) -> AsyncIterator[DaemonLink]:
    """Serve the daemon on a socket and yield a link to it."""
    runner = web.AppRunner(daemon.app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(folder / "s.sock")).start()
    link = DaemonLink(socket=folder / "s.sock")
    try:
        yield link
    finally:
        await link.close()
        await no_more_guests(runner)
        await runner.cleanup()


async def until(so: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(10):
        while not so():  # noqa: ASYNC110 - at a socket there is no one event
            await asyncio.sleep(0.005)  # house: sockets have no clock of ours


async def test_answers_refusals_and_silence_are_told_apart(tmp_path: Path) -> None:
    """An answer is returned, a refusal raised whole, silence says that the outcome is unknown (EX-1603)."""
    daemon = Daemon()
    async with served(tmp_path, daemon) as link:
        assert await link.get("/v1/status", open=1, empty="", none=None) == {"asked": {"open": "1"}}
        with pytest.raises(LinkRefused) as refused:
            await link.post("/v1/pause", {"reason": "x"}, request_id="r7")
        assert (refused.value.status, refused.value.code) == (403, "ReadOnlyMode")
        assert daemon.bodies == [{"reason": "x"}]
        assert daemon.seen[-1].headers["X-Request-Id"] == "r7"
        with pytest.raises(LinkTimeout):
            await link._ask("GET", "/v1/silent", timeout_s=0.05)
        with pytest.raises(LinkRefused, match="no JSON"):
            await link.get("/v1/broken")
    nobody = DaemonLink(socket=tmp_path / "none.sock")
    with pytest.raises(LinkLost, match="no such socket"):
        await nobody.get("/v1/status")
    await nobody.close()


async def test_a_cut_stream_goes_on_where_it_was(tmp_path: Path) -> None:
    """After a cut the cockpit asks for what came after the last position: nothing is missed or heard twice (EX-1602)."""
    daemon = Daemon()
    daemon.scripts = [
        [[{"kind": "hello", "after": 4}], [{"kind": "event", "position": 5}, {"kind": "event", "position": 6}]],
        [[{"kind": "event", "position": 6}, {"kind": "event", "position": 7}], {"kind": "dead_letter", "position": 0}],
        [],
    ]
    heard: list[Any] = []
    states: list[LinkState] = []
    async with served(tmp_path, daemon) as link:
        following = asyncio.create_task(link.follow(heard.append, lambda state, _: states.append(state)))
        await until(lambda: len(daemon.queries) == 3)
        following.cancel()
    assert [(item["kind"], item["position"]) for item in heard] == [
        ("event", 5),
        ("event", 6),
        ("event", 7),
        ("dead_letter", 0),
    ]
    assert [query.get("after") for query in daemon.queries] == [None, "6", "7"]
    assert states[:4] == [LinkState.CONNECTING, LinkState.CONNECTED, LinkState.RECONNECTING, LinkState.CONNECTED]


@pytest.mark.parametrize(("status", "after"), [(404, None), (409, None)])
async def test_an_older_daemon_or_another_journal_is_followed_all_the_same(
    tmp_path: Path, status: int, after: str | None
) -> None:
    """A daemon without the resumable stream is asked for its older one; one with a shorter journal from now on."""
    daemon = Daemon()
    daemon.scripts, daemon.stream_status = [[]], status
    async with served(tmp_path, daemon) as link:
        link._after = 99
        following = asyncio.create_task(link.follow(lambda _: None, lambda *_: None))
        await until(lambda: len(daemon.queries) == 2)
        following.cancel()
    assert daemon.queries[0]["after"] == "99"
    assert daemon.queries[1].get("after") == after
    assert ("last" in daemon.queries[1]) == (status == 404)


async def test_nobody_there_is_said_and_tried_again(tmp_path: Path) -> None:
    """While no daemon answers the cockpit says so and goes on trying, until one is there (EX-1602)."""
    said: list[tuple[LinkState, str]] = []
    link = DaemonLink(socket=tmp_path / "s.sock")
    following = asyncio.create_task(link.follow(lambda _: None, lambda *each: said.append(each)))
    await until(lambda: len(said) >= 2)
    assert said[1][0] is LinkState.RECONNECTING
    assert "no such socket" in said[1][1]
    async with served(tmp_path, Daemon()):
        await until(lambda: said[-1][0] is LinkState.CONNECTED)
    following.cancel()
    await link.close()


async def test_a_token_goes_along_and_both_ways_in_are_refused(tmp_path: Path) -> None:
    """A link is a socket or a URL; the token is shown to the URL only."""
    with pytest.raises(ValueError, match="socket or by a URL"):
        DaemonLink()
    with pytest.raises(ValueError, match="socket or by a URL"):
        DaemonLink(socket=tmp_path, url="http://x")
    daemon = Daemon()
    runner = web.AppRunner(daemon.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    link = DaemonLink(url=f"http://127.0.0.1:{port}/", token="tok")
    await link.get("/v1/status")
    assert daemon.seen[-1].headers["Authorization"] == "Bearer tok"
    assert link.where == f"http://127.0.0.1:{port}"
    await link.close()
    await no_more_guests(runner)
    await runner.cleanup()


async def test_a_refused_stream_says_why(tmp_path: Path) -> None:
    """A daemon that lets us in no more says so with its code, not with a number (EX-1603)."""

    class Closed(Daemon):
        """Refuses everything."""

        async def status(self, request: web.Request) -> web.Response:
            return web.json_response({"code": "TokenExpired", "message": "the token is over"}, status=401)

    daemon = Closed()
    daemon.stream_status = 401
    said: list[str] = []
    async with served(tmp_path, daemon) as link:
        following = asyncio.create_task(link.follow(lambda _: None, lambda _, problem: said.append(problem)))
        await until(lambda: len(said) >= 2)
        following.cancel()
    assert said[1] == "the token is over [TokenExpired]"

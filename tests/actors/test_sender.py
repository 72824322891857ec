"""The senders of alerts: posts at their instants, counted answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from aiohttp import web

from actors.sender import Alert, DirectPlayer, SignalPlayer
from tests.actors.cast import START, S, Stage, play
from tests.servers.closing import no_more_guests


class Server:
    """An HTTP server on a free port that remembers bodies and answers with ``status``."""

    def __init__(self) -> None:
        self.bodies: list[tuple[int, bytes]] = []
        self.status = 200
        self.port = 0
        self.now: Callable[[], int] = lambda: 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/", self._post)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await no_more_guests(self._runner)
        await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        self.bodies.append((self.now(), await request.read()))
        return web.Response(status=self.status, text="answer")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def alerts(*seconds: int) -> list[Alert]:
    """Return an alert at each of these seconds after the start."""
    return [Alert(START + each * S, str(each).encode()) for each in seconds]


def test_alerts_are_posted_at_their_instants() -> None:
    """Each alert is posted once at its time, while virtual time stands still; answers are counted by status."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            server.now = stage.system.now
            stage.add("player", lambda: SignalPlayer(alerts(10, 20, 30), lambda: server.url))
            await stage.passes(15)
            assert [(at // S - START // S, body) for at, body in server.bodies] == [(10, b"10")]
            server.status = 503
            await stage.passes(20)
            assert [(at // S - START // S, body) for at, body in server.bodies[1:]] == [(20, b"20"), (30, b"30")]
            player = stage.actor("player")
            assert (player.posted, player.answers) == (3, {200: 1, 503: 2})
            stage.remove("player")
            await stage.passes(1)

    play(script)


def test_a_restart_posts_only_what_is_still_to_come() -> None:
    """No alert is posted twice, and none of the past is posted late."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            stage.add("player", lambda: SignalPlayer(alerts(-5, 0, 10, 20), lambda: server.url))
            await stage.passes(15)
            await stage.crash("player")
            await stage.passes(15)
            assert [body for _, body in server.bodies] == [b"10", b"20"]
            stage.remove("player")
            await stage.passes(1)

    play(script)


def test_nobody_there_is_no_crash() -> None:
    """A post that reaches nobody is counted as unanswered; the next one is tried all the same."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            gone = server.url
        stage.add("player", lambda: SignalPlayer(alerts(1, 2), lambda: gone))
        await stage.passes(3)
        player = stage.actor("player")
        assert (player.posted, player.answers) == (2, {0: 2})
        stage.remove("player")
        await stage.passes(1)

    play(script)


def test_alerts_without_http() -> None:
    """A fast replay hands the very same bodies to the gateway itself, at their instants."""

    async def script(stage: Stage) -> None:
        gateway = stage.probe("gateway")
        stage.add("player", lambda: DirectPlayer(alerts(-1, 5, 6), user="ann", gateway="/house/gateway"))
        await stage.passes(5.5)
        assert [(each.user, each.body) for each in gateway] == [("ann", b"5")]
        await stage.crash("player")
        await stage.passes(1)
        assert [each.body for each in gateway] == [b"5", b"6"]

    play(script)

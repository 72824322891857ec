"""The web server of the cockpit without a browser: who is let in, what is refused, when a screen ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web

from actors import http_door
from service.api.gate import COOKIE
from service.browser import site as site_module
from service.browser.daemon_door import Visitor
from service.browser.errors import DoorClosed, LoginNeeded, LoginRefused
from service.browser.line import heard
from service.browser.screens import MOST_EACH, Screens, Seat
from service.browser.serving import Address, check
from service.browser.site import Site, Terms
from service.config import ConfigError, load

HOUR_NS = 3_600 * 10**9
PROOF = "bhc_0123456789ab_" + "x" * 43


class Door:
    """Stands for the daemon: one session."""

    def __init__(self) -> None:
        self.open, self.away = True, False
        self.seen: list[tuple[str, str]] = []

    async def login(self, name: str, password: str, address: str) -> Visitor:
        self.seen.append((name, address))
        if password != "right":
            raise LoginRefused(401, {"code": "LoginFailed", "message": "name or password is wrong"})
        return Visitor(name, PROOF, ("read", "trade"))

    async def who(self, proof: str, address: str) -> Visitor:
        if self.away:
            raise DoorClosed("nobody")
        if proof != PROOF or not self.open:
            raise LoginNeeded("SessionEnded")
        return Visitor("ada", PROOF, ("read", "trade"))

    async def logout(self, visitor: Visitor) -> None:
        self.open = False

    async def setting(self, visitor: Visitor, key: str) -> Any:
        return 19

    async def close(self) -> None:
        return


class Served:
    """A site that listens."""

    def __init__(self, url: str, door: Door, site: Site, session: aiohttp.ClientSession) -> None:
        self.url, self.door, self.site, self.session = url, door, site, session
        self.cookie = {"Cookie": f"{COOKIE}={PROOF}"}

    async def ask(self, path: str, method: str = "GET", **more: Any) -> aiohttp.ClientResponse:
        answer = await self.session.request(method, self.url + path, allow_redirects=False, **more)
        await answer.read()
        return answer


def served(work: Callable[[Served], Awaitable[None]], seat: Seat | None = None, **terms: Any) -> None:
    """Run a test's work against a site of its own."""

    async def inside() -> None:
        door, screens = Door(), Screens(seat or Seat(demo=True), lambda: 1)
        site = Site(door, screens, Terms(**{"now": lambda: 1, **terms}))  # type: ignore[arg-type]
        screens.now = site.terms.now
        runner = web.AppRunner(site.app(), access_log=None)
        await runner.setup()
        listening = await http_door.Door.open(runner, "127.0.0.1", 0)
        port = listening.port
        try:
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
                with anyio.fail_after(30):
                    await work(Served(f"http://127.0.0.1:{port}", door, site, session))
        finally:
            await listening.close()
            await runner.cleanup()
            screens.close()

    anyio.run(inside)


def test_nobody_gets_in_without_a_session() -> None:
    """Without a session there is the login alone; what is asked of elsewhere, or lies elsewhere, is refused (EX-1504)."""

    async def work(site: Served) -> None:
        first = await site.ask("/")
        assert (first.status, first.headers["Location"]) == (303, "/login")
        ended = await site.ask("/", headers={"Cookie": f"{COOKIE}={PROOF[:-1]}y"})
        assert ended.headers["Location"] == "/login?ended=1"
        for path in ("/session", "/ws", "/download/x"):
            assert (await site.ask(path)).status == 401
        for path in ("/static/", "/static/../site.py", "/static/%2e%2e/%2e%2e/server.py", "/static/js/textual.js"):
            assert (await site.ask(path)).status == 404
        for name in ("textual.js", "fonts/regular.ttf"):
            file = await site.ask(f"/static/{name}", headers={"Accept-Encoding": "gzip"})
            assert (file.status, file.headers["Content-Encoding"]) == (200, "gzip")  # a slow line waits a third as long
        shown = await site.ask("/", headers=site.cookie)
        text = await shown.text()
        assert "ada (operator)" in text
        assert 'data-font-size="19"' in text
        assert "http" not in text.replace("bulkhead", "")
        policy = shown.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.headers["Cache-Control"] == "no-store"
        cookie = shown.headers["Set-Cookie"]
        assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Strict", "Max-Age=43200"))

    served(work)


def test_a_login_from_another_page_or_too_often_is_refused() -> None:
    """The form of another page logs nobody in; its name and errors come back harmless; a flood has to wait (EX-1507)."""

    async def work(site: Served) -> None:
        form = {"name": "<b>eve", "password": "wrong"}
        foreign = await site.ask("/login", "POST", data=form, headers={"Origin": "https://evil.example"})
        assert foreign.status == 403
        assert (await site.ask("/login", "POST", data=form)).status == 403
        port = site.url.rpartition(":")[2]
        rebound = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
        assert (await site.ask("/login", "POST", data=form, headers=rebound)).status == 403
        assert site.door.seen == []
        ours = {"Origin": site.url}
        wrong = await site.ask("/login", "POST", data=form, headers=ours)
        assert wrong.status == 401
        text = await wrong.text()
        assert "Name or password is wrong. [LoginFailed]" in text
        assert "<b>eve" not in text
        right = await site.ask("/login", "POST", data={"name": "ada", "password": "right"}, headers=ours)
        assert right.status == 303
        assert PROOF in right.headers["Set-Cookie"]
        assert (await site.ask("/login", "POST", data={"name": "a" * 20_000}, headers=ours)).status == 413
        answers = [await site.ask("/login", "POST", data=form, headers=ours) for _ in range(20)]
        assert answers[-1].status == 429
        assert "wait" in await answers[-1].text()
        site.door.away = True
        closed = await site.ask("/", headers=site.cookie)
        assert closed.status == 503
        assert "[NotRunning]" in await closed.text()

    served(work)


FORMS = (
    ("application/x-www-form-urlencoded; charset=bogus", b"name=a&password=b"),
    ("application/x-www-form-urlencoded", b"name=\xff\xfe&password=\xff"),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Transfer-Encoding: bogus\r\n\r\nabc\r\n--x--\r\n"),
    ("application/json", b"{}"),
)


def test_no_form_and_no_cookie_of_a_stranger_is_a_mistake_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is sent to the login is a wrong login; a cookie that is none of ours goes no further (EX-1504)."""

    async def work(site: Served) -> None:
        for kind, body in FORMS:
            said = await site.ask("/login", "POST", data=body, headers={"Origin": site.url, "Content-Type": kind})
            assert said.status == 401, kind
        for value in ('"a\\012X-Evil: 1"', "bhc_0123456789ab_short", '" "'):
            cookie = {"Cookie": f"{COOKIE}={value}"}
            assert (await site.ask("/", headers=cookie)).headers["Location"] == "/login"

    served(work)
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


def test_a_form_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers at once and then nothing: the login ends, and its connection with it (slow-loris)."""
    monkeypatch.setattr(site_module, "BODY_S", 0.1)
    monkeypatch.setattr(http_door, "LINGER_S", 0.1)

    async def work(site: Served) -> None:
        port = int(site.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        kind = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n"
        writer.write(f"POST /login HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n{kind}\r\nname=".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()
        assert site.door.seen == []

    served(work)


def test_screens_are_counted_and_belong_to_their_page() -> None:
    """Another page opens no screen; a person has so many at once; what no terminal says ends the line (EX-1507)."""

    async def work(site: Served) -> None:
        foreign = {**site.cookie, "Origin": "https://evil.example"}
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await site.session.ws_connect(site.url + "/ws", headers=foreign)
        assert caught.value.status == 403
        screens = site.site.screens
        ours = {**site.cookie, "Origin": site.url}
        line = await site.session.ws_connect(site.url + "/ws?width=100&height=30", headers=ours)
        await line.send_str("no terminal says this")
        assert (await line.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.BINARY)
        await line.close()
        while screens.open:
            await anyio.lowlevel.checkpoint()
        for number in range(MOST_EACH):
            visitor = Visitor("ada", PROOF.replace("0", str(number)), ("read",))
            assert screens.room_for(visitor), number
            screens.open.append(_Stub(visitor))  # type: ignore[arg-type]
        assert screens.room_for(Visitor("bob", PROOF, ("read",)))
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await site.session.ws_connect(site.url + "/ws", headers=ours)
        assert caught.value.status == 503
        assert (await site.ask("/", headers=site.cookie)).status == 503
        screens.open.clear()

    served(work)


def test_an_idle_session_ends_with_its_screens() -> None:
    """Twelve hours without a key end the session at the daemon and the cockpit behind it, whatever the cockpit asks."""
    now = [1]

    async def work(site: Served) -> None:
        ours = {**site.cookie, "Origin": site.url}
        line = await site.session.ws_connect(site.url + "/ws", headers=ours)
        assert (await line.receive()).type is aiohttp.WSMsgType.BINARY
        process = site.site.screens.open[0].process
        assert process is not None
        now[0] += 12 * HOUR_NS
        while not line.closed:
            await line.receive()
        assert not site.door.open, "the daemon knows it too"
        await process.wait()
        while site.site.screens.open:
            await asyncio.wait_for(anyio.lowlevel.checkpoint(), 5)

    served(work, now=lambda: now[0], look_s=0.05)


class _Stub:
    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    async def close(self) -> None:
        return


class _Heard:
    def __init__(self) -> None:
        self.said: list[Any] = []
        self.line = self

    async def send_json(self, what: Any) -> None:
        self.said.append(what)

    async def typed(self, text: str, now: int) -> None:
        self.said.append((text, now))

    async def sized(self, width: int, height: int) -> None:
        self.said.append((width, height))

    async def looked_at(self, *, looked: bool) -> None:
        self.said.append(looked)


def test_only_what_a_terminal_says_is_passed_on() -> None:
    """Keys, size, focus and ping are passed on; everything else, however shaped, is not."""
    screen = _Heard()
    good = ('["stdin","a"]', '["resize",{"width":80,"height":24}]', '["focus"]', '["blur"]', '["ping","7"]')
    assert all(anyio.run(heard, screen, text, 5) for text in good)
    assert screen.said == [("a", 5), (80, 24), True, False, ["pong", "7"]]
    bad = (
        '["stdin",7]',
        '["resize",{"width":0,"height":24}]',
        '["resize",{"width":9999999,"height":1}]',
        "[]",
        "{",
        '"x"',
    )
    assert not any(anyio.run(heard, screen, text, 5) for text in bad)
    assert len(screen.said) == 5


def test_a_cockpit_is_told_who_looks_and_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seat names the session and its own preferences; keys of the vault are not among what a cockpit gets (EX-1503)."""
    monkeypatch.setenv("BULKHEAD_SECURITY__MASTER_KEY", "open sesame")
    seat = Seat(socket=Path("/run/x.sock"), preferences=Path("/home/o/cockpit.json"))
    told = json.loads(seat.told(Visitor("vic", PROOF, ("read",))))
    assert told["token"] == PROOF
    assert told["read_only"]
    assert told["preferences"] == "/home/o/cockpit-vic.json"

    async def begin() -> str:
        from service.browser.screens import _Cockpit

        async def nothing(*_: Any) -> None:
            return

        made = _Cockpit("x", write_bytes=nothing, write_str=nothing, close=nothing, download_manager=None)  # type: ignore[arg-type]
        return str(made._build_environment())

    assert "sesame" not in anyio.run(begin)


def test_an_address_that_others_reach_needs_encryption() -> None:
    """Passwords leave this machine only under TLS, the server's own or a proxy's (EX-1504)."""
    plain = load(None, {})
    check(Address("127.0.0.1"), plain)
    with pytest.raises(ConfigError, match="tls_cert"):
        check(Address("0.0.0.0"), plain)
    check(Address("0.0.0.0"), load(None, {"BULKHEAD_API__BEHIND_PROXY": "true"}))

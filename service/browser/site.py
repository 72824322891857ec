"""The addresses that a browser asks for, and who gets what behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

import textual_serve
from aiohttp import WSMsgType, web

from rules.notation import whole_number
from service.access.credentials import parse
from service.access.keeper import IDLE_NS
from service.access.lockout import neighbourhood
from service.access.rates import Rates
from service.api.gate import BODY_S, COOKIE
from service.api.peers import address_of, is_own_page
from service.browser import pages
from service.browser.daemon_door import DaemonDoor, Visitor
from service.browser.errors import DoorClosed, LoginNeeded, LoginRefused
from service.browser.headers import secured
from service.browser.line import LARGEST, heard
from service.browser.screens import Screen, Screens

__all__ = ["LOGINS_PER_MINUTE", "LOOK_S", "Site", "Terms"]

LOGINS_PER_MINUTE: Final = 20
"""Tries of one address; the daemon's lock-out comes long before for one name."""

LOOK_S: Final = 30.0
"""Seconds between two looks whether who sits at a screen may still."""

_SECOND: Final = 10**9
_BODY: Final = 8_192
_HEARTBEAT_S: Final = 15.0
_FULL: Final = "Too many screens are open: close one, then open this again."
_FILES: Final = Path(textual_serve.__file__).parent / "static"
_DEMO: Final = Visitor("demo", "", ("read", "trade", "admin"))
_ENDED: Final = "You were logged out, or idle for 12 hours. Log in again."


class Terms(NamedTuple):
    """On which terms it is served. ``allowed_origins`` are pages beside our own; ``now`` is the wall clock."""

    now: Callable[[], int]
    trusted_proxies: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    behind_proxy: bool = False
    demo: bool = False
    look_s: float = LOOK_S
    idle_ns: int = IDLE_NS


class Site:
    """The web application."""

    def __init__(self, door: DaemonDoor, screens: Screens, terms: Terms) -> None:
        self.door = door
        self.screens = screens
        self.terms = terms
        self._rates = Rates()

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(client_max_size=_BODY, middlewares=[self._answered])
        app.on_response_prepare.append(secured)
        app.on_shutdown.append(self._leave)
        app.router.add_get("/", self.screen)
        app.router.add_get("/login", self.ask)
        app.router.add_post("/login", self.login)
        app.router.add_post("/logout", self.logout)
        app.router.add_get("/session", self.session)
        app.router.add_get("/ws", self.line)
        app.router.add_get("/download/{key}", self.download)
        app.router.add_get("/static/{name:.*}", self.static)
        return app

    # --- pages ---------------------------------------------------------------------------------------------------------

    async def screen(self, request: web.Request) -> web.Response:
        """Show the terminal, or ask who is there."""
        visitor = await self._visitor(request)
        if not self.screens.room_for(visitor):
            return _page(pages.login_page(said=_FULL, name=visitor.name), 503)
        size = None if self.terms.demo else await self.door.setting(visitor, "ui.font_size")
        role = "demo: nothing here is real" if self.terms.demo else f"{visitor.name} ({_role(visitor)})"
        response = _page(pages.screen_page(who=role, font_size=int(size or 14)))
        if visitor.proof:
            _remember(response, visitor)
        return response

    async def ask(self, request: web.Request) -> web.Response:
        """Ask who is there."""
        return _page(pages.login_page(said=_ENDED if request.query.get("ended") else ""))

    async def login(self, request: web.Request) -> web.Response:
        """Let somebody in, or say why not."""
        self._refuse_foreign(request)
        address = self._address(request)
        wait_s = self._rates.wait_s(neighbourhood(address), LOGINS_PER_MINUTE, self.terms.now())
        if wait_s:
            return _page(pages.login_page(said=f"Too many tries: wait {wait_s:.0f} s."), 429)
        given = await _form(request)
        name, password = given.get("name", "").strip(), given.get("password", "")
        try:
            visitor = await self.door.login(name, password, address)
        except LoginRefused as error:
            return _page(pages.login_page(said=f"{_sentence(str(error))} [{error.code}]", name=name), error.status)
        response = web.Response(status=303, headers={"Location": "/"})
        _remember(response, visitor)
        return response

    async def logout(self, request: web.Request) -> web.Response:
        """End the session and everything that is drawn for it."""
        self._refuse_foreign(request)
        response = web.Response(status=303, headers={"Location": "/login"})
        response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
        with suppress(LoginNeeded):
            visitor = await self._visitor(request)
            if visitor.proof:
                await self.door.logout(visitor)
            await self.screens.close_of(visitor)
        return response

    async def session(self, request: web.Request) -> web.Response:
        """Say whether somebody is logged in, for a page whose screen was closed."""
        try:
            visitor = await self._visitor(request)
        except LoginNeeded:
            return web.json_response({"message": "log in"}, status=401)
        full = "" if self.screens.room_for(visitor) else _FULL
        return web.json_response({"name": visitor.name, "message": full})

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Give one of the files that the pages name, and no other."""
        name = request.match_info["name"]
        if name in _WRITTEN:
            text, kind = _WRITTEN[name]
            return web.Response(text=text, content_type=kind)
        if name not in _LIBRARY:
            raise web.HTTPNotFound
        response = web.FileResponse(_FILES / _LIBRARY[name])
        response.enable_compression()  # a slow line takes the terminal in a third of the time
        return response

    # --- a screen ------------------------------------------------------------------------------------------------------

    async def line(self, request: web.Request) -> web.StreamResponse:
        """Draw a cockpit on the screen at the other end until it goes, or may not look any more."""
        visitor = await self._visitor(request)
        self._refuse_foreign(request)
        if not self.screens.room_for(visitor):
            return web.Response(status=503, text=_FULL)
        line = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=LARGEST)
        screen = Screen(visitor, line, self.terms.now())
        with self.screens.counted(screen):
            await line.prepare(request)
            looking = asyncio.create_task(self._look_after(screen, self._address(request)))
            try:
                await self.screens.begin(screen, *_size(request))
                async for message in line:
                    if message.type is not WSMsgType.TEXT or not await heard(screen, message.data, self.terms.now()):
                        break
            finally:
                looking.cancel()
                await screen.end()
                await line.close()
        return line

    async def _look_after(self, screen: Screen, address: str) -> None:
        """Close a screen whose session has ended; end a session at which nobody has touched a key for 12 hours."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.terms.look_s):
                    await asyncio.get_running_loop().create_future()
            with suppress(
                DoorClosed, LoginRefused
            ):  # an absent daemon logs nobody out: the cockpit says that it is away
                if not await self._may_stay(screen, address):
                    await screen.close()
                    return

    async def _may_stay(self, screen: Screen, address: str) -> bool:
        idle = self.terms.now() - self.screens.used_at(screen.visitor) >= self.terms.idle_ns
        if self.terms.demo:
            return not idle
        if idle:
            await self.door.logout(screen.visitor)
            return False
        try:
            visitor = await self.door.who(screen.visitor.proof, address)
        except LoginNeeded:
            return False
        return visitor.scopes == screen.visitor.scopes

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Give a file that a cockpit of this very session has made."""
        visitor = await self._visitor(request)
        key = request.match_info["key"]
        for screen in self.screens.of(visitor):
            with suppress(KeyError):
                told = await screen.downloads.get_download_metadata(key)
                response = web.StreamResponse()
                response.content_type = told.mime_type or "application/octet-stream"
                name = "".join(each for each in told.file_name if each.isalnum() or each in "._-") or "file"
                response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
                await response.prepare(request)
                async for chunk in screen.downloads.download(key):
                    await response.write(chunk)
                await response.write_eof()
                return response
        raise web.HTTPNotFound

    # --- who is there --------------------------------------------------------------------------------------------------

    async def _visitor(self, request: web.Request) -> Visitor:
        if self.terms.demo:
            return _DEMO
        proof = request.cookies.get(COOKIE, "")
        if parse(proof) is None:  # nothing else is passed on: a cookie may hold line breaks
            raise LoginNeeded("")
        return await self.door.who(proof, self._address(request))

    def _address(self, request: web.Request) -> str:
        return address_of(request, self.terms.trusted_proxies)

    def _refuse_foreign(self, request: web.Request) -> None:
        """Refuse a page of another address: the cookie comes along whoever's page asks."""
        terms = self.terms
        if not is_own_page(request, terms.allowed_origins, behind_proxy=terms.behind_proxy):
            raise web.HTTPForbidden(text="a page of another address asked [OriginRefused]")

    @web.middleware
    async def _answered(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except LoginNeeded as error:
            if request.path != "/":
                return web.Response(status=401, text="log in first")
            location = "/login?ended=1" if str(error) in ("SessionEnded", "TokenExpired") else "/login"
            return web.Response(status=303, headers={"Location": location})
        except DoorClosed:
            text = "The daemon does not answer. Start it with bulkhead up, then try again. [NotRunning]"
            return _page(pages.login_page(said=text), 503)
        except LoginRefused as error:
            return _page(pages.login_page(said=f"{_sentence(str(error))} [{error.code}]"), error.status)

    async def _leave(self, _: web.Application) -> None:
        for each in list(self.screens.open):
            await each.close()
        await self.door.close()


_WRITTEN: Final = {
    "login.css": (pages.LOGIN_STYLE, "text/css"),
    "screen.css": (pages.SCREEN_STYLE, "text/css"),
    "screen.js": (pages.SCREEN_SCRIPT, "text/javascript"),
}
_LIBRARY: Final = {
    "textual.js": "js/textual.js",
    "xterm.css": "css/xterm.css",
    "fonts/regular.ttf": "fonts/RobotoMono-VariableFont_wght.ttf",
    "fonts/italic.ttf": "fonts/RobotoMono-Italic-VariableFont_wght.ttf",
}


def _page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status)


async def _form(request: web.Request) -> Mapping[str, str]:
    """Return what a form of ours has, nothing of any other body; one that does not arrive ends its connection."""
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
    except TimeoutError as error:
        request.protocol.keep_alive(False)
        raise web.HTTPRequestTimeout(text="the form did not arrive") from error
    # By hand: aiohttp believes a stranger's charset, parts within parts and encodings of parts, and fails over each of them.
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _remember(response: web.Response, visitor: Visitor) -> None:
    age = IDLE_NS // _SECOND
    response.set_cookie(COOKIE, visitor.proof, max_age=age, path="/", secure=True, httponly=True, samesite="Strict")


def _role(visitor: Visitor) -> str:
    return "admin" if "admin" in visitor.scopes else "operator" if "trade" in visitor.scopes else "viewer: looks only"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _size(request: web.Request) -> tuple[int, int]:
    def given(name: str, otherwise: int) -> int:
        number = whole_number(request.query.get(name, ""))
        return min(max(number, 20), 500) if number is not None else otherwise

    return given("width", 80), given("height", 24)

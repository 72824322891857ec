"""In and out: a session for a person, and who one is."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from protocol.codec import decode_json
from protocol.messages import Value
from service.access.keeper import ACCESS_NS, IDLE_NS, Login
from service.access.roles import Caller
from service.api.answers import Refused, answer
from service.api.gate import COOKIE
from service.api.peers import address_of, caller_of
from service.api.shared import Shared

__all__ = ["LOGIN_BYTES", "LoginWanted", "RefreshWanted", "SessionAnswer", "WhoAnswer", "register"]

LOGIN_BYTES: Final = 4_096
"""Most bytes of a login: nobody is known yet."""

_SECOND: Final = 10**9


class LoginWanted(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Who logs in. ``browser`` asks for a cookie, which scripts cannot read, in place of tokens."""

    name: str
    password: str
    browser: bool = False


class RefreshWanted(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """The newest refresh token of a session."""

    refresh_token: str


class WhoAnswer(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Who asks and what they may do; ``until`` is when that ends (nanoseconds UTC), 0 for never."""

    name: str
    kind: str
    scopes: tuple[str, ...]
    until: int


class SessionAnswer(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A session: the access token goes into ``Authorization: Bearer``, the refresh token gets the next two.

    Both are empty for a browser, whose cookie came with this answer.
    """

    who: WhoAnswer
    access_token: str
    refresh_token: str
    expires_in: int


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _Login(shared)
    app.router.add_post("/v1/login", one.login)
    app.router.add_post("/v1/refresh", one.refresh)
    app.router.add_post("/v1/logout", one.logout)
    app.router.add_get("/v1/me", one.me)


class _Login:
    def __init__(self, shared: Shared) -> None:
        self._access = shared.access
        self._host = shared.host

    def _address(self, request: web.Request) -> str:
        return address_of(request, self._host.config.api.trusted_proxies)

    async def login(self, request: web.Request) -> web.Response:
        """Begin a session."""
        wanted = decode_json(await _short(request), LoginWanted)
        address = self._address(request)
        found = await self._access.login(wanted.name, wanted.password, address, browser=wanted.browser)
        response = answer(_said(found, browser=wanted.browser))
        if wanted.browser:
            response.set_cookie(
                COOKIE,
                found.secret,
                max_age=IDLE_NS // _SECOND,
                path="/",
                secure=True,
                httponly=True,
                samesite="Strict",
            )
        return response

    async def refresh(self, request: web.Request) -> web.Response:
        """Go on with a session under new tokens."""
        wanted = decode_json(await _short(request), RefreshWanted)
        return answer(_said(await self._access.refresh(wanted.refresh_token, self._address(request)), browser=False))

    async def logout(self, request: web.Request) -> web.Response:
        """End the session of whoever asks."""
        await self._access.logout(caller_of(request))
        response = answer({"ended": True})
        response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
        return response

    async def me(self, request: web.Request) -> web.Response:
        """Answer who asks."""
        return answer(_who(caller_of(request)))


async def _short(request: web.Request) -> bytes:
    body = await request.read()
    if len(body) > LOGIN_BYTES:
        raise Refused(413, "BodyTooLarge", f"a login has at most {LOGIN_BYTES} bytes", path=request.path)
    return body


def _said(found: Login, *, browser: bool) -> SessionAnswer:
    return SessionAnswer(
        who=_who(found.caller),
        access_token="" if browser else found.access,
        refresh_token="" if browser else found.secret,
        expires_in=(IDLE_NS if browser else ACCESS_NS) // _SECOND,
    )


def _who(caller: Caller) -> WhoAnswer:
    return WhoAnswer(name=caller.name, kind=caller.kind, scopes=tuple(caller.words), until=caller.until)

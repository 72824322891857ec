"""The gate before every address: who asks, whether they may, how often, and how long they may take to say it.

Whoever comes through the control socket is the owner and goes in (EX-1504), unless they show a token there: then they act
as whoever it belongs to, which is how the served cockpit does. Everybody else shows a token or a cookie. A cookie comes
along by itself, whatever page asks: with one, nothing is changed on the word of a page from elsewhere.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from protocol.event_log import EVENT_LOG, LogEvent
from service.access.errors import AccessRefused
from service.access.keeper import Access
from service.access.lockout import neighbourhood
from service.access.rates import Rates
from service.access.roles import LOCAL, OPEN, Caller, Scope
from service.api.answers import Handler, Refused
from service.api.audit import fields_of, note
from service.api.host import Host
from service.api.peers import CALLER, address_of, is_local, is_own_page
from service.api.table.routes import Route, route_of
from service.config.daemon import Api

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BODY_S", "COOKIE", "gate", "say_to", "secure_headers"]

BODY_S: Final = 10.0
"""Seconds a body may take to arrive; its sender has gone, or means harm."""

COOKIE: Final = "__Host-bulkhead_session"
"""By its beginning browsers know that it belongs to this very address, and came over TLS: no other page can plant one."""

_LOOKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSALS_PER_MINUTE: Final = 10
"""Refusals of one caller that are journalled: what he may not do is not to fill the disk either."""

_ADDRESS_FACTOR: Final = 4
"""One address may hold several callers: a proxy, or a desk of screens."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def gate(host: Host, access: Access, now: Callable[[], int]) -> Middleware:
    """Return the middleware; ``now`` is the wall clock: people live in real time, also beside a replay."""
    rates = Rates()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        local = is_local(request)
        if local and "Authorization" not in request.headers:
            request[CALLER] = LOCAL
            return await handler(request)
        config = host.config.api
        address = address_of(request, config.trusted_proxies)
        if not local:
            _refuse_flood(
                rates.wait_s(f"address {neighbourhood(address)}", config.requests_per_minute * _ADDRESS_FACTOR, now())
            )
        if request.method == "OPTIONS":
            return web.Response(status=204)
        route = route_of(request)
        request[CALLER] = caller = await _caller(request, access, address, route)
        if caller is not OPEN and not local:
            _refuse_flood(rates.wait_s(f"{caller.kind} {caller.id}", config.requests_per_minute, now()))
        body = await _body(request, host)
        _refuse_foreign(request, caller, config)
        if not caller.may(route.scope) and not _only_looks(route, caller, body):
            if not rates.wait_s(f"refused {caller.kind} {caller.id}", _REFUSALS_PER_MINUTE, now()):
                note(host, request, body, "refused: NotAllowed")
            text = f"this asks for the scope {route.scope}, and {caller.name} has {', '.join(caller.words)}"
            raise Refused(403, "NotAllowed", text, path=request.path)
        return await handler(request)

    return middleware


async def _caller(request: web.Request, access: Access, address: str, route: Route) -> Caller:
    header = request.headers.get("Authorization", "")
    scheme, _, given = header.partition(" ")
    text = given.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "") if not header else ""
    if route.scope is None and not route.knows:
        return OPEN
    if not text:
        if route.scope is None:
            return OPEN
        raise AccessRefused("NotAuthenticated", "log in first: send a token in the header Authorization: Bearer ...")
    return await access.caller(text, address)


def _only_looks(route: Route, caller: Caller, body: bytes) -> bool:
    """Tell whether a command is one that changes nothing as it is given: a preview, a dry run (EX-1506)."""
    return route.dry is not None and caller.may(Scope.READ) and route.dry(fields_of(body))


async def _body(request: web.Request, host: Host) -> bytes:
    """Read the body, which aiohttp keeps for the handler; a late one ends the connection."""
    if request.method in _LOOKING or not request.can_read_body:
        return b""
    try:
        with host.system.hold():
            async with asyncio.timeout(BODY_S):
                return await request.read()
    except TimeoutError as error:
        request.protocol.keep_alive(False)
        raise Refused(408, "BodyLate", f"the body did not arrive within {BODY_S:.0f} s", path=request.path) from error


def _refuse_foreign(request: web.Request, caller: Caller, config: Api) -> None:
    """Refuse a page of another address that uses the cookie of a browser, to change something or to listen, or that logs in.

    In a header a proof was written by whoever asks: a page from elsewhere cannot. Logins that fail would lock the owner out
    at whatever page he looks; a program says of no page that it comes from there.
    """
    reads = request.method in _LOOKING and "upgrade" not in request.headers.get("Connection", "").lower()
    if reads or "Authorization" in request.headers or (caller.kind != "browser" and "Origin" not in request.headers):
        return
    if not is_own_page(request, config.allowed_origins, behind_proxy=config.behind_proxy):
        value = request.headers.get("Origin", "")
        raise Refused(403, "OriginRefused", "a page of another address asked: see api.allowed_origins", value=value)


def _refuse_flood(wait_s: float) -> None:
    if wait_s:
        raise AccessRefused("TooManyRequests", "too many requests: ask again later", retry_s=wait_s)


def secure_headers(host: Host, answered: Counter[str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return what puts the headers on every answer to the network, also on files and streams, and counts them."""

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        if is_local(request):
            return
        answered[str(response.status)] += 1
        headers: Mapping[str, str] = _HEADERS
        response.headers.update(headers)
        response.headers["Server"] = "bulkhead"
        if request.secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        origin = request.headers.get("Origin", "")
        if origin and origin in host.config.api.allowed_origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-Request-Id"
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            response.headers["Vary"] = "Origin"

    return prepare


def say_to(host: Host) -> Callable[[str, str, str], None]:
    """Return what has logins, failures and locks written into the event log; crowds of them are thinned out there."""

    def say(code: str, severity: str, text: str) -> None:
        log = host.system.lookup(EVENT_LOG)
        if log is not None:
            pinned = code in ("LockedOut", "TokenReused")
            log.tell(LogEvent(severity=severity, code=code, text=text, about="/operators/api", pinned=pinned))

    return say

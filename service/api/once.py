"""Commands that are sent again: the same id with the same content is done once, and answered as it was the first time.

The id comes in ``X-Request-Id`` or ``Idempotency-Key`` and belongs to its caller. It is on the disk before the command goes
on. A daemon that died in between cannot know whether the command was done, and says so rather than do it again: an order
that is sent twice is worse than one that has to be looked for.
"""

from __future__ import annotations

import hashlib
import logging
import re
import sqlite3
from collections.abc import Callable
from typing import Final, TypeVar

import anyio
from aiohttp import web
from aiohttp.typedefs import Middleware
from anyio import CapacityLimiter

from runtime.journal import JournalUnavailable
from service.access.requests import Request, RequestStore, State
from service.access.roles import Scope
from service.api.answers import Handler, Refused
from service.api.audit import CREDENTIALS, IDS
from service.api.peers import caller_of
from service.api.table.routes import route_of

__all__ = ["REPEATED", "Once", "digest_of", "request_id_of"]

log = logging.getLogger("bulkhead.api")

T = TypeVar("T")

REPEATED: Final = "X-Request-Repeated"
"""The header of an answer that was given before."""

_SHAPE: Final = re.compile(r"[A-Za-z0-9._:\-]{1,128}")
_LOOKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NOT_DONE: Final = frozenset({"MailboxFull"})
"""Answers of 500 and above that are proof that nothing was done."""


def request_id_of(request: web.BaseRequest) -> str:
    """Return the id that a caller gave a request, empty when it gave none; raise ``Refused`` for one that is none."""
    given = next((found for name in IDS if (found := request.headers.get(name))), "")
    if given and not _SHAPE.fullmatch(given):
        message = "an id has 1 to 128 letters, digits, dots, colons, - or _"
        raise Refused(422, "BadRequestId", message, path=IDS[0], value=given)
    return given


class Once:
    """The middleware, and the store it keeps; that is opened with the first request that has an id."""

    def __init__(self, opened: Callable[[int], RequestStore], now: Callable[[], int]) -> None:
        self._open = opened
        self._now = now
        self._store: RequestStore | None = None
        self._turn: CapacityLimiter | None = None
        self._under_way: set[tuple[str, str]] = set()

    def close(self) -> None:
        """Release the store."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def middleware(self) -> Middleware:
        """Return the middleware; every error has become an answer before it comes here."""

        @web.middleware
        async def once(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.method in _LOOKING or not caller_of(request).may(Scope.TRADE):
                return await handler(request)  # whoever changes nothing does nothing twice, and fills no disk
            ident = request_id_of(request)
            return await self._once(request, handler, ident) if ident else await handler(request)

        return once

    async def _once(self, request: web.Request, handler: Handler, ident: str) -> web.StreamResponse:
        who = caller_of(request)
        caller = f"{who.kind} {who.name}"
        asked = f"{request.method} {request.path_qs}\n".encode() + await request.read()
        slow = bool(CREDENTIALS.search(request.path))
        digest = await self._run(lambda _: digest_of(asked, ident, slow=slow))
        known = await self._run(lambda store: store.begin(caller, ident, digest, self._now()))
        if known is not None:
            return self._again(known, digest, ident, under_way=(caller, ident) in self._under_way)
        self._under_way.add((caller, ident))
        try:
            return await self._first(request, handler, caller, ident)
        finally:
            self._under_way.discard((caller, ident))

    async def _first(self, request: web.Request, handler: Handler, caller: str, ident: str) -> web.StreamResponse:
        """Do it, and keep the answer."""
        response = await handler(request)
        if not isinstance(response, web.Response) or (response.status >= 500 and not _certain(response)):
            return response  # whether it was done is unknown, and stays so
        if response.status >= 500:
            await self._run(lambda store: store.forget(caller, ident))
            return response
        body = b"" if route_of(request).secret else response.body
        kept = body if isinstance(body, bytes) else b""
        try:
            await self._run(lambda store: store.finish(caller, ident, response.status, kept))
        except (JournalUnavailable, sqlite3.Error) as error:
            # It was done, and its sender is told so; sent again it is one of which nobody knows, and is not done again.
            log.warning("the answer to request %s of %s was not kept: %s", ident, caller, error)
        return response

    def _again(self, known: Request, digest: bytes, ident: str, *, under_way: bool) -> web.Response:
        if known.digest != digest:
            text = "this id was given to another request before: take a new one for a new request"
            raise Refused(409, "RequestIdReused", text, path=IDS[0], value=ident)
        if known.state is State.DONE and not known.answer:
            raise Refused(409, "ShownOnce", "this was done; its answer held a secret and is shown once", value=ident)
        if known.state is State.DONE:
            headers = {REPEATED: "true"}
            return web.Response(
                body=known.answer, status=known.status, content_type="application/json", headers=headers
            )
        if under_way:
            raise Refused(409, "RequestUnderWay", "this request has no answer yet: ask again later", value=ident)
        text = "this was begun and never answered: look whether it was done before you send it under a new id"
        raise Refused(409, "OutcomeUnknown", text, path=IDS[0], value=ident)

    async def _run(self, work: Callable[[RequestStore], T]) -> T:
        if self._turn is None:
            self._turn = CapacityLimiter(1)
        return await anyio.to_thread.run_sync(lambda: work(self._opened()), limiter=self._turn)

    def _opened(self) -> RequestStore:
        if self._store is None:
            self._store = self._open(self._now())
        return self._store


def digest_of(asked: bytes, ident: str, *, slow: bool) -> bytes:
    """Return what a request is recognised by; ``slow`` for one that may hold a password: a quick one could be guessed."""
    if slow:
        return hashlib.scrypt(asked, salt=ident.encode(), n=1 << 14, r=8, p=1, dklen=32)
    return hashlib.sha256(asked).digest()


def _certain(response: web.Response) -> bool:
    return any(f'"{code}"'.encode() in (response.body or b"")[:200] for code in _NOT_DONE)  # type: ignore[index]

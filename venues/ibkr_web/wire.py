"""Requests to the Web API: signed, paced, numbers as they were written, errors in our words.

A question of the broker about an order (``iserver/reply``) is void as soon as any other request comes: while an order is
being placed nothing else goes out (``alone``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec

from rules.broker.pacing import Kind
from runtime.clock import NANOS
from venues.access import Access, Tools
from venues.errors import NetworkTimeout, RateLimited, VenueDown, VenueError
from venues.ibkr.pace import Pace
from venues.ibkr_web.oauth import Signer
from venues.waits import retry_after_s

__all__ = [
    "BASE",
    "FAILED",
    "GATEWAY",
    "NOT_LOGGED_IN",
    "PENALTY_S",
    "SERVER",
    "Answer",
    "Wire",
    "number",
    "words",
]

BASE: Final = "https://api.ibkr.com/v1/api/"
GATEWAY: Final = "https://localhost:5000/v1/api/"
PENALTY_S: Final = 900.0
"""How long the broker leaves an address that asks too much unanswered."""

_PER_SECOND: Final = 10
_DATA: Final = 8
"""Of ten requests a second, so many may ask for data; orders go before them."""
_EVERY_S: Final = {
    "iserver/account/orders": 5.0,
    "iserver/account/trades": 5.0,
    "portfolio/accounts": 5.0,
    "tickle": 1.0,
}
_TIMEOUT: Final = aiohttp.ClientTimeout(total=9, connect=3)
FAILED: Final = 400
NOT_LOGGED_IN: Final = 401
_TOO_MANY: Final = 429
SERVER: Final = 500
_NO_BRIDGE: Final = "no bridge"
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class Answer(NamedTuple):
    """What came back: the body with exact numbers, and when by the broker's clock (ns, whole seconds)."""

    status: int
    body: Any
    at: int | None


def number(value: Decimal) -> msgspec.Raw:
    """Return a number as it is to stand in a body: exact and without exponent."""
    return msgspec.Raw(format(value, "f").encode())


class Wire:
    """The requests of one connection. ``lost`` is told when the broker knows our session no more."""

    def __init__(self, access: Access, tools: Tools, signer: Signer | None, lost: Callable[[str], None]) -> None:
        self.venue = access.venue
        self._tools = tools
        self._signer = signer
        self._lost = lost
        self.base = (access.url or (BASE if signer else GATEWAY)).rstrip("/") + "/"
        half = bool(access.conservative)
        # None: no limit of our own (EX-1105).
        self._pace = None
        if access.conservative is not None:
            self._pace = Pace(tools.now, tools.sleep, half=half, messages=_PER_SECOND, data=_DATA)
        self._next: dict[str, int] = {}
        self._histories = asyncio.Semaphore(4)
        self._quiet = asyncio.Lock()
        self._free = asyncio.Event()
        self._free.set()
        self._refusals = 0
        self._boxed_until = 0
        # A gateway of one's own has a certificate that nobody signed.
        host = self.base.partition("://")[2].partition("/")[0].rpartition(":")[0].strip("[]")
        insecure = signer is None and host in _LOCAL
        connector = aiohttp.TCPConnector(ssl=not insecure)
        headers = {"User-Agent": "bulkhead", "Accept": "*/*"}
        self.http = aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers, connector=connector)
        # The library sends what it calls idempotent (a cancel, too) a second time when a kept connection breaks. A signature
        # is good for one request: the broker takes the second for a forgery.
        self.http._retry_connection = False  # there is no public switch

    async def close(self) -> None:
        """Close it; whoever waits for a turn is told."""
        if self._pace is not None:
            self._pace.close()
        await self.http.close()

    # --- asking --------------------------------------------------------------------------------------------------------

    async def ask(
        self, path: str, params: Mapping[str, str] | None = None, *, method: str = "GET", body: Any = None
    ) -> Any:
        """Return the answer to a question; raises VenueDown, RateLimited, NetworkTimeout or VenueError."""
        return (await self.answer(path, params, method=method, body=body)).body

    async def answer(
        self, path: str, params: Mapping[str, str] | None = None, *, method: str = "GET", body: Any = None
    ) -> Answer:
        """Return the whole answer to a question."""
        await self._turn(Kind.ORDER if path == "tickle" else Kind.DATA, path)
        await self._free.wait()
        try:
            told = await self._send(method, path, params or {}, body)
        except NetworkTimeout as error:
            raise VenueDown(self.venue, error.message) from error
        if told.status >= SERVER:
            raise VenueDown(self.venue, f"the broker failed ({told.status}): {words(told.body)}")
        if told.status >= FAILED:
            raise self._refused(told)
        return told

    async def until_due(self, path: str) -> None:
        """Wait until a path may be asked for again, without taking the turn."""
        left = self._next.get(path, 0) - self._tools.now()
        if self._pace is not None and left > 0:
            await self._tools.sleep(left / NANOS)

    async def history(self, params: Mapping[str, str]) -> Any:
        """Ask for history: no more than four at once."""
        async with self._histories:
            return await self.ask("iserver/marketdata/history", params)

    def _refused(self, told: Answer) -> VenueError:
        text = words(told.body)
        kind = VenueDown if _NO_BRIDGE in text else VenueError
        return kind(self.venue, f"{text} ({told.status})")

    # --- changing ------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Let nothing but ``change`` go out meanwhile."""
        async with self._quiet:
            self._free.clear()
            try:
                yield
            finally:
                self._free.set()

    async def change(self, method: str, path: str, body: Any, check: Callable[[], None]) -> Answer:
        """Send what changes something, once; ``check`` is called when nothing stands between us and the socket.

        Returns an answer below 500. Raises VenueDown or RateLimited when nothing was carried out, NetworkTimeout when that
        cannot be told.
        """
        await self._turn(Kind.ORDER, path)
        check()
        told = await self._send(method, path, {}, body)
        if told.status >= SERVER:
            raise NetworkTimeout(self.venue, f"the broker failed ({told.status}): {words(told.body)}")
        if told.status >= FAILED and _NO_BRIDGE in words(told.body):
            raise VenueDown(self.venue, "there is no brokerage session: the order was not taken")
        return told

    # --- inside --------------------------------------------------------------------------------------------------------

    async def _turn(self, kind: Kind, path: str) -> None:
        self._check_box()
        if self._pace is None:
            return
        if (every_s := _EVERY_S.get(path)) is not None:
            now = self._tools.now()
            due = max(self._next.get(path, 0), now)
            self._next[path] = due + round(every_s * NANOS)
            if due > now:
                await self._tools.sleep((due - now) / NANOS)
        try:
            await self._pace.turn(kind)
        except ConnectionError as error:
            raise VenueDown(self.venue, "not connected") from error
        self._check_box()

    def _check_box(self) -> None:
        left = (self._boxed_until - self._tools.now()) / NANOS
        if left > 0:
            raise RateLimited(self.venue, "the broker was asked too much: nothing is sent", retry_after_s=left)

    async def _send(self, method: str, path: str, params: Mapping[str, str], body: Any) -> Answer:
        url = self.base + path
        headers = {} if body is None else {"Content-Type": "application/json"}
        if self._signer is not None:
            headers["Authorization"] = self._signer.authorization(method, url, params)
        data = b"" if body is None and method == "POST" else None if body is None else msgspec.json.encode(body)
        return await self.raw(method, url, params, headers, data)

    async def raw(
        self, method: str, url: str, params: Mapping[str, str], headers: Mapping[str, str], data: bytes | None
    ) -> Answer:
        """Send a request as it is; 401 and 429 are told from everything else. Errors never carry the address."""
        try:
            async with self.http.request(
                method, url, params=params, headers=headers, data=data, allow_redirects=False
            ) as response:
                raw = await response.read()
        except aiohttp.ClientConnectorError as error:
            raise VenueDown(self.venue, f"{self.base} is not reached: {type(error).__name__}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NetworkTimeout(self.venue, f"no answer: {type(error).__name__}") from error
        if response.status == _TOO_MANY:
            raise self._too_many(retry_after_s(response.headers.get("Retry-After")))
        if response.status == NOT_LOGGED_IN:
            self._lost("the broker knows our session no more (401)")
            raise VenueDown(self.venue, "not logged in (401)")
        self._refusals = 0
        try:
            read = json.loads(raw, parse_float=Decimal) if raw else None
        except (ValueError, RecursionError) as error:
            if response.status >= FAILED:
                read = None  # a failure needs no words
            else:
                raise NetworkTimeout(self.venue, f"an answer that cannot be read ({response.status})") from error
        return Answer(response.status, read, _instant(response.headers.get("Date")))

    def _too_many(self, told_s: float | None) -> RateLimited:
        """Stay away: twice as long each time, up to the broker's own penalty; who goes on asking is shut out for good."""
        wait_s = told_s if told_s is not None else min(PENALTY_S, 2.0**self._refusals)
        self._refusals += 1
        if self._refusals > 1:  # once may be an accident; our own session waits as it is told
            self._boxed_until = max(self._boxed_until, self._tools.now() + round(wait_s * NANOS))
        return RateLimited(self.venue, "too many requests (429)", retry_after_s=wait_s)


def words(body: Any) -> str:
    """Return what the broker says in an answer that refuses or fails."""
    if isinstance(body, dict):
        return str(body.get("error") or body.get("message") or body)[:500]
    return "no words" if body is None else str(body)[:500]


def _instant(date: str | None) -> int | None:
    try:
        return None if date is None else int(parsedate_to_datetime(date).timestamp()) * NANOS
    except ValueError:
        return None

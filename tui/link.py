"""The way to one daemon: ask, tell, follow; says when it is away and comes back by itself (EX-1602).

::

    BulkheadError
    ├─ LinkLost       nobody answers: not running, restarting, or the line is cut
    ├─ LinkTimeout    no answer in time: whether it was done is unknown
    └─ LinkRefused    the daemon's own refusal: ``code``, ``message``, ``path``, ``value``
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import quote

from protocol.errors import BulkheadError

if TYPE_CHECKING:
    import aiohttp

__all__ = [
    "ANSWER_S",
    "RETRY_S",
    "DaemonLink",
    "Fetched",
    "Item",
    "Link",
    "LinkLost",
    "LinkRefused",
    "LinkState",
    "LinkTimeout",
    "part",
    "pause",
]

ANSWER_S: Final = 10.0
"""Seconds an answer may take."""

RETRY_S: Final = (0.2, 0.5, 1.0, 2.0)
"""Seconds between tries while the daemon is away; the last one again and again."""

_FILE_S: Final = 60.0
_BEAT_S: Final = 5.0
_REPLAY: Final = 200
_GONE: Final = 404
_AHEAD: Final = 409

Item = Mapping[str, Any]
"""One thing that happened, as the stream sends it."""


class LinkState(StrEnum):
    """How the way to the daemon stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"


class LinkLost(BulkheadError):
    """Nobody answers."""

    code = "NotRunning"


class LinkTimeout(BulkheadError):
    """No answer came in time; whether it was done is unknown."""

    code = "Timeout"


class LinkRefused(BulkheadError):
    """The daemon refuses; ``body`` is its whole answer."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("message", "")))
        self.status = status
        self.body = body
        self.code = str(body.get("code", "Refused"))
        self.path = str(body.get("path", ""))
        self.value = str(body.get("value", ""))


async def pause(seconds: float) -> None:
    """Wait so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().create_future()


def part(text: str) -> str:
    """Return text as one part of an address."""
    return quote(text, safe="")


class Fetched(NamedTuple):
    """A file as it came; ``name`` is what the daemon calls it, empty when it does not say."""

    name: str
    data: bytes


class Link(Protocol):
    """What the cockpit asks; the demo is another one."""

    @property
    def where(self) -> str:
        """Name the daemon for the header."""
        ...

    async def get(self, path: str, **query: Any) -> Any:
        """Return an answer; parameters that are None or empty are left out."""
        ...

    async def fetch(self, path: str, **query: Any) -> Fetched:
        """Return an answer that is a file, as it came."""
        ...

    async def post(self, path: str, body: Any = None, *, timeout_s: float = ANSWER_S, request_id: str = "") -> Any:
        """Tell the daemon to do something; return what it answers."""
        ...

    async def follow(self, hear: Callable[[Item], None], said: Callable[[LinkState, str], None]) -> None:
        """Hear what happens until cancelled; what was missed while the line was cut is heard when it is back."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


class DaemonLink:
    """A daemon on its control socket, or at a URL with a token."""

    def __init__(self, *, socket: Path | None = None, url: str = "", token: str = "") -> None:
        if (socket is None) == (not url):
            raise ValueError("a daemon is reached by its socket or by a URL")
        self._socket = socket
        self._base = url.rstrip("/") if url else "http://bulkhead"
        self._token = token
        self._session: aiohttp.ClientSession | None = None
        self._after: int | None = None
        self._stream = "/v1/stream"
        self._was_there = False

    @property
    def where(self) -> str:
        """Name the daemon: its socket or its address."""
        return self._base if self._socket is None else str(self._socket)

    async def get(self, path: str, **query: Any) -> Any:
        """Return the answer to a GET."""
        return await self._ask("GET", path, params=_wanted(query))

    async def fetch(self, path: str, **query: Any) -> Fetched:
        """Return the answer to a GET as it came; a refusal is understood."""
        status, data, name = await self._answer("GET", path, _FILE_S, params=_wanted(query))
        if status >= 400:
            _understood(status, data)
        return Fetched(name, data)

    async def post(self, path: str, body: Any = None, *, timeout_s: float = ANSWER_S, request_id: str = "") -> Any:
        """Return the answer to a POST; ``request_id`` names the request, sent again under it it acts once."""
        headers = {"X-Request-Id": request_id} if request_id else {}
        return await self._ask(
            "POST", path, timeout_s=timeout_s, json=body if body is not None else {}, headers=headers
        )

    async def follow(self, hear: Callable[[Item], None], said: Callable[[LinkState, str], None]) -> None:
        """Follow for good: after each cut from the position heard last, so that nothing is missed or heard twice."""
        tries = 0
        said(LinkState.CONNECTING, "")
        while True:
            try:
                await self._follow_once(hear, said)
            except (LinkLost, LinkTimeout) as error:
                said(LinkState.RECONNECTING, str(error))
            except LinkRefused as error:
                said(LinkState.RECONNECTING, f"{error} [{error.code}]")
            tries = 0 if self._was_there else tries + 1
            await pause(RETRY_S[min(tries, len(RETRY_S) - 1)])

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    # --- asking --------------------------------------------------------------------------------------------------------

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None or self._session.closed:
            connector = aiohttp.UnixConnector(path=str(self._socket)) if self._socket is not None else None
            headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
            self._session = aiohttp.ClientSession(connector=connector, headers=headers)
        return self._session

    async def _ask(self, method: str, path: str, *, timeout_s: float = ANSWER_S, **more: Any) -> Any:
        status, data, _ = await self._answer(method, path, timeout_s, **more)
        return _understood(status, data)

    async def _answer(self, method: str, path: str, timeout_s: float, **more: Any) -> tuple[int, bytes, str]:
        """Return status, content, and the name it is offered under as a file."""
        import aiohttp

        limit = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._open().request(method, self._base + path, timeout=limit, **more) as response:
                offered = response.content_disposition
                return response.status, await response.read(), (offered.filename or "") if offered is not None else ""
        except TimeoutError as error:
            raise LinkTimeout(f"{self.where} did not answer within {timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise LinkLost(f"no daemon answers on {self.where} ({_why(error)})") from error

    # --- following -----------------------------------------------------------------------------------------------------

    async def _follow_once(self, hear: Callable[[Item], None], said: Callable[[LinkState, str], None]) -> None:
        """Follow until the line is cut, then raise ``LinkLost``; a daemon without this stream is asked for its older one."""
        import aiohttp

        query = self._query()
        self._was_there = False
        try:
            async with self._open().ws_connect(self._base + self._stream, params=query, heartbeat=_BEAT_S) as line:
                self._was_there = True
                said(LinkState.CONNECTED, "")
                async for message in line:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        found = json.loads(message.data)
                        for item in found if isinstance(found, list) else (found,):
                            self._heard(item, hear)
        except aiohttp.WSServerHandshakeError as error:
            if error.status == _GONE and self._stream == "/v1/stream":
                self._stream = "/v1/tail"
                return
            if error.status == _AHEAD and self._after is not None:
                self._after = None  # another journal: what was heard of the old one says nothing about it
                return
            await self.get("/v1/status")  # a question is refused with code and reason, a stream with a number alone
            raise LinkRefused(error.status, {"code": "Refused", "message": error.message}) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LinkLost(f"no daemon answers on {self.where} ({_why(error)})") from error
        raise LinkLost(f"{self.where} ended the connection")

    def _query(self) -> dict[str, str]:
        if self._stream == "/v1/tail":
            return {"last": str(_REPLAY), "severity": "info"}
        begin = {"after": str(self._after)} if self._after is not None else {}
        return {"severity": "info", "bundle": "1", **begin}

    def _heard(self, item: Item, hear: Callable[[Item], None]) -> None:
        """Hear an item once: the older stream begins again with what was heard before."""
        if item.get("kind") in ("hello", "live"):
            self._after = int(item.get("after") or item.get("position") or 0) or self._after
            return
        position = int(item.get("position") or 0)
        if position and self._after is not None and position <= self._after:
            return
        self._after = position or self._after
        hear(item)


def _wanted(query: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value not in (None, "")}


def _understood(status: int, data: bytes) -> Any:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise LinkRefused(status, {"code": "NotJson", "message": f"the answer is no JSON (status {status})"}) from error
    if status == 504:
        raise LinkTimeout(str(document.get("message", "no answer in time")))
    if status >= 400:
        raise LinkRefused(status, document if isinstance(document, dict) else {"message": str(document)})
    return document


def _why(error: BaseException) -> str:
    if isinstance(getattr(error, "os_error", None), FileNotFoundError):
        return "there is no such socket"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)

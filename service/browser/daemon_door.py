"""What the web server asks the daemon: let somebody in, who is this, let them out, how should it look."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp

from protocol.codec import decode_json
from protocol.errors import BulkheadError
from service.api.gate import COOKIE
from service.browser.errors import DoorClosed, LoginNeeded, LoginRefused

__all__ = ["DaemonDoor", "Visitor"]

_ANSWER_S: Final = 10.0
_REFUSED: Final = 401


class Visitor(NamedTuple):
    """Somebody who is logged in: ``proof`` is their session's secret, ``scopes`` what they may do."""

    name: str
    proof: str
    scopes: tuple[str, ...]

    @property
    def session(self) -> str:
        """Name the session without its secret."""
        return self.proof.split("_")[1] if self.proof.count("_") >= 2 else ""

    @property
    def looks_only(self) -> bool:
        """Tell whether every command would be refused anyway."""
        return "trade" not in self.scopes


class DaemonDoor:
    """Asks one daemon on its control socket, or at a URL. A browser's address is passed on; on a socket it is believed."""

    def __init__(self, *, socket: Path | None = None, url: str = "") -> None:
        self.socket = socket
        self.url = url
        self._base = url.rstrip("/") if socket is None else "http://bulkhead"
        self._session: aiohttp.ClientSession | None = None

    async def login(self, name: str, password: str, address: str) -> Visitor:
        """Begin a session; raise ``LoginRefused`` with the daemon's reason, ``DoorClosed`` when nobody answers."""
        body = {"name": name, "password": password, "browser": True}
        status, said, cookies = await self._ask("POST", "/v1/login", {"X-Forwarded-For": address}, json=body)
        if status >= 400 or COOKIE not in cookies:
            raise LoginRefused(status, said)
        return _visitor(said["who"], cookies[COOKIE])

    async def who(self, proof: str, address: str) -> Visitor:
        """Return whose session this is; raise ``LoginNeeded`` when it is nobody's any more."""
        status, said, _ = await self._ask("GET", "/v1/me", _shown(proof, address))
        if status == _REFUSED:
            raise LoginNeeded(str(said.get("code", "")))
        if status >= 400:
            raise LoginRefused(status, said)
        return _visitor(said, proof)

    async def logout(self, visitor: Visitor) -> None:
        """End a session; one that has ended already stays so."""
        await self._ask("POST", "/v1/logout", _shown(visitor.proof, ""))

    async def setting(self, visitor: Visitor, key: str) -> Any:
        """Return a setting in force, None when the daemon does not say."""
        status, said, _ = await self._ask("GET", "/v1/config", _shown(visitor.proof, ""))
        rows = said.get("effective", ()) if status < 400 else ()
        return next((row["value"] for row in rows if row["key"] == key), None)

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str], **more: Any
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        limit = aiohttp.ClientTimeout(total=_ANSWER_S)
        try:
            async with self._opened().request(
                method, self._base + path, headers=headers, timeout=limit, **more
            ) as answer:
                said = decode_json(await answer.read(), dict[str, Any])
                return answer.status, said, {name: each.value for name, each in answer.cookies.items()}
        except (aiohttp.ClientError, OSError, TimeoutError, BulkheadError) as error:
            raise DoorClosed(f"no daemon answers on {self.url or self.socket} ({error})") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.UnixConnector(path=str(self.socket)) if self.socket is not None else None
            # Nobody's cookies are kept: each request shows those of the one it is for.
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _visitor(who: Mapping[str, Any], proof: str) -> Visitor:
    return Visitor(str(who["name"]), proof, tuple(who["scopes"]))


def _shown(proof: str, address: str) -> dict[str, str]:
    forwarded = {"X-Forwarded-For": address} if address else {}
    return {"Authorization": f"Bearer {proof}", **forwarded}

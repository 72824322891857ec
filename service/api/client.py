"""A small synchronous client of the control socket: what the command line needs, light to import.

::

    BulkheadError
    ├─ DaemonNotRunning     nobody answers on the socket
    ├─ DaemonTimeout        no answer in time: whether it was done is unknown
    └─ DaemonRefused        the daemon's own refusal, in the one error shape
"""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from protocol.errors import BulkheadError

__all__ = ["Client", "DaemonNotRunning", "DaemonRefused", "DaemonTimeout"]


class DaemonNotRunning(BulkheadError):
    """Nobody answers on the socket."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"no daemon answers on {path} ({why})")
        self.socket = path


class DaemonTimeout(BulkheadError):
    """The daemon did not answer in time; whether it did what was asked is unknown."""


class DaemonRefused(BulkheadError):
    """The daemon refuses; ``body`` is its whole answer, whose ``code``, ``path``, ``message``, ``value`` say why."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body.get("message", "")))
        self.status = status
        self.body = body

    @property
    def code(self) -> str:
        """The stable name of the refusal."""
        return str(self.body.get("code", "Refused"))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("bulkhead", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Client:
    """Asks one daemon; each request is a connection of its own, so a daemon that restarts is simply asked again."""

    def __init__(self, socket_path: Path, *, timeout_s: float = 10.0) -> None:
        self.socket_path = socket_path
        self.timeout_s = timeout_s

    def get(self, path: str, **query: Any) -> Any:
        """Return the answer to a GET; parameters that are None or empty are left out."""
        wanted = {name: value for name, value in query.items() if value not in (None, "")}
        return self._request("GET", path + (f"?{urlencode(wanted)}" if wanted else ""), None, None)

    def raw(self, path: str, **query: Any) -> bytes:
        """Return the bytes that a GET is answered with, for answers that are no JSON documents."""
        status, data = self._exchange("GET", f"{path}?{urlencode(query)}", None, None)
        if status >= 400:
            self._understood(status, data)
        return data

    def post(self, path: str, body: Any = None, *, timeout_s: float | None = None) -> Any:
        """Return the answer to a POST of a JSON document; text is sent as it is."""
        data = body if isinstance(body, str) else json.dumps(body if body is not None else {})
        return self._request("POST", path, data.encode(), timeout_s)

    @staticmethod
    def part(text: str) -> str:
        """Return text as one part of an address."""
        return quote(text, safe="")

    def _request(self, method: str, path: str, body: bytes | None, timeout_s: float | None) -> Any:
        return self._understood(*self._exchange(method, path, body, timeout_s))

    def _exchange(self, method: str, path: str, body: bytes | None, timeout_s: float | None) -> tuple[int, bytes]:
        connection = _UnixConnection(self.socket_path, timeout_s or self.timeout_s)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            data = response.read()
        except TimeoutError as error:
            raise DaemonTimeout(f"the daemon on {self.socket_path} did not answer in time") from error
        except (OSError, http.client.HTTPException) as error:
            raise DaemonNotRunning(self.socket_path, _why(error)) from error
        finally:
            connection.close()
        return response.status, data

    def _understood(self, status: int, data: bytes) -> Any:
        try:
            document = json.loads(data)
        except ValueError as error:
            raise DaemonRefused(status, {"code": "NotJson", "message": "the daemon's answer is no JSON"}) from error
        if status == 504:
            raise DaemonTimeout(str(document.get("message", "no answer in time")))
        if status >= 400:
            raise DaemonRefused(status, document)
        return document


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such socket"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)

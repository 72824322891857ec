"""A small synchronous client of the control socket, or of the network door: what the command line needs, light to import.

::

    BulkheadError
    ├─ DaemonNotRunning     nobody answers on the socket
    ├─ DaemonTimeout        no answer in time: whether it was done is unknown
    ├─ UnsafeAddress        a token would leave this machine unencrypted
    └─ DaemonRefused        the daemon's own refusal, in the one error shape
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlencode, urlsplit

from protocol.errors import BulkheadError

__all__ = ["Client", "DaemonNotRunning", "DaemonRefused", "DaemonTimeout", "UnsafeAddress"]

_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PIECE: Final = 1 << 18


class DaemonNotRunning(BulkheadError):
    """Nobody answers on the socket."""

    def __init__(self, path: Path | str, why: str) -> None:
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


class UnsafeAddress(BulkheadError):
    """A token would leave this machine unencrypted, or the address is none."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("bulkhead", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Client:
    """Asks one daemon; each request is a connection of its own, so a daemon that restarts is simply asked again.

    With a ``url`` it goes there and shows ``token``, else to the socket. The certificate is checked as the system does it;
    ``SSL_CERT_FILE`` names those of your own.
    """

    def __init__(self, socket_path: Path, *, timeout_s: float = 10.0, url: str = "", token: str = "") -> None:
        self.socket_path = socket_path
        self.timeout_s = timeout_s
        self.url = _checked(url) if url else ""
        self.token = token

    @property
    def headers(self) -> dict[str, str]:
        """Return what proves who asks."""
        return {"Authorization": f"Bearer {self.token}"} if self.token and self.url else {}

    def get(self, path: str, **query: Any) -> Any:
        """Return the answer to a GET; parameters that are None or empty are left out."""
        wanted = {name: value for name, value in query.items() if value not in (None, "")}
        return self._request("GET", path + (f"?{urlencode(wanted)}" if wanted else ""), None, None)

    def fetch(
        self, path: str, out: BinaryIO, query: Mapping[str, Any], told: Callable[[int, int], None] | None = None
    ) -> str:
        """Write what a GET is answered with to ``out`` as it comes; return the file name it is offered under.

        ``told`` hears how many bytes there are, and of how many (0 when nobody knows).
        """
        wanted = {name: value for name, value in query.items() if value not in (None, "")}
        with closing(self._connection(self.timeout_s)) as connection:
            with self._named_errors():
                connection.request("GET", f"{path}?{urlencode(wanted)}", None, self.headers)
                response = connection.getresponse()
            if response.status >= 400:
                with self._named_errors():
                    data = response.read()
                self._understood(response.status, data)
            of, done = int(response.headers.get("Content-Length", 0)), 0
            while True:
                with self._named_errors():  # an error of ``out`` is not one of the daemon's
                    piece = response.read(_PIECE)
                if not piece:
                    break
                out.write(piece)
                done += len(piece)
                if told is not None:
                    told(done, of)
            if done < of:
                raise DaemonNotRunning(self.where, "its answer broke off")
            return response.headers.get_filename("")

    def post(
        self, path: str, body: Any = None, *, timeout_s: float | None = None, request_id: str = "", reason: str = ""
    ) -> Any:
        """Return the answer to a POST of a JSON document; text is sent as it is.

        With a ``request_id`` it is done once, however often it is sent; ``reason`` stands in the audit log.
        """
        data = body if isinstance(body, str) else json.dumps(body if body is not None else {})
        more = {"X-Request-Id": request_id, "X-Reason": quote(reason)}
        given = {name: value for name, value in more.items() if value}
        return self._understood(*self._exchange("POST", path, data.encode(), timeout_s, given))

    @staticmethod
    def part(text: str) -> str:
        """Return text as one part of an address."""
        return quote(text, safe="")

    def _request(self, method: str, path: str, body: bytes | None, timeout_s: float | None) -> Any:
        return self._understood(*self._exchange(method, path, body, timeout_s))

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        timeout_s: float | None,
        more: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        kind = {"Content-Type": "application/json"} if body else {}
        with closing(self._connection(timeout_s or self.timeout_s)) as connection, self._named_errors():
            connection.request(method, path, body, {**self.headers, **kind, **(more or {})})
            response = connection.getresponse()
            return response.status, response.read()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise DaemonTimeout(f"the daemon on {self.where} did not answer in time") from error
        except (OSError, http.client.HTTPException) as error:
            raise DaemonNotRunning(self.where, _why(error)) from error

    @property
    def where(self) -> Path | str:
        """Return where the daemon is asked."""
        return self.url or self.socket_path

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        if not self.url:
            return _UnixConnection(self.socket_path, timeout_s)
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout_s, context=context)

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


def _checked(url: str) -> str:
    """Return an address without what stands after host and port; refuse one that would carry a token in plain text."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnsafeAddress(f"{url} is no address: https://HOST:PORT")
    if parts.scheme == "http" and parts.hostname not in _HERE:
        raise UnsafeAddress(f"{url}: what is not on this machine is asked over https:// alone")
    return f"{parts.scheme}://{parts.netloc}"


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such socket"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)

"""One thread's way to OANDA: oandapyV20's client over sockets that can be cut from outside and that send nothing too late.

What the library and ``requests`` do on their own is switched off: no retry, no redirect (a redirected POST is sent again),
no credentials from ``~/.netrc``. A cut closes the sockets with a reset: what was not sent yet does not leave afterwards.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Generator
from typing import Any, Final

import oandapyV20.oandapyV20
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from venues.access import Access

__all__ = ["CONNECT_S", "READ_S", "STREAM_READ_S", "Endpoint", "NotSent", "Wire", "WrongStatus", "environment"]

CONNECT_S: Final = 3.05
READ_S: Final = 5.0
STREAM_READ_S: Final = 20.0
"""Longest silence of a stream's socket: heartbeats come every 5 s; the loop's own deadline is shorter."""

logging.getLogger("oandapyV20").setLevel(logging.CRITICAL)
# It logs every failed request with its whole address and answer; each failure is told by us, in our words.

_SOCKET: Final = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    # Closing throws away what the kernel still holds: a request that we gave up must not be delivered minutes later.
    (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
]


class NotSent(OSError):
    """The request was held back: its time is over, or this way was cut."""


class WrongStatus(Exception):
    """An answer that is neither success nor an error of the venue (a redirect): ``status`` is what it said."""

    def __init__(self, status: int) -> None:
        super().__init__(f"an answer with status {status}")
        self.status = status


class Endpoint:
    """What oandapyV20 asks of a request, without its endpoint classes.

    Theirs need a package that is not among their requirements, and raise for an unexpected 2xx after the order was taken.
    """

    HEADERS: Final = {"Content-Type": "application/json"}

    def __init__(
        self, method: str, path: str, *, params: dict[str, Any] | None = None, data: Any = None, stream: bool = False
    ) -> None:
        self.method = method
        self.path = path
        self.params = params or {}
        self.data = data
        self.STREAM = stream
        self.response: Any = None
        self.status_code = 0

    def __str__(self) -> str:
        return self.path


def environment(access: Access) -> str:
    """Return the name under which the library finds this account's addresses; replaced ones are registered."""
    known: dict[str, dict[str, str]] = oandapyV20.oandapyV20.TRADING_ENVIRONMENTS
    name = "practice" if access.testnet else "live"
    if not access.url and not access.stream_url:
        return name
    api = (access.url or known[name]["api"]).rstrip("/")
    stream = (access.stream_url or access.url or known[name]["stream"]).rstrip("/")
    own = f"{api} {stream}"
    known[own] = {"api": api, "stream": stream}
    return own


class Wire:
    """One client with one connection, used by one thread; ``cut`` may be called from any other."""

    def __init__(self, access: Access, *, read_s: float = READ_S) -> None:
        self.sent = False
        """Whether a byte of the present request has left."""
        self.headers: dict[str, str] = {}
        """Of the newest answer, by lower-case name."""
        self.dead = False
        self._may_send: Callable[[], bool] = lambda: True
        self._sockets: set[socket.socket] = set()
        self._answered: Callable[[], None] = lambda: None
        self._response: Any = None
        self._api = oandapyV20.API(
            access_token=access.secret.reveal(),
            environment=environment(access),
            request_params={"timeout": (CONNECT_S, read_s), "allow_redirects": False},
        )
        client = self._api.client
        client.trust_env = False
        for scheme in ("https://", "http://"):
            client.mount(scheme, _Guarded(self))
        client.hooks["response"].append(self._note)

    def call(self, endpoint: Endpoint, may_send: Callable[[], bool] = lambda: True) -> Any:
        """Make one request and return the answer; ``may_send`` is asked right before the first byte leaves.

        Raises what the library raises (V20Error, requests' and JSON's errors), NotSent, WrongStatus.
        """
        self.sent, self.headers, self._may_send = False, {}, may_send
        return self._api.request(endpoint)

    def listen(self, endpoint: Endpoint, opened: Callable[[], None]) -> Generator[Any]:
        """Yield a stream's messages; ``opened`` is called when the venue has accepted it."""
        self._answered = opened
        try:
            yield from self.call(endpoint)
        finally:
            if self._response is not None:
                self._response.close()

    def cut(self) -> None:
        """End whatever goes on: the thread that waits in it is woken with an error, and nothing is sent afterwards."""
        self.dead = True
        for each in tuple(self._sockets):
            try:
                socket.socket.shutdown(each, socket.SHUT_RDWR)
            except OSError:
                continue  # it has ended meanwhile

    def close(self) -> None:
        """Close the connection; only by the thread that uses it."""
        self._api.close()
        for each in tuple(self._sockets):
            each.close()  # of a connection that was given up before it was one
        self._sockets.clear()

    def _note(self, response: Any, *_: Any, **__: Any) -> None:
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        if 300 <= response.status_code < 400:
            response.close()
            raise WrongStatus(response.status_code)
        self._response = response
        self._answered()

    # --- asked by the connections --------------------------------------------------------------------------------------

    def opens(self, sock: socket.socket) -> None:
        """Note a socket; refuse it when this way was cut meanwhile."""
        self._sockets.add(sock)
        if self.dead:
            raise NotSent("cut while it connected")

    def closes(self, sock: socket.socket | None) -> None:
        """Forget a socket."""
        if sock is not None:
            self._sockets.discard(sock)

    def sends(self) -> None:
        """Refuse the first byte of a request that may not leave any more."""
        if self.dead or (not self.sent and not self._may_send()):
            raise NotSent("too late to be sent")
        self.sent = True


class _Guarded(HTTPAdapter):
    """Makes connections that ask their wire before they send."""

    def __init__(self, wire: Wire) -> None:
        self._plain, self._secure = _connections(wire)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give every connection our socket options."""
        super().init_poolmanager(*args, **kwargs, socket_options=_SOCKET)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Have the pool make our kind of connection."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = self._secure if pool.scheme == "https" else self._plain
        return pool


def _connections(wire: Wire) -> tuple[type[HTTPConnection], type[HTTPSConnection]]:
    """Return both kinds of connection, tied to a wire."""

    class Tied(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            wire.opens(self.sock)

        def send(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            wire.sends()
            super().send(data)

        def close(self) -> None:
            wire.closes(self.sock)
            super().close()

    class Secure(Tied, HTTPSConnection):
        """The same over TLS: ``super()`` in ``Tied`` is ``HTTPSConnection`` here."""

    return Tied, Secure

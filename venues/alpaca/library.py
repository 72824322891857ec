"""The one place that imports alpaca-py: its clients without retries and with deadlines, its streams without their own loops.

What is switched off, and why (see docs/decisions/0027-alpaca-py-in-threads.md): retries of 429 and 504 (an order must be
sent at most once), waiting for ever (the library sets no timeout), redirects of the event loop (``run``, ``stop``).
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any, Final

import msgpack  # type: ignore[import-untyped] # it has no types
import requests
from requests.adapters import HTTPAdapter

with warnings.catch_warnings():
    # alpaca-py builds on websockets' legacy client, which says so at every import.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.data.live.stock import StockDataStream
    from alpaca.trading.client import TradingClient
    from alpaca.trading.stream import TradingStream
    from websockets import WebSocketException

__all__ = ["APIError", "Prices", "Updates", "WebSocketException", "data_client", "trading_client"]

_Hears = Callable[[Any], Awaitable[None]]

_CONNECT_S: Final = 3.05
_ANSWER_S: Final = 8.0
"""Below the session's own patience, so that its verdict and ours agree."""

_QUIET: Final = logging.getLogger("bulkhead.alpaca.wire")
"""Of the sockets. At debug level they write every frame, the one with the secret too: this one never does."""
_QUIET.setLevel(logging.WARNING)

_SOCKET: Final = {"ping_interval": 10, "ping_timeout": 20, "max_queue": 1024, "close_timeout": 1, "logger": _QUIET}


class _Deadline(HTTPAdapter):
    """Give every request a timeout; alpaca-py gives none."""

    def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override] # the options are the base's
        if options.get("timeout") is None:
            options["timeout"] = (_CONNECT_S, _ANSWER_S)
        return super().send(request, **options)


def _tame(client: Any) -> None:
    """Take a client's retries away, give it deadlines, and have its numbers come as text says them, not as floats."""
    client._retry = 0  # the constructor takes no zero for "none"
    session: requests.Session = client._session
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Deadline(max_retries=0))
    session.trust_env = False
    session.hooks["response"].append(_exactly)


def _exactly(response: Any, *_: Any, **__: Any) -> None:
    response.json = partial(response.json, parse_float=Decimal)


def trading_client(key: str, secret: str, *, paper: bool, url: str) -> Any:
    """Return the client of orders, account and assets; ``url`` empty: Alpaca's own."""
    client = TradingClient(key, secret, paper=paper, raw_data=True, url_override=url or None)
    _tame(client)
    return client


def data_client(key: str, secret: str, *, url: str) -> Any:
    """Return the client of bars and snapshots; ``url`` empty: Alpaca's own."""
    client = StockHistoricalDataClient(key, secret, raw_data=True, url_override=url or None)
    _tame(client)
    return client


class Updates(TradingStream):
    """The stream of trade updates: ``begin``, then ``consume`` until it breaks; it never connects a second time."""

    def __init__(self, key: str, secret: str, *, paper: bool, url: str) -> None:
        endpoint = f"{url}/stream" if url else None
        super().__init__(
            key,
            secret,
            paper=paper,
            raw_data=True,
            url_override=endpoint,  # type: ignore[arg-type] # it says so, and takes None
            websocket_params=dict(_SOCKET),
        )

    async def begin(self, hears: _Hears) -> None:
        """Connect, log in and listen; return when the venue has said that it will tell."""
        self.subscribe_trade_updates(hears)
        await self._start_ws()  # type: ignore[no-untyped-call] # the library is half typed
        socket: Any = self._ws
        while json.loads(await socket.recv()).get("stream") != "listening":
            continue

    async def consume(self) -> None:
        """Hand on what comes; raise when the connection ends or a message cannot be read."""
        # Not the library's own loop: it waits with ``wait_for``, which may lose a cancellation (Python 3.11).
        socket: Any = self._ws
        while True:
            await self._dispatch(json.loads(await socket.recv()))


class Prices(StockDataStream):
    """The stream of quotes and trades; as ``Updates``."""

    def __init__(self, key: str, secret: str, *, url: str) -> None:
        endpoint = f"{url}/v2/iex" if url else None
        super().__init__(key, secret, raw_data=True, url_override=endpoint, websocket_params=dict(_SOCKET))

    async def begin(self, hears: _Hears, symbols: Iterable[str]) -> None:
        """Connect, log in and ask for symbols; return when the venue has said that it will tell."""
        await self._start_ws()
        await self.want(hears, symbols)
        while not await self._next("subscription"):
            continue

    async def want(self, hears: _Hears, symbols: Iterable[str]) -> None:
        """Ask for symbols too."""
        # ``_running`` stays false: the library would otherwise wait for its own loop from within that loop.
        self.subscribe_quotes(hears, *symbols)
        self.subscribe_trades(hears, *symbols)
        await self._send_subscribe_msg()

    async def consume(self) -> None:
        """Hand on what comes; raise when the connection ends or a message cannot be read."""
        try:
            while True:
                await self._next()
        except msgpack.UnpackException as error:
            raise ValueError(f"a message that cannot be read: {error}") from error

    async def _next(self, kind: str = "") -> bool:
        """Hand on what one frame says; return whether a message of this kind was among it."""
        socket: Any = self._ws
        messages = msgpack.unpackb(await socket.recv())
        for message in messages:
            await self._dispatch(message)
        return any(message.get("T") == kind for message in messages)

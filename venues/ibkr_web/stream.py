"""The WebSocket: orders, trades and quotes as they change; opened again when it breaks, and asked about when it is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

import aiohttp

from protocol.market import FeedState
from venues.access import Access, Tools
from venues.errors import VenueDown, VenueError
from venues.ibkr_web.book import Book, Row
from venues.ibkr_web.lists import Lists
from venues.ibkr_web.market import FIELDS, Quotes
from venues.ibkr_web.oauth import Signer
from venues.ibkr_web.session import Session
from venues.ibkr_web.wire import Wire

__all__ = ["AUDIT_S", "SILENCE_S", "Stream"]

SILENCE_S: Final = 35.0
"""The broker says something every ten seconds: a stream that is silent for so long is none."""

AUDIT_S: Final = 30.0
"""How often the lists are compared with what the stream told: a mute one cannot be noticed by its silence."""

_POLL_S: Final = 2.0
_TIC_S: Final = 10.0
_AGAIN_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_LOOK_S: Final = 15.0
_OPEN_S: Final = 5.0


class Stream:
    """The stream of one connection. ``feed`` hears how it does; ``live`` is whether it tells."""

    def __init__(
        self,
        access: Access,
        tools: Tools,
        wire: Wire,
        session: Session,
        signer: Signer | None,
        book: Book,
        lists: Lists,
        quotes: Quotes,
        feed: Callable[[FeedState, str], None],
    ) -> None:
        self._access = access
        self._tools = tools
        self._wire = wire
        self._session = session
        self._signer = signer
        self._book = book
        self._lists = lists
        self._quotes = quotes
        self._feed = feed
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._incomplete = asyncio.Event()
        self._gone = asyncio.Event()
        self.live = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Open it for the first time; raises VenueDown."""
        self._socket = await self._connect()
        self._gone.clear()
        work = (self._run, self._tic, self._complete, self._audit, self._poll, self._look)
        self._tasks = [asyncio.create_task(each()) for each in work]

    async def close(self) -> None:
        """End it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    async def follow(self, con_id: int) -> None:
        """Ask for a contract's quotes; when there is no stream they are polled until there is."""
        await self._say(f"smd+{con_id}+{json.dumps({'fields': FIELDS})}")

    # --- the socket ----------------------------------------------------------------------------------------------------

    def _address(self) -> str:
        base = self._access.stream_url or self._wire.base.replace("http", "ws", 1)
        token = "" if self._signer is None else f"?oauth_token={self._signer.access_token}"
        return f"{base.rstrip('/')}/ws{token}"

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        """Open a socket and ask for orders and trades. No error carries the address: it holds the token."""
        headers = {"Cookie": f"api={self._session.cookie}"}
        try:
            async with asyncio.timeout(_OPEN_S):
                socket = await self._wire.http.ws_connect(self._address(), headers=headers, autoping=True)
                for text in (
                    json.dumps({"session": self._session.cookie}),
                    "sor+{}",
                    'str+{"realtimeUpdatesOnly":true}',
                ):
                    await socket.send_str(text)
                for con_id in self._quotes.followed:
                    await socket.send_str(f"smd+{con_id}+{json.dumps({'fields': FIELDS})}")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise VenueDown(self._access.venue, f"no stream: {type(error).__name__}") from None
        self.live.set()
        return socket

    async def _say(self, text: str) -> None:
        if self._socket is not None and not self._socket.closed:
            with suppress(aiohttp.ClientError, ConnectionError):
                await self._socket.send_str(text)

    async def _run(self) -> None:
        """Read, and open it again whenever it ends; what happened meanwhile is in the lists."""
        while True:
            reason = "closed" if self._socket is None else await self._read(self._socket)
            self.live.clear()
            self._feed(FeedState.DEGRADED, f"the stream broke: {reason}")
            await self._again()
            self._feed(FeedState.LIVE, "the stream is back")
            self._incomplete.set()

    async def _again(self) -> None:
        tries = 0
        while True:
            await self._tools.sleep(_AGAIN_S[min(tries, len(_AGAIN_S) - 1)])
            tries += 1
            with suppress(VenueError):
                self._socket = await self._connect()
                return

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        try:
            while True:
                message = await socket.receive(timeout=SILENCE_S)
                if message.type is aiohttp.WSMsgType.TEXT or message.type is aiohttp.WSMsgType.BINARY:
                    self._hear(json.loads(message.data, parse_float=Decimal))
                else:
                    return "the broker closed it"
        except TimeoutError:
            return f"silent for {SILENCE_S:g} s"
        except (ValueError, KeyError, TypeError, AttributeError, aiohttp.ClientError, OSError) as error:
            return f"a message that cannot be read: {type(error).__name__}"
        finally:
            with suppress(aiohttp.ClientError, OSError):
                await socket.close()

    # --- what is heard -------------------------------------------------------------------------------------------------

    def _hear(self, told: Any) -> None:
        if not isinstance(told, dict):
            return
        topic, args = str(told.get("topic", "")), told.get("args")
        if topic.startswith("smd+"):
            self._quotes.take(told)
        elif topic == "str":
            self._each(args, self._book.trade)
        elif topic == "sor":
            self._each(args, self._book.order)
        elif topic == "sts" and isinstance(args, Mapping) and args.get("authenticated") is False:
            self._feed(FeedState.DEGRADED, "the broker ended the brokerage session")

    def _each(self, rows: Any, take: Callable[[Row], bool]) -> None:
        for row in rows if isinstance(rows, list) else [rows] if isinstance(rows, dict) else ():
            if self._book.hears(row) and not take(row):
                self._incomplete.set()

    # --- beside it -----------------------------------------------------------------------------------------------------

    async def _complete(self) -> None:
        """Ask for the lists whenever something was told that is not whole, or not told at all."""
        while True:
            await self._incomplete.wait()
            self._incomplete.clear()
            try:
                await self._lists.fetch()
            except VenueError:
                await self._tools.sleep(_POLL_S)
                self._incomplete.set()

    async def _tic(self) -> None:
        while True:
            await self._tools.sleep(_TIC_S)
            await self._say("tic")

    async def _audit(self) -> None:
        """Compare what was told with the lists; a stream that kept trades back is opened again."""
        while True:
            await self._tools.sleep(AUDIT_S)
            before = self._lists.missed
            with suppress(VenueError):
                await self._lists.fetch()
            if self.live.is_set() and self._lists.missed > before and self._socket is not None:
                await self._socket.close()

    async def _poll(self) -> None:
        """While there is no stream, ask: for quotes and for the lists."""
        while True:
            await self._tools.sleep(_POLL_S)
            if self.live.is_set():
                continue
            for ask in (self._quotes.poll, self._lists.fetch):
                await self._quietly(ask)

    async def _look(self) -> None:
        while True:
            await self._tools.sleep(_LOOK_S)
            if self._quotes.mute and self.live.is_set():
                self._feed(FeedState.DEGRADED, "no prices: the market is closed, or its data is gone")
                for con_id in tuple(self._quotes.followed):
                    await self.follow(con_id)

    async def _quietly(self, ask: Callable[[], Awaitable[None]]) -> None:
        with suppress(VenueError):
            await ask()

"""A TWS gateway: its socket protocol on loopback, the hall behind it. Real clients connect to it unchanged.

What a real gateway checks is checked: one connection a client id (326), order ids never used twice (103), contracts known
(200), fifty messages a second (100). A second order with the same reference IS a second order here, as it is there.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Self

from runtime.listening import stop_accepting
from tests.servers.venues.faults import Fault, On, Unruly, late
from tests.servers.venues.hall import NS, Hall
from tests.servers.venues.tws_answers import Answers
from tests.servers.venues.tws_orders import Orders
from tests.servers.venues.tws_words import VERSION, Listed, frame

__all__ = ["Connection", "TwsVenue"]

PLACE, CANCEL = 3, 4
MESSAGES_A_SECOND = 50


class Connection:
    """One client. ``tell`` is for what the gateway says by itself: faults befall it; ``reply`` is for answers."""

    def __init__(self, venue: TwsVenue, writer: asyncio.StreamWriter) -> None:
        self.client_id = -1
        self.deaf = False
        """Nothing reaches it any more, though it is still connected."""
        self.tickers: dict[int, Listed] = {}
        self._came: deque[int] = deque(maxlen=MESSAGES_A_SECOND + 1)
        self._venue = venue
        self._writer = writer
        self._way = Unruly(venue.faults, self._write, self.cut)

    def tell(self, fields: Iterable[Any]) -> None:
        """Say something unasked, whatever is armed."""
        whole = frame(fields)
        self._way.tell(whole, whole[: len(whole) // 2])

    def reply(self, fields: Iterable[Any]) -> None:
        """Answer; no fault befalls it."""
        self._write(frame(fields))

    def error(self, request: int, code: int, text: str) -> None:
        """Say an error or a notice."""
        self.reply([4, 2, request, code, text, ""])

    def too_fast(self, now: int) -> bool:
        """Take note of a message; say whether it is one too many."""
        self._came.append(now)
        return len(self._came) > MESSAGES_A_SECOND and self._came[0] > now - NS

    def cut(self) -> None:
        """End the connection without a word."""
        self.deaf = True
        self._writer.close()
        if self in self._venue.connections:
            self._venue.connections.remove(self)

    def _write(self, data: bytes) -> None:
        if not self.deaf and not self._writer.is_closing():
            self._writer.write(data)


class TwsVenue:
    """A gateway with one account: ``async with`` it. ``requests`` counts what came, by message number."""

    def __init__(self, hall: Hall, contracts: Iterable[Listed], account: str = "DU1234567") -> None:
        self.hall = hall
        self.faults = hall.faults
        self.account = account
        self.contracts = {each.con_id: each for each in contracts}
        self.port = 0
        self.connections: list[Connection] = []
        self.requests: list[int] = []
        self.held: asyncio.Event | None = None
        """While set to an unset event, requests for market data wait for it: a chain request in flight."""
        self.holding = asyncio.Event()
        """Whether one has come."""
        self.linked = True
        self.zone_s = 0
        """How far the gateway's own clock is ahead of UTC."""
        self.orders = Orders(self)
        self.answers = Answers(self)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._deaf: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._deaf = self.hall.listen(self._hear)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Drop everybody; ``async with`` again brings the gateway back on the same port."""
        self._deaf()
        self.hall.close()
        server, self._server = self._server, None
        if server is not None:
            await stop_accepting(server.sockets)
        self.drop()
        if server is not None:
            server.close()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    def drop(self) -> None:
        """End every connection."""
        for each in tuple(self.connections):
            each.cut()

    def notify(self, code: int, text: str) -> None:
        """Tell everybody a notice of the system: 1100, 1101, 1102, 2103, 10197 and so on."""
        if code in (1100, 1101, 1102):
            self.linked = code != 1100
        for each in self.connections:
            each.error(-1, code, text)

    # --- the socket ----------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = Connection(self, writer)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._greet(reader, writer)
                while True:
                    await self._take(connection, await _read(reader))
        except asyncio.CancelledError:
            connection.deaf = True
        finally:
            self._tasks.discard(task)
            if connection in self.connections:
                self.connections.remove(connection)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(4) == b"API\0"
        wanted = (await _read(reader))[0]
        assert wanted.startswith("v"), wanted
        writer.write(frame([VERSION, self.answers.local_time()]))

    async def _take(self, connection: Connection, fields: list[str]) -> None:
        number = int(fields[0])
        self.requests.append(number)
        if number == 71:
            self._start(connection, int(fields[2]))
            return
        kind: On = {PLACE: "orders", CANCEL: "cancels"}.get(number, "reads")  # type: ignore[assignment] # literals all
        await late(self.faults, kind)
        if connection.too_fast(self.hall.now()) or self.faults.take(Fault.TOO_MANY, kind):
            connection.error(_request(fields), 100, "Max rate of messages per second has been exceeded:max=50")
            return
        if self.faults.take(Fault.MAINTENANCE, kind):
            self.notify(1100, "Connectivity between IBKR and Trader Workstation has been lost.")
            connection.cut()
            self.linked = True  # the nightly reset is over before anybody has come back
            return
        if self.faults.take(Fault.SERVER_ERROR, kind):
            connection.error(_request(fields), 10000 if number == PLACE else 366, "Internal server problem")
            return
        if self.faults.take(Fault.REQUEST_LOST, kind):
            connection.cut()
            return
        if self.faults.take(Fault.ANSWER_LOST, kind):
            connection.deaf = True
            await self._answer(connection, number, fields)
            connection.cut()
            return
        if kind == "reads" and self.faults.take(Fault.MALFORMED, kind):
            connection.reply([4, 2, "nonsense"])
            connection.cut()
            return
        await self._answer(connection, number, fields)

    def _start(self, connection: Connection, client_id: int) -> None:
        if any(each.client_id == client_id for each in self.connections):
            connection.error(-1, 326, f"Unable to connect as the client id {client_id} is already in use.")
            connection.cut()
            return
        connection.client_id = client_id
        self.connections.append(connection)
        connection.reply([15, 1, self.account])
        connection.reply([9, 1, self.orders.next_id(client_id)])
        for code, text in (
            (2104, "Market data farm connection is OK:usfarm"),
            (2106, "HMDS data farm connection is OK:ushmds"),
        ):
            connection.error(-1, code, text)
        if not self.linked:
            connection.error(-1, 1100, "Connectivity between IBKR and Trader Workstation has been lost.")

    async def _answer(self, connection: Connection, number: int, fields: list[str]) -> None:
        if number == PLACE:
            self.orders.place(connection, fields)
        elif number == CANCEL:
            self.orders.cancel(connection, int(fields[2]))
        elif (answer := self.answers.table.get(number)) is not None:
            if number == 1:
                self.holding.set()
                if self.held is not None:
                    await self.held.wait()
            answer(connection, fields)

    def _hear(self, fact: Any) -> None:
        self.orders.hear(fact)
        self.answers.hear(fact)


async def _read(reader: asyncio.StreamReader) -> list[str]:
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    text = (await reader.readexactly(length)).decode()
    return text.split("\0")[: text.count("\0")] or [text]


def _request(fields: list[str]) -> int:
    """Return the number of a request that its error is told with; -1 where it has none."""
    at = {PLACE: 1, CANCEL: 2, 1: 2, 7: 2, 9: 2, 20: 1, 62: 2, 76: 2, 78: 1}.get(int(fields[0]))
    return -1 if at is None else int(fields[at])

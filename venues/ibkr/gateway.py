"""The library's connection as we use it: on the running loop, with the numbers of trades as they were written.

ib_async turns every number into a float and swallows messages that it cannot read; it remembers the first event loop for
ever, throttles by itself, and calls an order cancelled whose cancel was refused. So we use it for what it is good at (the
protocol and its parsing) and hear the wire ourselves: ``Hears`` gets every fact about orders as it came.
"""

# mypy: allow-untyped-calls
# The library is typed only in part.

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple, Protocol

from ib_async.client import Client
from ib_async.connection import Connection
from ib_async.decoder import Decoder
from ib_async.ib import IB
from ib_async.objects import IBDefaults
from ib_async.wrapper import Wrapper

__all__ = ["Gateway", "Hears", "Trade", "exact"]

_PREFIX: Final = 4
EXECUTION, COMMISSION, ORDER, STATUS, COMPLETED, POSITION = 11, 59, 5, 3, 101, 61
_MATTERS: Final = frozenset({EXECUTION, COMMISSION, ORDER, STATUS, COMPLETED, POSITION})
"""Messages that must not be lost: one that cannot be read ends the connection, the next one asks for all of it again."""
_UNSET: Final = 1e300
_UNREADABLE: Final = (ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError, InvalidOperation)

logging.getLogger("ib_async").setLevel(logging.CRITICAL + 1)  # what it would log is told by us, in our words


class Trade(NamedTuple):
    """Quantity and price of an execution, as the broker wrote them."""

    qty: Decimal
    price: Decimal


class Hears(Protocol):
    """Who hears the wire."""

    def order(self, contract: Any, order: Any, status: str) -> None:
        """Hear of an open order, as it is."""
        ...

    def status(self, order_id: int, client_id: int, perm_id: int, status: str, filled: Decimal) -> None:
        """Hear where an order stands."""
        ...

    def execution(self, contract: Any, execution: Any, trade: Trade) -> None:
        """Hear of a trade."""
        ...

    def commission(self, execution_id: str, amount: Decimal, currency: str) -> None:
        """Hear what a trade cost."""
        ...

    def completed(self, contract: Any, order: Any, state: Any) -> None:
        """Hear of an order of today that is over."""
        ...

    def error(self, request: int, code: int, text: str) -> None:
        """Hear an error or a notice; ``request`` is an order id, another request, or -1."""
        ...

    def unquoted(self, contract: Any, code: int, text: str) -> None:
        """Hear that the prices of a contract do not come."""
        ...

    def lost(self, reason: str) -> None:
        """Hear that the connection is no good any more."""
        ...


def exact(number: float | str | None) -> Decimal | None:
    """Return a number that the library made a float: what the broker wrote, up to 15 digits; None where it wrote nothing."""
    if number is None or number == "":
        return None
    found = Decimal(str(number))
    return found if found.is_finite() and abs(found) < _UNSET else None


class _LoopConnection(Connection):
    """A socket of the loop that runs now; the library's own remembers the first loop of the process."""

    async def connectAsync(self, host: str, port: int) -> None:  # noqa: N802 - the library's name
        self.reset()
        self.transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, host, port)

    def abort(self) -> None:
        """End it at once, whatever waits to be written to a peer that is gone."""
        if self.transport is not None:
            self.transport.abort()

    def disconnect(self) -> None:
        self.abort()


class _ExactDecoder(Decoder):
    """Keeps the text of numbers that the library makes floats, and says so when a message cannot be read."""

    wrapper: Any

    def __init__(self, wrapper: Any) -> None:
        super().__init__(wrapper, 0)
        self.handlers[STATUS] = self._status

    def interpret(self, fields: list[str]) -> None:
        number = 0
        try:
            number = int(fields[0])
            self.handlers[number](fields)
        except _UNREADABLE as error:
            if number in _MATTERS:
                self.wrapper.hears.lost(f"a message of kind {number} cannot be read: {error!r}")

    def execDetails(self, fields: list[str]) -> None:  # noqa: N802 - the library's name
        self.wrapper.trades_as_written[fields[14]] = Trade(Decimal(fields[19]), Decimal(fields[20]))
        super().execDetails(fields)

    def commissionReport(self, fields: list[str]) -> None:  # noqa: N802 - the library's name
        self.wrapper.fee_as_written = Decimal(fields[3] or 0)
        super().commissionReport(fields)

    def position(self, fields: list[str]) -> None:
        self.wrapper.held_as_written[int(fields[3])] = Decimal(fields[14] or 0)
        super().position(fields)

    def _status(self, fields: list[str]) -> None:
        _, order_id, status, filled, rest, average, perm_id, parent, last, client_id, why, *cap = fields
        told = (int(order_id), status, float(filled or 0), float(rest or 0), float(average or 0), int(perm_id or 0))
        self.wrapper.orderStatus(
            *told, int(parent or 0), float(last or 0), int(client_id or 0), why, float((cap or ["0"])[0])
        )
        self.wrapper.hears.status(told[0], int(client_id or 0), told[5], status, Decimal(filled or 0))


class _Ears(Wrapper):
    """Passes on every fact about orders, and lets the library answer what was asked."""

    hears: Hears

    def __init__(self, ib: IB, hears: Hears) -> None:
        self.hears = hears
        self.trades_as_written: dict[str, Trade] = {}
        self.held_as_written: dict[int, Decimal] = {}
        self.fee_as_written = Decimal(0)
        super().__init__(ib, defaults=IBDefaults())

    def openOrder(self, orderId: int, contract: Any, order: Any, orderState: Any) -> None:  # noqa: N802, N803
        super().openOrder(orderId, contract, order, orderState)
        self.hears.order(contract, order, orderState.status)

    def execDetails(self, reqId: int, contract: Any, execution: Any) -> None:  # noqa: N802, N803
        super().execDetails(reqId, contract, execution)
        self.hears.execution(contract, execution, self.trades_as_written[execution.execId])

    def commissionReport(self, commissionReport: Any) -> None:  # noqa: N802, N803
        super().commissionReport(commissionReport)
        self.hears.commission(commissionReport.execId, self.fee_as_written, commissionReport.currency)

    def completedOrder(self, contract: Any, order: Any, orderState: Any) -> None:  # noqa: N802, N803
        if "completedOrders" in self._results:  # else the library falls over an answer that nobody waits for any more
            super().completedOrder(contract, order, orderState)
        self.hears.completed(contract, order, orderState)

    def error(self, reqId: int, errorCode: int, errorString: str, advancedOrderRejectJson: str) -> None:  # noqa: N803
        ticker = None if reqId in self._futures else self.reqId2Ticker.get(reqId)
        super().error(reqId, errorCode, errorString, advancedOrderRejectJson)
        self.hears.error(reqId, errorCode, errorString)
        if ticker is not None:
            self.hears.unquoted(ticker.contract, errorCode, errorString)


class _Wire(Client):
    """The client without throttle (``Pace`` does that), with the gateway's own clock as it said it when we came."""

    MaxRequests = 0

    def __init__(self, wrapper: _Ears) -> None:
        super().__init__(wrapper)
        self.decoder = _ExactDecoder(wrapper)
        self.conn = _LoopConnection()
        self.conn.hasData += self._onSocketHasData
        self.conn.disconnected += self._onSocketDisconnected
        self.local_time = ""

    def sendMsg(self, msg: str) -> None:  # noqa: N802 - the library's name
        if msg:
            self.conn.sendMsg(self._prefix(msg.encode()))

    def _onSocketHasData(self, data: bytes) -> None:  # noqa: N802 - the library's name
        if not self._serverVersion:
            words = (self._data + data)[_PREFIX:].split(b"\0")
            self.local_time = words[1].decode(errors="replace") if len(words) > 1 else ""
        try:
            super()._onSocketHasData(data)
        except _UNREADABLE as error:
            self.wrapper.hears.lost(f"what the gateway said cannot be read: {error!r}")

    def _onSocketDisconnected(self, msg: str) -> None:  # noqa: N802 - the library's name
        super()._onSocketDisconnected(msg)
        self.wrapper.hears.lost(msg or "the gateway closed the connection")


class Gateway(IB):
    """One connection, used once. Its asynchronous methods are the library's."""

    client: Any
    wrapper: Any

    RaiseRequestErrors = True
    TimezoneTWS = "UTC"

    def __init__(self, hears: Hears) -> None:
        self._createEvents()
        self.wrapper = _Ears(self, hears)
        self.client = _Wire(self.wrapper)
        self._logger = logging.getLogger("ib_async.ib")

    def finish(self) -> None:
        """End the connection; whatever waits for an answer is told that there will be none."""
        self.client.disconnect()
        self.wrapper.setEventsDone()
        self.wrapper.connectionClosed()

    def each_ticker(self, hears: Callable[[Any], None]) -> None:
        """Call with every ticker that changed."""

        def each(tickers: Any) -> None:
            for ticker in tuple(tickers):
                hears(ticker)

        ticked: Any = self.pendingTickersEvent
        ticked += each

    def request(self, number: int | str, send: Callable[[], None]) -> Awaitable[Any]:
        """Make a request that the library has no method for."""
        answer: Awaitable[Any] = self.wrapper.startReq(number)
        send()
        return answer

    def forget_quote(self, contract: Any) -> None:
        """Have the next request for a contract's quotes begin with none: the library would go on with the last ones."""
        self.wrapper.tickers.pop(hash(contract), None)

    def _onError(self, *_: object) -> None:  # noqa: N802 - the library's name
        """Do nothing: the library's own would start a task that nobody owns."""

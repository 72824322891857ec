"""The account's log, followed: the stream first, and the REST log for whatever the stream did not bring."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from protocol.messages import Message
from protocol.venue import BalancesChanged
from venues.access import Tools
from venues.errors import NetworkTimeout, RateLimited, VenueDown, VenueError
from venues.oanda.calls import Calls
from venues.oanda.hands import Hand, first_of
from venues.oanda.ledger import Ledger, Transaction
from venues.oanda.stream import Stream
from venues.oanda.wire import Endpoint
from venues.waits import told_to_wait_s

__all__ = ["MAX_FAILURES", "POLL_S", "Ask", "LogFeed"]

POLL_S: Final = 2.0
"""Between two looks at the log while there is no stream."""

MAX_FAILURES: Final = 5
"""Looks at the log that fail in a row before the session is to connect anew."""

_AGAIN_S: Final = 0.3
_STUBBORN: Final = 5
"""Times that the venue's answer may lack a number which it says exists."""

_MONEY: Final = ("ORDER_FILL", "TRANSFER_FUNDS", "DAILY_FINANCING", "DIVIDEND_ADJUSTMENT")

Ask = Callable[[Endpoint], Awaitable[Any]]


class LogFeed:
    """Keeps a ledger complete and tells what it reads, in the log's order and once.

    ``ask`` makes a REST call, ``money`` fetches the balances, ``down`` is called when the account cannot be followed.
    """

    def __init__(
        self,
        venue: str,
        ledger: Ledger,
        calls: Calls,
        hire: Callable[[], Hand],
        tools: Tools,
        *,
        ask: Ask,
        tell: Callable[[Message], None],
        money: Callable[[], Awaitable[BalancesChanged]],
        down: Callable[[VenueError], None],
    ) -> None:
        self._venue = venue
        self._ledger = ledger
        self._calls = calls
        self._tools = tools
        self._ask = ask
        self._tell = tell
        self._money = money
        self._down = down
        self._wake = asyncio.Event()
        self._reading = asyncio.Lock()
        self._money_moved = False
        self._failures = 0
        self.stream = Stream(
            venue, hire, calls.log_stream, tools, heard=self._heard, opened=self._wake.set, lost=self._lost
        )

    async def run(self) -> None:
        """Follow the log until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.stream.run())
            tasks.create_task(self._mend())

    def take(self, transactions: Iterable[Transaction]) -> None:
        """Read transactions that an answer or the stream brought; what is missing before them is asked for."""
        told = list(transactions)
        if any(each.get("type") in _MONEY for each in told):
            self._money_moved = True
            self._wake.set()
        for fact in self._ledger.take(told):
            self._tell(fact)
        if self._ledger.behind:
            self._wake.set()

    async def catch_up(self) -> None:
        """Read the log to its present end.

        Raises VenueError when the venue does not answer; what it said before that was read.
        """
        async with self._reading:
            stubborn = 0
            while True:
                before = self._ledger.last
                answer = await self._ask(self._calls.since(before))
                end = self._read(answer)
                if self._ledger.last >= end:
                    return
                if self._ledger.last > before:
                    continue
                stubborn += 1
                if stubborn > _STUBBORN:
                    # Numbers that do not exist: what trades there may be among them is in fills_since.
                    for fact in self._ledger.skip(end):
                        self._tell(fact)
                    return
                await self._tools.sleep(_AGAIN_S)

    def _read(self, answer: Any) -> int:
        try:
            end = int(answer["lastTransactionID"])
            self.take(answer["transactions"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NetworkTimeout(self._venue, f"the log cannot be read: {error!r}") from error
        self._ledger.mention(end)
        return end

    # --- the stream ----------------------------------------------------------------------------------------------------

    def _heard(self, message: Any) -> None:
        try:
            if message["type"] == "HEARTBEAT":
                self._ledger.mention(int(message["lastTransactionID"]))
            else:
                self.take([message])
        except (KeyError, TypeError, ValueError, AttributeError):
            self._wake.set()  # not understood: the REST log says it again
        if self._ledger.behind:
            self._wake.set()

    def _lost(self, error: VenueError) -> None:
        self._wake.set()
        if error.stops:
            self._down(error)

    async def _mend(self) -> None:
        """Read what is missing as soon as something is; look every two seconds while there is no stream."""
        while True:
            await self._woken()
            self._wake.clear()
            try:
                await self.catch_up()
                if self._money_moved:
                    self._money_moved = False
                    self._tell(await self._money())
                self._failures = 0
            except VenueError as error:
                self._failures += not isinstance(error, RateLimited)
                if error.stops or self._failures >= MAX_FAILURES:
                    self._down(
                        error if error.stops else VenueDown(self._venue, f"the log cannot be read: {error.message}")
                    )
                    return
                await self._tools.sleep(max(POLL_S, told_to_wait_s(error)))
                self._wake.set()

    async def _woken(self) -> None:
        if self.stream.open or self._wake.is_set():
            await self._wake.wait()
            return
        waiting = asyncio.ensure_future(self._wake.wait())
        try:
            await first_of(waiting, self._tools.sleep(POLL_S))
        finally:
            waiting.cancel()

"""What exists while an account is connected: its calls, its log, its prices, and the tasks that follow both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from protocol.messages import Message
from protocol.venue import BalancesChanged, SessionDown
from runtime.clock import NANOS
from venues.access import Access, Tools
from venues.contract import Sink
from venues.errors import NetworkTimeout, VenueError
from venues.oanda.desk import Desk
from venues.oanda.hands import Hand, Roster
from venues.oanda.ledger import Ledger
from venues.oanda.line import Line
from venues.oanda.log_feed import LogFeed
from venues.oanda.prices import PriceFeed
from venues.oanda.wire import STREAM_READ_S, Wire
from venues.oanda.words import Market, balance_of, instant_of, market_of, rfc3339

__all__ = ["LOOKBACK_S", "Connection", "read"]

T = TypeVar("T")

LOOKBACK_S: Final = 86_400
"""How much of the log is read when connecting: the orders of a day are then known without asking."""


def read(venue: str, how: Callable[..., T], *answer: Any) -> T:
    """Return what is read of an answer; raise NetworkTimeout when it is not what the venue says otherwise."""
    try:
        return how(*answer)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise NetworkTimeout(venue, f"an answer that cannot be read: {error!r}"[:300]) from None


class Connection:
    """One connection; ``open`` makes it, ``close`` ends it."""

    def __init__(
        self,
        venue: str,
        access: Access,
        tools: Tools,
        sink: Sink,
        *,
        send_by: Callable[[], int | None],
        under_way_s: float,
    ) -> None:
        self.venue = venue
        self._access = access
        self._tools = tools
        self._sink = sink
        self._send_by = send_by
        self._under_way_s = under_way_s
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []
        self.currency = ""
        self.created_at = 0
        self.markets: dict[str, Market] = {}
        self._roster = Roster(venue, tools.sleep)
        self.line = Line(venue, access, self._roster)
        self.ledger: Ledger
        self.log: LogFeed
        self.prices: PriceFeed
        self.desk: Desk

    async def open(self) -> None:
        """Learn the account, its markets and its last day; then follow it. Raises VenueError, and nothing is left open."""
        try:
            await self._learn()
        except BaseException:
            await self.close()
            raise
        self._follow(self.log.run())
        self._follow(self.prices.run())

    async def close(self) -> None:
        """End everything; nothing is told afterwards."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        self.line.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._roster.disband()

    # --- learning ------------------------------------------------------------------------------------------------------

    async def _learn(self) -> None:
        account = await self.account()
        self.currency = read(self.venue, lambda: str(account["currency"]))
        self.created_at = read(self.venue, lambda: instant_of(account["createdTime"]))
        self.ledger = Ledger(self.currency)
        await self.refresh_markets()
        await self._read_history()
        await self._read_pending()
        access, tools, venue, roster = self._access, self._tools, self.venue, self._roster

        def hire() -> Hand:
            return roster.hire(Wire(access, read_s=STREAM_READ_S))

        self.log = LogFeed(
            venue,
            self.ledger,
            self.line.calls,
            hire,
            tools,
            ask=self.line.ask,
            tell=self._tell,
            money=self.money,
            down=self._down,
        )
        self.prices = PriceFeed(
            venue,
            self.line.calls,
            hire,
            tools,
            ask=self.line.ask,
            tell=self._tell,
        )
        self.desk = Desk(
            venue,
            self.line,
            self.ledger,
            self.log,
            tools,
            send_by=self._send_by,
            under_way_s=self._under_way_s,
        )

    async def _read_history(self) -> None:
        """Read the log of the last day; what it tells is no news."""
        since = max(self.created_at, self._tools.now() - LOOKBACK_S * NANOS)
        listed = await self.line.ask(self.line.calls.from_time(rfc3339(since)))
        pages = read(self.venue, lambda: list(listed["pages"]))
        if not pages:
            self.ledger.begin(read(self.venue, lambda: int(listed["lastTransactionID"])))
        for number, url in enumerate(pages):
            page = read(self.venue, self.line.calls.page, url)
            if number == 0:
                self.ledger.begin(page.params["from"] - 1)
            told = await self.line.ask(page)
            for each in read(self.venue, lambda said: list(said["transactions"]), told):
                self._recall(each)
            self.ledger.skip(page.params["to"])

    def _recall(self, told: Any) -> None:
        """Read a transaction of the past; one that cannot be read must not keep the account out for a day."""
        number = read(self.venue, lambda: int(told["id"]))
        try:
            self.ledger.skip(number - 1)
            self.ledger.take([told])
        except (KeyError, TypeError, ValueError, AttributeError):
            self.ledger.pass_over(number)

    async def _read_pending(self) -> None:
        answer = await self.line.ask(self.line.calls.pending())
        for each in read(self.venue, lambda: list(answer["orders"])):
            read(self.venue, self.ledger.pending, each)

    async def refresh_markets(self) -> None:
        """Fetch the account's markets; one that cannot be understood is left out, and cannot be traded."""
        answer = await self.line.ask(self.line.calls.instruments())
        found: dict[str, Market] = {}
        for each in read(self.venue, lambda: list(answer["instruments"])):
            try:
                market = market_of(self.venue, each)
            except (KeyError, TypeError, ValueError):
                continue
            found[market.instrument.symbol] = market
        self.markets = found

    async def account(self) -> dict[str, Any]:
        """Fetch the account's summary."""
        answer = await self.line.ask(self.line.calls.summary())
        account: dict[str, Any] = read(self.venue, lambda: answer["account"])
        return account

    async def money(self) -> BalancesChanged:
        """Fetch the balance, to be told."""
        account = await self.account()
        balance = read(self.venue, lambda: balance_of(account))
        return BalancesChanged(self._access.account, (balance,), self._tools.now())

    # --- following -----------------------------------------------------------------------------------------------------

    def _follow(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._tell(SessionDown(self._access.account, f"a feed crashed: {error!r}"[:500], self._tools.now()))

    def _tell(self, fact: Message) -> None:
        if not self._closed:
            self._sink(fact)

    def _down(self, error: VenueError) -> None:
        self._tell(SessionDown(self._access.account, str(error), self._tools.now()))

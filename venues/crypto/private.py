"""The account's streams: orders, trades, balances. Nothing is missed while they are away, nothing told twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from protocol.orders import FillReport, OrderReport, OrderState
from protocol.venue import BalancesChanged
from runtime.clock import NANOS
from venues.access import Tools
from venues.crypto.account import Account
from venues.crypto.calls import Calls
from venues.crypto.dialect import Exchange, Row
from venues.crypto.memory import Memory
from venues.crypto.orders import Orders
from venues.crypto.streams import Mute, Streams
from venues.crypto.teller import Teller
from venues.errors import VenueDown, VenueError

__all__ = ["AUDIT_S", "PrivateStreams"]

AUDIT_S: Final = 30.0
"""How often the venue's history is compared with what the streams told: a mute stream cannot be noticed by its silence."""
_LATE_S: Final = 5.0
"""A fill that is older than this and was not told by the stream: the stream is mute."""
_OVERLAP_S: Final = 10.0
_BALANCES_EVERY_S: Final = 2.0


class PrivateStreams(Streams):
    """Orders, trades and balances of one account; the tap of their exchange object."""

    def __init__(
        self,
        calls: Calls,
        exchange: Exchange,
        tools: Tools,
        lost_for_good: Callable[[str], None],
        *,
        memory: Memory,
        became: Callable[[bool, str], None],
    ) -> None:
        super().__init__(calls, exchange, tools, lost_for_good, became)
        self._confirmed = 0
        self._checked_at = memory.opened_at
        self._touched = asyncio.Event()
        self.fills_recovered = 0
        """Fills that the streams did not tell and the venue's history did."""

    def attach(self, teller: Teller, account: Account, orders: Orders) -> None:
        """Say who tells, who asks about the account, and who about orders; once, before ``run``."""
        self._teller, self._account, self._orders = teller, account, orders

    # --- the tap -------------------------------------------------------------------------------------------------------

    def order(self, order: Row) -> None:
        """Hear of an order."""
        self._touched.set()
        self._teller.order(order)

    def trade(self, trade: Row) -> None:
        """Hear of a trade of ours."""
        self._touched.set()
        self._teller.trade(trade)

    def quote(self, symbol: str, ticker: Row) -> None:
        """Hear nothing: prices come another way."""

    def frame(self, frame: Any) -> None:
        """Count confirmed subscriptions; a frame that is neither order nor trade may be a change of balances."""
        if self._calls.dialect.confirms(frame):
            self._confirmed += 1
            self._connections.set()
        elif self._calls.dialect.ends(frame):
            self.lost(VenueDown(self._calls.dialect.venue, "the venue ended the subscription"))
        elif self.live.is_set() and isinstance(frame, dict | bytes):
            self._touched.set()

    # --- the kind ------------------------------------------------------------------------------------------------------

    async def wanted(self) -> None:
        """Return at once: the account is always watched."""
        self._confirmed = 0

    def watches(self) -> Iterable[Callable[[], Awaitable[Any]]]:
        """Return the dialect's."""
        return self._calls.dialect.private_watches(self._exchange)

    async def ready(self) -> None:
        """Wait for the subscriptions, then catch up: what happened before them is in the venue's history."""
        needed = self._calls.dialect.private_confirmations()
        while self._confirmed < needed or not self._connections.is_set():
            self._connections.clear()
            await self._connections.wait()
        await self.catch_up()

    async def watch_over(self) -> None:
        """Compare with the venue's history now and then, and tell balances after each change."""
        balances = asyncio.ensure_future(self._tell_balances())
        try:
            while True:
                await self._tools.sleep(AUDIT_S)
                try:
                    missed = await self.catch_up()
                except VenueError:
                    continue  # no answer to a question is not the stream's fault
                if missed:
                    raise Mute(
                        self._calls.dialect.venue, f"the order stream did not tell {missed} fills: connecting anew"
                    )
        finally:
            balances.cancel()
            await asyncio.gather(balances, return_exceptions=True)

    async def poll(self) -> None:
        """Ask for fills, ended orders and balances; by market only in those where an order of ours can fill."""
        if self._calls.dialect.trades_by_symbol:
            for fill in await self._account.fills_since(self._checked_at, set(self._teller.open.values())):
                self._recovered(fill)
            await self._orders_too()
        else:
            await self.catch_up()
        await self._balances()

    # --- catching up ---------------------------------------------------------------------------------------------------

    async def catch_up(self) -> int:
        """Tell every fill since the last look, then how orders stand; return how many fills a live stream had kept back."""
        asked_at = self._calls.clock()
        missed = 0
        for fill in await self._account.fills_since(self._checked_at):
            missed += self._recovered(fill) and fill.at < asked_at - round(_LATE_S * NANOS)
        await self._orders_too()
        self._checked_at = asked_at - round(_OVERLAP_S * NANOS)
        return missed

    def _recovered(self, fill: FillReport) -> bool:
        """Tell a fill of the history; return whether no stream had told it."""
        if self._teller.knows(fill):
            return False
        self.fills_recovered += 1
        self._teller.fill(fill)
        return True

    async def _orders_too(self) -> None:
        tracked = dict(self._teller.open)
        if not tracked:
            return
        listed = await self._account.open_orders()
        for report in listed:
            if report.client_order_id in tracked:
                self._teller.report(report)
        for key in sorted(tracked.keys() - {report.client_order_id for report in listed}):
            self.told(await self._orders.query(key, tracked[key]))

    def told(self, report: OrderReport) -> None:
        """Tell how an order stands, as an answer said; what is unknown or refused is no news."""
        if report.state not in (OrderState.UNKNOWN, OrderState.REJECTED):
            self._teller.report(report)

    async def _tell_balances(self) -> None:
        while True:
            await self._touched.wait()
            await self._tools.sleep(_BALANCES_EVERY_S)
            self._touched.clear()
            try:
                await self._balances()
            except VenueError:
                continue  # the next change asks again; the session's reconciliation asks in any case

    async def _balances(self) -> None:
        found = await self._account.balances()
        self._teller.tell(BalancesChanged(self._calls.dialect.access.account, found, self._tools.now()))

"""Orders at the broker: placed at most once, cancelled, looked up; singles, brackets and combinations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from ib_async.contract import ComboLeg, Contract
from ib_async.order import Order

from protocol.orders import OrderReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from rules.broker.pacing import Kind
from venues.access import Access, Tools
from venues.errors import NetworkTimeout, OrderNotFound, OrderRejected, RateLimited, VenueDown
from venues.ibkr.absence import Asked, absence, midnight
from venues.ibkr.book import Book
from venues.ibkr.codes import error_of
from venues.ibkr.contracts import Found
from venues.ibkr.described import contract_of
from venues.ibkr.ids import reference
from venues.ibkr.ledger import ACKNOWLEDGED, Known
from venues.ibkr.line import Line
from venues.ibkr.notes import Notes
from venues.ibkr.unsendable import Refused

__all__ = ["Orders", "Plain", "single"]

_PROMPT_S: Final = 2.0
"""How long the end of an order that trades at once, and the commissions of its trades, are waited for."""

_ALLOWED: Final = {OrderType.MARKET: "MKT", OrderType.LIMIT: "LMT", OrderType.IOC: "LMT", OrderType.STOP: "STP"}
_AT_ONCE: Final = frozenset({OrderType.MARKET, OrderType.IOC})
_Wired = tuple[Known, Any]
"""An order as we keep it and as the library sends it."""


class Plain(Decimal):
    """A number that is written without exponent: the library writes numbers as ``str`` does."""

    def __str__(self) -> str:
        return format(self, "f")


def single(request: OrderRequest, found: Found, account: str) -> Any:
    """Return the library's order. Orders rest until cancelled; coins bought at the market trade at once or not at all."""
    kind = _ALLOWED[request.type]
    tif = "GTC"
    if request.type is OrderType.IOC or (request.type is OrderType.MARKET and found.kind == "CRYPTO"):
        tif = "IOC"
    elif request.type is OrderType.MARKET:
        tif = "DAY"
    order = Order(
        action="BUY" if request.side is OrderSide.BUY else "SELL",
        totalQuantity=Plain(request.qty / found.size),  # type: ignore[arg-type] # written as its text
        orderType=kind,
        tif=tif,
        orderRef=reference(request.client_order_id),
        account=account,
    )
    if kind == "LMT":
        order.lmtPrice = Plain(request.price or 0)
    if kind == "STP":
        order.auxPrice = Plain(request.stop_price or 0)
    return order


class Orders:
    """The orders of one connection. ``send_by``: until when (our clock) something may leave, None: no limit."""

    def __init__(
        self,
        access: Access,
        tools: Tools,
        line: Line,
        book: Book,
        notes: Notes,
        send_by: Callable[[], int | None],
    ) -> None:
        self._access = access
        self._tools = tools
        self._line = line
        self._book = book
        self._notes = notes
        self._send_by = send_by
        self.refused = Refused(tools.now)
        self._under_way: set[str] = set()

    # --- placing -------------------------------------------------------------------------------------------------------

    def known(self, client_order_id: str) -> OrderReport | None:
        """Return an order that was placed, or refused by ourselves, before."""
        known = self._book.orders.get(client_order_id)
        return self.refused.get(client_order_id) if known is None else self._book.report(known)

    async def place(self, request: OrderRequest, found: Found) -> OrderReport:
        """Send one order; return how it stands once the broker has it."""
        known = self.draft(
            request.client_order_id, found, request.side, request.qty, request.price or request.stop_price
        )
        order = single(request, found, self._line.account)
        await self.send([(known, order)], contract_of(found), at_once=request.type in _AT_ONCE)
        return self._book.report(known)

    def draft(self, key: str, found: Found, side: OrderSide, qty: Decimal, price: Decimal | None) -> Known:
        """Return a new order that is not sent yet."""
        return Known(key, found.name, found.size, side, qty / found.size, price)

    async def place_combo(self, key: str, symbol: str, contract: Any, order: Any) -> OrderReport:
        """Send a combination as one order (DK-51)."""
        qty, legs = Decimal(order.totalQuantity), sum(leg.ratio for leg in contract.comboLegs)
        known = Known(key, symbol, Decimal(1), OrderSide.BUY, qty, order.lmtPrice, combo=True, legs=legs)
        await self.send([(known, order)], contract, at_once=False)
        return self._book.report(known)

    async def send(self, wired: Sequence[_Wired], contract: Any, *, at_once: bool) -> None:
        """Send orders as one, at most once for their ids, and wait until the broker has the first; see ``Venue.place``.

        The first is the parent of the others; the broker takes none of them before it has the last.
        """
        keys = {known.key for known, _ in wired}
        self._check_time()
        self._line.check_link()
        self._under_way |= keys
        noted = False
        try:
            for _ in wired:
                await self._line.turn(Kind.ORDER)
            # From here on it may leave: a cut in between is settled by asking a new connection.
            noted = True
            await asyncio.to_thread(self._note, keys, self._tools.now(), len(wired))
            self._leave(wired, contract)
            await self._acknowledged([known for known, _ in wired], at_once=at_once)
        except asyncio.CancelledError:
            if noted and wired[0][0].status not in ACKNOWLEDGED:
                self._line.lost("an order was not waited for until it was answered")
            raise
        finally:
            self._under_way -= keys

    def _note(self, keys: set[str], now: int, count: int) -> None:
        for key in sorted(keys):
            self._notes.write(key, now)
        self._notes.reserve(self._line.next_number + count)

    def _check_time(self) -> None:
        until = self._send_by()
        if until is not None and self._tools.now() > until:
            raise VenueDown(self._access.venue, "this process may send nothing any more")

    def _leave(self, wired: Sequence[_Wired], contract: Any) -> None:
        """Write the orders to the socket; nothing waits between the checks and that."""
        self._check_time()
        self._line.check_link()
        if any(known.key in self._book.orders for known, _ in wired):
            raise OrderRejected(self._access.venue, "an order with this id has been placed meanwhile")
        for known, order in wired:
            known.order_id, known.client_id = self._line.number(), self._access.client_id
            order.orderId = known.order_id
            order.parentId = wired[0][0].order_id if known is not wired[0][0] else 0
            order.transmit = known is wired[-1][0]
            self._book.open(known)
        for _, order in wired:
            self._line.gateway.placeOrder(contract, order)

    async def _acknowledged(self, sent: Sequence[Known], *, at_once: bool) -> None:
        name, known = self._access.venue, sent[0]
        try:
            async with asyncio.timeout(self._line.answer_s):
                await self._book.until(lambda: known.status in ACKNOWLEDGED or bool(self._line.ended))
        except TimeoutError as error:
            # Whether it arrived can be told only once the gateway has let us in anew (see ``absence``).
            self._line.lost(f"an order was not answered within {self._line.answer_s:g} s")
            raise NetworkTimeout(name, "the order was not answered") from error
        if known.status not in ACKNOWLEDGED:
            raise NetworkTimeout(name, f"the connection ended before the order was answered: {self._line.ended}")
        await self._prompt(lambda: all(each.status in ACKNOWLEDGED for each in sent))
        if any(each.code == "RateLimited" for each in sent):
            if len(sent) > 1:
                # Which of them the broker has is told only by its lists.
                self._line.lost("a part of a bracket was one message too many")
                raise NetworkTimeout(name, known.reason or "a part of the bracket was refused for its pace")
            self._book.forget(known)
            raise RateLimited(name, known.reason, retry_after_s=1.0)
        if at_once or known.over:
            await self._prompt(lambda: known.over and known.whole)

    async def _prompt(self, condition: Callable[[], bool]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PROMPT_S):
                await self._book.until(lambda: condition() or bool(self._line.ended))

    # --- cancelling and asking -------------------------------------------------------------------------------------------

    async def cancel(self, client_order_id: str) -> OrderReport:
        """Cancel an order; see ``Venue.cancel``."""
        known = self._book.orders.get(client_order_id)
        if known is None:
            raise OrderNotFound(self._access.venue, f"no order {client_order_id} today")
        if not known.over:
            await self._cancel(known)
        await self._prompt(lambda: known.whole)
        return self._book.report(known)

    async def _cancel(self, known: Known) -> None:
        name = self._access.venue
        if known.client_id != self._access.client_id:
            raise OrderRejected(name, "the order was placed by another program: only that one can cancel it")
        self._check_time()
        self._line.check_link()
        known.objection = None
        await self._line.ask(Kind.ORDER, lambda: self._send_cancel(known.order_id))
        try:
            async with asyncio.timeout(self._line.answer_s):
                await self._book.until(lambda: known.over or bool(known.objection or self._line.ended))
        except TimeoutError as error:
            raise NetworkTimeout(name, "the cancel was not answered") from error
        if self._line.ended and not known.over:
            raise NetworkTimeout(name, f"the connection ended before the cancel was answered: {self._line.ended}")
        if not known.over:
            await self.resync()
            if not known.over:
                raise error_of(name, *(known.objection or (0, "the order was not cancelled")))

    async def _send_cancel(self, order_id: int) -> None:
        self._check_time()
        self._line.gateway.client.cancelOrder(order_id, "")

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Ask for all lists of the day and say what they show of an order; see ``Venue.query``."""
        losses, asked_at = self._line.link_losses, self._tools.now()
        await self.resync()
        known = self._book.orders.get(client_order_id)
        if known is not None:
            await self._prompt(lambda: known.whole)
            return self._book.report(known)
        if (refused := self.refused.get(client_order_id)) is not None:
            return refused
        linked = self._line.linked and losses == self._line.link_losses
        why = self._unproven(client_order_id, asked_at, linked=linked)
        return OrderReport(
            client_order_id=client_order_id,
            symbol=symbol,
            state=OrderState.UNKNOWN if why else OrderState.REJECTED,
            reason=why or "in none of the broker's lists, and it can no longer arrive",
            absent_proven=not why,
            at=self._tools.now(),
        )

    def _unproven(self, key: str, asked_at: int, *, linked: bool) -> str:
        if key in self._under_way:
            return "it is just being sent"
        ahead = self._line.clock_ahead_ns
        return absence(
            Asked(
                sent_at=self._notes.sent_at(key),
                noted=self._notes.lasting,
                connected_at=self._line.connected_at,
                asked_at=asked_at,
                day_began_at=None if ahead is None else midnight(asked_at, ahead),
                linked=linked,
            )
        )

    async def resync(self) -> None:
        """Take the broker's lists: open orders, then those that are over, then trades.

        In this order: what leaves the first list meanwhile is in the second or the third. An order that was open and is in
        none of them is one of which the broker says nothing.
        """
        gateway = self._line.gateway
        before = [known for known in self._book.orders.values() if known.status and not known.over]
        ask = self._line.ask
        listed = await ask(Kind.ORDER, gateway.reqAllOpenOrdersAsync, alone="open orders", whole=True)
        await ask(Kind.ORDER, lambda: gateway.reqCompletedOrdersAsync(False), alone="completed orders", whole=True)
        await ask(Kind.ORDER, gateway.reqExecutionsAsync)
        still = {trade.order.permId for trade in listed}
        for known in before:
            if not known.over and known.perm_id and known.perm_id not in still:
                known.status = ""

    async def settle(self) -> None:
        """Have every trade told that the broker has told, its commission or not: none is missing from a list of fills."""
        await self._prompt(lambda: not self._book.incomplete)
        if self._book.incomplete:
            self._book.tell_without_commission()

    def combo(self, symbol: str, currency: str, legs: Sequence[tuple[Found, int]]) -> Any:
        """Return the contract of a combination; a negative ratio is sold."""
        return Contract(
            secType="BAG",
            symbol=symbol,
            currency=currency,
            exchange="SMART",
            comboLegs=[
                ComboLeg(conId=found.con_id, ratio=abs(ratio), action="BUY" if ratio > 0 else "SELL", exchange="SMART")
                for found, ratio in legs
            ],
        )

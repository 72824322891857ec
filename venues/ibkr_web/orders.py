"""Orders at the broker: placed at most once, its questions answered, cancelled, changed, looked up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from protocol.orders import OrderReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from runtime.clock import NANOS
from venues.access import Access, Tools
from venues.errors import NetworkTimeout, OrderNotFound, OrderRejected, RateLimited, VenueDown, VenueError
from venues.ibkr.codes import funds
from venues.ibkr.contracts import Found
from venues.ibkr.ids import reference
from venues.ibkr.ledger import ACKNOWLEDGED, OVER, Known
from venues.ibkr.notes import Notes
from venues.ibkr.unsendable import Refused
from venues.ibkr_web.absence import UNDER_WAY_S, Asked, verdict
from venues.ibkr_web.book import Book
from venues.ibkr_web.lists import Lists
from venues.ibkr_web.replies import MOST, confirmed
from venues.ibkr_web.session import Session
from venues.ibkr_web.wire import FAILED, Answer, Wire, number, words

__all__ = ["Orders"]

_PROMPT_S: Final = 2.0
"""How long the end of an order that trades at once is waited for."""
_CANCEL_S: Final = 5.0
_TYPES: Final = {OrderType.MARKET: "MKT", OrderType.LIMIT: "LMT", OrderType.IOC: "LMT", OrderType.STOP: "STP"}
_AT_ONCE: Final = frozenset({OrderType.MARKET, OrderType.IOC})
_DUPLICATE: Final = "is already registered"
_PRECISION: Final = ("minimum price variation", "tick size", "fraction", "minimum size", "size increment", "conform")
_HALTED: Final = ("halted", "market is closed")
_GONE: Final = ("doesn't exist", "not found", "unknown order")


class Orders:
    """The orders of one connection. ``send_by``: until when (our clock) something may leave, None: no limit."""

    def __init__(
        self,
        access: Access,
        tools: Tools,
        wire: Wire,
        session: Session,
        book: Book,
        lists: Lists,
        notes: Notes,
        send_by: Callable[[], int | None],
    ) -> None:
        self._access = access
        self._tools = tools
        self._wire = wire
        self._session = session
        self._book = book
        self._lists = lists
        self._notes = notes
        self._send_by = send_by
        self.refused = Refused(tools.now)
        self._under_way: set[str] = set()
        self._tickets: dict[str, dict[str, Any]] = {}

    # --- placing -------------------------------------------------------------------------------------------------------

    def known(self, client_order_id: str) -> OrderReport | None:
        """Return an order that was placed, or refused, before."""
        known = self._book.orders.get(client_order_id)
        return self.refused.get(client_order_id) if known is None else self._book.report(known)

    def sent_before(self, client_order_id: str) -> bool:
        """Whether an order was noted as sent, in this life or an earlier one: never to be sent again."""
        return self._notes.sent_at(client_order_id) is not None

    async def place(self, request: OrderRequest, found: Found) -> OrderReport:
        """Send one order, once; return how it stands."""
        key = request.client_order_id
        qty = request.qty / found.size
        known = Known(key, found.name, found.size, request.side, qty, request.price or request.stop_price)
        ticket = self._ticket(request, found, qty)
        async with self._wire.alone():
            if self.sent_before(key) or key in self._book.orders:
                raise OrderRejected(self._access.venue, "an order with this id has been placed meanwhile")
            self._check_time()
            self._under_way.add(key)
            try:
                await asyncio.to_thread(self._notes.write, key, self._tools.now(), qty)
                self._book.orders[key] = known
                refused = await self._submit(known, ticket)
            finally:
                self._under_way.discard(key)
        if refused is not None:
            return await self._not_taken(known, refused)
        self._tickets[key] = ticket
        await self._settle(known, at_once=request.type in _AT_ONCE)
        return self._book.report(known)

    def _ticket(self, request: OrderRequest, found: Found, qty: Decimal) -> dict[str, Any]:
        """Return the order as it is sent. Orders rest until cancelled; at the market they live for the day."""
        kind = _TYPES[request.type]
        tif = "GTC"
        if request.type is OrderType.IOC or (request.type is OrderType.MARKET and found.kind == "CRYPTO"):
            tif = "IOC"
        elif request.type is OrderType.MARKET:
            tif = "DAY"
        ticket: dict[str, Any] = {
            "acctId": self._session.account,
            "conid": found.con_id,
            "secType": f"{found.con_id}:{found.kind}",
            "cOID": reference(request.client_order_id),
            "orderType": kind,
            "side": "BUY" if request.side is OrderSide.BUY else "SELL",
            "tif": tif,
            "quantity": number(qty),
        }
        price = request.price if kind == "LMT" else request.stop_price if kind == "STP" else None
        if price is not None:
            ticket["price"] = number(price)
        if found.kind in ("FUT", "FOP"):
            # CME rule 536-B: who sends it, and that it is no human.
            ticket |= {"manualIndicator": False, "extOperator": self._access.account}
        return ticket

    async def _submit(self, known: Known, ticket: dict[str, Any]) -> str | None:
        """Send the ticket and answer the questions that come; return why it was refused, None when it was taken."""
        path = f"iserver/account/{self._session.account}/orders"
        try:
            told = await self._wire.change("POST", path, {"orders": [ticket]}, self._check_time)
        except (VenueDown, RateLimited):
            await asyncio.to_thread(self._notes.unsent, known.key)
            self._book.forget(known)
            raise
        return await self._answered(known, told)

    async def _answered(self, known: Known, told: Answer) -> str | None:
        for _ in range(MOST):
            row = told.body[0] if isinstance(told.body, list) and told.body else told.body
            if not isinstance(row, dict):
                raise NetworkTimeout(self._access.venue, "an answer to an order that says nothing")
            if told.status >= FAILED or "error" in row:
                return words(row)
            if "order_id" in row:
                self._taken(known, row)
                return None
            if "id" not in row:
                raise NetworkTimeout(self._access.venue, "an answer to an order that names none")
            if not confirmed([str(each) for each in row.get("messageIds") or ()]):
                await self._decline(str(row["id"]))
                asked = " ".join(str(each) for each in row.get("message") or ())
                return f"the broker asks first ({', '.join(row.get('messageIds') or ())}): {asked}"
            # It is not working before it is confirmed, and a lost answer to this is as unknown as one to the order.
            try:
                told = await self._wire.change(
                    "POST", f"iserver/reply/{row['id']}", {"confirmed": True}, self._check_time
                )
            except (VenueDown, RateLimited) as error:
                return f"the broker's question could not be answered: {error.message}"
        raise NetworkTimeout(self._access.venue, "the broker asks without end")

    async def _decline(self, reply_id: str) -> None:
        """Say no. An order whose question stays open does not work: the next request voids it."""
        with suppress(VenueError):
            await self._wire.change("POST", f"iserver/reply/{reply_id}", {"confirmed": False}, lambda: None)

    def _taken(self, known: Known, row: dict[str, Any]) -> None:
        status = str(row.get("order_status") or "Submitted")
        self._book.bind(known, int(row["order_id"]))
        if status == "Filled":
            self._book.stands(known, status, known.qty)
        elif status not in OVER:  # how much of an order that is over has traded, its row says
            self._book.order({"orderId": row["order_id"], "status": status})

    async def _not_taken(self, known: Known, why: str) -> OrderReport:
        if _DUPLICATE in why:
            return await self._duplicate(known)
        self._book.forget(known)
        return self.refused.refuse(known.key, known.symbol, _code(why), why)

    async def _duplicate(self, known: Known) -> OrderReport:
        """Return the order that has this id already: the broker remembers ids for a day."""
        self._book.forget(known)
        with suppress(VenueError):
            await self._lists.fetch()
        found = self._book.orders.get(known.key)
        if found is None:
            raise NetworkTimeout(self._access.venue, "the broker knows this id already and does not show its order")
        return self._book.report(found)

    async def _settle(self, known: Known, *, at_once: bool) -> None:
        """Wait for the stream to tell the end of an order that ends at once; ask for it when it does not."""
        if known.status in ACKNOWLEDGED and not at_once and not known.over:
            return
        await self._prompt(lambda: known.over and known.whole)
        if not (known.over and known.whole):
            with suppress(VenueError, TimeoutError):
                async with asyncio.timeout(_CANCEL_S):
                    await self._lists.fetch()

    async def _prompt(self, condition: Callable[[], bool], within_s: float = _PROMPT_S) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._book.until(condition)

    def _check_time(self) -> None:
        until = self._send_by()
        if until is not None and self._tools.now() > until:
            raise VenueDown(self._access.venue, "this process may send nothing any more")

    # --- cancelling and changing -----------------------------------------------------------------------------------------

    async def _at_the_broker(self, client_order_id: str) -> Known:
        """Return an order with the broker's number; raises OrderNotFound."""
        known = self._book.orders.get(client_order_id)
        if known is None or not (known.perm_id or known.over):
            await self._lists.fetch()
            known = self._book.orders.get(client_order_id)
        if known is None or not (known.perm_id or known.over):
            raise OrderNotFound(self._access.venue, f"no order {client_order_id} in the broker's lists")
        return known

    async def cancel(self, client_order_id: str) -> OrderReport:
        """Cancel an order; see ``Venue.cancel``."""
        self._check_time()
        known = await self._at_the_broker(client_order_id)
        if not known.over:
            await self._cancel(known)
        await self._prompt(lambda: known.whole)
        return self._book.report(known)

    async def _cancel(self, known: Known) -> None:
        venue = self._access.venue
        path = f"iserver/account/{self._session.account}/order/{known.perm_id}"
        async with self._wire.alone():
            told = await self._wire.change("DELETE", path, None, self._check_time)
        why = words(told.body) if told.status >= FAILED or "error" in (told.body or {}) else ""
        if not why:  # only that the request came is told
            await self._prompt(lambda: known.over, _PROMPT_S)
        if not known.over:
            await self._lists.fetch()
        if known.over:
            return
        if not why:
            await self._prompt(lambda: known.over, _CANCEL_S)
            if not known.over:
                raise NetworkTimeout(venue, "the cancel was taken, and the order still stands")
        elif any(each in why.lower() for each in _GONE):
            raise OrderNotFound(venue, why)
        else:
            raise OrderRejected(venue, why)

    async def amend(self, client_order_id: str, price: Decimal | None, qty: Decimal | None) -> OrderReport:
        """Change a resting order of this connection; see ``Amends``."""
        venue = self._access.venue
        known = await self._at_the_broker(client_order_id)
        ticket = self._tickets.get(client_order_id)
        if known.over:
            raise OrderNotFound(venue, f"{client_order_id} has ended: nothing is left to change")
        if ticket is None:
            raise OrderRejected(venue, "an order of an earlier connection is not changed: cancel it and place another")
        changed = {key: value for key, value in ticket.items() if key not in ("cOID", "acctId")}
        if price is not None:
            changed["price"] = number(price)
        if qty is not None:
            changed["quantity"] = number(qty / known.size)
        path = f"iserver/account/{self._session.account}/order/{known.perm_id}"
        before = known.qty, known.price
        async with self._wire.alone():
            told = await self._wire.change("POST", path, changed, self._check_time)
            known.qty = known.qty if qty is None else qty / known.size
            known.price = known.price if price is None else price
            refused = await self._answered(known, told)
        if refused is not None:
            known.qty, known.price = before
            raise OrderRejected(venue, refused)
        self._tickets[client_order_id] = {**ticket, **changed}
        return self._book.report(known)

    # --- asking --------------------------------------------------------------------------------------------------------

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Ask for the lists and say what they show of an order; see ``Venue.query``."""
        await self._lists.fetch()
        if (report := self._shown(client_order_id)) is not None:
            return report
        asked = self._asked(client_order_id)
        if verdict(asked).state is not OrderState.UNKNOWN and asked.sent_at is not None:
            # Before anything is taken for proven the broker is asked past its cache, when nothing can arrive any more.
            settled = asked.sent_at + round(UNDER_WAY_S * NANOS)
            done = await self._lists.past_the_cache(settled)
            if (report := self._shown(client_order_id)) is not None:
                return report
            if not done:
                asked = asked._replace(asked_at=asked.sent_at)
        return self._absent(client_order_id, symbol, asked)

    def _shown(self, key: str) -> OrderReport | None:
        known = self._book.orders.get(key)
        if known is not None and (known.status or known.filled):
            return self._book.report(self._completed(known))
        return self.refused.get(key)

    def _completed(self, known: Known) -> Known:
        """Take an order that only its trades tell of for filled when they are all that was ordered."""
        ordered = self._notes.qty(known.key)
        if not known.status and ordered is not None and known.told >= ordered:
            self._book.stands(known, "Filled", known.told)
        return known

    def _asked(self, key: str) -> Asked:
        return Asked(self._notes.sent_at(key), self._notes.lasting, self._session.began_at, self._tools.now())

    def _absent(self, key: str, symbol: str, asked: Asked) -> OrderReport:
        said = verdict(asked)
        unknown = key in self._under_way or said.state is OrderState.UNKNOWN
        return OrderReport(
            client_order_id=key,
            symbol=symbol,
            state=OrderState.UNKNOWN if unknown else said.state,
            reason="it is just being sent" if key in self._under_way else said.why,
            absent_proven=not unknown and said.state is OrderState.REJECTED,
            at=self._tools.now(),
        )


def _code(why: str) -> str:
    """Return the typed error of a refusal, from the broker's own words: it tells no code here."""
    text = why.lower()
    if funds(why):
        return "InsufficientFunds"
    if any(each in text for each in _PRECISION):
        return "PrecisionRejected"
    return "MarketHalted" if any(each in text for each in _HALTED) else "OrderRejected"

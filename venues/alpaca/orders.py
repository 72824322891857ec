"""Orders at Alpaca: sent at most once, asked for by our id, every fill told before the state that it led to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any, Final

from protocol.messages import Message
from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from runtime.clock import NANOS
from venues.access import Tools
from venues.alpaca.errors import MARKET_HALTED, is_duplicate, refusal_code
from venues.alpaca.hours import Hours
from venues.alpaca.ledger import Ledger
from venues.alpaca.rest import Rest
from venues.alpaca.words import fractional, left_over_ioc, order_fields, report_of, text_of, ticker_of
from venues.errors import InsufficientFunds, NetworkTimeout, OrderNotFound, OrderRejected, VenueError

__all__ = ["ABSENT_AFTER_S", "Orders"]

ABSENT_AFTER_S: Final = 30.0
"""Seconds after which a request that left us has arrived or never will: see the decision page."""

_OVERLAP: Final = 5 * NANOS
"""History is asked from this long before the newest fill: it may show fills out of order."""
_LOOKS: Final = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
"""Seconds before each look at an order that is about to end."""

_Json = Mapping[str, Any]


class Orders:
    """``tell`` takes what is told of orders and fills on its own. ``born`` is when this connection began."""

    def __init__(
        self,
        rest: Rest,
        ledger: Ledger,
        hours: Hours,
        tools: Tools,
        tell: Callable[[Message], None],
        *,
        shorts: bool,
        absent_after_s: float,
    ) -> None:
        self._rest = rest
        self._ledger = ledger
        self._hours = hours
        self._tools = tools
        self._tell = tell
        self._shorts = shorts
        self._absent_after = round(absent_after_s * NANOS)
        self._born = tools.now()
        self._under_way: set[str] = set()
        self.behind = False
        """Whether an update could not be completed from history; ``catch_up`` does it."""

    # --- what was asked ------------------------------------------------------------------------------------------------

    async def place(self, request: OrderRequest) -> OrderReport:
        """Send an order, once; return the known one when the venue has one of this id."""
        key = request.client_order_id
        if key in self._ledger.refused:
            return self._ledger.refused[key]
        if key in self._ledger.numbers:
            return await _taken(self.query(key, request.symbol))
        if (known := await self._kept_back(request)) is not None:
            return known
        self._under_way.add(key)
        try:
            order = await self._rest.submit(order_fields(request))
        except (OrderRejected, InsufficientFunds) as error:
            if is_duplicate(error):
                return await _taken(self.query(key, request.symbol))
            return self._refuse(request, refusal_code(error), error.message)
        except OrderNotFound as error:
            return self._refuse(request, "", error.message)
        finally:
            self._under_way.discard(key)
            self._ledger.sent[key] = self._tools.now()
        return await _taken(self._placed(request, order))

    async def _kept_back(self, request: OrderRequest) -> OrderReport | None:
        """Return the answer to an order that must not be sent now, None when it may."""
        if (
            request.type in (OrderType.MARKET, OrderType.IOC)
            and (until := await self._hours.closed_until()) is not None
        ):
            # Alpaca would keep it for the opening and fill it at a price that nobody has seen.
            return await self._known_or_refused(request, MARKET_HALTED, f"the market is closed until {until}")
        if request.side is OrderSide.SELL and self._shorts and not await self._holds(request):
            # Alpaca would sell short what is not there; for us shares are a spot market.
            return await self._known_or_refused(request, "InsufficientFunds", "more than is held would be sold short")
        return None

    async def _holds(self, request: OrderRequest) -> bool:
        ticker = ticker_of(request.symbol)
        held = next((each for each in await self._rest.positions() if each["symbol"] == ticker), None)
        return held is not None and Decimal(held.get("qty_available") or held["qty"]) >= request.qty

    async def _known_or_refused(self, request: OrderRequest, code: str, reason: str) -> OrderReport:
        try:
            order = await self._rest.order(request.client_order_id)
        except OrderNotFound:
            return self._refuse(request, code, reason)
        return await self._answer(order)

    async def _placed(self, request: OrderRequest, order: _Json) -> OrderReport:
        self._ledger.told(order)
        number = str(order["id"])
        if request.type is OrderType.IOC and fractional(request.qty):
            return await self._cancel(number)
        if request.type in (OrderType.MARKET, OrderType.IOC):
            order = await self._ended(number)
        return await self._answer(order)

    def _refuse(self, request: OrderRequest, code: str, reason: str) -> OrderReport:
        report = OrderReport(
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            state=OrderState.REJECTED,
            code=code,
            reason=reason,
            at=self._tools.now(),
        )
        self._ledger.refused[request.client_order_id] = report
        return report

    async def cancel(self, client_order_id: str) -> OrderReport:
        """Cancel an order; return its final state, or how it stands when that takes long. Raises OrderNotFound."""
        key = client_order_id
        if key in self._ledger.refused:
            return self._ledger.refused[key]
        number = self._ledger.numbers.get(key)
        if number is None:
            asked, in_flight = self._tools.now(), key in self._under_way
            try:
                order = await self._rest.order(key)
            except OrderNotFound as error:
                if in_flight or asked - self._ledger.sent.get(key, 0) < self._absent_after:
                    raise NetworkTimeout(error.venue, "the order may still be under way to the venue") from error
                raise
            self._ledger.meet(order)
            number = str(order["id"])
        return await self._cancel(number)

    async def _cancel(self, number: str) -> OrderReport:
        try:
            await self._rest.cancel(number)
        except (OrderRejected, InsufficientFunds):
            order = await self._rest.order_by_number(number)  # it has ended before: what it came to is the answer
            return await self._answer(order)
        return await self._answer(await self._ended(number))

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Return how an order stands; proven absent only when nothing of it can be under way any more."""
        key = client_order_id
        if key in self._ledger.refused:
            return self._ledger.refused[key]
        in_flight, asked = key in self._under_way, self._tools.now()
        last = max(self._ledger.sent.get(key, 0), self._born)
        try:
            order = await self._rest.order(key)
        except OrderNotFound as error:
            settled = not in_flight and asked - last >= self._absent_after
            return OrderReport(
                client_order_id=key,
                symbol=symbol,
                state=OrderState.REJECTED if settled else OrderState.UNKNOWN,
                reason="Alpaca has no order of this id" if settled else f"not seen yet: {error.message}",
                absent_proven=settled,
                at=self._tools.now(),
            )
        if left_over_ioc(order) and not in_flight:
            self._ledger.meet(order)
            return await self._cancel(str(order["id"]))
        return await self._answer(order)

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill."""
        orders = await self._rest.open_orders()
        for each in orders:
            self._ledger.told(each)
        return tuple(report_of(each) for each in orders)

    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return every fill at or after an instant, oldest first."""
        found = [fill for fill, _ in await self._history(at)]
        return tuple(sorted((fill for fill in found if fill.at >= at), key=lambda fill: fill.at))

    # --- what the venue says on its own --------------------------------------------------------------------------------

    async def hear(self, message: _Json) -> None:
        """Take a trade update. Its fill is believed when it adds up with what is known; else history is asked."""
        update = message["data"]
        order, event = update["order"], str(update.get("event", ""))
        number = str(order["id"])
        self._ledger.meet(order)
        try:
            self._hear_fill(event, number, update)
            await self._hear_order(order)
        except VenueError:
            self._ledger.live.add(number)
            self.behind = True

    def _hear_fill(self, event: str, number: str, update: _Json) -> None:
        order = update["order"]
        if event in ("fill", "partial_fill"):
            total = Decimal(order["filled_qty"])
            if self._ledger.filled(number) + Decimal(update["qty"]) == total:
                fill, new = self._ledger.fill(number, update, total, str(update["timestamp"]))
                if new:
                    self._tell(fill)

    async def _hear_order(self, order: _Json) -> None:
        await self._complete(order)
        report = self._ledger.told(order)
        if report is not None:
            self._tell(report)

    async def catch_up(self) -> None:
        """Tell every fill since the newest that was told, and every order that has changed unheard."""
        self.behind, before = False, set(self._ledger.live)
        for fill, new in await self._history(max(0, (self._ledger.newest or self._born) - _OVERLAP)):
            if new:
                self._tell(fill)
        found = {str(each["id"]): each for each in await self._rest.open_orders()} if before else {}
        for number in sorted(before):
            await self._hear_order(found.get(number) or await self._rest.order_by_number(number))

    async def end_left_overs(self) -> None:
        """Cancel what was to trade at once or not at all, and still waits from an earlier life."""
        for each in await self._rest.open_orders():
            if left_over_ioc(each) and str(each["client_order_id"]) not in self._under_way:
                self._ledger.meet(each)
                await self._cancel(str(each["id"]))

    # --- inside --------------------------------------------------------------------------------------------------------

    async def _answer(self, order: _Json) -> OrderReport:
        await self._complete(order)
        self._ledger.told(order)
        return report_of(order)

    async def _complete(self, order: _Json) -> None:
        """Tell the fills of an order that have not been told; history may lag behind the order by a moment."""
        number, total = str(order["id"]), Decimal(order.get("filled_qty") or 0)
        self._ledger.meet(order)
        for wait in _LOOKS:
            if self._ledger.filled(number) >= total:
                return
            await self._tools.sleep(wait)
            created = str(order.get("created_at") or order["submitted_at"])
            for fill, new in await self._history_after(created):
                if new:
                    self._tell(fill)

    async def _ended(self, number: str) -> _Json:
        """Return an order once it has ended, or as it stands after some looks."""
        order: _Json = {}
        for wait in _LOOKS:
            await self._tools.sleep(wait)
            order = await self._rest.order_by_number(number)
            if report_of(order).state.final:
                break
        return order

    async def _history(self, at: int) -> list[tuple[FillReport, bool]]:
        return await self._history_after(text_of(max(0, at - 1_000_000)))

    async def _history_after(self, after: str) -> list[tuple[FillReport, bool]]:
        found = []
        for row in await self._rest.fills(after):
            number = str(row["order_id"])
            if number not in self._ledger.orders:
                self._ledger.meet(await self._rest.order_by_number(number))
            found.append(self._ledger.fill(number, row, Decimal(row["cum_qty"]), str(row["transaction_time"])))
        return found


async def _taken(what: Coroutine[Any, Any, OrderReport]) -> OrderReport:
    """Ask about an order that the venue has taken: a question that fails must not be read as "it never got there"."""
    try:
        return await what
    except NetworkTimeout:
        raise
    except VenueError as error:
        raise NetworkTimeout(error.venue, f"the order is there, how it stands was not told: {error.message}") from error

"""Place, cancel, ask and change: at most once, and nothing is taken for done or undone that the venue has not said."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Final

from protocol.orders import OrderReport, OrderRequest, OrderState
from protocol.values import OrderType
from runtime.clock import NANOS
from venues.access import Tools
from venues.crypto.calls import Calls, Failed
from venues.crypto.dialect import Row, plain
from venues.crypto.memory import Memory
from venues.crypto.translate import Translator
from venues.errors import (
    InsufficientFunds,
    NetworkTimeout,
    OrderNotFound,
    OrderRejected,
    VenueCapabilityMissing,
    VenueError,
)

__all__ = ["Orders"]

_LOOKS: Final = 5
_LOOK_AGAIN_S: Final = 0.2


class Orders:
    """The orders of one connection."""

    def __init__(self, calls: Calls, words: Translator, memory: Memory, tools: Tools) -> None:
        self._calls = calls
        self._dialect = calls.dialect
        self._words = words
        self._memory = memory
        self._tools = tools

    # --- placing -------------------------------------------------------------------------------------------------------

    async def place(self, request: OrderRequest) -> OrderReport:
        """Place an order unless its id was sent before: then say what became of that."""
        key = request.client_order_id
        if key in self._memory.refused:
            return self._memory.refused[key]
        if key in self._memory.sent:
            known = await self._of_sent(key, request.symbol)
            if not known.absent_proven:
                return known
        if request.symbol not in self._words.instruments:
            return self._refuse(request, "UnknownSymbol", f"{request.symbol} is not traded here")
        if request.type is OrderType.STOP and not self._dialect.takes_stops:
            return self._refuse(request, "VenueCapabilityMissing", "no stop orders in this market")
        try:
            amount = plain(self._words.amount(request.symbol, request.qty))
        except ValueError as error:
            return self._refuse(request, "PrecisionRejected", str(error))
        return await self._send(request, amount)

    async def _send(self, request: OrderRequest, amount: str) -> OrderReport:
        key, calls = request.client_order_id, self._calls
        self._memory.symbols.add(request.symbol)

        def send(latest_ms: int, now_ms: int) -> object:
            self._memory.sent[key] = latest_ms * 1_000_000 if self._dialect.late_refusal_s is not None else None
            params = self._dialect.order_params(request, latest_ms, now_ms)
            return self._dialect.place(calls.exchange, request, amount, params)

        try:
            order: Row = await calls.change(send)  # type: ignore[arg-type] # it returns an awaitable
            return await self._accepted(request, order)
        except Failed as failed:
            return await self._failed(request, failed)

    async def _accepted(self, request: OrderRequest, order: Row) -> OrderReport:
        """Return how an accepted order stands; a venue that only says "taken" is asked."""
        key, symbol = request.client_order_id, request.symbol
        try:
            number = str(order["id"] or "")
            order = {**order, "symbol": symbol, "type": order.get("type") or request.type.value}
            report = self._words.report(order, self._calls.clock(), key)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            raise NetworkTimeout(self._dialect.venue, f"an answer that cannot be read: {error!r:.200}") from None
        if number:
            self._memory.numbers[number] = key
        if report.state is not OrderState.UNKNOWN:
            return report
        if not number:
            raise NetworkTimeout(self._dialect.venue, "an answer that names no order")
        with suppress(NetworkTimeout):
            for _ in range(_LOOKS):
                asked = await self._of_sent(key, symbol)
                if asked.state is not OrderState.UNKNOWN:
                    return asked
                await self._tools.sleep(_LOOK_AGAIN_S)
        if not number:
            # No order was named: what answered may not have been the venue's trading at all (a gateway's page).
            raise NetworkTimeout(self._dialect.venue, "an answer that names no order, and the venue shows none")
        return OrderReport(
            client_order_id=key, symbol=symbol, state=OrderState.OPEN, venue_order_id=number, at=self._calls.clock()
        )

    async def _failed(self, request: OrderRequest, failed: Failed) -> OrderReport:
        key, error = request.client_order_id, failed.error
        if self._dialect.is_duplicate(failed.cause):
            return await self._of_sent(key, request.symbol)
        if isinstance(error, NetworkTimeout):
            raise error
        self._memory.sent.pop(key, None)
        if isinstance(error, OrderRejected | InsufficientFunds | OrderNotFound):
            code = self._dialect.refusal_code(failed.cause) or (
                "InsufficientFunds" if isinstance(error, InsufficientFunds) else ""
            )
            return self._refuse(request, code, error.message)
        raise error

    def _refuse(self, request: OrderRequest, code: str, reason: str) -> OrderReport:
        report = OrderReport(
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            state=OrderState.REJECTED,
            code=code,
            reason=reason,
            at=self._calls.clock(),
        )
        self._memory.refused[request.client_order_id] = report
        return report

    # --- asking --------------------------------------------------------------------------------------------------------

    async def _of_sent(self, key: str, symbol: str) -> OrderReport:
        """Say how an order stands that was sent: a failure to ask must not be taken for an order that never left."""
        try:
            return await self.query(key, symbol)
        except VenueError as error:
            raise NetworkTimeout(error.venue, f"sent, and not known how it stands: {error.message}") from None

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Say how an order stands; absent only when nothing of it can arrive any more and the venue knows none."""
        if client_order_id in self._memory.refused:
            return self._memory.refused[client_order_id]
        asked_at = self._calls.clock()
        try:
            order = await self.look(client_order_id, symbol)
        except OrderNotFound as error:
            return self._not_found(client_order_id, symbol, asked_at, error.message)
        return self._calls.read(lambda: self._words.report(order, asked_at, client_order_id))

    async def look(self, client_order_id: str, symbol: str) -> Row:
        """Return the venue's order, as ccxt says it; raise OrderNotFound."""
        dialect, exchange = self._dialect, self._calls.exchange
        if symbol not in self._words.instruments:
            raise OrderNotFound(dialect.venue, f"{symbol} is not traded here")
        text = dialect.client_id_out(client_order_id)
        order: Row = await self._calls.ask(lambda: dialect.query(exchange, text, symbol))
        order = {**order, "symbol": symbol}
        if number := str(order.get("id") or ""):
            self._memory.numbers[number] = client_order_id
        self._memory.symbols.add(symbol)
        return order

    def _not_found(self, key: str, symbol: str, asked_at: int, reason: str) -> OrderReport:
        # An order of an earlier life was signed before this connection was opened.
        patience = self._dialect.late_refusal_s
        earlier = None if patience is None else self._memory.opened_at + round(patience * NANOS)
        latest = self._memory.sent.get(key, earlier)
        lag = round(self._dialect.lag_s * NANOS)
        proven = self._dialect.absence_provable and latest is not None and asked_at > latest + lag
        if proven:
            self._memory.sent.pop(key, None)
        return OrderReport(
            client_order_id=key,
            symbol=symbol,
            state=OrderState.REJECTED if proven else OrderState.UNKNOWN,
            reason=reason,
            absent_proven=proven,
            at=asked_at,
        )

    # --- cancelling and changing ---------------------------------------------------------------------------------------

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        """Cancel an order; return its final state. Raises OrderNotFound when the venue knows none."""
        dialect, exchange = self._dialect, self._calls.exchange
        text = dialect.client_id_out(client_order_id)
        refused: VenueError | None = None
        try:
            await self._calls.change(
                lambda latest_ms, now_ms: dialect.cancel(
                    exchange, text, symbol, dialect.latest_params(latest_ms, now_ms)
                )
            )
        except Failed as failed:
            if not isinstance(failed.error, OrderNotFound | OrderRejected):
                raise failed.error from None
            refused = failed.error
        report = await self._ended(client_order_id, symbol)
        if refused is not None and not report.state.final:
            raise refused
        return report

    async def _ended(self, client_order_id: str, symbol: str) -> OrderReport:
        """Return how a cancelled order stands once that is final: some venues take the cancel first and do it later."""
        for _ in range(_LOOKS):
            report = await self.query(client_order_id, symbol)
            if report.state.final or report.state is OrderState.UNKNOWN:
                break
            await self._tools.sleep(_LOOK_AGAIN_S)
        return report

    async def amend(
        self, client_order_id: str, symbol: str, *, price: Decimal | None = None, qty: Decimal | None = None
    ) -> OrderReport:
        """Change a resting order in place; return how it stands."""
        dialect, exchange = self._dialect, self._calls.exchange
        if not dialect.amends:
            raise VenueCapabilityMissing(dialect.venue, "amend")
        order = await self.look(client_order_id, symbol)
        new_price = plain(price) if price is not None else None
        new_amount = plain(self._words.amount(symbol, qty)) if qty is not None else None
        try:
            await self._calls.change(
                lambda latest_ms, now_ms: dialect.amend(
                    exchange, order, new_price, new_amount, dialect.latest_params(latest_ms, now_ms)
                )
            )
        except Failed as failed:
            raise failed.error from None
        return await self.query(client_order_id, symbol)

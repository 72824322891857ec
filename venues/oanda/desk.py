"""Orders at OANDA: placed at most once, their outcome from the venue's answer or its log, absence only when it is proven.

What proves absence. Each order that reaches the account, accepted or refused, is a transaction with its client id, and the
log has no gaps. So an id that is not in the whole log was not taken so far. That it will not be taken later needs a second
fact: that our request is no longer under way. Our end is cut with a reset when we give up (``wire``), so nothing leaves our
machine afterwards; ``UNDER_WAY_S`` later a request that some gateway still held has been given up there too. OANDA has no
latest time of arrival for an order that would not also end it, therefore this wait is the one assumption.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from protocol.orders import OrderReport, OrderRequest, OrderState
from runtime.clock import NANOS
from venues.access import Tools
from venues.errors import NetworkTimeout, OrderNotFound, RateLimited, VenueDown, VenueError
from venues.oanda.archive import Archive
from venues.oanda.bodies import body_of
from venues.oanda.ledger import Ledger
from venues.oanda.line import Line
from venues.oanda.log_feed import LogFeed
from venues.oanda.refusals import Refused, code_of
from venues.oanda.words import decimal_of, instant_of, symbol_of

__all__ = ["MAX_SENT", "UNDER_WAY_S", "Desk"]

UNDER_WAY_S: Final = 120.0
"""Longest time that a request can be under way after our end was cut: twice the minute after which gateways give up."""

MAX_SENT: Final = 10_000

_ANSWERED: Final = (
    "orderCreateTransaction",
    "orderRejectTransaction",
    "orderFillTransaction",
    "orderCancelTransaction",
    "orderReissueTransaction",
    "orderReissueRejectTransaction",
    "replacingOrderCancelTransaction",
)


@dataclass(slots=True)
class _Sent:
    """A request that has left: ``ended_at`` is when its call was over, None while it is under way."""

    ended_at: int | None = None


class Desk:
    """Places, cancels and asks for orders of one connection."""

    def __init__(
        self,
        venue: str,
        line: Line,
        ledger: Ledger,
        log: LogFeed,
        tools: Tools,
        *,
        send_by: Callable[[], int | None],
        under_way_s: float,
    ) -> None:
        self._venue = venue
        self._line = line
        self._ledger = ledger
        self._log = log
        self._tools = tools
        self._send_by = send_by
        self._under_way_ns = round(under_way_s * NANOS)
        self._began_at = tools.now()
        self._sent: dict[str, _Sent] = {}
        self._archive = Archive(ledger.last)

    # --- placing -------------------------------------------------------------------------------------------------------

    async def place(self, request: OrderRequest, extra: dict[str, Any] | None = None) -> OrderReport:
        """Place an order with what rides on it; a known id places nothing."""
        key = request.client_order_id
        return await self.create(key, request.symbol, body_of(request) | (extra or {}))

    async def create(self, key: str, symbol: str, body: dict[str, Any]) -> OrderReport:
        """Send an order's body unless its id is known."""
        known = self._ledger.orders.get(key)
        if known is not None and (known.state.final or not known.immediate):
            return known.report()
        if known is not None or key in self._sent:
            # An order that never rests, and is open by what was read: its end is a line further down in the log.
            return await self._sent_before(key, symbol)
        may_send = self._permit()
        sent = self._sent[key] = _Sent()
        try:
            answer = await self._line.act(self._line.calls.create(body), may_send)
        except NetworkTimeout:
            raise
        except Refused as error:
            answer = error.body
            if "orderRejectTransaction" not in answer:
                return self._rejected(key, symbol, error)
        except (RateLimited, VenueDown):
            del self._sent[key]
            raise
        except VenueError as error:
            if error.stops:
                del self._sent[key]
            raise
        finally:
            sent.ended_at = self._tools.now()
        return self._understood(key, symbol, answer)

    async def _sent_before(self, key: str, symbol: str) -> OrderReport:
        """Return what became of an order that has left already; not to learn it does not mean that it did not arrive."""
        try:
            report = await self.query(key, symbol)
        except VenueError as error:
            raise NetworkTimeout(self._venue, f"sent before, and the question failed: {error.message}") from None
        if report.state is OrderState.UNKNOWN:
            raise NetworkTimeout(self._venue, "sent before, and what became of it is not known")
        return report

    def _permit(self) -> Callable[[], bool]:
        """Return what says in the thread, right before the first byte, whether it may still leave."""
        until, now = self._send_by(), self._tools.now
        if until is None:
            return lambda: True
        if now() > until:
            raise VenueDown(self._venue, "this process may send nothing any more")
        return lambda: now() <= until

    def _rejected(self, key: str, symbol: str, error: Refused) -> OrderReport:
        """Return a refusal that is not in the log: the request was not understood, so nothing was made of it."""
        code = code_of(str(error.body.get("errorCode", "")))
        return OrderReport(
            client_order_id=key,
            symbol=symbol,
            state=OrderState.REJECTED,
            reason=error.reason,
            code=code,
            at=self._tools.now(),
        )

    def _understood(self, key: str, symbol: str, answer: Any) -> OrderReport:
        """Read the transactions of an answer; they are the log's own, so they go into the ledger too."""
        try:
            told = sorted((answer[name] for name in _ANSWERED if name in answer), key=lambda each: int(each["id"]))
            self._trim()
            self._log.take(told)
            if (known := self._ledger.orders.get(key)) is not None:
                return known.report()
            alone = Ledger("")
            alone.begin(int(told[0]["id"]) - 1)
            alone.take(told)
            alone.skip(int(told[-1]["id"]))
            return alone.orders[key].report()
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise NetworkTimeout(self._venue, f"an answer that cannot be read: {error!r} for {symbol}") from error

    def _trim(self) -> None:
        for key in list(self._sent)[: max(0, len(self._sent) - MAX_SENT)]:
            if key in self._ledger.orders:
                del self._sent[key]

    # --- changing ------------------------------------------------------------------------------------------------------

    async def cancel(self, key: str, symbol: str) -> OrderReport:
        """Cancel an order; return its final state."""
        known = self._ledger.orders.get(key)
        if known is not None and known.state.final:
            return known.report()
        return await self._change(key, symbol, self._line.calls.cancel(key))

    async def replace(self, key: str, symbol: str, body: dict[str, Any]) -> OrderReport:
        """Replace a pending order; return how it stands."""
        return await self._change(key, symbol, self._line.calls.replace(key, body))

    async def _change(self, key: str, symbol: str, endpoint: Any) -> OrderReport:
        try:
            answer = await self._line.act(endpoint, self._permit())
        except (OrderNotFound, Refused):
            report = await self.query(key, symbol)
            if report.state.final and not report.absent_proven:
                return report
            if report.state is OrderState.UNKNOWN and key in self._sent:
                raise NetworkTimeout(self._venue, "the order may still be under way to the venue") from None
            raise OrderNotFound(self._venue, f"no pending order {key}") from None
        self._understood_change(answer)
        if (known := self._ledger.orders.get(key)) is not None and not self._ledger.behind:
            return known.report()
        return await self.query(key, symbol)

    def _understood_change(self, answer: Any) -> None:
        try:
            told = [answer[name] for name in _ANSWERED if name in answer]
            self._log.take(sorted(told, key=lambda each: int(each["id"])))
        except (KeyError, TypeError, ValueError) as error:
            raise NetworkTimeout(self._venue, f"an answer that cannot be read: {error!r}") from error

    # --- asking --------------------------------------------------------------------------------------------------------

    async def query(self, key: str, symbol: str) -> OrderReport:
        """Say what the venue knows of an order."""
        asked_at = self._tools.now()
        await self._log.catch_up()
        if (known := self._ledger.orders.get(key)) is not None:
            return known.report()
        try:
            answer = await self._line.ask(self._line.calls.order(key))
            return await self._report_of(key, symbol, answer)
        except OrderNotFound:
            # Ended orders are not found by their client id, new ones for up to half a second: this proves nothing.
            number = await self._archive.find(key, self._line)
        if number:
            answer = await self._line.ask(self._line.calls.order_number(number))
            return await self._report_of(key, symbol, answer)
        gone = self._archive.complete and self._settled(key, asked_at)
        return OrderReport(
            client_order_id=key,
            symbol=symbol,
            state=OrderState.REJECTED if gone else OrderState.UNKNOWN,
            reason="the venue's log does not have it" + ("" if gone else ", but it may still be under way"),
            absent_proven=gone,
            at=self._tools.now(),
        )

    def _settled(self, key: str, asked_at: int) -> bool:
        """Whether a request for this id was no longer under way when the log was read."""
        sent = self._sent.get(key)
        since = self._began_at if sent is None else sent.ended_at
        return since is not None and asked_at - since >= self._under_way_ns

    async def _report_of(self, key: str, symbol: str, answer: Any) -> OrderReport:
        """Return what the venue says of one order that the ledger does not know."""
        try:
            order = answer["order"]
            state, filled = _STATES[str(order["state"])], decimal_of("0")
            if number := order.get("fillingTransactionID"):
                told = await self._line.ask(self._line.calls.transaction(str(number)))
                filled = abs(decimal_of(told["transaction"]["units"]))
            return OrderReport(
                client_order_id=key,
                # The stop or target of a trade names the trade, not the market.
                symbol=symbol_of(str(order["instrument"])) if "instrument" in order else symbol,
                state=state,
                venue_order_id=str(order["id"]),
                filled_qty=filled,
                at=instant_of(order["createTime"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NetworkTimeout(self._venue, f"an answer that cannot be read: {error!r}") from error


_STATES: Final = {
    "PENDING": OrderState.OPEN,
    "TRIGGERED": OrderState.OPEN,
    "FILLED": OrderState.FILLED,
    "CANCELLED": OrderState.CANCELLED,
}

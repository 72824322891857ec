"""The orders of the TWS gateway: single ones, brackets (children wait for their parent) and combinations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from protocol.orders import FillReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues.hall import Order
from tests.servers.venues.tws_words import Listed, Ticket, completed_order, execution, open_order

if TYPE_CHECKING:
    from tests.servers.venues.tws import Connection, TwsVenue

__all__ = ["Live", "Orders"]

CODES = {"TickSize": 110, "StepSize": 10318, "MinQty": 10318}


@dataclass(slots=True)
class Live:
    """One order at the gateway. ``order`` is the hall's, None while it waits for its parent or trades as a combination."""

    ticket: Ticket
    contract: Listed
    perm_id: int
    status: str = "PendingSubmit"
    order: Order | None = None
    children: list[Live] = field(default_factory=list)
    fills: list[tuple[str, Listed, dict[str, Any]]] = field(default_factory=list)
    filled: Decimal = Decimal(0)
    reason: str = ""

    @property
    def done(self) -> bool:
        return self.status in ("Filled", "Cancelled", "Inactive")

    key: str = ""
    """Its id in the hall: its reference; a second order with the same reference has another one."""


class Orders:
    """All orders of the day. ``own`` places one as a human at the workstation would."""

    def __init__(self, venue: TwsVenue) -> None:
        self.venue = venue
        self.live: dict[tuple[int, int], Live] = {}
        self.by_key: dict[str, Live] = {}
        self.forgotten: set[int] = set()
        """Permanent ids of orders of an earlier day: in no list any more."""
        self.refused_stops = 0
        """So many stops are refused when they would begin to work."""
        self.lost_stops = 0
        """So many stops of brackets are taken and heard of no more: they are in no list."""
        self._perm = 1_500_000_000

    def next_id(self, client_id: int) -> int:
        """Return the next order id of a client."""
        return max((number for client, number in self.live if client == client_id), default=0) + 1

    def of_today(self) -> list[Live]:
        """Return what the gateway still knows, oldest first."""
        return [each for each in self.live.values() if each.perm_id not in self.forgotten]

    # --- what clients ask ----------------------------------------------------------------------------------------------

    def place(self, connection: Connection, fields: Sequence[str]) -> None:
        """Take message 3."""
        ticket = Ticket.read(fields, connection.client_id)
        key = (ticket.client_id, ticket.order_id)
        contract = Listed(28812380, fields[3], "BAG", "SMART", fields[10]) if ticket.legs else None
        contract = contract or self.venue.contracts.get(ticket.con_id)
        if key in self.live:
            connection.error(ticket.order_id, 103, "Duplicate order id")
            return
        if contract is None:
            connection.error(ticket.order_id, 200, "No security definition has been found for the request")
            return
        if ticket.parent and (ticket.client_id, ticket.parent) not in self.live:
            connection.error(ticket.order_id, 321, "Error validating request: the parent order is not there")
            return
        if not self.venue.linked:
            connection.error(ticket.order_id, 1100, "Connectivity between IBKR and Trader Workstation has been lost.")
            return
        self._perm += 1
        unique = f"{ticket.ref}n{ticket.client_id}n{ticket.order_id}"
        live = Live(
            ticket, contract, self._perm, key=unique if ticket.ref in self.by_key or not ticket.ref else ticket.ref
        )
        self.live[key] = self.by_key[live.key] = live
        parent = self.live.get((ticket.client_id, ticket.parent)) if ticket.parent else None
        if parent is not None:
            parent.children.append(live)
        if not ticket.transmit:
            return
        self._transmit(parent or live)

    def _transmit(self, live: Live) -> None:
        for child in tuple(live.children):
            if child.ticket.kind == "STP" and self.lost_stops:
                self.lost_stops -= 1
                self._lose(live, child)
            else:
                self._say(child, "PreSubmitted")
        if live.ticket.legs:
            self._trade_combo(live)
        else:
            self._submit(live)

    def _lose(self, parent: Live, child: Live) -> None:
        parent.children.remove(child)
        del self.live[child.ticket.client_id, child.ticket.order_id], self.by_key[child.key]

    def _submit(self, live: Live) -> None:
        self._say(live, "PendingSubmit")
        if live.ticket.kind == "STP" and self.refused_stops:
            self.refused_stops -= 1
            self.error(live, 201, "Order rejected - reason:no stop orders are taken for this contract now")
            self._say(live, "Inactive")
            return
        live.order = order = self.venue.hall.place(_request(live))
        if order.state is OrderState.REJECTED:
            self._refused(live, order)
        elif not live.done and live.status != "Submitted":
            self._say(live, "Submitted")

    def _refused(self, live: Live, order: Order) -> None:
        text = f"Order rejected - reason:{order.reason}"
        if order.code == "InsufficientFunds":
            text = (
                f"Order rejected - reason:YOUR EQUITY WITH LOAN VALUE MUST EXCEED THE INITIAL MARGIN ({order.reason})"
            )
        if order.code == "TickSize":
            text = "The price does not conform to the minimum price variation for this contract."
        self.error(live, CODES.get(order.code, 201), text)
        self._say(live, "Inactive")
        for child in live.children:
            self._end(child, "Cancelled")

    def cancel(self, connection: Connection, order_id: int) -> None:
        """Take message 4."""
        live = self.live.get((connection.client_id, order_id))
        if live is None:
            connection.error(order_id, 10147, f"OrderId {order_id} that needs to be cancelled is not found.")
        elif live.done:
            connection.error(
                order_id,
                10148,
                f"OrderId {order_id} that needs to be cancelled can not be cancelled, state: {live.status}.",
            )
        elif live.order is None:
            self._end(live, "Cancelled")
        else:
            self._say(live, "PendingCancel")
            self.venue.hall.cancel(live.order)

    # --- what the hall says ----------------------------------------------------------------------------------------------

    def hear(self, fact: Any) -> None:
        """Tell the clients what the hall tells of their orders."""
        if isinstance(fact, FillReport):
            self._filled(self.by_key[fact.client_order_id], fact)
        elif isinstance(fact, Order) and (live := self.by_key.get(fact.request.client_order_id)) is not None:
            live.order = fact
            self._changed(live, fact)

    def _filled(self, live: Live, fill: FillReport) -> None:
        size = Decimal(live.contract.multiplier or 1)
        live.filled += fill.qty / size
        told = {"at": fill.at, "side": fill.side.value, "qty": fill.qty / size, "price": fill.price, "total": live.filled,
                "average": fill.price, "liquidity": 1 if fill.maker else 2, "fee": fill.fee}  # fmt: skip
        number = f"0000e0d5.{self.venue.hall.trade_number(fill):08x}.01.01"
        self._trade(live, number, live.contract, told)

    def _trade(self, live: Live, number: str, contract: Listed, told: dict[str, Any]) -> None:
        live.fills.append((number, contract, told))
        for message in self.trade_messages(live, -1, number, contract, told):
            self._tell(live, message)

    @staticmethod
    def trade_messages(
        live: Live, request: int, number: str, contract: Listed, told: dict[str, Any]
    ) -> list[list[Any]]:
        """Return an execution and its commission."""
        return [
            execution(request, number, live.ticket, live.perm_id, contract.words(), told),
            [59, 1, number, told["fee"], contract.currency, "1.7976931348623157E308", "1.7976931348623157E308", ""],
        ]

    def _changed(self, live: Live, order: Order) -> None:
        if order.state is OrderState.FILLED:
            self._say(live, "Filled")
            self._next_of(live)
        elif order.state is OrderState.CANCELLED:
            live.reason = "Cancelled by Trader"
            self.error(live, 202, "Order Canceled - reason:")
            self._end(live, "Cancelled")
        elif order.state is OrderState.PARTIALLY_FILLED or live.status == "PendingSubmit":
            self._say(live, "Submitted")

    def _next_of(self, live: Live) -> None:
        for child in live.children:
            self._submit(child)
        parent = self.live.get((live.ticket.client_id, live.ticket.parent))
        for sibling in parent.children if parent is not None else ():
            if sibling is not live and sibling.order is not None and not sibling.done:
                self.venue.hall.cancel(sibling.order)

    def _end(self, live: Live, status: str) -> None:
        self._say(live, status)
        for child in live.children:
            if not child.done:
                self._end(child, status)

    def _trade_combo(self, live: Live) -> None:
        self._say(live, "Submitted")
        if self.venue.faults.armed("partial_fill"):  # type: ignore[arg-type] # the combination rests until it is cleared
            return
        qty = Decimal(live.ticket.qty)
        for number, (con_id, ratio, action) in enumerate(live.ticket.legs):
            leg = self.venue.contracts[con_id]
            size = qty * ratio
            told = {"at": self.venue.hall.now(), "side": action.lower(), "qty": size, "price": Decimal("1.25"),
                    "total": size, "average": "1.25", "liquidity": 2, "fee": Decimal("0.65") * size}  # fmt: skip
            self._trade(live, f"0000e0d5.{live.perm_id:08x}.{number + 2:02d}.01", leg, told)
        live.filled = qty
        self._say(live, "Filled")

    # --- words -----------------------------------------------------------------------------------------------------------

    def messages(self, live: Live) -> list[list[Any]]:
        """Return an order as it stands: what it is, and its status."""
        ticket, total = live.ticket, Decimal(live.ticket.qty)
        average = live.order.average if live.order is not None else 0
        status = [
            3,
            ticket.order_id,
            live.status,
            live.filled,
            total - live.filled,
            average,
            live.perm_id,
            ticket.parent,
        ]
        return [
            open_order(ticket, live.perm_id, live.contract.words(), live.status),
            [*status, 0, ticket.client_id, "", 0],
        ]

    def completed(self, live: Live) -> list[Any]:
        """Return an order that is over, as the list of those tells it."""
        reason = f"Filled Size: {live.filled}" if live.status == "Filled" else live.reason or live.status
        return completed_order(live.ticket, live.perm_id, live.contract.words(), live.status, live.filled, reason)

    def error(self, live: Live, code: int, text: str) -> None:
        """Tell its client an error about an order."""
        live.reason = text
        for each in self._clients(live):
            each.error(live.ticket.order_id, code, text)

    def _say(self, live: Live, status: str) -> None:
        live.status = status
        for message in self.messages(live):
            self._tell(live, message)

    def _tell(self, live: Live, message: list[Any]) -> None:
        for each in self._clients(live):
            each.tell(message)

    def _clients(self, live: Live) -> list[Connection]:
        return [each for each in self.venue.connections if each.client_id == live.ticket.client_id]


def _request(live: Live) -> OrderRequest:
    ticket = live.ticket
    kinds = {"MKT": OrderType.MARKET, "LMT": OrderType.LIMIT, "STP": OrderType.STOP}
    kind = OrderType.IOC if ticket.tif == "IOC" and ticket.kind == "LMT" else kinds[ticket.kind]
    return OrderRequest(
        client_order_id=live.key,
        symbol=live.contract.market,
        side=OrderSide.BUY if ticket.action == "BUY" else OrderSide.SELL,
        type=kind,
        qty=Decimal(ticket.qty) * Decimal(live.contract.multiplier or 1),
        price=Decimal(ticket.limit) if ticket.limit and ticket.kind == "LMT" else None,
        stop_price=Decimal(ticket.stop) if ticket.stop and ticket.kind == "STP" else None,
    )

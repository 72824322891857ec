"""What Gate's spot and futures interfaces share: labels, client ids in ``text``, times."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from protocol.instruments import Instrument
from protocol.orders import FillReport, OrderRequest, OrderState
from tests.servers.venues.hall import NS, Hall, Order

__all__ = ["Desk", "GateRefusal", "Route", "millis", "refused", "seconds", "text"]

Route = tuple[str, str, Callable[[dict[str, Any]], Any], bool]
"""Method, path, what answers (given path, query and body as one), whether it is signed."""

AGAIN: Final = "~"
"""Stands between a text and the number of its second order: the hall knows each of its ids once."""
MAX_TEXT: Final = 30


class GateRefusal(Exception):
    """A label, what it says, and the HTTP status it comes with."""

    def __init__(self, label: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.label = label
        self.message = message
        self.status = status


def refused(refusal: GateRefusal) -> web.Response:
    """Return a refusal."""
    return web.json_response({"label": refusal.label, "message": refusal.message}, status=refusal.status)


def text(amount: Decimal) -> str:
    """Write a number without an exponent."""
    return format(amount.normalize(), "f")


def seconds(at: int) -> float:
    """Write an instant as futures do: seconds with milliseconds behind the point."""
    return at // 1_000_000 / 1000


def millis(at: int) -> str:
    """Write an instant as spot trades do: milliseconds with a fraction."""
    return f"{at // 1_000_000}.{at % 1_000_000:06d}"


class Desk:
    """Orders by either id. The same ``text`` sent again makes a second order: Gate refuses no duplicates."""

    REFUSED: dict[str, tuple[str, str]]
    UNKNOWN_MARKET: GateRefusal

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self._texts: dict[str, str] = {}
        """The hall's id of an order -> the text that it came with; the hall knows it without the prefix."""

    def markets(self) -> list[Instrument]:
        """Return the markets of this desk."""
        raise NotImplementedError

    def market(self, venue_symbol: str) -> Instrument:
        """Return a market by Gate's name."""
        for each in self.markets():
            if each.venue_symbol == venue_symbol:
                return each
        raise self.UNKNOWN_MARKET

    def place(self, request: OrderRequest) -> Order:
        """Place an order in the hall, or refuse it in Gate's words; the client id is Gate's ``text``."""
        name = request.client_order_id
        if not name.startswith("t-") or len(name) > MAX_TEXT:
            raise GateRefusal(
                "INVALID_PARAM_VALUE", "invalid text: must start with t- and be no longer than 28 bytes after it"
            )
        count, hall_id = len(self.called(name)), name.removeprefix("t-")
        fields = {each: getattr(request, each) for each in request.__struct_fields__}
        fields["client_order_id"] = f"{hall_id}{AGAIN}{count}" if count else hall_id
        self._texts[fields["client_order_id"]] = name
        order = self.hall.place(OrderRequest(**fields))
        if not order.number:
            raise GateRefusal(*self.REFUSED.get(order.code, ("INVALID_PARAM_VALUE", order.reason)))
        return order

    def amend(self, order: Order, price: Decimal | None, qty: Decimal | None) -> Order:
        """Change a resting order, or refuse to in Gate's words."""
        rules = self.hall.instruments()[order.request.symbol].rules
        if order.state.final:
            raise GateRefusal("ORDER_CLOSED", "Order already cancelled or closed")
        if (price or 0) % rules.tick_size or (qty or 0) % rules.step_size:
            raise GateRefusal("INVALID_PRECISION", "Invalid precision")
        if price in (None, order.request.price) and qty in (None, order.request.qty):
            raise GateRefusal("NO_CHANGE", "No change is made")
        return self.hall.amend(order, price=price, qty=qty)

    def called(self, name: str) -> list[Order]:
        """Return the accepted orders with a text, oldest first."""
        return [each for each in self.orders() if self.text_of(each) == name]

    def orders(self) -> list[Order]:
        """Return the accepted orders of this desk, oldest first."""
        symbols = {each.symbol for each in self.markets()}
        return [each for each in self.hall.by_number.values() if each.request.symbol in symbols]

    def find(self, order_id: str) -> Order:
        """Return an order by Gate's id, or by its text while it is pending: a finished one is not found by text."""
        if order_id.startswith("t-"):
            for each in reversed(self.called(order_id)):
                if not each.state.final:
                    return each
            raise GateRefusal("CLIENT_ID_NOT_FOUND", f"Order with client ID {order_id} not found", 404)
        order = self.hall.find(number=int(order_id)) if order_id.isdigit() else None
        if order is None:
            raise GateRefusal("ORDER_NOT_FOUND", "Order not found", 404)
        return order

    def fills(self, asked: dict[str, Any], symbol: str | None) -> list[FillReport]:
        """Return the fills that a request asks for, newest first."""
        since, until = int(asked.get("from") or 0), int(asked.get("to") or 2**40)
        symbols = {each.symbol for each in self.markets() if symbol in (None, each.venue_symbol)}
        order = asked.get("order_id")
        return [
            each
            for each in reversed(self.hall.fills)
            if each.symbol in symbols
            and since <= each.at // NS <= until
            and order in (None, str(self.hall.number_of(each)))
        ]

    def text_of(self, order: Order) -> str:
        """Return the text that an order was sent with."""
        hall_id = order.request.client_order_id
        return self._texts.get(hall_id, "web" if hall_id.startswith("anonymous") else f"t-{hall_id}")

    @staticmethod
    def finish_as(order: Order) -> str:
        """Say how an order ended."""
        if order.state is OrderState.FILLED:
            return "filled"
        if order.state is OrderState.CANCELLED:
            return "ioc" if order.request.type.value in ("ioc", "market") else "cancelled"
        return "open"

"""KuCoin's envelope, its ids, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from protocol.instruments import Instrument
from protocol.orders import FillReport, OrderRequest
from protocol.values import OrderSide, OrderType
from tests.servers.venues.hall import Hall, Order

__all__ = ["Desk", "KucoinRefusal", "Route", "hexed", "number_of", "ok", "refused", "text"]

Route = tuple[str, str, Callable[[dict[str, Any]], Any], bool]
"""Method, path, what answers (given path, query and body as one), whether it is signed."""

AGAIN: Final = "~"
"""Stands between a client id and the number of its second order: the hall knows each of its ids once."""


class KucoinRefusal(Exception):
    """A code and what it says."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def ok(data: Any) -> web.Response:
    """Return an answer in its envelope."""
    return web.json_response({"code": "200000", "data": data})


def refused(refusal: KucoinRefusal) -> web.Response:
    """Return a refusal: KuCoin's business errors come with status 200."""
    return web.json_response({"code": refusal.code, "msg": refusal.message})


def text(amount: Decimal) -> str:
    """Write a number without an exponent."""
    return format(amount.normalize(), "f")


def hexed(number: int) -> str:
    """Return an order number as KuCoin writes ids: 24 hexadecimal digits."""
    return f"{number:024x}"


def number_of(order_id: str) -> int:
    """Return the number of an order id, 0 when it is none."""
    try:
        return int(order_id, 16)
    except ValueError:
        return 0


class Desk:
    """What spot and futures have in common: orders by either id, duplicates among working orders."""

    DUPLICATE: KucoinRefusal
    MISSING: KucoinRefusal
    REFUSED: dict[str, tuple[str, str]]

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self._names: dict[str, str] = {}
        """The hall's id of an order -> the client id that it came with."""

    def market(self, venue_symbol: str) -> Instrument:
        """Return a market by KuCoin's name."""
        for each in self.markets():
            if each.venue_symbol == venue_symbol:
                return each
        raise KucoinRefusal("400100" if "-" in venue_symbol else "100001", "The trading pair does not exist.")

    def markets(self) -> list[Instrument]:
        """Return the markets of this desk."""
        raise NotImplementedError

    def place(self, asked: dict[str, Any], qty: Decimal, instrument: Instrument) -> Order:
        """Place an order in the hall, or refuse it in KuCoin's words."""
        client_id = str(asked["clientOid"])
        mine = self.called(client_id)
        if any(not each.state.final for each in mine):
            raise self.DUPLICATE
        hall_id = client_id + (f"{AGAIN}{len(mine)}" if mine else "")
        self._names[hall_id] = client_id
        ioc = asked.get("timeInForce") == "IOC"
        kind = OrderType.MARKET if asked["type"] == "market" else OrderType.IOC if ioc else OrderType.LIMIT
        order = self.hall.place(
            OrderRequest(
                client_order_id=hall_id,
                symbol=instrument.symbol,
                side=OrderSide(asked["side"]),
                type=kind,
                qty=qty,
                price=None if kind is OrderType.MARKET else Decimal(str(asked["price"])),
                reduce_only=bool(asked.get("reduceOnly", False)),
            )
        )
        if not order.number:
            code, message = self.REFUSED.get(order.code, ("400100", order.reason))
            raise KucoinRefusal(code, message)
        return order

    def called(self, client_id: str) -> list[Order]:
        """Return the accepted orders with a client id, oldest first."""
        return [each for each in self.orders() if self.client_id(each.request.client_order_id) == client_id]

    def orders(self) -> list[Order]:
        """Return the accepted orders of this desk, oldest first."""
        symbols = {each.symbol for each in self.markets()}
        return [each for each in self.hall.by_number.values() if each.request.symbol in symbols]

    def by_client_id(self, client_id: str) -> Order:
        """Return the newest order with a client id."""
        if found := self.called(client_id):
            return found[-1]
        raise self.MISSING

    def by_id(self, order_id: str) -> Order:
        """Return an order by KuCoin's id."""
        order = self.hall.find(number=number_of(order_id))
        if order is None:
            raise self.MISSING
        return order

    def fills(self, asked: dict[str, Any]) -> list[FillReport]:
        """Return the fills that a request asks for, newest first."""
        since, until = int(asked.get("startAt") or 0), int(asked.get("endAt") or 2**53)
        symbols = {
            each.symbol for each in self.markets() if asked.get("symbol", each.venue_symbol) == each.venue_symbol
        }
        order_id = asked.get("orderId")
        return [
            each
            for each in reversed(self.hall.fills)
            if each.symbol in symbols
            and since <= each.at // 1_000_000 <= until
            and order_id in (None, hexed(self.hall.number_of(each)))
        ]

    def client_id(self, hall_id: str) -> str:
        """Return the client id that an order was sent with."""
        return self._names.get(hall_id, "" if hall_id.startswith("anonymous") else hall_id)

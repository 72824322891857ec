"""What MEXC's spot interface says: bodies of orders, trades and accounts, messages of its streams, and its code table.

The shapes are those that ccxt parses; codes are of the published table. What the venue answers to a client id that is in use
is not published: the server answers "Repeated request" of the same table.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from protocol.instruments import Instrument
from protocol.orders import FillReport, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.protobuf import Field, encoded

__all__ = [
    "ANONYMOUS",
    "MS",
    "REFUSALS",
    "Refused",
    "account_frame",
    "deal_frame",
    "last_frame",
    "number",
    "order_body",
    "order_frame",
    "order_id",
]

MS: Final = 1_000_000
ANONYMOUS: Final = "anonymous"
"""What the hall's ids of orders without a client id begin with."""
TYPES: Final = {OrderType.LIMIT: "LIMIT", OrderType.MARKET: "MARKET", OrderType.IOC: "IMMEDIATE_OR_CANCEL"}
STREAM_TYPES: Final = {OrderType.LIMIT: 1, OrderType.IOC: 3, OrderType.MARKET: 5}

REFUSALS: Final = {
    "TickSize": (400, "price scale is invalid"),
    "StepSize": (10096, "amount decimal places is too long"),
    "MinQty": (30002, "The minimum transaction volume cannot be less than:0.000001BTC"),
    "MinNotional": (30002, "The minimum transaction volume cannot be less than:1USDT"),
    "UnknownSymbol": (-1121, "Invalid symbol."),
    "NoMarketPrice": (30010, "no valid trade price"),
}
"""By what the hall calls it."""


class Refused(Exception):
    """An answer with a code."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code, self.text, self.status = code, text, status


def number(value: Decimal) -> str:
    """Return a number as this venue writes it: plain, without trailing zeros."""
    return f"{value.normalize():f}"


def order_id(order: Order) -> str:
    """Return the venue's own id."""
    return f"C02__{order.number}"


def status_of(order: Order) -> str:
    """Return the order's status as REST says it."""
    if order.state is OrderState.CANCELLED:
        return "PARTIALLY_CANCELED" if order.filled else "CANCELED"
    names = {OrderState.FILLED: "FILLED", OrderState.PARTIALLY_FILLED: "PARTIALLY_FILLED"}
    return names.get(order.state, "NEW")


def client_id_of(order: Order) -> str | None:
    """Return the client id that an order was given, None without one."""
    key = order.request.client_order_id
    return None if key.startswith(ANONYMOUS) else key


def order_body(order: Order, instrument: Instrument) -> dict[str, Any]:
    """Return an order as it is asked for."""
    request = order.request
    return {
        "symbol": instrument.venue_symbol,
        "orderId": order_id(order),
        "orderListId": -1,
        "clientOrderId": client_id_of(order),
        "price": number(request.price or Decimal(0)),
        "origQty": number(request.qty),
        "executedQty": number(order.filled),
        "cummulativeQuoteQty": number(order.cost),
        "status": status_of(order),
        "timeInForce": None,
        "type": TYPES[request.type],
        "side": request.side.value.upper(),
        "stopPrice": None,
        "icebergQty": None,
        "time": order.created_at // MS,
        "updateTime": order.updated_at // MS,
        "isWorking": True,
        "origQuoteOrderQty": number(request.qty * (request.price or Decimal(0))),
    }


def trade_body(hall: Hall, fill: FillReport, instrument: Instrument) -> dict[str, Any]:
    """Return a trade as history tells it: without the client id."""
    return {
        "symbol": instrument.venue_symbol,
        "id": f"{hall.trade_number(fill)}X1",
        "orderId": f"C02__{hall.number_of(fill)}",
        "orderListId": -1,
        "price": number(fill.price),
        "qty": number(fill.qty),
        "quoteQty": number(fill.qty * fill.price),
        "commission": number(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": fill.at // MS,
        "isBuyer": fill.side is OrderSide.BUY,
        "isMaker": fill.maker,
        "isBestMatch": True,
        "isSelfTrade": False,
        "clientOrderId": None,
    }


def order_frame(order: Order, instrument: Instrument) -> bytes:
    """Return an order as the private stream tells it."""
    request = order.request
    status = {OrderState.FILLED: 2, OrderState.PARTIALLY_FILLED: 3, OrderState.CANCELLED: 5 if order.filled else 4}
    body: list[Field] = [
        (1, order_id(order)),
        (2, client_id_of(order) or ""),
        (3, number(request.price or Decimal(0))),
        (4, number(request.qty)),
        (6, number(order.average)),
        (7, STREAM_TYPES[request.type]),
        (8, 1 if request.side is OrderSide.BUY else 2),
        (11, number(order.rest)),
        (13, number(order.filled)),
        (14, number(order.cost)),
        (15, status.get(order.state, 1)),
        (16, order.created_at // MS),
    ]
    return _frame("spot@private.orders.v3.api.pb", instrument.venue_symbol, order.updated_at, (304, body))


def deal_frame(hall: Hall, fill: FillReport, instrument: Instrument) -> bytes:
    """Return a trade as the private stream tells it."""
    body: list[Field] = [
        (1, number(fill.price)),
        (2, number(fill.qty)),
        (3, number(fill.qty * fill.price)),
        (4, 1 if fill.side is OrderSide.BUY else 2),
        (5, fill.maker),
        (7, f"{hall.trade_number(fill)}X1"),
        (8, "" if fill.client_order_id.startswith(ANONYMOUS) else fill.client_order_id),
        (9, f"C02__{hall.number_of(fill)}"),
        (10, number(fill.fee)),
        (11, fill.fee_currency),
        (12, fill.at // MS),
    ]
    return _frame("spot@private.deals.v3.api.pb", instrument.venue_symbol, fill.at, (306, body))


def account_frame(currency: str, free: Decimal, locked: Decimal, at: int) -> bytes:
    """Return a balance as the private stream tells it."""
    body: list[Field] = [(1, currency), (3, number(free)), (5, number(locked)), (7, "ENTRUST"), (8, at // MS)]
    return _frame("spot@private.account.v3.api.pb", "", at, (307, body))


def quote_frame(channel: str, symbol: str, bid: Decimal, ask: Decimal, at: int) -> bytes:
    """Return best bid and ask."""
    body: list[Field] = [(1, number(bid)), (2, "1.5"), (3, number(ask)), (4, "2.5")]
    return _frame(channel, symbol, at, (315, body))


def last_frame(channel: str, symbol: str, price: Decimal, at: int) -> bytes:
    """Return a trade of somebody else's."""
    body: list[Field] = [(1, [(1, number(price)), (2, "0.01"), (3, 1), (4, at // MS)]), (2, channel)]
    return _frame(channel, symbol, at, (314, body))


def _frame(channel: str, symbol: str, at: int, body: Field) -> bytes:
    return encoded([(1, channel), (3, symbol), (5, at // MS), (6, at // MS), body])

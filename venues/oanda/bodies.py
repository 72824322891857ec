"""Orders as OANDA wants them.

A market order and an IOC order are one kind at OANDA: MARKET with ``timeInForce`` IOC, the second with ``priceBound``, the
worst price at which it may trade. Limit and stop orders rest until they are cancelled (GTC): their ``gtdTime`` cannot serve
as the latest time of arrival, since it also ends them.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from protocol.orders import OrderRequest
from protocol.values import OrderSide, OrderType
from rules.broker.bracket_ids import stop_id, target_id
from rules.broker.brackets import BracketOrder
from rules.client_ids import PREFIX
from venues.oanda.words import venue_symbol_of

__all__ = ["body_of", "child_id", "on_fill", "text_of", "trailing_body"]


def body_of(request: OrderRequest) -> dict[str, Any]:
    """Return the order of a request."""
    units = request.qty if request.side is OrderSide.BUY else -request.qty
    body: dict[str, Any] = {
        "instrument": venue_symbol_of(request.symbol),
        "units": text_of(units),
        "positionFill": "REDUCE_ONLY" if request.reduce_only else "REDUCE_FIRST",
        "clientExtensions": {"id": request.client_order_id},
    }
    match request.type:
        case OrderType.MARKET:
            return body | {"type": "MARKET", "timeInForce": "IOC"}
        case OrderType.IOC:
            return body | {"type": "MARKET", "timeInForce": "IOC", "priceBound": _price(request.price)}
        case OrderType.LIMIT:
            return body | {"type": "LIMIT", "timeInForce": "GTC", "price": _price(request.price)}
        case OrderType.STOP:
            return body | {"type": "STOP", "timeInForce": "GTC", "price": _price(request.stop_price)}


def on_fill(orders: Sequence[BracketOrder]) -> dict[str, Any]:
    """Return what makes an entry carry its stop and target: they ride on it (PF-232)."""
    found = {}
    for each in orders:
        if each.parent is not None:
            name = "stopLossOnFill" if each.type == "STP" else "takeProfitOnFill"
            found[name] = {
                "price": _price(each.price),
                "timeInForce": "GTC",
                "clientExtensions": {"id": child_id(each)},
            }
    return found


def child_id(order: BracketOrder) -> str:
    """Return the id under which we know a stop or target that rides on an entry of ours."""
    assert order.parent is not None, "the entry has the id that it was given"
    if not order.parent.startswith(PREFIX):
        return order.client_id
    return stop_id(order.parent) if order.type == "STP" else target_id(order.parent)


def trailing_body(client_order_id: str, trade_id: str, distance: Decimal) -> dict[str, Any]:
    """Return a stop that follows the price of a trade at a distance in quote currency."""
    return {
        "type": "TRAILING_STOP_LOSS",
        "tradeID": trade_id,
        "distance": text_of(distance),
        "timeInForce": "GTC",
        "clientExtensions": {"id": client_order_id},
    }


def _price(price: Decimal | None) -> str:
    assert price is not None
    return text_of(price)


def text_of(number: Decimal) -> str:
    """Return a number without exponent and superfluous zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

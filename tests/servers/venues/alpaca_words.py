"""What Alpaca writes on the wire: the shapes of its API reference, as alpaca-py's models read them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgpack  # type: ignore[import-untyped] # it has no types

from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import FillReport, OrderState
from protocol.values import OrderType
from tests.servers.venues.hall import NS, Order

STATUS = {
    OrderState.OPEN: "new",
    OrderState.PARTIALLY_FILLED: "partially_filled",
    OrderState.FILLED: "filled",
    OrderState.CANCELLED: "canceled",
    OrderState.REJECTED: "rejected",
    OrderState.EXPIRED: "expired",
}
KINDS = {OrderType.MARKET: "market", OrderType.STOP: "stop"}


def stamp(at: int, digits: int = 9) -> str:
    """Return an instant as Alpaca writes it."""
    seconds, rest = divmod(at, NS)
    fraction = f".{rest:09d}"[: 1 + digits] if digits else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def number(value: Decimal) -> str:
    """Return a number as text without an exponent."""
    return f"{value.normalize() + 0:f}"


def uuid_of(order: Order) -> str:
    """Return the venue's id of an order."""
    return str(UUID(int=order.number))


def ticker_of(symbol: str) -> str:
    """Return the venue's name of a market."""
    return symbol.partition("/")[0]


def order_json(order: Order, asked: dict[str, Any], *, fresh: bool = False) -> dict[str, Any]:
    """Return an order; ``fresh``: as the answer to its submission shows it, before anything has happened to it."""
    request = order.request
    state = OrderState.OPEN if fresh else order.state
    kind = KINDS.get(request.type, "limit")
    ended = stamp(order.updated_at) if state.final else None
    return {
        "id": uuid_of(order),
        "client_order_id": request.client_order_id,
        "created_at": stamp(order.created_at),
        "updated_at": stamp(order.created_at if fresh else order.updated_at),
        "submitted_at": stamp(order.created_at),
        "filled_at": ended if state is OrderState.FILLED else None,
        "expired_at": None,
        "canceled_at": ended if state is OrderState.CANCELLED else None,
        "failed_at": None,
        "replaced_at": None,
        "replaced_by": None,
        "replaces": None,
        "asset_id": str(UUID(int=abs(hash(request.symbol)))),
        "symbol": ticker_of(request.symbol),
        "asset_class": "us_equity",
        "notional": None,
        "qty": number(request.qty),
        "filled_qty": "0" if fresh else number(order.filled),
        "filled_avg_price": None if fresh or not order.filled else number(order.average.quantize(Decimal("0.000001"))),
        "order_class": "",
        "order_type": kind,
        "type": kind,
        "side": request.side.value,
        "time_in_force": asked.get("time_in_force", "gtc"),
        "limit_price": None if request.price is None else number(request.price),
        "stop_price": None if request.stop_price is None else number(request.stop_price),
        "status": "pending_new" if fresh else STATUS[state],
        "extended_hours": bool(asked.get("extended_hours")),
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
    }


def update_json(event: str, order: dict[str, Any], at: int, fill: FillReport | None = None) -> dict[str, Any]:
    """Return a trade update."""
    data: dict[str, Any] = {"event": event, "timestamp": stamp(at), "order": order}
    if fill is not None:
        data |= {
            "execution_id": str(UUID(int=int(fill.trade_id.lstrip("t")))),
            "price": number(fill.price),
            "qty": number(fill.qty),
            "position_qty": number(fill.qty),
        }
    return {"stream": "trade_updates", "data": data}


def activity_json(fill: FillReport, order: Order, cumulated: Decimal) -> dict[str, Any]:
    """Return a fill as the account's history shows it."""
    left = order.request.qty - cumulated
    at = stamp(fill.at, 3)
    return {
        "activity_type": "FILL",
        "id": f"{at[:-1].translate(str.maketrans('', '', '-:T.'))}::{UUID(int=int(fill.trade_id.lstrip('t')) + 2**64)}",
        "cum_qty": number(cumulated),
        "leaves_qty": number(left),
        "price": number(fill.price),
        "qty": number(fill.qty),
        "side": fill.side.value,
        "symbol": ticker_of(fill.symbol),
        "transaction_time": at,
        "order_id": uuid_of(order),
        "type": "partial_fill" if left else "fill",
        "order_status": STATUS[order.state],
    }


def asset_json(instrument: Instrument) -> dict[str, Any]:
    """Return a listed share."""
    return {
        "id": str(UUID(int=abs(hash(instrument.symbol)))),
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": ticker_of(instrument.symbol),
        "name": f"{instrument.base} Common Stock",
        "status": "active",
        "tradable": True,
        "marginable": True,
        "shortable": True,
        "easy_to_borrow": True,
        "fractionable": instrument.rules.step_size < 1,
        "maintenance_margin_requirement": 30,
        "attributes": [],
    }


def quote_json(tick: PriceTick) -> dict[str, Any]:
    """Return a quote as a snapshot shows it."""
    return {"ap": float(tick.ask), "as": 3, "ax": "V", "bp": float(tick.bid), "bs": 2, "bx": "V", "c": ["R"], "z": "C",
            "t": stamp(tick.at)}  # fmt: skip


def quote_frame(tick: PriceTick) -> bytes:
    """Return a quote as the stream says it."""
    stamped = quote_json(tick) | {"T": "q", "S": ticker_of(tick.symbol), "t": msgpack.Timestamp(*divmod(tick.at, NS))}
    return bytes(msgpack.packb([stamped]))

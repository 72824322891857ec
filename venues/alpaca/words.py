"""Alpaca's words in ours: orders, fills, assets, account, bars. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import Bar
from protocol.orders import Balance, OrderReport, OrderRequest, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from runtime.clock import NANOS

__all__ = [
    "QUOTE",
    "TIMEFRAMES",
    "balances_of",
    "bar_of",
    "client_id_of",
    "fractional",
    "instant",
    "instrument_of",
    "left_over_ioc",
    "order_fields",
    "report_of",
    "rests",
    "side_of",
    "state_of",
    "symbol_of",
    "text_of",
    "ticker_of",
    "to_ms",
]

_Json = Mapping[str, Any]

QUOTE: Final = "USD"
_ZERO: Final = Decimal(0)
_MS: Final = 1_000_000
_TICK: Final = Decimal("0.01")
"""Right at every price: below one dollar Alpaca takes 0.0001 too, at and above it nothing finer than this."""
_FRACTION: Final = Decimal("0.000000001")
_LEAST_DOLLARS: Final = Decimal(1)
_OURS: Final = re.compile(r"^[a-z0-9]{6,28}$")
_RFC3339: Final = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$")

TIMEFRAMES: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14400, "1d": 86400}
"""Bars that are offered, and their seconds."""

_ALIVE: Final = frozenset(
    {
        "new", "accepted", "pending_new", "accepted_for_bidding", "partially_filled", "pending_cancel", "pending_replace",
        "pending_review", "stopped", "suspended", "calculated", "held",
    }
)  # fmt: skip
_ENDED: Final = {
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "replaced": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}


def instant(text: str) -> int:
    """Return a time of Alpaca's (RFC 3339, up to nine decimals) in nanoseconds UTC; raise ValueError for anything else."""
    found = _RFC3339.match(text)
    if found is None:
        raise ValueError(f"not a time: {text!r}")
    base, fraction, zone = found.groups()
    whole = datetime.fromisoformat(base + ("+00:00" if zone == "Z" else zone)).astimezone(UTC)
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * NANOS + int((fraction or "").ljust(9, "0"))


def text_of(at: int) -> str:
    """Return an instant as Alpaca's queries take it."""
    seconds, rest = divmod(at, NANOS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def to_ms(at: int) -> int:
    """Cut an instant to milliseconds: all that Alpaca's history says of a fill, so that stream and history agree."""
    return at - at % _MS


def ticker_of(symbol: str) -> str:
    """Return Alpaca's name of a market: ``AAPL`` of ``AAPL/USD``."""
    return symbol.partition("/")[0]


def symbol_of(ticker: str) -> str:
    """Return our name of a market."""
    return f"{ticker}/{QUOTE}"


def fractional(qty: Decimal) -> bool:
    """Whether a quantity is not a whole number of shares."""
    return qty != qty.to_integral_value()


# --- orders ------------------------------------------------------------------------------------------------------------


def order_fields(request: OrderRequest) -> dict[str, Any]:
    """Return an order as Alpaca takes it; numbers as text.

    Whole shares rest until cancelled. Fractions may be day orders only: ours rest with ``extended_hours``, and one that is
    to trade at once or not at all comes without, to be cancelled right after: ``left_over_ioc`` tells it by that.
    """
    parts = fractional(request.qty)
    fields: dict[str, Any] = {
        "symbol": ticker_of(request.symbol),
        "qty": format(request.qty, "f"),
        "side": request.side.value,
        "client_order_id": request.client_order_id,
        "type": {OrderType.MARKET: "market", OrderType.STOP: "stop"}.get(request.type, "limit"),
        "time_in_force": "day" if parts or request.type is OrderType.MARKET else "gtc",
        "extended_hours": False,
    }
    if request.type in (OrderType.LIMIT, OrderType.IOC):
        fields["limit_price"] = format(request.price, "f")
        fields["extended_hours"] = parts and request.type is OrderType.LIMIT
    if request.type is OrderType.IOC and not parts:
        fields["time_in_force"] = "ioc"
    if request.type is OrderType.STOP:
        fields["stop_price"] = format(request.stop_price, "f")
    return fields


def left_over_ioc(order: _Json) -> bool:
    """Whether an open order is one of ours that was to trade at once or not at all, and whose cancel never arrived."""
    return (
        _OURS.match(str(order.get("client_order_id", ""))) is not None
        and order.get("type") == "limit"
        and order.get("time_in_force") == "day"
        and not order.get("extended_hours")
        and fractional(Decimal(order.get("qty") or 0))
        and not state_of(order).final
    )


def rests(order: _Json) -> bool:
    """Whether an order's fills are counted as a maker's. Alpaca does not say, and charges neither."""
    if order.get("type") != "limit" or order.get("time_in_force") == "ioc":
        return False
    return bool(order.get("extended_hours")) or not fractional(Decimal(order.get("qty") or 0))


def state_of(order: _Json) -> OrderState:
    """Return how an order stands; a status that is not known may still fill and is unknown."""
    status = str(order.get("status", ""))
    if status == "done_for_day":
        return OrderState.EXPIRED if order.get("time_in_force") == "day" else OrderState.OPEN
    if status in _ALIVE:
        return OrderState.PARTIALLY_FILLED if Decimal(order.get("filled_qty") or 0) else OrderState.OPEN
    return _ENDED.get(status, OrderState.UNKNOWN)


def client_id_of(order: _Json) -> str:
    """Return our id of an order, or for one that we did not place an id that is none of ours."""
    name = str(order.get("client_order_id", ""))
    return name if _OURS.match(name) else "x" + str(order["id"]).replace("-", "")[:27]


def report_of(order: _Json) -> OrderReport:
    """Return an order as the desk hears of it."""
    return OrderReport(
        client_order_id=client_id_of(order),
        symbol=symbol_of(str(order["symbol"])),
        state=state_of(order),
        venue_order_id=str(order["id"]),
        filled_qty=Decimal(order.get("filled_qty") or 0).normalize() + _ZERO,
        at=instant(str(order.get("updated_at") or order["created_at"])),
    )


def side_of(text: str) -> OrderSide:
    """Return a side; a short sale is a sale."""
    return OrderSide.BUY if text == "buy" else OrderSide.SELL


# --- everything else ---------------------------------------------------------------------------------------------------


def instrument_of(asset: _Json, venue: str) -> Instrument:
    """Return a share as a market. Alpaca takes no commission; the regulator's fees come as a daily sum, not by fill."""
    parts = bool(asset.get("fractionable"))
    ticker, step = str(asset["symbol"]), _FRACTION if parts else Decimal(1)
    return Instrument(
        venue=venue,
        symbol=symbol_of(ticker),
        venue_symbol=ticker,
        base=ticker,
        quote=QUOTE,
        market_type=MarketType.SPOT,
        rules=PrecisionRules(_TICK, step, step, _LEAST_DOLLARS if parts else _ZERO),
        maker_fee=_ZERO,
        taker_fee=_ZERO,
    )


def balances_of(account: _Json, positions: Sequence[_Json]) -> tuple[Balance, ...]:
    """Return cash and shares. Free cash is what buys without credit: open orders and what has not settled are locked."""
    cash = Decimal(account["cash"])
    usable = Decimal(account.get("non_marginable_buying_power") or account.get("buying_power") or cash)
    free = max(_ZERO, min(cash, usable))
    found = [Balance(QUOTE, free, max(_ZERO, cash - free))] if cash else []
    for each in positions:
        held = Decimal(each["qty"])
        available = Decimal(each.get("qty_available") or held)
        found.append(Balance(str(each["symbol"]), available, max(_ZERO, held - available)))
    return tuple(found)


def bar_of(symbol: str, row: _Json, seconds: int) -> Bar:
    """Return one bar; ``t`` is its start."""
    opening, high, low, close, volume = (Decimal(row[name]) for name in "ohlcv")
    return Bar(symbol, instant(str(row["t"])), seconds, opening, high, low, close, volume)

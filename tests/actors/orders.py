"""Orders, reports and fills for the tests of desk, session and groups."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState, Purpose, SubmitOrder
from protocol.values import MarketType, OrderSide, OrderType
from rules.client_ids import derive

SYMBOL = "BTC/USDT"
TAG = "test"
OWNER = "/house/owner"


def market(symbol: str = SYMBOL, kind: MarketType = MarketType.SPOT) -> Instrument:
    """Return an instrument of the paper venue."""
    base, _, quote = symbol.partition(":")[0].partition("/")
    return Instrument(
        venue="paper",
        symbol=symbol,
        venue_symbol=base + quote,
        base=base,
        quote=quote,
        market_type=kind,
        rules=PrecisionRules(Decimal("0.01"), Decimal("0.001"), Decimal("0.001"), Decimal(5)),
    )


def client_id(number: int = 1, purpose: Purpose = Purpose.ENTRY, tag: str = TAG) -> str:
    """Return the id of an attempt."""
    return derive(tag, "g1", pyramid=0, layer=0, purpose=purpose, attempt=number)


def request(number: int = 1, *, qty: str = "1", purpose: Purpose = Purpose.ENTRY, **more: Any) -> OrderRequest:
    """Return a limit order: entries buy, the others sell."""
    fields: dict[str, Any] = {
        "client_order_id": client_id(number, purpose),
        "symbol": SYMBOL,
        "side": OrderSide.BUY if purpose is Purpose.ENTRY else OrderSide.SELL,
        "type": OrderType.LIMIT,
        "qty": Decimal(qty),
        "price": Decimal(100),
        **more,
    }
    return OrderRequest(**fields)


def submit(number: int = 1, *, adds_risk: bool = False, owner: str = OWNER, **more: Any) -> SubmitOrder:
    """Return a group's wish for an order; by default one that adds no risk."""
    purpose = Purpose.ENTRY if adds_risk else Purpose.CLOSE
    return SubmitOrder(
        request=request(number, purpose=purpose, **more),
        owner=owner,
        group_id="g1",
        leg_id="0:0",
        purpose=purpose,
        adds_risk=adds_risk,
    )


def report(order: str | SubmitOrder, state: str, *, filled: str = "0", at: int = 1, **more: Any) -> OrderReport:
    """Return the venue's word on an order."""
    return OrderReport(
        client_order_id=order if isinstance(order, str) else order.request.client_order_id,
        symbol=SYMBOL,
        state=OrderState(state),
        filled_qty=Decimal(filled),
        at=at,
        **more,
    )


def fill(
    order: str | SubmitOrder, trade_id: str = "t1", *, qty: str = "1", price: str = "100", at: int = 1
) -> FillReport:
    """Return one trade of an order."""
    return FillReport(
        client_order_id=order if isinstance(order, str) else order.request.client_order_id,
        trade_id=trade_id,
        symbol=SYMBOL,
        side=OrderSide.SELL,
        qty=Decimal(qty),
        price=Decimal(price),
        fee=Decimal(0),
        fee_currency="USDT",
        maker=True,
        at=at,
    )

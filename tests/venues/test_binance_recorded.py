"""What Binance was recorded to say on its streams, heard through ccxt: orders, fills, forced trades."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from protocol.orders import OrderReport, OrderState
from protocol.values import OrderSide
from tests.venues.binance_desk import Desk, desk

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "api" / "nautilus" / "binance"


def recorded(name: str) -> dict[str, Any]:
    """Return a recorded frame."""
    path = RECORDED / f"{name}.json"
    if not path.exists():
        pytest.skip("no recorded payloads beside the repository")
    frame: dict[str, Any] = json.loads(path.read_text())
    return frame


def say(d: Desk, frame: dict[str, Any]) -> None:
    """Have the server say it on the account's stream."""
    (stream,) = [each for each in d.server.streams if each.login]
    stream.reply(frame)


@pytest.mark.parametrize(
    ("name", "state", "client_id", "qty", "fee", "maker"),
    [
        ("order_update_trade", OrderState.PARTIALLY_FILLED, "TEST", "0.001", "0.01", True),
        ("order_update_calculated", OrderState.FILLED, "autoclose-1234567890", "0.014", "0.06937084", False),
        ("order_update_adl", OrderState.FILLED, "adl_autoclose_12345", "0.005", "0.105", False),
        ("order_update_insurance", OrderState.FILLED, "autoclose-insurance-5678", "0.02", "0.45", False),
        ("order_update_settlement", OrderState.FILLED, "settlement_autoclose-9999", "0.01", "0.25", False),
    ],
)
async def test_futures_fills(name: str, state: OrderState, client_id: str, qty: str, fee: str, *, maker: bool) -> None:
    """A trade is told with its exact numbers before its order; liquidation, deleveraging and settlement are trades."""
    async with desk(perp=True) as d:
        say(d, recorded(f"futures__user_data_json__{name}"))
        report = await d.heard.one(OrderReport, client_order_id=client_id)
        (fill,) = d.fills()
        assert (fill.client_order_id, fill.symbol, fill.qty, fill.fee) == (client_id, d.symbol, D(qty), D(fee))
        assert (fill.fee_currency, fill.maker, fill.at) == ("USDT", maker, 1568879465651 * 1_000_000)
        assert (report.state, report.filled_qty) == (state, D(qty))
        assert d.heard.messages.index(fill) < d.heard.messages.index(report)


async def test_forced_order_before_it_trades() -> None:
    """A liquidation that has not traded yet is an order, and no fill."""
    async with desk(perp=True) as d:
        say(d, recorded("futures__user_data_json__order_update_calculated_pending"))
        report = await d.heard.one(OrderReport, client_order_id="autoclose-pending-0000")
        assert (report.state, report.filled_qty) == (OrderState.OPEN, 0)
        assert d.fills() == []


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("execution_report_new", OrderState.OPEN),
        ("execution_report_trade", OrderState.FILLED),
        ("execution_report_canceled", OrderState.CANCELLED),
        ("execution_report_expired", OrderState.CANCELLED),
    ],
)
async def test_spot_orders(name: str, state: OrderState) -> None:
    """An order's event of the WebSocket API, in its wrapping, is told as it stands; what names another market is not."""
    async with desk() as d:
        event = recorded(f"spot__user_data_json__{name}") | {"s": "BTCUSDT"}
        say(d, {"subscriptionId": 0, "event": event})
        report = await d.heard.one(OrderReport)
        assert (report.state, report.client_order_id) == (state, "x-TD67BGP9-T0000000000000")
        for fill in d.fills():
            assert (fill.side, fill.price, fill.qty, fill.fee) == (OrderSide.BUY, D(2500), D(1), D("0.001"))
            assert (fill.fee_currency, fill.trade_id) == ("ETH", "98765432")
        assert bool(d.fills()) == (state is OrderState.FILLED)


@pytest.mark.parametrize("name", ["account_position", "balance_update"])
async def test_balances(name: str) -> None:
    """A change of balances is heard without harm; the balances themselves are asked for."""
    async with desk() as d:
        before = d.server.requests.count("GET /api/v3/account")
        say(d, {"subscriptionId": 0, "event": recorded(f"spot__user_data_json__{name}")})
        await d.until(lambda: d.server.requests.count("GET /api/v3/account") > before)
        assert d.venue.line.private.malformed_frames == 0


@pytest.mark.parametrize("name", ["account_update", "trade_lite", "algo_update_new"])
async def test_other_facts_of_futures(name: str) -> None:
    """What is told beside orders and fills breaks nothing and makes up no fill."""
    async with desk(perp=True) as d:
        say(d, recorded(f"futures__user_data_json__{name}"))
        say(d, recorded("futures__user_data_json__order_update_calculated_pending"))
        await d.heard.one(OrderReport, client_order_id="autoclose-pending-0000")
        assert d.fills() == []
        assert d.venue.line.private.malformed_frames == 0

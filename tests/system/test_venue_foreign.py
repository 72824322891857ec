"""Another bulkhead trades the same account of a real venue: its orders are seen through the client library (EX-1108)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from protocol.orders import OrderRequest, Purpose
from protocol.values import OrderSide, OrderType
from protocol.venue import EntriesStopped
from rules.client_ids import derive
from tests.system.running import eventually
from tests.system.venue_scenario import open_house
from tests.venues.rigs import RIGS

pytestmark = pytest.mark.slow

OTHER = derive("othr", "g1", pyramid=0, layer=0, purpose=Purpose.ENTRY, attempt=1)


@pytest.mark.parametrize("venue", ["binance", "bybit-perp", "kucoin", "hyperliquid", "ibkr", "alpaca"])
def test_orders_of_another_engine_stop_entries(venue: str, tmp_path: Path) -> None:
    """An open order with our prefix and another's tag comes back under its own id: entries stop, it is not touched."""

    async def script() -> None:
        async with RIGS[venue].standing() as standing:
            tick = standing.hall.instruments()[standing.symbol].rules.tick_size
            standing.hall.price(standing.symbol, standing.price, standing.price + tick)
            other = standing.make()
            await other.connect(lambda _: None)
            far = standing.price * Decimal("0.8") // tick * tick
            request = OrderRequest(
                client_order_id=OTHER, symbol=standing.symbol, side=OrderSide.BUY, type=OrderType.LIMIT,
                qty=Decimal(1), price=far,
            )  # fmt: skip
            assert not (await other.place(request)).state.final
            await other.close()
            async with open_house(tmp_path, venue.partition("-")[0], standing.make) as house:
                desk = "/venues/acc/desk"
                await eventually(lambda: house.actor(desk)._book.stopped_for, "entries are stopped")
                assert house.actor(desk)._book.stopped_for == "ForeignEngine"
                events = [each.event for each in house.system.journal.read(desk)]
                assert [type(each) for each in events if isinstance(each, EntriesStopped)] == [EntriesStopped]
                await eventually(partial(len, standing.hall.open_orders()), "the other's order still rests")

    asyncio.run(script())

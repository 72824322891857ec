"""Interactive Brokers keeps the trading contract over ib_async and a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from protocol.orders import OrderState
from protocol.values import MarketType, OrderType
from tests.venues.contract_suite import TradingContract
from tests.venues.ibkr_rig import IbkrRig, serving
from tests.venues.perp_suite import PerpContract
from tests.venues.trading_suite import BID, BUY, Desk
from venues.ibkr.line import Line

pytestmark = pytest.mark.slow


class Surroundings:
    """A folder of its own, and no long waits for answers that do not come."""

    path: str

    @pytest.fixture(autouse=True)
    def surroundings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = str(tmp_path)
        monkeypatch.setattr(Line, "answer_s", 2.0)


class TestIbkrContract(Surroundings, TradingContract):
    """The contract, on an account of holdings."""

    @asynccontextmanager
    async def open_rig(self) -> AsyncIterator[IbkrRig]:
        async with serving(self.path) as rig:
            rig.keep()
            yield rig


class TestIbkrNetted(Surroundings, PerpContract):
    """The contract, on an account of positions: a pair of currencies."""

    @asynccontextmanager
    async def open_rig(self) -> AsyncIterator[IbkrRig]:
        options = {"market": MarketType.PERP, "symbols": ("EUR/USD:USD",)}
        async with serving(self.path, money=50_000_000, **options) as rig:
            rig.keep()
            yield rig

    async def test_cancel(self, desk: Desk) -> None:
        """A cancelled order is gone, and cancelling it twice is harmless; the broker tells no margin by order."""
        money = await desk.money()
        request = desk.order(BUY, OrderType.LIMIT, BID - 100)
        await desk.place(request)
        assert await desk.money() == money
        for _ in range(2):
            report = await desk.venue.cancel(request.client_order_id, request.symbol)
            assert (report.state, report.filled_qty) == (OrderState.CANCELLED, 0)
        assert await desk.open_ids() == set()

"""Interactive Brokers' Web API keeps the trading contract over its own protocol."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from protocol.orders import OrderState
from protocol.values import MarketType, OrderType
from tests.venues.contract_suite import TradingContract, TradingRig
from tests.venues.ibkr_web_rig import broker, serving
from tests.venues.perp_suite import PerpContract
from tests.venues.trading_suite import BID, BUY, Desk

pytestmark = pytest.mark.slow


class Surroundings:
    """A folder of its own."""

    path: str

    @pytest.fixture(autouse=True)
    def surroundings(self, tmp_path: Path) -> None:
        self.path = str(tmp_path)


class TestIbkrWebContract(Surroundings, TradingContract):
    """The contract, on an account of holdings, by OAuth."""

    def open_rig(self) -> AbstractAsyncContextManager[TradingRig]:
        return serving(self.path)


class TestIbkrWebNetted(Surroundings, PerpContract):
    """The contract, on an account of positions, through a gateway."""

    def open_rig(self) -> AbstractAsyncContextManager[TradingRig]:
        gateway = broker(money=50_000_000, gateway=True)
        return serving(self.path, server_of=gateway, market=MarketType.PERP, symbols=("EUR/USD:USD",))

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

"""A rig for adapters of crypto exchanges whose server stands on this loop."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from protocol.market import PriceTick
from protocol.orders import FillReport, OrderReport, OrderState
from runtime.clock import WallClock
from tests.servers.venues.hall import Order
from tests.servers.venues.http import HttpVenue
from tests.venues.contract_suite import TradingRig
from tests.venues.manual_time import PATIENCE_S, Heard
from venues.access import Access, Tools
from venues.crypto import CryptoVenue

__all__ = ["HallRig", "sooner"]

NOW = WallClock().now


async def sooner(seconds: float) -> None:
    """Wait a twentieth of the time: pauses of the adapter are long, its server is near."""
    await asyncio.sleep(seconds / 20)  # house: the pauses of an adapter, not of a test


class HallRig(TradingRig):
    """An adapter of the server's account."""

    def __init__(self, server: HttpVenue, access: Access, symbol: str) -> None:
        self.server = server
        self.hall = server.hall
        self.heard = Heard()
        self.symbol = symbol
        self.venue: CryptoVenue = CryptoVenue(access, Tools(NOW, sooner, lambda: 0.0))

    async def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        self.hall.price(symbol, bid, ask)
        await self.settled()

    async def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        self.hall.trade(symbol, price, volume)
        await self.settled()

    async def settled(self) -> None:
        if not self.venue.closed:
            async with asyncio.timeout(PATIENCE_S):
                await self.heard.until(self._all_told)

    def _all_told(self) -> bool:
        opened = self.venue.line.memory.opened_at
        fills = sum(fill.at >= opened for fill in self.hall.fills)
        told = {fill.trade_id for fill in self.heard.of(FillReport) if fill.at >= opened - 1_000_000}
        return len(told) >= fills and all(self._is_told(each) for each in self.hall.by_number.values())

    def _is_told(self, order: Order) -> bool:
        if order.updated_at < self.venue.line.memory.opened_at:
            return True
        reports = self.heard.of(OrderReport, client_order_id=order.request.client_order_id)
        return any(
            (each.state, each.filled_qty) == (order.state, order.filled)
            or (each.state.final and order.state is not OrderState.CANCELLED and order.state.final)
            for each in reports
        )

    async def quoted(self, symbol: str) -> PriceTick:
        """Wait for a quote."""
        return await self.heard.one(PriceTick, symbol=symbol)

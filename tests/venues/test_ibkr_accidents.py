"""A day of accidents at Interactive Brokers: whatever goes wrong, no order is doubled, lost or misread."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues.faults import Fault
from tests.venues.ibkr_rig import NOW, IbkrRig, connected, real_tools
from venues.errors import NetworkTimeout, RateLimited, VenueDown, VenueError
from venues.ibkr import IbkrVenue
from venues.ibkr.absence import SETTLED_NS
from venues.ibkr.line import Line

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
ACCIDENTS = (
    Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.TOO_MANY, Fault.MAINTENANCE, Fault.MALFORMED, Fault.DISCONNECT,
    Fault.DUPLICATED, Fault.REORDERED, Fault.PARTIAL_FILL, Fault.MARGIN_REJECT,
)  # fmt: skip
ORDERS = 12


class Trader:
    """Does what desk and session do: places once, asks until it is known, sends again only what was proven absent."""

    def __init__(self, rig: IbkrRig) -> None:
        self.rig = rig
        self.ahead = 0

    async def connect(self) -> None:
        """Begin a new life of the adapter, as often as it takes."""
        for _ in range(20):
            await self.rig.venue.close()
            self.rig.venue = IbkrVenue(self.rig.access, real_tools(lambda: NOW() + self.ahead))
            try:
                await self.rig.venue.connect(self.rig.heard)
            except VenueError:
                continue
            return
        raise AssertionError("never connected again")

    async def place(self, request: OrderRequest) -> OrderReport:
        """Have an order at the venue, once."""
        for _ in range(20):
            try:
                return await self.rig.venue.place(request)
            except (RateLimited, VenueDown):
                await self.connect()  # it certainly did not get there
            except NetworkTimeout:
                report = await self.known(request)
                if not report.absent_proven:
                    return report
        raise AssertionError("never placed")

    async def known(self, request: OrderRequest) -> OrderReport:
        """Ask until the venue has said what became of an order."""
        for _ in range(20):
            try:
                report = await self.rig.venue.query(request.client_order_id, request.symbol)
            except VenueError:
                await self.connect()
                continue
            if report.state is not OrderState.UNKNOWN:
                return report
            self.ahead += SETTLED_NS
        raise AssertionError("never known")


def wish(number: int, chance: random.Random) -> OrderRequest:
    """Return some order for shares."""
    at_once = chance.random() < 0.5
    return OrderRequest(
        client_order_id=f"bhaccident{number:02d}",
        symbol="AAPL/USD",
        side=OrderSide.BUY,
        type=OrderType.MARKET if at_once else OrderType.LIMIT,
        qty=D(chance.randint(1, 5) * 4),
        price=None if at_once else D(chance.randint(195, 205)),
    )


@pytest.mark.parametrize("seed", range(8))
async def test_a_day_of_accidents(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each id is one order at the venue, both sides agree on its end, and its fills are told once each (EX-422, EX-426)."""
    monkeypatch.setattr(Line, "answer_s", 0.15)
    chance = random.Random(seed)
    async with connected(str(tmp_path)) as rig:
        trader = Trader(rig)
        wishes = [wish(number, chance) for number in range(ORDERS)]
        for request in wishes:
            for fault in chance.choices(ACCIDENTS, k=chance.randint(0, 2)):
                rig.server.faults.arm(fault, on=chance.choice(["orders", "reads", "any"]))
            await trader.place(request)
            rig.server.hall.price("AAPL/USD", *(D(chance.randint(198, 202)) + half for half in (D("-0.01"), D("0.01"))))
            assert not Counter(live.ticket.ref for live in rig.server.orders.live.values()) - Counter(
                each.client_order_id for each in wishes
            )
        rig.server.faults.clear()
        rig.server.hall.price("AAPL/USD", D("190.00"), D("190.01"))
        await trader.connect()
        lives = {live.ticket.ref: live for live in rig.server.orders.live.values()}
        assert len(lives) == len(rig.server.orders.live) <= ORDERS
        fills = {fill.trade_id: fill for fill in await rig.venue.fills_since(0)}
        for request in wishes:
            report, live = await trader.known(request), lives[request.client_order_id]
            assert (report.filled_qty, report.state.final) == (live.filled, live.done)
            mine = [fill for fill in fills.values() if fill.client_order_id == request.client_order_id]
            assert sum(fill.qty for fill in mine) == live.filled
        told = [fill for fill in rig.heard.of(FillReport) if fills[fill.trade_id] != fill]
        assert told == []

"""A position group with probes around it."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.group import GROUPS, PositionGroup, group_stream
from protocol.groups import (
    CloseGroup,
    CloseReason,
    GridConfig,
    GroupClosed,
    OpenGroup,
)
from protocol.groups.tolerance import Tolerance
from protocol.orders import (
    FillReported,
    OrderState,
    OrderUpdate,
    Purpose,
    SubmitOrder,
)
from protocol.signals import SignalOutcome
from tests.actors.cast import D, Stage, of
from tests.actors.groups import GRID, opening, signal
from tests.actors.orders import SYMBOL

STREAM = group_stream("gs1")


class GroupRig:
    """The group ``/house/group`` that s1 opens: 1 BTC at 100 and 1 BTC at 99, targets 1 % above."""

    def __init__(
        self, stage: Stage, *, opened: bool = True, config: GridConfig = GRID, tolerance: Tolerance | None = None
    ) -> None:
        self.stage = stage
        self.desk = stage.probe("desk")
        self.pool = stage.probe("pool")
        self.gateway = stage.probe("gateway")
        self.feed = stage.probe("feed")
        self.precision = stage.probe("precision")
        self.news = stage.probe("news", topics=(GROUPS,))
        self.opening: OpenGroup | None = (
            msgspec.structs.replace(opening(signal("s1")), config=config) if opened else None
        )
        self.trades = 0
        self.tolerance = tolerance
        stage.add("group", self.make)

    def make(self) -> PositionGroup:
        return PositionGroup(
            "gs1",
            self.opening,
            desk="/house/desk",
            pool="/house/pool",
            gateway="/house/gateway",
            feed="/house/feed",
            precision="/house/precision",
            tolerance=self.tolerance,
        )

    async def told(self, *messages: Any) -> None:
        await self.stage.told("group", *messages)

    def orders(self, purpose: Purpose = Purpose.ENTRY) -> list[SubmitOrder]:
        """Return the orders of a purpose that the desk was told, each once."""
        found = [each for each in of(self.desk, SubmitOrder) if each.purpose is purpose]
        return list({each.request.client_order_id: each for each in found}.values())

    def fill(self, order: SubmitOrder, trade_id: str = "") -> FillReported:
        """Return the fill of a whole order at its limit, or at 100."""
        self.trades += 1
        wanted = order.request
        return FillReported(
            client_order_id=wanted.client_order_id,
            trade_id=trade_id or f"t{self.trades}",
            symbol=SYMBOL,
            side=wanted.side,
            qty=wanted.qty,
            price=wanted.price or D(100),
            fee=D(0),
            fee_currency="USDT",
            at=self.stage.now,
        )

    def update(self, order: SubmitOrder, state: str, **more: Any) -> OrderUpdate:
        """Return the desk's word on an order."""
        key = order.request.client_order_id
        return OrderUpdate(client_order_id=key, state=OrderState(state), at=self.stage.now, **more)

    def close(self, signal_id: str = "x1") -> CloseGroup:
        """Return an exit signal's wish."""
        return CloseGroup(group_id="gs1", reason=CloseReason.EXIT_SIGNAL, signal_id=signal_id, at=self.stage.now)

    def events(self, kind: type | None = None) -> list[Any]:
        return self.stage.events(STREAM, kind)

    def outcomes(self) -> list[tuple[str, str]]:
        return [(each.signal_id, each.outcome) for each in of(self.gateway, SignalOutcome)]

    async def closed(self) -> None:
        """Have the group filled, closed by a signal and flat; forget what was told on the way."""
        for order in self.orders():
            await self.told(self.update(order, "open"), self.fill(order))
        await self.told(self.close())
        for order in self.orders(Purpose.TP):
            await self.told(self.update(order, "cancelled"))
        for order in self.orders(Purpose.CLOSE):
            await self.told(self.fill(order))
        assert self.events(GroupClosed)


def lives(stage: Stage) -> bool:
    """Whether the group lives."""
    return stage.system.lookup("/house/group") is not None

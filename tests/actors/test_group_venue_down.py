"""A group, its desk, and a venue that is away for minutes (EX-106, EX-1207)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from actors.group import GROUPS, PositionGroup, group_stream
from actors.session_topics import health_topic
from protocol.groups import CloseGroup, CloseReason, GroupState, GroupStateChanged, OrderWanted
from protocol.orders import CancelAtVenue, FillReport, OrderReport, PlaceAtVenue, Purpose
from protocol.values import OrderSide, OrderType
from protocol.venue import VenueHealth, VenueSnapshot, VenueStatus
from tests.actors.cast import Stage, of, play
from tests.actors.desk_rig import DeskRig
from tests.actors.groups import opening, signal
from tests.actors.orders import SYMBOL, report

D = Decimal


class House(DeskRig):
    """A group of two layers above a real desk; the session is a probe and the tests are the venue."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, owner=False)
        for name in ("pool", "gateway", "feed"):
            stage.probe(name)
        self.news = stage.probe("news", topics=(GROUPS,))
        self.trades = 0
        stage.add("group", self._group)

    def _group(self) -> PositionGroup:
        return PositionGroup(
            "gs1",
            opening(signal("s1")),
            desk="/house/desk",
            pool="/house/pool",
            gateway="/house/gateway",
            feed="/house/feed",
            precision="/house/precision",
        )

    def placed(self) -> list[Any]:
        """Return what left for the venue."""
        return [each.request for each in of(self.session, PlaceAtVenue)]

    def cancelled(self) -> list[str]:
        """Return the cancels that left."""
        return [each.client_order_id for each in of(self.session, CancelAtVenue)]

    def wanted(self, purpose: Purpose) -> list[OrderWanted]:
        """Return the orders of a purpose that the group wanted."""
        found = self.stage.events(group_stream("gs1"), OrderWanted)
        return [event for event in found if event.purpose is purpose]

    def states(self) -> list[str]:
        """Return the states the group went through."""
        return [event.new.value for event in self.stage.events(group_stream("gs1"), GroupStateChanged)]

    async def says(self, key: str, state: str, filled: str = "0") -> None:
        """Report an order's state."""
        await self.told(report(key, state, filled=filled))

    async def fills(self, key: str, side: str, qty: str, price: str) -> None:
        """Report a trade."""
        self.trades += 1
        await self.told(
            FillReport(
                client_order_id=key,
                trade_id=f"t{self.trades}",
                symbol=SYMBOL,
                side=OrderSide(side),
                qty=D(qty),
                price=D(price),
                fee=D(0),
                fee_currency="USDT",
                maker=False,
                at=self.stage.now,
            )
        )

    def venue(self, status: VenueStatus) -> None:
        """Say how the connection stands."""
        health = VenueHealth(account="acc", status=status, at=self.stage.now)
        self.stage.system.bus.publish(health_topic("acc"), health, keep=True)

    async def compare(self, *orders: OrderReport) -> None:
        """Have the books compared after a connect."""
        now = self.stage.now
        await self.told(
            VenueSnapshot(account="acc", open_orders=orders, fills=(), balances=(), positions=(), since=0, at=now)
        )

    async def open_and_fill(self) -> tuple[str, str, str]:
        """Rest both layers, fill the first, rest its target; return the three ids."""
        self.venue(VenueStatus.UP)
        await self.stage.settle()
        await self.compare()
        first, second = (request.client_order_id for request in self.placed())
        await self.says(first, "open")
        await self.says(second, "open")
        await self.fills(first, "buy", "1", "100")
        await self.says(first, "filled", "1")
        target = self.placed()[2].client_order_id
        await self.says(target, "open")
        return first, second, target


async def leave(stage: Stage) -> None:
    """Tell the group an exit signal."""
    exit_ = CloseGroup(group_id="gs1", reason=CloseReason.EXIT_SIGNAL, signal_id="x1", at=stage.now)
    await stage.told("group", exit_)


def test_an_exit_while_the_venue_is_down_is_made_once_it_is_back() -> None:
    """EX-106, EX-704, EX-1207: accepted as pending; minutes later cancels go out, then exactly one market close."""

    async def script(stage: Stage) -> None:
        house = House(stage)
        _, second, target = await house.open_and_fill()
        house.venue(VenueStatus.DOWN)
        await leave(stage)
        await stage.passes(300)
        assert (house.states()[-1], house.cancelled(), len(house.placed())) == ("closing", [], 3)
        assert stage.actor("group").detail == "closing, 1 open, venue down"
        house.venue(VenueStatus.UP)
        await house.compare(report(second, "open"), report(target, "open"))
        assert house.cancelled() == [second, target]
        await house.says(second, "cancelled")
        await house.says(target, "cancelled")
        close = house.placed()[3]
        assert (close.type, close.side, close.qty) == (OrderType.MARKET, OrderSide.SELL, D(1))
        await house.fills(close.client_order_id, "sell", "1", "98")
        await stage.passes(120)
        assert (len(house.placed()), house.states()[-1]) == (4, GroupState.CLOSED.value)

    play(script)


def test_what_traded_while_the_venue_was_away_is_not_sold_twice() -> None:
    """EX-705, EX-1207: the target filled unseen: the comparison books it and nothing is left to sell."""

    async def script(stage: Stage) -> None:
        house = House(stage)
        _, second, target = await house.open_and_fill()
        house.venue(VenueStatus.DOWN)
        await leave(stage)
        await stage.passes(120)
        house.venue(VenueStatus.UP)
        await house.fills(target, "sell", "1", "101")
        await house.compare(report(second, "open"))
        await house.says(target, "filled", "1")
        await house.says(second, "cancelled")
        await stage.passes(60)
        assert (len(house.placed()), house.states()[-1]) == (3, GroupState.CLOSED.value)

    play(script)


def test_a_close_that_waits_survives_a_crash_of_group_and_desk() -> None:
    """EX-106, EX-1204: both die while the venue is away; it is still one close, under the id it was wanted by."""

    async def script(stage: Stage) -> None:
        house = House(stage)
        _, second, target = await house.open_and_fill()
        await leave(stage)
        house.venue(VenueStatus.DOWN)
        await house.says(second, "cancelled")
        await house.says(target, "cancelled")
        (wanted,) = house.wanted(Purpose.CLOSE)
        await stage.crash("desk")
        await stage.crash("group")
        await stage.passes(200)
        assert len(house.placed()) == 3
        house.venue(VenueStatus.UP)
        await house.compare()
        await stage.passes(60)
        assert [request.client_order_id for request in house.placed()[3:]] == [wanted.request.client_order_id]
        assert len(house.wanted(Purpose.CLOSE)) == 1

    play(script)


def test_entries_are_not_used_up_while_the_venue_is_down() -> None:
    """EX-106, EX-426: a group that opens while the venue is away has used none of its attempts when it is back."""

    async def script(stage: Stage) -> None:
        house = House(stage)
        house.venue(VenueStatus.DOWN)
        await stage.passes(300)
        assert (house.placed(), [event.attempt for event in house.wanted(Purpose.ENTRY)]) == ([], [1, 1])
        house.venue(VenueStatus.UP)
        await house.compare()
        assert len(house.placed()) == 2
        assert house.states() == ["live"]

    play(script)

"""Orders at Interactive Brokers when things go wrong around them, brackets and combinations, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from protocol.errors import ValidationError
from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from tests.servers.venues.faults import Fault
from tests.venues.ibkr_rig import NOW, IbkrRig, connected, real_tools, serving, shares
from tests.venues.manual_time import PATIENCE_S
from venues.errors import NetworkTimeout, OrderRejected, RateLimited, VenueDown
from venues.facets import Combo, ComboLeg
from venues.ibkr import IbkrVenue
from venues.ibkr.absence import SETTLED_NS

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
BUY, SELL = OrderSide.BUY, OrderSide.SELL


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[IbkrRig]:
    async with connected(str(tmp_path)) as rig:
        yield rig


class Later:
    """Tools whose clock can be put forward, and a next life of the adapter that uses them."""

    def __init__(self, rig: IbkrRig) -> None:
        self.rig = rig
        self.ahead = 0

    def now(self) -> int:
        return NOW() + self.ahead

    async def life(self) -> IbkrVenue:
        """Connect a new adapter, as the session does after a crash."""
        await self.rig.venue.close()
        self.rig.heard.forget()
        self.rig.venue = IbkrVenue(self.rig.access, real_tools(self.now))
        await self.rig.venue.connect(self.rig.heard)
        return self.rig.venue


def count_at(rig: IbkrRig) -> int:
    return len(rig.server.orders.live)


# --- at most once ----------------------------------------------------------------------------------------------------------


async def test_answer_lost_then_found_by_the_next_life(rig: IbkrRig) -> None:
    """The order is unknown until a new connection shows it by its reference; it is never sent twice (EX-426)."""
    rig.server.faults.arm(Fault.ANSWER_LOST, on="orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    venue = await Later(rig).life()
    assert (await venue.query("bhibkr0001", "AAPL/USD")).state is OrderState.OPEN
    assert (await venue.place(shares(1))).state is OrderState.OPEN
    assert count_at(rig) == 1


async def test_a_fill_behind_a_lost_answer_is_found(rig: IbkrRig) -> None:
    """What traded while nobody listened is among the executions of the day, once."""
    rig.server.faults.arm(Fault.ANSWER_LOST, on="orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1, price=None))
    venue = await Later(rig).life()
    (fill,) = await venue.fills_since(0)
    assert (fill.client_order_id, fill.qty, fill.symbol) == ("bhibkr0001", D(10), "AAPL/USD")
    assert (await venue.place(shares(1, price=None))).state is OrderState.FILLED
    assert count_at(rig) == 1


async def test_a_request_that_was_lost_is_proven_absent_after_a_while(rig: IbkrRig) -> None:
    """Not found at once is unknown; not found once the gateway has settled is proof, and the order may be sent again."""
    rig.server.faults.arm(Fault.REQUEST_LOST, on="orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    later = Later(rig)
    venue = await later.life()
    fresh = await venue.query("bhibkr0001", "AAPL/USD")
    assert (fresh.state, fresh.absent_proven) == (OrderState.UNKNOWN, False)
    later.ahead = SETTLED_NS
    proven = await venue.query("bhibkr0001", "AAPL/USD")
    assert (proven.state, proven.absent_proven) == (OrderState.REJECTED, True)
    assert (await venue.place(shares(1))).state is OrderState.OPEN
    assert count_at(rig) == 1


async def test_without_a_folder_nothing_is_proven() -> None:
    """An adapter that keeps no notes cannot tell an order that was never sent from one of yesterday."""
    async with connected() as rig:
        later = Later(rig)
        later.ahead = SETTLED_NS * 2
        assert (await rig.venue.query("bhnever1", "AAPL/USD")).state is OrderState.UNKNOWN


async def test_an_order_of_yesterday_is_not_called_absent(tmp_path: Path) -> None:
    """The broker's lists begin at the gateway's midnight: what was sent before may have traded before."""
    async with serving(str(tmp_path)) as rig:
        since_midnight = NOW() // 10**9 % 86_400
        rig.server.zone_s = (
            -since_midnight // 900 * 900
        )  # the gateway's midnight was less than a quarter of an hour ago
        await rig.venue.connect(rig.heard)
        rig.server.faults.arm(Fault.REQUEST_LOST, on="orders")
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(shares(1))
        later = Later(rig)
        later.ahead = 86_400 * 10**9
        venue = await later.life()
        later.ahead += SETTLED_NS
        report = await venue.query("bhibkr0001", "AAPL/USD")
        assert report.state is OrderState.UNKNOWN
        assert "before the day" in report.reason


async def test_order_ids_are_never_used_twice(rig: IbkrRig) -> None:
    """A gateway that has forgotten its sequence begins at 1: we go on behind the last id that any life of ours had."""
    await rig.venue.place(shares(1))
    (before,) = (order_id for _, order_id in rig.server.orders.live)
    rig.server.orders.live.clear()
    venue = await Later(rig).life()
    await venue.place(shares(2))
    (after,) = (order_id for _, order_id in rig.server.orders.live)
    assert after > before


async def test_nothing_leaves_after_its_time(rig: IbkrRig) -> None:
    """A process whose lease has run out sends neither orders nor cancels (EX-426)."""
    await rig.venue.place(shares(1))
    rig.venue.send_by = lambda: NOW() - 1
    with pytest.raises(VenueDown):
        await rig.venue.place(shares(2))
    with pytest.raises(VenueDown):
        await rig.venue.cancel("bhibkr0001", "AAPL/USD")
    assert count_at(rig) == 1
    assert rig.server.requests.count(4) == 0


async def test_too_many_messages(rig: IbkrRig) -> None:
    """Code 100 on an order says that it did not get there; the same order may be sent again."""
    rig.server.faults.arm(Fault.TOO_MANY, on="orders")
    with pytest.raises(RateLimited) as caught:
        await rig.venue.place(shares(1))
    assert caught.value.retry_after_s
    assert rig.heard.of(OrderReport) == []  # a refusal that is told would be final
    assert (await rig.venue.place(shares(1))).state is OrderState.OPEN
    assert count_at(rig) == 1


async def test_margin_refused(rig: IbkrRig) -> None:
    """Code 201 for lack of equity is InsufficientFunds, with the broker's words."""
    rig.server.faults.arm(Fault.MARGIN_REJECT)
    report = await rig.venue.place(shares(1))
    assert (report.state, report.code) == (OrderState.REJECTED, "InsufficientFunds")
    assert "EQUITY WITH LOAN" in report.reason


async def test_a_price_between_ticks(rig: IbkrRig) -> None:
    """Code 110 is PrecisionRejected (EX-516)."""
    report = await rig.venue.place(shares(1, price="150.001"))
    assert (report.state, report.code) == (OrderState.REJECTED, "PrecisionRejected")


async def test_an_unknown_contract_is_not_sent(rig: IbkrRig) -> None:
    """UnknownContract: the order never left (PF-235)."""
    report = await rig.venue.place(
        OrderRequest(client_order_id="bhibkr0001", symbol="ZZZZ/USD", side=BUY, type=OrderType.MARKET, qty=D(1))
    )
    assert (report.state, report.code) == (OrderState.REJECTED, "UnknownContract")
    assert count_at(rig) == 0


async def test_part_of_an_order(rig: IbkrRig) -> None:
    """An order that trades in part at once is told with that part, and with the rest when it comes."""
    rig.server.faults.arm(Fault.PARTIAL_FILL)
    await rig.venue.place(shares(1, price="200.01"))
    await rig.settled()
    assert (await rig.venue.query("bhibkr0001", "AAPL/USD")).filled_qty == D(5)
    await rig.set_price("AAPL/USD", D("199.98"), D("200.00"))
    assert (await rig.venue.query("bhibkr0001", "AAPL/USD")).state is OrderState.FILLED
    assert sum(fill.qty for fill in rig.heard.of(FillReport)) == D(10)


@pytest.mark.parametrize("fault", [Fault.DUPLICATED, Fault.REORDERED])
async def test_messages_come_twice_or_late(rig: IbkrRig, fault: Fault) -> None:
    """Repeated and reordered messages tell each fill once, and the end of an order after all of its fills."""
    rig.server.faults.arm(fault, 6)
    await rig.venue.place(shares(1, price=None))
    rig.server.faults.clear()
    await rig.set_price("AAPL/USD", D("199.98"), D("200.00"))
    report = await rig.venue.query("bhibkr0001", "AAPL/USD")
    fills = {fill.trade_id: fill for fill in rig.heard.of(FillReport)}
    assert report.state is OrderState.FILLED
    assert len(rig.heard.of(FillReport)) == len(fills)
    assert sum(fill.qty for fill in fills.values()) == D(10)


async def test_an_order_of_another_program(rig: IbkrRig) -> None:
    """It is shown under the broker's own id, its fills too, and it is not ours to cancel."""
    other = IbkrRig(rig.server, client_id=7)
    await other.venue.connect(other.heard)
    await other.venue.place(shares(9))
    await other.venue.close()
    (live,) = rig.server.orders.live.values()
    live.ticket = live.ticket._replace(ref="by hand")
    (report,) = await rig.venue.open_orders()
    assert report.client_order_id == f"ibperm{live.perm_id}"
    with pytest.raises(OrderRejected, match="another program"):
        await rig.venue.cancel(report.client_order_id, "AAPL/USD")


# --- brackets and combinations ---------------------------------------------------------------------------------------------


async def test_a_bracket_goes_as_one(rig: IbkrRig) -> None:
    """Parent, stop and target: references, parent, prices rounded toward the reference; the last one transmits (PF-232)."""
    await rig.venue.place(shares(2, price=None))  # the hall lends nothing: both children must find shares to sell
    entry = shares(1, price=None)
    reports = await rig.venue.place_bracket(entry, stop=D("190.005"), target=D("210.005"))
    assert [each.state for each in reports] == [OrderState.FILLED, OrderState.OPEN, OrderState.OPEN]
    tickets = [live.ticket for live in rig.server.orders.live.values()][1:]
    assert [ticket.ref for ticket in tickets] == ["bhibkr0001", "bhibkr0001-SL", "bhibkr0001-TP"]
    assert [ticket.kind for ticket in tickets] == ["MKT", "STP", "LMT"]
    assert [ticket.parent for ticket in tickets] == [0, tickets[0].order_id, tickets[0].order_id]
    assert [ticket.transmit for ticket in tickets] == [False, False, True]
    assert (tickets[1].stop, tickets[2].limit) == ("190.01", "210.00")
    await rig.set_price("AAPL/USD", D("210.10"), D("210.20"))
    venue = await Later(rig).life()
    stop, target = [await venue.query(f"{word}ibkr0001", "AAPL/USD") for word in ("sl", "tp")]
    assert (stop.state, target.state) == (OrderState.CANCELLED, OrderState.FILLED)


async def test_a_bracket_whose_parent_is_refused(rig: IbkrRig) -> None:
    """Its children go with it (PF-234)."""
    rig.server.faults.arm(Fault.MARGIN_REJECT)
    await rig.venue.place_bracket(shares(1, price=None), stop=D(190), target=D(210))
    await rig.settled()
    assert await rig.venue.open_orders() == ()


async def test_a_bracket_of_which_a_part_did_not_get_there(rig: IbkrRig) -> None:
    """Which part the broker has, only its lists tell: the bracket is unknown until a new connection shows them."""
    rig.server.faults.arm(Fault.TOO_MANY, on="orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place_bracket(shares(1, price=None), stop=D(190), target=D(210))
    later = Later(rig)
    venue = await later.life()
    later.ahead = SETTLED_NS
    assert [(await venue.query(f"{word}ibkr0001", "AAPL/USD")).absent_proven for word in ("bh", "sl", "tp")] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("stop", "target", "code"), [("205", None, "BracketStopWrongSide"), ("190", "195", "BracketTargetWrongSide")]
)
async def test_a_bracket_that_would_not_protect(rig: IbkrRig, stop: str, target: str | None, code: str) -> None:
    """It is refused by name and nothing is sent (PF-233)."""
    with pytest.raises(ValidationError) as caught:
        await rig.venue.place_bracket(shares(1, price=None), stop=D(stop), target=None if target is None else D(target))
    assert caught.value.code == code
    assert count_at(rig) == 0


async def test_a_combination_is_one_order(rig: IbkrRig) -> None:
    """Four legs, one message, one net price, negative when money comes in; its fills are those of the legs (DK-51)."""
    legs = [ComboLeg(f"AAPL/USD:USD-251219-{leg}", ratio) for leg, ratio in
            (("180-P", 1), ("190-P", -1), ("210-C", -1), ("220-C", 1))]  # fmt: skip
    combo = Combo("bhcombo1", legs, 2, D("-1.25"))
    before = rig.server.requests.count(3)
    report = await rig.venue.place_combo(combo)
    await rig.settled()
    assert rig.server.requests.count(3) == before + 1
    (live,) = rig.server.orders.live.values()
    assert (live.ticket.limit, live.ticket.qty, [leg[1:] for leg in live.ticket.legs]) == (
        "-1.25", "2", [(1, "BUY"), (1, "SELL"), (1, "SELL"), (1, "BUY")],
    )  # fmt: skip
    assert report.symbol == "AAPL/USD:combo"
    last = [each for each in rig.heard.messages if isinstance(each, OrderReport | FillReport)][-1]
    assert isinstance(last, OrderReport)  # its end is told after the fills of all legs
    assert {(fill.symbol[-5:], fill.side, fill.qty) for fill in rig.heard.of(FillReport)} == {
        ("180-P", BUY, D(200)), ("190-P", SELL, D(200)), ("210-C", SELL, D(200)), ("220-C", BUY, D(200)),
    }  # fmt: skip
    assert (await rig.venue.place_combo(combo)).state is OrderState.FILLED
    assert count_at(rig) == 1


# --- netted accounts -------------------------------------------------------------------------------------------------------


async def test_futures_are_counted_in_base_units(tmp_path: Path) -> None:
    """Two contracts of fifty are 100 base units, in the order, its fills and the position; half a contract is refused."""
    async with serving(str(tmp_path), market=MarketType.PERP, symbols=("ES/USD:USD-251219",)) as rig:
        await rig.venue.connect(rig.heard)
        await rig.set_price("ES/USD:USD-251219", D("600.00"), D("600.25"))
        (market,) = [each for each in await rig.venue.instruments() if each.base == "ES"]
        assert (market.contract_size, market.rules.step_size, market.market_type) == (D(50), D(50), MarketType.PERP)
        order = OrderRequest(
            client_order_id="bhfuture1", symbol=market.symbol, side=BUY, type=OrderType.MARKET, qty=D(100)
        )
        assert (await rig.venue.place(order)).filled_qty == D(100)
        (live,) = rig.server.orders.live.values()
        assert live.ticket.qty == "2"
        assert [(each.symbol, each.qty) for each in await rig.venue.positions()] == [(market.symbol, D(100))]
        half = OrderRequest(
            client_order_id="bhfuture2", symbol=market.symbol, side=BUY, type=OrderType.MARKET, qty=D(25)
        )
        assert (await rig.venue.place(half)).code == "PrecisionRejected"
        (whole,) = await rig.venue.place_bracket(replace(half, client_order_id="bhfuture3"), stop=D(590))
        assert (whole.code, count_at(rig)) == ("PrecisionRejected", 1)


async def test_pairs_are_positions_and_only_reduced_where_asked(tmp_path: Path) -> None:
    """A pair is netted; an order that may only reduce is refused where it would open the other side."""
    async with connected(str(tmp_path), market=MarketType.PERP, symbols=("EUR_USD",)) as rig:
        sell = OrderRequest(
            client_order_id="bhpair01", symbol="EUR/USD:USD", side=SELL, type=OrderType.MARKET, qty=D(20_000)
        )
        assert (await rig.venue.place(sell)).state is OrderState.FILLED
        assert [(each.symbol, each.qty) for each in await rig.venue.positions()] == [("EUR/USD:USD", D(-20_000))]
        more = OrderRequest(
            client_order_id="bhpair02",
            symbol="EUR/USD:USD",
            side=BUY,
            type=OrderType.MARKET,
            qty=D(20_001),
            reduce_only=True,
        )
        assert (await rig.venue.place(more)).code == "ReduceOnly"
        (told,) = rig.heard.of(OrderReport, state=OrderState.FILLED)
        assert told.client_order_id == "bhpair01"
        async with asyncio.timeout(PATIENCE_S):
            assert (await rig.venue.query("bhpair02", "EUR/USD:USD")).state is OrderState.REJECTED

"""Orders at Alpaca when something goes wrong: sent once, proven or unknown, every fill told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.secret import Secret
from protocol.values import OrderSide, OrderType
from tests.servers.venues.alpaca import KEY, SECRET, AlpacaServer, shares
from tests.servers.venues.faults import Fault
from tests.venues.alpaca_rig import NOW, AlpacaRig, access_to, alpaca, new_hall, tools
from tests.venues.manual_time import PATIENCE_S, Heard
from venues.alpaca import AlpacaVenue
from venues.errors import AuthFailed, NetworkTimeout, PermissionDenied, RateLimited, VenueDown

pytestmark = pytest.mark.anyio

D = Decimal
AAPL = "AAPL/USD"
BUY, SELL = OrderSide.BUY, OrderSide.SELL


@asynccontextmanager
async def connected() -> AsyncIterator[AlpacaRig]:
    """Run a server with a connected adapter and a share at 100."""
    async with alpaca() as rig:
        await rig.venue.connect(rig.heard)
        await rig.set_price(AAPL, D("99.99"), D("100.01"))
        yield rig


def order(
    name: str, side: OrderSide = BUY, kind: OrderType = OrderType.LIMIT, qty: str = "2", **more: Any
) -> OrderRequest:
    """Return an order, a limit order below the market unless said otherwise."""
    price = None if kind is OrderType.MARKET else D("90")
    fields: dict[str, Any] = {
        "client_order_id": name,
        "symbol": AAPL,
        "side": side,
        "type": kind,
        "qty": D(qty),
        "price": price,
    } | more
    return OrderRequest(**fields)


def sent(rig: AlpacaRig) -> int:
    """Return how often an order was sent."""
    return rig.server.requests.count("POST /v2/orders")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.TOO_MANY, RateLimited),
        (Fault.SERVER_ERROR, NetworkTimeout),
        (Fault.MAINTENANCE, NetworkTimeout),
        (Fault.REQUEST_LOST, NetworkTimeout),
        (Fault.ANSWER_LOST, NetworkTimeout),
        (Fault.MALFORMED, NetworkTimeout),
    ],
)
async def test_an_order_is_sent_once(fault: Fault, error: type[Exception]) -> None:
    """Whatever happens to an order's request, neither library nor adapter sends it a second time."""
    async with connected() as rig:
        rig.server.faults.arm(fault, on="orders")
        with pytest.raises(error):
            await rig.venue.place(order("bhonce01"))
        assert sent(rig) == 1


async def test_too_many_says_how_long() -> None:
    """A 429 carries the venue's own wait."""
    async with connected() as rig:
        rig.server.faults.arm(Fault.TOO_MANY, on="reads")
        with pytest.raises(RateLimited) as refused:
            await rig.venue.open_orders()
        assert refused.value.retry_after_s == 1.0


async def test_a_lost_answer_is_found_again() -> None:
    """The order whose answer was lost is found by its id, and is not placed by a second try."""
    async with connected() as rig:
        rig.server.faults.arm(Fault.ANSWER_LOST, on="orders")
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(order("bhlost01"))
        assert (await rig.venue.query("bhlost01", AAPL)).state is OrderState.OPEN
        assert (await rig.venue.place(order("bhlost01"))).state is OrderState.OPEN
        assert len(await rig.venue.open_orders()) == 1


async def test_absence_is_proven_late() -> None:
    """An order that never arrived is unknown at first, and proven absent when nothing of it can be under way any more."""
    async with connected() as rig:
        rig.server.faults.arm(Fault.REQUEST_LOST, on="orders")
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(order("bhnever1"))
        with pytest.raises(NetworkTimeout, match="under way"):
            await rig.venue.cancel("bhnever1", AAPL)
        first = await rig.venue.query("bhnever1", AAPL)
        assert (first.state, first.absent_proven) == (OrderState.UNKNOWN, False)
        async with asyncio.timeout(PATIENCE_S):
            while not (await rig.venue.query("bhnever1", AAPL)).absent_proven:
                continue
        assert await rig.venue.open_orders() == ()


async def test_known_to_the_venue_only() -> None:
    """An id that an earlier life used is refused by the venue; the answer is that life's order."""
    async with connected() as rig:
        await rig.venue.place(order("bhearly1"))
        later = AlpacaVenue(access_to(rig.server), tools())
        await later.connect(Heard())
        try:
            again = await later.place(order("bhearly1", qty="4"))
        finally:
            await later.close()
        assert again.state is OrderState.OPEN
        assert [each.request.qty for each in rig.server.hall.open_orders()] == [D(2)]


async def test_nothing_is_sent_after_its_time() -> None:
    """A process whose lease has run out sends neither orders nor cancels."""
    async with connected() as rig:
        await rig.venue.place(order("bhlease1"))
        rig.venue.send_by = lambda: NOW() - 1
        with pytest.raises(VenueDown):
            await rig.venue.place(order("bhlease2"))
        with pytest.raises(VenueDown):
            await rig.venue.cancel("bhlease1", AAPL)
        assert len(rig.server.hall.open_orders()) == 1


async def test_the_last_look_is_in_the_thread() -> None:
    """A process that slept between the first look at its lease and the wire sends nothing."""
    async with connected() as rig:
        looks = iter([NOW() + 10**10])
        rig.venue.send_by = lambda: next(looks, NOW() - 1)
        with pytest.raises(VenueDown, match="may send nothing"):
            await rig.venue.place(order("bhslept1"))
        assert sent(rig) == 0


@pytest.mark.parametrize("kind", [OrderType.MARKET, OrderType.IOC])
async def test_closed_market(kind: OrderType) -> None:
    """What is to trade at once is not sent while the market is closed: Alpaca would keep it for the opening."""
    async with alpaca() as rig:
        rig.server.open = False
        await rig.venue.connect(rig.heard)
        rig.server.hall.price(AAPL, D("99.99"), D("100.01"))
        report = await rig.venue.place(order("bhclosed", kind=kind))
        assert (report.state, report.code) == (OrderState.REJECTED, "MarketHalted")
        assert "closed until" in report.reason
        assert sent(rig) == 0
        assert not rig.venue.is_open(AAPL, NOW())
        assert (await rig.venue.place(order("bhrests1"))).state is OrderState.OPEN


async def test_nothing_is_sold_short() -> None:
    """More than is held is refused before Alpaca would borrow it."""
    async with connected() as rig:
        report = await rig.venue.place(order("bhshort1", SELL, price=D(200)))
        assert (report.state, report.code) == (OrderState.REJECTED, "InsufficientFunds")
        assert sent(rig) == 0


async def test_how_orders_are_asked_for() -> None:
    """Whole shares rest until cancelled, fractions for the day and in extended hours; numbers are text (EX-501)."""
    async with connected() as rig:
        await rig.venue.place(order("bhwhole1"))
        await rig.venue.place(order("bhparts1", qty="0.000000001", price=D("95000000000")))
        await rig.venue.place(order("bhparts2", qty="1.5"))
        asked = rig.server._asked
        assert (asked["bhwhole1"]["time_in_force"], asked["bhwhole1"]["extended_hours"]) == ("gtc", False)
        assert (asked["bhparts2"]["time_in_force"], asked["bhparts2"]["extended_hours"]) == ("day", True)
        assert asked["bhparts1"]["qty"] == "0.000000001"


async def test_fractions_that_were_to_trade_at_once() -> None:
    """A fraction's immediate-or-cancel order that an earlier life could not cancel any more is cancelled at connect."""
    async with connected() as rig:
        rig.server.faults.arm(Fault.REQUEST_LOST, on="cancels")
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(order("bhleft01", kind=OrderType.IOC, qty="0.5"))
        assert len(rig.server.hall.open_orders()) == 1
        later = AlpacaVenue(access_to(rig.server), tools())
        await later.connect(Heard())
        await later.close()
        assert rig.server.hall.open_orders() == []


async def test_fills_while_the_stream_is_gone() -> None:
    """What traded while the stream was away is told once it is back, each fill once."""
    async with connected() as rig:
        await rig.venue.place(order("bhgap001"))
        rig.server.drop()
        rig.server.hall.trade(AAPL, D(90), D(1))
        rig.server.hall.price(AAPL, D("89.50"), D("89.90"))
        await rig.heard.one(OrderReport, client_order_id="bhgap001", state=OrderState.FILLED)
        await rig.settled()
        fills = rig.heard.of(FillReport, client_order_id="bhgap001")
        assert sum(each.qty for each in fills) == 2
        assert len({each.trade_id for each in fills}) == len(fills) == len(await rig.venue.fills_since(0))


@pytest.mark.parametrize(
    "fault", [Fault.DUPLICATED, Fault.REORDERED, Fault.STREAM_LOST, Fault.MALFORMED, Fault.DISCONNECT]
)
async def test_a_stream_that_lies(fault: Fault) -> None:
    """Repeated, late, lost and broken updates neither double nor lose a fill, and the order ends as filled."""
    async with connected() as rig:
        await rig.venue.place(order("bhlies01"))
        await rig.settled()
        rig.server.faults.arm(fault, times=2, on="reads")
        rig.server.faults.arm(fault, times=2) if fault is not Fault.MALFORMED else None
        rig.server.hall.trade(AAPL, D(90), D(1))
        rig.server.hall.trade(AAPL, D(90), D(3))
        rig.server.faults.clear()
        rig.server.hall.place(order("bhforeign1"))  # what is held back follows the next word
        await rig.heard.one(OrderReport, client_order_id="bhlies01", state=OrderState.FILLED)
        fills = rig.heard.of(FillReport, client_order_id="bhlies01")
        assert sum(each.qty for each in fills) == 2
        assert len({each.trade_id for each in fills}) == len(fills)


async def test_a_wrong_key() -> None:
    """A refused key stops the connection and appears nowhere."""
    async with AlpacaServer(new_hall()) as server:
        venue = AlpacaVenue(access_to(server, secret=Secret("wrong-secret-word")), tools())
        with pytest.raises(AuthFailed) as refused:
            await venue.connect(Heard())
        assert "wrong-secret-word" not in f"{refused.value!r} {refused.value.__cause__!r} {vars(refused.value)}"
        assert KEY not in str(refused.value)
        assert SECRET not in str(refused.value)


async def test_a_blocked_account() -> None:
    """An account that may not trade says so at once."""
    async with AlpacaServer(new_hall()) as server:
        server.account_flags = {"trading_blocked": True}
        with pytest.raises(PermissionDenied, match="trading_blocked"):
            await AlpacaVenue(access_to(server), tools()).connect(Heard())


async def test_nobody_there() -> None:
    """A venue that cannot be reached is down; nothing was sent."""
    async with AlpacaServer(new_hall()) as server:
        access = access_to(server)
    with pytest.raises(VenueDown):
        await AlpacaVenue(access, tools()).connect(Heard())


async def test_whole_shares_only() -> None:
    """A share that is not fractionable trades in ones."""
    async with alpaca(*shares("AAPL", "SYNC", fractional=False)) as rig:
        await rig.venue.connect(rig.heard)
        (first, *_) = await rig.venue.instruments()
        assert (first.rules.step_size, first.rules.min_qty) == (D(1), D(1))

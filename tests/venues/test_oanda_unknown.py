"""Orders at OANDA whose answer is lost: the numbered log says what became of them, and when nothing did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from protocol.orders import FillReport, OrderState
from tests.servers.venues.faults import Fault
from tests.venues.manual_time import ManualTime
from tests.venues.oanda_rig import (
    BUY,
    EUR,
    LIMIT,
    MARKET,
    NOW,
    OandaRig,
    held,
    order,
    pairs,
    trading,
    trading_euros,
)
from venues.access import Tools
from venues.errors import NetworkTimeout, VenueDown
from venues.oanda.desk import UNDER_WAY_S

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal


@pytest.fixture
async def rig() -> AsyncIterator[OandaRig]:
    async with trading_euros() as made:
        yield made


# --- unknown and absent -------------------------------------------------------------------------------------------------


async def test_a_lost_answer_is_found_in_the_log(rig: OandaRig) -> None:
    """The order was taken, its answer lost: the log has it, and nothing is sent a second time."""
    request = order(BUY, MARKET)
    rig.server.faults.arm(Fault.ANSWER_LOST, 1, "orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(request)
    assert (await rig.venue.place(request)).state is OrderState.FILLED
    await rig.settled()
    (fill,) = {
        each.trade_id: each for each in rig.heard.of(FillReport, client_order_id=request.client_order_id)
    }.values()
    assert fill.qty == 1000
    assert await held(rig) == 1000


async def test_a_refused_order_whose_answer_is_lost(rig: OandaRig) -> None:
    """A refusal is in the log too, with its client id."""
    request = order(BUY, LIMIT, price=D("1.000001"))
    rig.server.faults.arm(Fault.ANSWER_LOST, 1, "orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(request)
    report = await rig.venue.query(request.client_order_id, EUR)
    assert (report.state, report.code, report.absent_proven) == (OrderState.REJECTED, "PrecisionRejected", False)


async def test_absence_is_proven_only_when_nothing_can_be_under_way() -> None:
    """A lost request is unknown until it can no longer arrive; then the gapless log proves that it never did (EX-426)."""
    time = ManualTime()
    async with trading(pairs(), Tools(time.now_ns, time.sleep, lambda: 0.0)) as rig:
        await rig.venue.connect(rig.heard)
        request = order(BUY, MARKET)
        rig.server.faults.arm(Fault.REQUEST_LOST, 1, "orders")
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(request)
        for _ in range(2):
            assert (await rig.venue.query(request.client_order_id, EUR)).state is OrderState.UNKNOWN
            with pytest.raises(NetworkTimeout):
                await rig.venue.place(request)
            time.jump(UNDER_WAY_S - 1 if _ == 0 else 1)
        report = await rig.venue.query(request.client_order_id, EUR)
        assert (report.state, report.absent_proven) == (OrderState.REJECTED, True)
        assert not [each for each in rig.server.log.entries if each["type"] == "MARKET_ORDER"]


async def test_a_cancel_of_what_may_still_come(rig: OandaRig) -> None:
    """An order whose answer was lost is not told as gone because its cancel found nothing: it may still arrive."""
    request = order(BUY, LIMIT, price=D("1.0"))
    rig.server.faults.arm(Fault.REQUEST_LOST, 1, "orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(request)
    with pytest.raises(NetworkTimeout):
        await rig.venue.cancel(request.client_order_id, EUR)


async def test_an_id_of_an_earlier_life() -> None:
    """A new connection knows the orders of before, finds old ones in the whole log, and proves the absence of others."""
    time = ManualTime()
    hall = pairs()
    still = Tools(time.now_ns, time.sleep, lambda: 0.0)
    async with trading(hall, still) as rig:
        rig.server.hall.price(EUR, D("1.1"), D("1.10010"))
        await rig.venue.connect(rig.heard)
        old, done = order(BUY, LIMIT, price=D("1.0")), order(BUY, MARKET)
        for request in (old, done):
            await rig.venue.place(request)
        await rig.venue.close()
        for entry in rig.server.log.entries:
            entry["time"] = "2024-08-01T00:00:00.000000000Z"  # a week before: not in what is read when connecting
        rig.server.log.add("TRANSFER_FUNDS")
        again = OandaRig(rig.server, still, EUR)
        await again.venue.connect(again.heard)
        try:
            assert (await again.venue.place(old)).state is OrderState.OPEN
            found = await again.venue.query(done.client_order_id, EUR)
            assert (found.state, found.filled_qty) == (OrderState.FILLED, 1000)
            assert (await again.venue.query("bhneversent1", EUR)).state is OrderState.UNKNOWN
            time.jump(UNDER_WAY_S)
            assert (await again.venue.query("bhneversent1", EUR)).absent_proven
        finally:
            await again.venue.close()


async def test_the_venue_would_take_an_ended_id_again(rig: OandaRig) -> None:
    """OANDA refuses a client id only while an order of that id is pending: that nothing is sent twice is our own doing."""
    request = order(BUY, MARKET)
    await rig.venue.place(request)
    before = rig.server.requests.count(f"POST /v3/accounts/{rig.venue._access.account_id}/orders")
    for _ in range(3):
        assert (await rig.venue.place(request)).state is OrderState.FILLED
    assert rig.server.requests.count(f"POST /v3/accounts/{rig.venue._access.account_id}/orders") == before
    assert await held(rig) == 1000


# --- the lease ----------------------------------------------------------------------------------------------------------


async def test_after_its_time_nothing_is_sent(rig: OandaRig) -> None:
    """A process whose lease has run out sends neither orders nor cancels."""
    resting = order(BUY, LIMIT, price=D("1.0"))
    await rig.venue.place(resting)
    rig.venue.send_by = lambda: NOW() - 1
    with pytest.raises(VenueDown):
        await rig.venue.place(order(BUY, MARKET))
    with pytest.raises(VenueDown):
        await rig.venue.cancel(resting.client_order_id, EUR)
    assert [each.client_order_id for each in await rig.venue.open_orders()] == [resting.client_order_id]


async def test_the_lease_ends_between_the_check_and_the_wire() -> None:
    """The thread asks once more right before the first byte: a process that was put to sleep there sends nothing."""
    time = ManualTime()
    async with trading(pairs(), Tools(time.now_ns, time.sleep, lambda: 0.0)) as rig:
        await rig.venue.connect(rig.heard)
        rig.server.hall.price(EUR, D("1.1"), D("1.10010"))
        until = time.now_ns() + 5_000_000_000
        asked: list[int] = []

        def send_by() -> int:
            asked.append(1)
            return until

        rig.venue.send_by = send_by
        line = rig.venue.connection.line
        request = order(BUY, MARKET)
        placing = rig.venue.place(request)
        real, line.act = line.act, _delayed(line.act, time)  # type: ignore[method-assign]
        with pytest.raises(VenueDown):
            await placing
        assert asked
        line.act = real  # type: ignore[method-assign]
        rig.venue.send_by = lambda: None
        assert (await rig.venue.place(request)).state is OrderState.FILLED


def _delayed(act: Any, time: ManualTime) -> Any:
    async def later(*args: Any) -> Any:
        time.jump(10)
        return await act(*args)

    return later

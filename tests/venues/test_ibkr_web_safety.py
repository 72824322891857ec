"""Orders, their accidents, the stream and prices at Interactive Brokers' Web API, over its own protocol."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from protocol.market import Bar, FeedState, PriceTick
from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from protocol.venue import SessionDown
from tests.servers.venues.faults import Fault
from tests.servers.venues.ibkr_web_words import order_row
from tests.venues.ibkr_web_rig import NOW, IbkrWebRig, connected
from venues.access import Access, Tools
from venues.errors import NetworkTimeout, OrderRejected, RateLimited, VenueDown
from venues.ibkr.errors import NoData
from venues.ibkr_web.absence import UNDER_WAY_S, Asked, verdict
from venues.ibkr_web.replies import confirmed
from venues.ibkr_web.wire import Wire

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
NS = 1_000_000_000
DAY_NS = 86_400 * NS


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[IbkrWebRig]:
    async with connected(str(tmp_path / "notes"), symbols=("BTC/USD", "AAPL/USD")) as rig:
        yield rig


def shares(number: int, price: str | None = "150", **changes: Any) -> OrderRequest:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    fields: dict[str, Any] = {"side": OrderSide.BUY, "type": kind, "qty": D(10)}
    limit = None if price is None else D(price)
    return OrderRequest(client_order_id=f"bhweb{number:04d}", symbol="AAPL/USD", price=limit, **(fields | changes))


def posts(rig: IbkrWebRig, what: str) -> int:
    """Count the requests that carried something to the broker."""
    return sum(bool(re.match(rf"(POST|DELETE) .*{what}", each)) for each in rig.server.requests)


# --- orders ----------------------------------------------------------------------------------------------------------


async def test_notices_are_confirmed(rig: IbkrWebRig) -> None:
    """Questions that say how the broker will handle an order are answered, one after the other; there is one order."""
    rig.server.ask = ["o354", "o10151"]
    report = await rig.venue.place(shares(1, price=None))
    assert report.state is OrderState.FILLED
    assert (posts(rig, "/orders$"), posts(rig, "/reply/")) == (1, 2)
    assert len(rig.hall.orders) == 1


@pytest.mark.parametrize("question", ["o163", "o383", "o451", "never heard of"])
async def test_precautions_are_the_operators_own(rig: IbkrWebRig, question: str) -> None:
    """A limit that somebody has set at the broker is not overridden: the order is given up, and says which limit it met."""
    rig.server.ask = ["o354", question]
    report = await rig.venue.place(shares(1))
    assert report.state is OrderState.REJECTED
    assert question in report.reason
    assert rig.server.declined == ["bhweb0001"]
    assert rig.hall.orders == {}
    assert (await rig.venue.query("bhweb0001", "AAPL/USD")).state is OrderState.REJECTED


async def test_nothing_comes_between_a_question_and_its_answer(rig: IbkrWebRig) -> None:
    """Any other request voids a question: while an order is being placed the others wait."""
    rig.server.ask = ["o354", "o10151", "o403"]
    asked = [rig.venue.server_time(), rig.venue.balances(), rig.venue.place(shares(2)), rig.venue.server_time()]
    report, *_ = await asyncio.gather(rig.venue.place(shares(1)), *asked)
    assert report.state is OrderState.OPEN
    assert len(rig.hall.open_orders()) == 2


def test_which_questions_are_notices() -> None:
    """Every part of a question must be one; a question of no known kind is none."""
    assert confirmed(["o354"])
    assert not confirmed([])
    assert not confirmed(["o354", "o163"])


async def test_an_order_that_got_lost(rig: IbkrWebRig) -> None:
    """Nobody can tell at first: proven absent only when it can no longer arrive, in the session it was sent in."""
    rig.hall.faults.arm(Fault.REQUEST_LOST, on="orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    early = await rig.venue.query("bhweb0001", "AAPL/USD")
    assert (early.state, early.absent_proven) == (OrderState.UNKNOWN, False)
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    rig.ahead_s += UNDER_WAY_S + 1
    late = await rig.venue.query("bhweb0001", "AAPL/USD")
    assert (late.state, late.absent_proven) == (OrderState.REJECTED, True)
    assert (await rig.venue.place(shares(1))).absent_proven
    assert posts(rig, "/orders$") == 1, "an id is sent once, whatever is known of it"


async def test_an_order_that_got_lost_in_another_session(rig: IbkrWebRig) -> None:
    """Lists of a new session say nothing of an old one: the order is over and has not traded, and no more is claimed."""
    rig.hall.faults.arm(Fault.REQUEST_LOST, on="orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    rig.ahead_s += UNDER_WAY_S + 1
    await rig.restart()
    found = await rig.venue.query("bhweb0001", "AAPL/USD")
    assert (found.state, found.filled_qty, found.absent_proven) == (OrderState.CANCELLED, 0, False)


def test_what_missing_from_the_lists_means() -> None:
    """Absence needs notes, two minutes and the session of the order; older than the trades nothing is said."""
    began, sent = 1000 * NS, 2000 * NS
    late = sent + round(UNDER_WAY_S * NS)
    for asked, state in (
        (Asked(None, True, began, late), OrderState.REJECTED),
        (Asked(None, False, began, late), OrderState.UNKNOWN),
        (Asked(sent, True, began, late - 1), OrderState.UNKNOWN),
        (Asked(sent, True, began, late), OrderState.REJECTED),
        (Asked(sent, True, sent + 1, late), OrderState.CANCELLED),
        (Asked(sent, True, sent + 1, sent + 6 * DAY_NS), OrderState.UNKNOWN),
    ):
        assert verdict(asked).state is state, asked


async def test_a_lost_answer_to_a_question(rig: IbkrWebRig) -> None:
    """The order may have been taken by an answer that nobody heard of: unknown, found by asking, not sent again."""
    rig.server.ask = ["o354"]
    rig.hall.faults.arm(Fault.ANSWER_LOST, 1, "orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    rig.server.ask = []
    assert (await rig.venue.query("bhweb0001", "AAPL/USD")).state is OrderState.UNKNOWN
    assert rig.hall.orders == {}, "a question that was not answered is no order"


async def test_the_same_id_in_another_life(rig: IbkrWebRig) -> None:
    """Noted as sent, an id is not sent by a later life, although the broker takes it again after a day."""
    first = await rig.venue.place(shares(1))
    await rig.restart()
    again = await rig.venue.place(shares(1))
    assert (again.state, again.venue_order_id) == (OrderState.OPEN, first.venue_order_id)
    assert posts(rig, "/orders$") == 1


async def test_the_same_id_without_notes() -> None:
    """Without notes the broker refuses the id of today: the known order is the answer."""
    async with connected("", symbols=("AAPL/USD",)) as rig:
        first = await rig.venue.place(shares(1))
        await rig.venue.close()
        await rig.another().connect(lambda _: None)
        rig.venue._book.orders.clear()
        rig.venue._book._by_number.clear()
        again = await rig.venue.place(shares(1))
        assert (again.state, again.venue_order_id) == (OrderState.OPEN, first.venue_order_id)
        assert len(rig.hall.open_orders()) == 1
        assert not (await rig.venue.query("bhnever0001", "AAPL/USD")).absent_proven, "nothing is noted"


async def test_after_its_time_nothing_is_sent(rig: IbkrWebRig) -> None:
    """A process whose lease has run out sends neither orders nor cancels, and its ids are free."""
    await rig.venue.place(shares(1))
    before = posts(rig, "/order")
    rig.venue.send_by = lambda: rig.now() - 1
    with pytest.raises(VenueDown):
        await rig.venue.place(shares(2))
    with pytest.raises(VenueDown):
        await rig.venue.cancel("bhweb0001", "AAPL/USD")
    assert posts(rig, "/order") == before
    rig.venue.send_by = lambda: None
    assert (await rig.venue.place(shares(2))).state is OrderState.OPEN


async def test_a_refusal_for_lack_of_money(rig: IbkrWebRig) -> None:
    """The broker's own words, by the name that the desk knows."""
    rig.hall.faults.arm(Fault.MARGIN_REJECT)
    report = await rig.venue.place(shares(1))
    assert (report.state, report.code) == (OrderState.REJECTED, "InsufficientFunds")


async def test_changing_a_resting_order(rig: IbkrWebRig) -> None:
    """Same order, other price and quantity; after a restart it is not changed, but can be cancelled."""
    first = await rig.venue.place(shares(1))
    changed = await rig.venue.amend("bhweb0001", "AAPL/USD", price=D(140), qty=D(20))
    assert (changed.state, changed.venue_order_id) == (OrderState.OPEN, first.venue_order_id)
    (only,) = rig.hall.open_orders()
    assert (only.request.price, only.request.qty) == (D(140), D(20))
    await rig.restart()
    with pytest.raises(OrderRejected, match="earlier connection"):
        await rig.venue.amend("bhweb0001", "AAPL/USD", price=D(130))
    assert (await rig.venue.cancel("bhweb0001", "AAPL/USD")).state is OrderState.CANCELLED


async def test_facts_of_an_earlier_life(rig: IbkrWebRig) -> None:
    """Orders and fills come back under our ids, and an order that only its trades tell of is filled."""
    await rig.venue.place(shares(1))
    await rig.venue.place(shares(2, price=None))
    await rig.restart()
    assert [each.client_order_id for each in await rig.venue.open_orders()] == ["bhweb0001"]
    assert {each.client_order_id for each in await rig.venue.fills_since(0)} == {"bhweb0002"}
    rig.hall.orders["bhweb0002"].number = 0  # a session later it is in the list of orders no more
    await rig.restart()
    found = await rig.venue.query("bhweb0002", "AAPL/USD")
    assert (found.state, found.filled_qty) == (OrderState.FILLED, D(10))


async def test_too_many_requests(rig: IbkrWebRig) -> None:
    """Told to stay away twice, nothing at all is sent until it is over: who goes on is shut out for good."""
    rig.hall.faults.arm(Fault.TOO_MANY, 2)
    for _ in range(2):
        with pytest.raises(RateLimited):
            await rig.venue.balances()
    before = len(rig.server.requests)
    with pytest.raises(RateLimited) as refused:
        await rig.venue.place(shares(1))
    assert refused.value.retry_after_s is not None
    assert len(rig.server.requests) == before
    rig.ahead_s += 1
    assert (await rig.venue.place(shares(1))).state is OrderState.OPEN


async def test_lists_are_asked_for_every_five_seconds() -> None:
    """The broker's own pace: orders and trades once in five seconds each, whoever asks; ten requests a second."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    access = Access(account="acc", venue="ibkr_web", url="http://127.0.0.1:1/v1/api")
    wire = Wire(access, Tools(lambda: 10 * NS, sleep, lambda: 0.5), None, lambda _: None)
    for _ in range(3):
        with pytest.raises(VenueDown):
            await wire.ask("iserver/account/orders")
    await wire.close()
    assert waits == [5.0, 10.0]


# --- the stream ------------------------------------------------------------------------------------------------------


async def test_what_happens_while_the_stream_is_away(rig: IbkrWebRig) -> None:
    """Fills in the gap are told once, by their ids, and the order's end after them."""
    await rig.venue.place(shares(1))
    rig.server.drop()
    rig.hall.price("AAPL/USD", D("149.00"), D("149.01"))
    await rig.heard.one(OrderReport, client_order_id="bhweb0001", state=OrderState.FILLED)
    await rig.heard.state(FeedState.LIVE)
    told = [each for each in rig.heard.messages if isinstance(each, FillReport | OrderReport)]
    fills = [each.trade_id for each in told if isinstance(each, FillReport)]
    assert len(fills) == len(set(fills)) == len(rig.hall.fills)
    assert isinstance(told[-1], OrderReport)
    assert not rig.heard.of(SessionDown)


async def test_a_change_of_an_order_that_was_never_told(rig: IbkrWebRig) -> None:
    """The stream tells changes: one of an unknown order, or without its parts, has the lists asked for."""
    await rig.venue.place(shares(1))
    order = rig.hall.orders["bhweb0001"]
    row = order_row(order, rig.server.listed("AAPL/USD"))
    rig.venue._book.orders.clear()
    rig.venue._book._by_number.clear()
    rig.heard.forget()
    rig.server._tell("sor", {"topic": "sor", "args": [{key: row[key] for key in ("acct", "orderId", "status")}]})
    await rig.heard.one(OrderReport, client_order_id="bhweb0001", state=OrderState.OPEN)


async def test_quotes(rig: IbkrWebRig) -> None:
    """Changes are put together; delayed prices are none, nor is yesterday's close; the stream's end has them asked for."""
    await rig.venue.subscribe(["AAPL/USD"])
    await rig.heard.one(PriceTick, symbol="AAPL/USD", bid=D("199.99"), ask=D("200.01"))
    con_id = rig.server.listed("AAPL/USD").con_id
    topic = f"smd+{con_id}"
    rig.server._tell(topic, {"topic": topic, "conid": con_id, "84": "200.00", "31": "C188.00", "_updated": 5})
    tick = await rig.heard.one(PriceTick, symbol="AAPL/USD", bid=D("200.00"), ask=D("200.01"))
    assert tick.last == D("200.005")
    count = len(rig.heard.of(PriceTick))
    rig.server._tell(topic, {"topic": topic, "conid": con_id, "84": "1", "6509": "DPB"})
    rig.server.drop()
    rig.hall.price("AAPL/USD", D("201.00"), D("201.01"))
    await rig.heard.one(PriceTick, symbol="AAPL/USD", bid=D("201.00"))
    assert not [each for each in rig.heard.of(PriceTick)[count:] if each.bid == 1]


async def test_candles(rig: IbkrWebRig) -> None:
    """Finished bars from an instant on; what one answer does not reach back to is said, not left out."""
    step = 60 * NS
    since = NOW() // step * step - 10 * step
    bars = await rig.venue.candles("AAPL/USD", "1m", since, 5)
    assert [bar.at for bar in bars] == [since + number * step for number in range(5)]
    assert bars == tuple(Bar(each.symbol, *each_of(each)) for each in rig.hall.candles("AAPL/USD", 60, since, 5))
    with pytest.raises(NoData):
        await rig.venue.candles("AAPL/USD", "1m", since - 3 * 1440 * step, 5)


def each_of(bar: Bar) -> tuple[Any, ...]:
    return (bar.at, bar.duration_s, bar.open, bar.high, bar.low, bar.close, bar.volume)

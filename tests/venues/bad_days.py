"""What an exchange's bad days must not do to an account: cases beside the contract, for a ``ClockedRig``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal

import pytest

from protocol.market import FeedState, FeedStatus, PriceTick
from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from protocol.venue import SessionDown
from tests.servers.venues.faults import Fault
from tests.venues.clocked_rig import ClockedRig
from venues.errors import (
    AuthFailed,
    NetworkTimeout,
    OrderNotFound,
    RateLimited,
    VenueCapabilityMissing,
    VenueDown,
    VenueError,
)

__all__ = ["ASK", "BID", "BadDays", "BadDaysUnchanged", "order"]

D = Decimal
BID, ASK = D("60000.0"), D("60000.1")
QTY = D("0.02")
BUY, SELL = OrderSide.BUY, OrderSide.SELL


def order(
    key: str, kind: OrderType = OrderType.LIMIT, *, side: OrderSide = BUY, symbol: str, qty: Decimal = QTY
) -> OrderRequest:
    """Return an order; a limit order rests below the market."""
    price = BID - 100 if kind is OrderType.LIMIT else None
    return OrderRequest(client_order_id=key, symbol=symbol, side=side, type=kind, qty=qty, price=price)


@pytest.mark.anyio
class BadDays:
    """Cases of one account. ``open_rig`` makes one; the words below are the venue's own."""

    open_rig: Callable[[], AbstractAsyncContextManager[ClockedRig]]
    too_many: str
    """What it says of too many calls."""
    late_is_unknown = False
    """Whether it answers a late order in a way that leaves its fate open."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    async def rig(self) -> AsyncIterator[ClockedRig]:
        async with type(self).open_rig() as rig:
            await rig.venue.connect(rig.heard)
            rig.hall.price(rig.symbol, BID, ASK)
            yield rig

    # --- orders --------------------------------------------------------------------------------------------------------

    async def test_an_order_whose_answer_was_lost(self, rig: ClockedRig) -> None:
        """Carried out, and the connection broke: unknown, found by asking, and not sent again by the same id."""
        rig.hall.faults.arm(Fault.ANSWER_LOST, on="orders")
        request = order("bhlost000001", symbol=rig.symbol)
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(request)
        assert (await rig.venue.query(request.client_order_id, rig.symbol)).state is OrderState.OPEN
        assert (await rig.venue.place(request)).state is OrderState.OPEN
        assert len(rig.hall.open_orders()) == 1

    async def test_an_order_that_got_lost(self, rig: ClockedRig) -> None:
        """Not carried out, and nobody can tell: absence is proven once it can no longer arrive, and not before."""
        rig.hall.faults.arm(Fault.REQUEST_LOST, on="orders")
        request = order("bhlost000002", symbol=rig.symbol)
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(request)
        early = await rig.venue.query(request.client_order_id, rig.symbol)
        assert (early.state, early.absent_proven) == (OrderState.UNKNOWN, False)
        rig.clocks.pass_by(10)
        late = await rig.venue.query(request.client_order_id, rig.symbol)
        assert (late.state, late.absent_proven) == (OrderState.REJECTED, True)

    async def test_an_order_that_arrives_late(self, rig: ClockedRig) -> None:
        """A request that was under way for longer than it is good for is refused by the venue itself."""
        rig.clocks.venue_ahead_s = 6
        request = order("bhlate000001", symbol=rig.symbol)
        with pytest.raises(NetworkTimeout if self.late_is_unknown else VenueDown):
            await rig.venue.place(request)
        assert rig.hall.open_orders() == []
        rig.clocks.pass_by(10)
        assert (await rig.venue.query(request.client_order_id, rig.symbol)).absent_proven

    async def test_after_its_time_nothing_is_sent(self, rig: ClockedRig) -> None:
        """A process whose lease has run out sends neither orders nor cancels; the lease ends at the venue too."""
        await rig.venue.place(order("bhlease00001", symbol=rig.symbol))
        before = len([each for each in rig.server.requests if each.startswith("POST")])
        rig.venue.send_by = lambda: rig.clocks.ours() - 1
        with pytest.raises(VenueDown):
            await rig.venue.place(order("bhlease00002", symbol=rig.symbol))
        with pytest.raises(VenueDown):
            await rig.venue.cancel("bhlease00001", rig.symbol)
        assert len([each for each in rig.server.requests if each.startswith("POST")]) == before
        rig.venue.send_by = lambda: rig.clocks.ours() + 500_000_000
        rig.clocks.venue_ahead_s = 0.9
        with pytest.raises((VenueDown, NetworkTimeout)):
            await rig.venue.place(order("bhlease00003", symbol=rig.symbol))
        assert [each.request.client_order_id for each in rig.hall.open_orders()] == ["bhlease00001"]

    async def test_the_id_of_an_open_order_in_another_life(self, rig: ClockedRig) -> None:
        """The venue refuses the id of an open order; a life that does not remember sending it gets the known order."""
        request = order("bhagain00001", symbol=rig.symbol)
        first = await rig.venue.place(request)
        rig.restart()
        await rig.venue.connect(rig.heard)
        again = await rig.venue.place(request)
        assert (again.state, again.venue_order_id) == (OrderState.OPEN, first.venue_order_id)
        assert len(rig.hall.open_orders()) == 1

    async def test_facts_of_an_earlier_life(self, rig: ClockedRig) -> None:
        """Orders and fills of an earlier life come back under our ids, with nothing remembered."""
        await rig.venue.place(order("bhearly00001", symbol=rig.symbol))
        await rig.venue.place(order("bhearly00002", OrderType.MARKET, symbol=rig.symbol))
        rig.restart()
        await rig.venue.connect(rig.heard)
        assert [each.client_order_id for each in await rig.venue.open_orders()] == ["bhearly00001"]
        assert {each.client_order_id for each in await rig.venue.fills_since(0)} == {"bhearly00002"}

    async def test_an_order_that_filled_long_ago(self, rig: ClockedRig) -> None:
        """However long a life slept, an order that has filled is never proven absent."""
        await rig.venue.place(order("bhlong000001", OrderType.MARKET, symbol=rig.symbol))
        rig.clocks.pass_by(20 * 86400)
        rig.restart()
        await rig.venue.connect(rig.heard)
        rig.clocks.pass_by(60)
        try:
            asked = await rig.venue.query("bhlong000001", rig.symbol)
        except VenueError:
            return
        assert (asked.state, asked.filled_qty) == (OrderState.FILLED, QTY)

    async def test_orders_of_somebody_else(self, rig: ClockedRig) -> None:
        """An order that somebody placed by hand is shown, with an id that is never one of ours."""
        rig.hall.place(order("anonymous7", symbol=rig.symbol))
        rig.hall.place(order("Hand-Made_1", symbol=rig.symbol))
        shown = [each.client_order_id for each in await rig.venue.open_orders()]
        assert len(set(shown)) == len(shown)
        assert not [each for each in shown if re.fullmatch(r"[a-z0-9]{6,28}", each)], shown

    async def test_a_refusal_for_lack_of_money(self, rig: ClockedRig) -> None:
        """The venue's own refusal for funds or margin is an answer of that name."""
        rig.hall.faults.arm(Fault.MARGIN_REJECT)
        report = await rig.venue.place(order("bhmoney00001", symbol=rig.symbol))
        assert (report.state, report.code) == (OrderState.REJECTED, "InsufficientFunds")

    async def test_amending(self, rig: ClockedRig) -> None:
        """A resting order changes price and quantity in place: same order, its fills kept, one lock."""
        if not rig.venue.line.calls.dialect.amends:
            pytest.skip("this venue changes no order in place")
        request = order("bhamend00001", symbol=rig.symbol)
        first = await rig.venue.place(request)
        rig.hall.trade(rig.symbol, BID - 100, QTY / 2)
        await rig.heard.one(FillReport)
        changed = await rig.venue.amend(request.client_order_id, rig.symbol, price=BID - 200, qty=QTY * 2)
        assert (changed.state, changed.filled_qty) == (OrderState.PARTIALLY_FILLED, QTY / 2)
        assert changed.venue_order_id == first.venue_order_id
        (only,) = rig.hall.open_orders()
        assert (only.request.price, only.request.qty, only.rest) == (BID - 200, QTY * 2, QTY * 3 / 2)
        rig.hall.price(rig.symbol, BID - 300, BID - D("299.9"))
        done = await rig.heard.one(OrderReport, client_order_id=request.client_order_id, state=OrderState.FILLED)
        assert done.filled_qty == QTY * 2 == sum(each.qty for each in rig.heard.of(FillReport))

    async def test_amending_what_has_ended(self, rig: ClockedRig) -> None:
        """There is nothing to change; nothing is placed in its stead."""
        if not rig.venue.line.calls.dialect.amends:
            pytest.skip("this venue changes no order in place")
        await rig.venue.place(order("bhamend00002", OrderType.MARKET, symbol=rig.symbol))
        with pytest.raises(OrderNotFound):
            await rig.venue.amend("bhamend00002", rig.symbol, price=BID - 200)
        assert rig.hall.open_orders() == []

    # --- answers -------------------------------------------------------------------------------------------------------

    async def test_too_many_calls(self, rig: ClockedRig) -> None:
        """Told to wait, nothing was carried out; the venue's words are kept."""
        rig.hall.faults.arm(Fault.TOO_MANY, on="orders")
        with pytest.raises(RateLimited, match=self.too_many):
            await rig.venue.place(order("bhmany000001", symbol=rig.symbol))
        assert rig.hall.open_orders() == []
        rig.hall.faults.arm(Fault.TOO_MANY, on="reads")
        with pytest.raises(RateLimited):
            await rig.venue.open_orders()

    @pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.MAINTENANCE])
    async def test_a_venue_that_fails(self, rig: ClockedRig, fault: Fault) -> None:
        """A failure inside the venue: a question went unanswered, an order's fate is unknown."""
        rig.hall.faults.arm(fault, on="reads")
        with pytest.raises(VenueDown):
            await rig.venue.open_orders()
        rig.hall.faults.arm(fault, on="orders")
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(order("bhdown000001", symbol=rig.symbol))

    async def test_answers_that_cannot_be_read(self, rig: ClockedRig) -> None:
        """Half an answer to an order is no answer: the order is unknown until the venue is asked."""
        rig.hall.faults.arm(Fault.MALFORMED, on="orders")
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(order("bhhalf000001", symbol=rig.symbol))
        rig.hall.faults.arm(Fault.MALFORMED, on="reads")
        with pytest.raises(VenueError):
            await rig.venue.open_orders()
        assert (await rig.venue.query("bhhalf000001", rig.symbol)).state is OrderState.OPEN

    async def test_a_wrong_secret(self, rig: ClockedRig) -> None:
        """Whoever cannot sign stays outside, and the error tells neither key nor secret."""
        server = rig.server
        server.secret = "anothersecret"  # type: ignore[attr-defined]
        rig.restart()
        with pytest.raises(AuthFailed) as refused:
            await rig.venue.connect(rig.heard)
        access = rig.access
        for secret in (access.key, access.secret, access.passphrase):
            assert not secret or secret.reveal() not in str(refused.value)

    # --- streams -------------------------------------------------------------------------------------------------------

    async def test_what_happens_while_the_streams_are_away(self, rig: ClockedRig) -> None:
        """Fills in the gap between two connections are told once, by their ids, and the order's end after them."""
        request = order("bhgap0000001", symbol=rig.symbol)
        await rig.venue.place(request)
        rig.server.drop()
        rig.hall.price(rig.symbol, BID - 101, BID - D("100.5"))
        await rig.heard.one(OrderReport, client_order_id=request.client_order_id, state=OrderState.FILLED)
        rig.hall.price(rig.symbol, BID, ASK)
        await rig.heard.until(lambda: rig.venue.line.private.live.is_set())
        await rig.venue.place(order("bhgap0000002", OrderType.MARKET, symbol=rig.symbol))
        await rig.settled()
        fills = [each.trade_id for each in rig.heard.of(FillReport)]
        assert len(fills) == len(set(fills)) == len(rig.hall.fills)
        assert not rig.heard.of(SessionDown)

    @pytest.mark.parametrize("fault", [Fault.STREAM_LOST, Fault.DUPLICATED, Fault.REORDERED, Fault.DISCONNECT])
    async def test_messages_that_go_astray(self, rig: ClockedRig, fault: Fault) -> None:
        """Messages that are lost, doubled, overtaken or cut off: each fill is told once, before the order's end."""
        rig.hall.faults.arm(fault, 2)
        request = order("bhastray0001", OrderType.MARKET, symbol=rig.symbol)
        await rig.venue.place(request)
        await rig.heard.one(OrderReport, client_order_id=request.client_order_id, state=OrderState.FILLED)
        told = [each for each in rig.heard.messages if isinstance(each, FillReport | OrderReport)]
        fills = [each for each in told if isinstance(each, FillReport)]
        assert sum((each.qty for each in fills), D(0)) == QTY
        assert len({each.trade_id for each in fills}) == len(fills)
        assert isinstance(told[-1], OrderReport)

    async def test_quotes(self, rig: ClockedRig) -> None:
        """Best bid and ask and the last price are told by stream, and again after it broke."""
        await rig.venue.subscribe([rig.symbol])
        tick = await rig.heard.one(PriceTick, symbol=rig.symbol)
        assert (tick.bid, tick.ask) == (BID, ASK)
        rig.server.drop()
        rig.hall.price(rig.symbol, BID + 1, ASK + 1)
        await rig.heard.one(PriceTick, symbol=rig.symbol, bid=BID + 1, ask=ASK + 1)
        await rig.heard.one(FeedStatus, state=FeedState.LIVE)

    # --- history -------------------------------------------------------------------------------------------------------

    async def test_more_fills_than_a_page(self, rig: ClockedRig) -> None:
        """A history of several pages is told whole."""
        for number in range(115):
            rig.hall.place(order(f"bhpage{number:06d}", OrderType.MARKET, symbol=rig.symbol, qty=D("0.01")))
        assert len(await rig.venue.fills_since(0)) == 115

    async def test_more_orders_than_a_page(self, rig: ClockedRig) -> None:
        """Open orders of several pages are told whole."""
        for number in range(115):
            rig.hall.place(order(f"bhpage{number:06d}", symbol=rig.symbol, qty=D("0.01")))
        assert len(await rig.venue.open_orders()) == 115

    async def test_candles(self, rig: ClockedRig) -> None:
        """Finished bars, oldest first, from the instant asked for."""
        step = 60_000_000_000
        since = rig.clocks.venue() // step * step - 10 * step
        bars = await rig.venue.candles(rig.symbol, "1m", since, 5)
        assert [bar.at for bar in bars] == [since + number * step for number in range(5)]
        assert bars == tuple(rig.hall.candles(rig.symbol, 60, since, 5))

    async def test_the_other_family_is_not_heard(self, rig: ClockedRig) -> None:
        """One account trades spot and perpetuals: orders and fills of the other family are told by its own adapter."""
        pair, _, settled_in = rig.symbol.partition(":")
        other = pair if settled_in else f"{pair}:{pair.partition('/')[2]}"
        rig.hall.price(other, BID, ASK)
        rig.hall.place(order("bhother00001", OrderType.MARKET, symbol=other))
        rig.hall.place(order("bhother00002", symbol=other))
        await rig.venue.place(order("bhother00003", OrderType.MARKET, symbol=rig.symbol))
        await rig.heard.one(OrderReport, client_order_id="bhother00003", state=OrderState.FILLED)
        assert {each.client_order_id for each in rig.heard.of(FillReport)} == {"bhother00003"}
        assert {each.client_order_id for each in rig.heard.of(OrderReport)} == {"bhother00003"}
        assert {each.client_order_id for each in await rig.venue.fills_since(0)} == {"bhother00003"}
        assert await rig.venue.open_orders() == ()
        assert rig.venue.line.private.malformed_frames == 0


class BadDaysUnchanged(BadDays):
    """Cases of an account whose orders are not changed in place."""

    test_amending_what_has_ended = None  # type: ignore[assignment] # there is no such call

    async def test_amending(self, rig: ClockedRig) -> None:
        """Orders are not changed in place here, and that is said."""
        await rig.venue.place(order("bhamend00001", symbol=rig.symbol))
        with pytest.raises(VenueCapabilityMissing):
            await rig.venue.amend("bhamend00001", rig.symbol, price=BID - 200)

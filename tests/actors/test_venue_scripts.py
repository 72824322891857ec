"""A whole account over a venue that misbehaves by script: desk, session, reconciler, paper exchange (EX-1107, EX-106)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from actors.desk import OrderDesk
from actors.paper_exchange import PaperExchange
from actors.reconciler import Reconciler
from actors.session import VenueSession, balances_topic, health_topic
from protocol.market import PriceTick
from protocol.orders import CancelOrder, OrderSent, OrderState, OrderUpdate, Purpose, SubmitOrder
from protocol.paper import PaperOrderAccepted, PaperOrderRejected, ScriptVenue, VenueFault
from protocol.precision import NeedRules
from protocol.risk import EngineStatus, RenewPermit
from protocol.values import OrderSide, OrderType
from protocol.venue import ReconcileNow, VenueHealth, VenueStatus
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import D, Stage, of, play
from tests.actors.cuts import cuts
from tests.actors.desk_rig import permit_of
from tests.actors.orders import OWNER, SYMBOL, TAG, market, request
from venues.paper.adapter import PaperVenue
from venues.paper.config import PaperConfig
from venues.paper.engine import PaperEngine

EXCHANGE = "/house/exchange"


def buy(number: int = 1, *, price: str = "100", qty: str = "1", entry: bool = True) -> SubmitOrder:
    """Return a group's wish for a limit order at the ask: it fills at once."""
    purpose = Purpose.ENTRY if entry else Purpose.CLOSE
    wanted = request(number, purpose=purpose, qty=qty, price=D(price), side=OrderSide.BUY if entry else OrderSide.SELL)
    return SubmitOrder(request=wanted, owner=OWNER, group_id="g1", leg_id="p0.l0", purpose=purpose, adds_risk=entry)


class Rig:
    """One account, as the house builds it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.owner = stage.probe("owner")
        self.precision = stage.probe("precision")
        self.health: list[VenueHealth] = stage.probe("health", topics=(health_topic("acc"),))
        stage.probe("groups")
        stage.probe("risk", answers={RenewPermit: lambda _: permit_of(stage, EngineStatus.RUNNING)})
        engine = partial(PaperEngine, PaperConfig(), (market(),))
        stage.add("exchange", lambda: PaperExchange(account="acc", engine=engine))
        desk = partial(
            OrderDesk,
            account="acc",
            tag=TAG,
            session="/house/session",
            reconciler="/house/reconciler",
            risk="/house/risk",
            groups="/house/groups",
            precision="/house/precision",
        )
        stage.add("desk", desk)
        venue = partial(PaperVenue, stage.system, EXCHANGE)
        stage.add("session", lambda: VenueSession(account="acc", venue=venue, desk="/house/desk"), edge=True)
        stage.add(
            "reconciler",
            lambda: Reconciler(account="acc", session="/house/session", desk="/house/desk", every_s=60.0),
        )

    async def begin(self) -> None:
        """Connect, and give the market a price."""
        await self.stage.settle()
        await self.quote("99", "100")

    async def quote(self, bid: str, ask: str) -> None:
        await self.stage.told("exchange", PriceTick(SYMBOL, self.stage.now, D(bid), D(ask), D(bid)))

    async def script(self, fault: VenueFault, **more: Any) -> None:
        await self.stage.told("exchange", ScriptVenue(fault=fault, **more))

    async def submit(self, *wishes: SubmitOrder) -> None:
        await self.stage.told("desk", *wishes)

    def states(self) -> list[str]:
        return [update.state.value for update in of(self.owner, OrderUpdate)]

    def accepted(self) -> list[str]:
        found: list[PaperOrderAccepted] = self.stage.events(EXCHANGE, PaperOrderAccepted)
        return [event.request.client_order_id for event in found]

    def sent(self) -> int:
        return len(self.stage.events("/house/desk", OrderSent))


def test_a_disconnect_keeps_orders_and_they_leave_on_return() -> None:
    """EX-1107, EX-106: nothing is lost or sent twice over a disconnect; what waited leaves exits first."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.begin()
        await rig.submit(buy(1))
        assert rig.states()[-1] == "filled"
        await rig.script(VenueFault.DISCONNECT, seconds=30)
        assert rig.health[-1].status is VenueStatus.DOWN
        await rig.submit(buy(2), buy(3, entry=False, price="99"))
        await stage.passes(20)
        assert (len(rig.accepted()), rig.sent()) == (1, 1)
        await stage.passes(60)
        assert rig.health[-1].status is VenueStatus.UP
        assert rig.accepted()[1:] == [buy(3, entry=False).request.client_order_id, buy(2).request.client_order_id]
        assert rig.states()[-2:] == ["filled", "filled"]

    play(script)


def test_a_lost_answer_is_found_out_and_nothing_is_sent_twice() -> None:
    """EX-1107, EX-426: the order whose answer was lost is unknown until the venue says what became of it."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.begin()
        await rig.script(VenueFault.LOSE_ANSWER)
        await rig.submit(buy(1))
        assert rig.states() == ["unknown"]
        await stage.passes(5)
        assert rig.states()[-1] == "filled"
        assert len(rig.accepted()) == 1

    play(script)


def test_rejections_on_demand() -> None:
    """EX-1107: the next orders are refused with the code that the script names; the one after passes."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.begin()
        await rig.script(VenueFault.REJECT, count=2, code="InsufficientFunds")
        await rig.submit(buy(1), buy(2), buy(3))
        updates = {each.client_order_id[-1]: each for each in of(rig.owner, OrderUpdate)}
        assert [(updates[key].state.value, updates[key].code) for key in "123"] == [
            ("rejected", "InsufficientFunds"),
            ("rejected", "InsufficientFunds"),
            ("filled", ""),
        ]

    play(script)


def test_too_many_requests_on_demand() -> None:
    """EX-1107, EX-1104: while the venue limits, orders wait in the session and leave when it is over."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.begin()
        await rig.script(VenueFault.RATE_LIMIT, seconds=20)
        await rig.submit(buy(1))
        assert rig.health[-1].code == "RateLimited"
        await stage.passes(19)
        assert rig.states() == []
        await stage.passes(2)
        assert rig.states()[-1] == "filled"
        assert rig.sent() == 1

    play(script)


def test_a_key_that_is_refused_on_demand() -> None:
    """EX-1107, EX-1104: the connection stops; the order waits; an operator's restart after the cause goes on with it."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.begin()
        await rig.script(VenueFault.REFUSE_KEY, seconds=100)
        await rig.submit(buy(1))
        assert (rig.health[-1].status, rig.health[-1].code) == (VenueStatus.STOPPED, "AuthFailed")
        await stage.passes(200)
        assert rig.states() == []
        await stage.crash("session")
        await stage.passes(1)
        assert rig.states()[-1] == "filled"

    play(script)


def test_slow_answers_and_partial_fills_on_demand() -> None:
    """EX-1107: latency of answers and partial fills are scriptable; the rest fills with the next price."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.begin()
        await rig.script(VenueFault.PARTIAL, share=D("0.25"))
        await rig.script(VenueFault.DELAY, seconds=60, delay_ms=3_000)
        await rig.submit(buy(1, qty="4"))
        update = of(rig.owner, OrderUpdate)[-1]
        assert (update.state, update.filled_qty) == (OrderState.PARTIALLY_FILLED, D(1))
        await rig.quote("98", "99.5")
        assert rig.states()[-1] == "filled"
        asked = stage.now
        await stage.ask("exchange", _query())
        assert stage.now - asked >= 3 * 10**9

    play(script)


def _query() -> Any:
    from venues.paper.messages import PaperQuery

    return PaperQuery(buy(1).request.client_order_id, SYMBOL)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"price": D("100.005")}, "TickSize"),
        ({"qty": D("1.0005")}, "StepSize"),
        ({"qty": D("0.001"), "price": D(100)}, "MinNotional"),
    ],
)
def test_a_broken_format_is_a_typed_refusal(changes: dict[str, Any], rule: str) -> None:
    """EX-516: tick, step and minimums are refused as PrecisionRejected, and the symbol's rules are fetched at once."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.begin()
        fields: dict[str, Any] = {"type": OrderType.LIMIT, "price": D(100), "qty": D(1), **changes}
        wish = SubmitOrder(
            request=request(1, purpose=Purpose.ENTRY, side=OrderSide.BUY, **{**fields, "qty": str(fields["qty"])}),
            owner=OWNER,
            group_id="g1",
            leg_id="p0.l0",
            purpose=Purpose.ENTRY,
            adds_risk=True,
        )
        await rig.submit(wish)
        (update,) = of(rig.owner, OrderUpdate)
        assert (update.state, update.code, update.absent_proven) == (OrderState.REJECTED, "PrecisionRejected", False)
        (event,) = stage.events(EXCHANGE, PaperOrderRejected)
        assert event.code == rule
        assert rig.precision == [NeedRules(SYMBOL, at_once=True)]

    play(script)


def test_balances_follow_orders_and_fills() -> None:
    """EX-1103: whoever looks at the account's balances sees what orders bind and fills moved, a message a turn."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        heard: list[Any] = stage.probe("balances", topics=(balances_topic("acc"),))
        await rig.begin()
        before = len(heard)
        await rig.submit(buy(1, price="90"))
        assert len(heard) == before + 1
        (usdt,) = heard[-1].balances
        assert usdt.locked == D("90.09")
        await rig.quote("80", "89")
        assert {each.currency for each in heard[-1].balances} == {"BTC", "USDT"}
        assert len(heard) == before + 2

    play(script)


def test_a_kill_at_any_event_ends_with_every_order_once() -> None:
    """EX-1204, EX-1205: with the journal cut after each event, a new life comes to the same position, nothing twice."""
    whole = MemoryJournal()
    prices = {1: "100", 2: "90", 3: "91"}

    async def life(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.begin()
        await rig.script(VenueFault.LOSE_ANSWER, count=1)
        await _as_a_group_would(rig, prices)
        await rig.script(VenueFault.DISCONNECT, seconds=5)
        await stage.passes(30)
        await stage.told("reconciler", ReconcileNow())
        await stage.passes(30)
        await _as_a_group_would(rig, prices)
        await stage.passes(10)
        standing = [_state_of(rig, number, price) for number, price in prices.items()]
        assert standing == ["filled", "open", "gone"]
        assert len(rig.accepted()) == len(set(rig.accepted()))
        held = {each.currency: each.free for each in stage.system.bus.kept(balances_topic("acc")).balances}
        assert held["BTC"] == D(1)

    play(life, journal=whole)
    assert whole.head() > 10
    for cut in cuts(whole):
        play(life, journal=cut)


async def _as_a_group_would(rig: Rig, prices: dict[int, str]) -> None:
    """Tell what is wanted, the next attempt where the venue never had the last one, and that the third is not wanted."""
    for number, price in prices.items():
        for attempt in (buy(number, price=price), buy(10 + number, price=price)):
            await rig.submit(attempt)
            if not _absent(rig, attempt):
                break
        await rig.stage.passes(5)
    for attempt in (3, 13):
        await rig.stage.told("desk", CancelOrder(buy(attempt).request.client_order_id, OWNER))


def _absent(rig: Rig, wish: SubmitOrder) -> bool:
    order = rig.stage.actor("desk")._book.get(wish.request.client_order_id)
    return order is not None and order.state is OrderState.REJECTED and order.absent_proven


def _state_of(rig: Rig, number: int, price: str) -> str:
    orders = [
        rig.stage.actor("desk")._book.get(buy(n, price=price).request.client_order_id) for n in (number, 10 + number)
    ]
    found = [order.state.value for order in orders if order is not None and not order.absent_proven]
    return "gone" if found in ([], ["cancelled"]) else found[-1]

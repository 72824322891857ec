"""What holds for a group whatever happens: random fills, cancels, refusals, exits and prices, reported in any order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protocol.groups import (
    AddPyramid,
    Batch,
    CloseGroup,
    CloseReason,
    CloseStarted,
    FreezeGroup,
    GroupClosed,
    GroupState,
    OrderWanted,
    ReduceGroup,
    RiskClose,
    RiskStepEnded,
    TakeRules,
    UnfreezeGroup,
)
from protocol.instruments import PrecisionRules
from protocol.market import PriceTick
from protocol.messages import Event, Message
from protocol.orders import FillReported, OrderState, Purpose
from protocol.signals import SizeType
from protocol.values import MarketType, Side
from rules.group import GroupView, decide, effects, evolve, outstanding, replay, retries, watch_bounds
from rules.group.settle import settle
from rules.group.turn import Turn
from tests.rules.group_bench import GROUP, SYMBOL, grid, instrument, open_message
from tests.rules.group_venue import Venue

PRICES = st.decimals(min_value=80, max_value=120, places=2)
PARTS = st.decimals(min_value="0.001", max_value="1.5", places=3) | st.just(Decimal(9))
SELDOM = st.integers(0, 9).map(lambda number: number == 9)
FEES = st.sampled_from([Decimal(0), Decimal(0), Decimal("0.0005")])
CONFIGS = st.fixed_dictionaries(
    {
        "tp_mode": st.sampled_from(["per_leg", "aggregate", "hybrid", "pyramid_aggregate"]),
        "pyramid_scope": st.sampled_from(["combined", "per_pyramid"]),
        "when_flat_with_pending": st.sampled_from(["close", "keep"]),
        "slippage_guard": st.sampled_from(["post", "capped"]),
        "entry_order_type": st.sampled_from(["limit", "market"]),
        "tp_aggregate_percent": st.sampled_from(["0.5", "3"]),
    }
)


def tick_at(price: Decimal) -> PriceTick:
    """Return a price without a spread."""
    return PriceTick(SYMBOL, 1, price, price, price)


class Groups(RuleBasedStateMachine):
    """One group, one venue, and everything that can happen between them."""

    @initialize(found=CONFIGS, side=st.sampled_from(Side), stop=st.booleans(), price=PRICES)
    def open(self, found: dict[str, Any], side: Side, stop: bool, price: Decimal) -> None:
        """Open a group of three layers."""
        self.config = grid(**found)
        self.side = side
        self.market = instrument(market=MarketType.SPOT if side is Side.LONG else MarketType.PERP)
        self.view: GroupView | None = None
        self.journal: list[Event] = []
        self.ids: set[str] = set()
        self.ended: set[str] = set()
        self.closed = 0
        self.signals = 0
        self.tick = self.decided_at = tick_at(price)
        self.venue = Venue(side.entry)
        away = Decimal(70) if side is Side.LONG else Decimal(130)
        references = {"stop_price": away} if stop else {}
        self.tell(open_message(side, Decimal(100), Decimal(3), SizeType.BASE, self.config, self.market, **references))

    def tell(self, message: Message) -> None:
        """Give the group a message and its decisions to the venue."""
        events = decide(self.view, message, 1, self.tick)
        if events:
            self.decided_at = self.tick
        for event in events:
            self.view = evolve(self.view, event)
            if isinstance(event, OrderWanted):
                self.keeps_the_rules(event)
                assert event.request.client_order_id not in self.ids, "a client id was used twice"
                self.ids.add(event.request.client_order_id)
            if isinstance(event, RiskStepEnded):
                assert event.plan_id not in self.ended, "a step of a plan ended twice"
                self.ended.add(event.plan_id)
            if isinstance(event, GroupClosed) and event.releases_slot:
                self.closed += 1
        self.frozen_keeps_still(events)
        self.journal += events
        self.venue.hear(effects(events, "/g"))

    def keeps_the_rules(self, event: OrderWanted) -> None:
        """No order is below a minimum or off the step (EX-503, EX-504)."""
        assert self.view is not None
        rules = self.view.instrument.rules
        assert event.request.qty >= rules.min_qty
        assert event.request.qty % rules.step_size == 0
        if event.request.price is not None:
            assert event.request.price % rules.tick_size == 0

    def frozen_keeps_still(self, events: tuple[Event, ...]) -> None:
        """A frozen group orders nothing but what an operator's close needs (EX-1204)."""
        if self.view is None or not self.view.frozen:
            return
        for event in events:
            if isinstance(event, OrderWanted):
                assert event.purpose is Purpose.CLOSE
                assert next(close for close in self.view.closes if close.number == event.close).by_operator

    # --- the venue ----------------------------------------------------------------------------------------------------

    def order(self, data: st.DataObject) -> str:
        """Choose a live order."""
        return data.draw(st.sampled_from(self.venue.live()))

    @precondition(lambda self: self.venue.live())
    @rule(data=st.data(), qty=PARTS, fee=FEES)
    def trades(self, data: st.DataObject, qty: Decimal, fee: Decimal) -> None:
        """Part of an order trades, at its limit or at the price."""
        name = self.order(data)
        price = self.venue.orders[name].request.price or self.tick.last
        self.venue.trade(name, qty, price, min(fee, qty) if self.side is Side.LONG else Decimal(0))

    @precondition(lambda self: self.venue.live())
    @rule(data=st.data(), part=st.sampled_from(["0.3", "1"]))
    def trades_and_is_told(self, data: st.DataObject, part: str) -> None:
        """An order trades and the group hears of it before anything else happens."""
        name = self.order(data)
        order = self.venue.orders[name]
        qty = max(Decimal("0.001"), self.market_floor(order.rest * Decimal(part)))
        self.venue.trade(name, qty, order.request.price or self.tick.last, Decimal(0))
        self.all_mail_arrives()

    def market_floor(self, qty: Decimal) -> Decimal:
        """Return whole steps."""
        return qty - qty % self.market.rules.step_size

    @precondition(lambda self: self.venue.live())
    @rule(data=st.data())
    def is_accepted(self, data: st.DataObject) -> None:
        """An order enters the book."""
        self.venue.accept(self.order(data))

    @precondition(lambda self: self.venue.live())
    @rule(data=st.data(), absent=st.booleans(), code=st.sampled_from(["", "PrecisionRejected"]), now=SELDOM)
    def is_refused(self, data: st.DataObject, absent: bool, code: str, now: bool) -> None:
        """An order is refused, for its format too, or was never there."""
        if now:
            self.venue.refuse(self.order(data), absent=absent, code="" if absent else code)

    @precondition(lambda self: any(self.venue.orders[name].cancelling for name in self.venue.live()))
    @rule(data=st.data(), lies=st.booleans())
    def cancel_is_confirmed(self, data: st.DataObject, lies: bool) -> None:
        """A cancel that was asked for is done."""
        asked = [name for name in self.venue.live() if self.venue.orders[name].cancelling]
        self.venue.cancel(data.draw(st.sampled_from(asked)), forget_fills=lies)

    @precondition(lambda self: self.venue.live())
    @rule(data=st.data(), now=SELDOM)
    def is_dropped(self, data: st.DataObject, now: bool) -> None:
        """The venue ends an order by itself."""
        if now:
            self.venue.cancel(self.order(data), forget_fills=False)

    @precondition(lambda self: self.venue.mail)
    @rule(data=st.data())
    def report_arrives(self, data: st.DataObject) -> None:
        """Any one report arrives, old ones after newer ones."""
        self.deliver(data.draw(st.integers(0, len(self.venue.mail) - 1)))

    @precondition(lambda self: self.venue.mail)
    @rule()
    def all_mail_arrives(self) -> None:
        """Everything that is under way arrives in order."""
        while self.venue.mail:
            self.deliver(0)

    def deliver(self, index: int) -> None:
        """Give the group one report."""
        message = self.venue.mail.pop(index)
        if isinstance(message, FillReported):
            self.venue.delivered.append(message)
        self.tell(message)

    @precondition(lambda self: self.venue.delivered)
    @rule(data=st.data())
    def fill_is_told_again(self, data: st.DataObject) -> None:
        """A fill that was told is told again: nothing changes."""
        before = self.view
        self.tell(data.draw(st.sampled_from(self.venue.delivered)))
        assert self.view is before

    # --- triggers -----------------------------------------------------------------------------------------------------

    @rule(price=PRICES)
    def price_moves(self, price: Decimal) -> None:
        """A price arrives; strictly inside the bounds it decides nothing."""
        assert self.view is not None
        low, high = watch_bounds(self.view)
        quiet = (low is None or price > low) and (high is None or price < high)
        count = len(self.journal)
        self.tick = tick_at(price)
        self.tell(self.tick)
        assert not quiet or len(self.journal) == count

    @rule(reason=st.sampled_from(["exit_signal", "operator", "stop", "risk_close"]), now=SELDOM)
    def exits(self, reason: str, now: bool) -> None:
        """The whole group is to be closed."""
        if now:
            self.tell(CloseGroup(group_id=GROUP, reason=CloseReason(reason), at=1))

    @precondition(lambda self: self.view is not None and self.view.legs)
    @rule(data=st.data(), now=SELDOM)
    def leg_is_closed(self, data: st.DataObject, now: bool) -> None:
        """An operator closes one leg."""
        assert self.view is not None
        if not now:
            return
        leg = data.draw(st.sampled_from(list(self.view.legs)))
        self.tell(CloseGroup(group_id=GROUP, reason=CloseReason.OPERATOR, leg_id=leg, at=1))

    @rule(fraction=st.decimals(min_value="0.01", max_value=1, places=2))
    def reduces(self, fraction: Decimal) -> None:
        """Part of the position is to be closed."""
        self.tell(ReduceGroup(group_id=GROUP, fraction=fraction, at=1))

    @rule(qty=PARTS, price=PRICES)
    def risk_engine_and_price_in_one_turn(self, qty: Decimal, price: Decimal) -> None:
        """The risk engine takes a slice in the turn of a price."""
        self.tick = tick_at(price)
        self.tell(Batch((self.tick, RiskClose(group_id=GROUP, plan_id=f"r{len(self.journal)}", qty=qty, at=1))))

    @rule(qty=st.none() | PARTS, now=SELDOM)
    def risk_engine_asks_twice(self, qty: Decimal | None, now: bool) -> None:
        """A step of a plan, a slice or the whole group, is told twice: the second time changes nothing (EX-105)."""
        if not now:
            return
        step = RiskClose(group_id=GROUP, plan_id=f"x{len(self.journal)}", reply_to="/risk", qty=qty, at=1)
        self.tell(step)
        before = self.view
        self.tell(step)
        assert self.view is before

    @rule(frozen=st.booleans(), now=SELDOM)
    def operator_freezes_or_thaws(self, frozen: bool, now: bool) -> None:
        """The group is frozen, or goes on (EX-1204)."""
        if now:
            self.tell(FreezeGroup(GROUP, "short", 1) if frozen else UnfreezeGroup(GROUP, 1))

    @rule(tick=st.sampled_from(["0.01", "0.05"]), step=st.sampled_from(["0.001", "0.003"]), now=SELDOM)
    def rules_change(self, tick: str, step: str, now: bool) -> None:
        """The market has new rules (EX-511, EX-516)."""
        if now:
            rules = PrecisionRules(Decimal(tick), Decimal(step), Decimal(step), Decimal(5))
            market = instrument(rules, market=self.market.market_type)
            self.tell(TakeRules(GROUP, market, 1))

    @rule(price=PRICES)
    def pyramid(self, price: Decimal) -> None:
        """One more entry."""
        self.signals += 1
        self.tell(
            AddPyramid(
                group_id=GROUP,
                signal_id=f"p{self.signals}",
                entry_price=price,
                size=Decimal(2),
                size_type=SizeType.BASE,
                config=self.config,
                instrument=self.market,
                at=1,
            )
        )

    @rule()
    def timers_fire(self) -> None:
        """Every wait is over."""
        assert self.view is not None
        for _, message in retries(self.view, 1):
            self.tell(message)

    @rule(part=st.floats(0, 1))
    def restarts(self, part: float) -> None:
        """The process dies: the state is rebuilt, also from a snapshot at any event; what has no outcome is told again."""
        assert self.view is not None
        cut = 1 + int(part * (len(self.journal) - 1))
        assert replay(self.journal[cut:], replay(self.journal[:cut])) == self.view
        self.venue.hear(outstanding(self.view, "/g"))

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_closed_that_was_not_filled(self) -> None:
        """No leg holds less than nothing or costs less than nothing."""
        for leg in self.view.legs.values() if self.view else ():
            assert leg.open_qty >= 0
            assert leg.cost >= 0
            assert leg.cost == 0 or leg.open_qty > 0

    @invariant()
    def never_more_for_sale_than_held(self) -> None:
        """Live closing orders never exceed what the account holds (EX-704, EX-711)."""
        if self.view is not None:
            assert self.venue.at_risk_of_overselling() <= 0

    @invariant()
    def a_group_at_rest_stays_at_rest(self) -> None:
        """Nothing more follows from a state by itself: every consequence was drawn in its turn.

        A close under way that waits for a slice judges at the slice's report, not at each price until then, whether the rest
        is worth an order.
        """
        if self.view is not None:
            turn = Turn(self.view, 1, self.decided_at if self.view.closes else self.tick)
            settle(turn)
            assert turn.events == []

    @invariant()
    def every_open_leg_is_protected(self) -> None:
        """In modes with leg targets, what is open and unclaimed has a target that rests or is watched (EX-604)."""
        view = self.view
        if view is None or not view.config.tp_mode.rests or view.state in (GroupState.CLOSING, GroupState.CLOSED):
            return
        if view.frozen:
            return
        claimed = view.reserved()
        for leg in view.legs.values():
            if not view.owned(leg) and view.floor(leg.open_qty - claimed.get(leg.leg_id, Decimal(0))) > 0:
                assert view.working_order(leg.target_order) is not None or leg.deferred_qty > 0

    @invariant()
    def legs_add_up_to_the_position(self) -> None:
        """When everything was told, what the legs hold and the dust are what the account holds."""
        if self.view is not None and not self.venue.mail:
            assert self.view.open_qty + self.view.dust == self.venue.held

    @invariant()
    def closed_means_closed(self) -> None:
        """A closed group holds nothing it knows of, owns nothing, and has released its slot once."""
        if self.view is None or self.view.state is not GroupState.CLOSED:
            return
        assert self.view.open_qty == 0
        assert self.view.closes == ()
        assert self.closed == 1

    def teardown(self) -> None:
        """After an exit and all answers the group is closed and everything adds up."""
        if getattr(self, "view", None) is None:
            return
        self.exits("operator", now=True)
        for _ in range(30):
            self.all_mail_arrives()
            self.timers_fire()
            self.venue.answer_everything(self.tick.last)
            if not self.venue.mail and self.view is not None and self.view.state is GroupState.CLOSED:
                break
        self.adds_up()
        told = {event.plan_id for event in self.journal if isinstance(event, CloseStarted) and event.plan_id}
        assert told <= self.ended, "a step of a plan did not end"

    def adds_up(self) -> None:
        """Closed, flat but for dust, profit equal to the fills, the journal equal to the state."""
        view = self.view
        assert view is not None
        assert view.state is GroupState.CLOSED
        assert self.venue.held == view.dust
        profit = self.side.sign * (self.venue.got_for_closes - self.venue.spent_on_entries)
        if view.dust:
            assert 0 <= self.side.sign * (view.realized_quote - profit) <= view.dust * 130
        else:
            assert view.realized_quote == profit
        assert replay(self.journal) == view
        assert all(order.state is not OrderState.OPEN for order in self.venue.orders.values())


TestGroups = Groups.TestCase
TestGroups.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

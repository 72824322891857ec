"""Exits, partial closes, retries: one owner a scope, cancel first, sell once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import (
    Batch,
    CloseFinished,
    CloseGroup,
    CloseReason,
    DustRecorded,
    EntryEnded,
    EntryState,
    GroupClosed,
    GroupState,
    LegClosed,
    LegState,
    PyramidClosed,
    RiskClose,
    RiskStepEnded,
    TriggerSuperseded,
)
from protocol.market import PriceTick
from protocol.orders import OrderState, OrderUpdate, Purpose
from protocol.values import MarketType
from rules.group import effects
from tests.rules.group_bench import (
    GROUP,
    SYMBOL,
    Bench,
    alerts,
    cancels,
    filled,
    grid,
    instrument,
    only,
    reduce,
    states,
    wants,
)


@pytest.mark.parametrize("reason", ["exit_signal", "operator", "stop", "risk_close"])
def test_a_group_close_cancels_first_and_sells_once(reason: str) -> None:
    """Closing, cancels in leg order, one market close when all are resolved, then Closed and the slot (EX-703, 704)."""
    bench = filled(2)
    events = bench.close(reason)
    assert states(events) == ["closing"]
    assert cancels(events) == ["entry:p0.l2", "tp:p0.l0", "tp:p0.l1"]
    assert wants(bench.update(bench.entry("p0.l2"), OrderState.CANCELLED)) == []
    assert wants(bench.ack_cancels()) == [("close:group", "2", "None")]
    events = bench.fill(bench.closing_order(), price="98.5")
    (closed,) = only(events, GroupClosed)
    assert (closed.reason, closed.realized_quote, closed.releases_slot) == (CloseReason(reason), -2, True)
    assert [type(message).__name__ for message in effects(events, "/g")] == ["SlotReleased"]
    assert {leg.state for leg in bench.view.legs.values()} == {LegState.CLOSED, LegState.CANCELLED}


def test_closing_orders_never_add_risk_and_reduce_only_on_perpetuals() -> None:
    """Exits need no permit; on a perpetual they may never open the other side (EX-704)."""
    for market, reduces in ((MarketType.SPOT, False), (MarketType.PERP, True)):
        bench = filled(1, grid("0"), market=instrument(market=market))
        bench.close()
        bench.ack_cancels()
        order = bench.view.orders[bench.closing_order()]
        assert (order.adds_risk, order.request.reduce_only) == (False, reduces)


def test_an_exit_of_an_unfilled_group_cancels_and_closes() -> None:
    """Nothing open: closed as soon as the last cancel is confirmed, with the exit's reason (EX-703)."""
    bench = Bench()
    bench.close()
    assert states(bench.ack_cancels()) == ["closed"]
    assert bench.view.reason is CloseReason.EXIT_SIGNAL


def test_a_cancel_that_turns_out_filled_counts() -> None:
    """A cancelled layer that had filled is sold too; a "filled" that overtakes its fill is waited for (EX-705)."""
    bench = filled(1, grid("0", "-1"))
    bench.close()
    bench.update(bench.target("p0.l0"), OrderState.CANCELLED)
    assert wants(bench.update(bench.entry("p0.l1"), OrderState.FILLED, filled="1")) == []
    assert wants(bench.fill(bench.entry("p0.l1"))) == [("close:group", "2", "None")]


def test_a_cancel_confirmed_before_its_last_fill_is_waited_for() -> None:
    """Cancelled with 0.4 traded, of which nothing was told yet: the close waits for that fill (EX-704, EX-705)."""
    bench = filled(1, grid("0", "-1"))
    bench.close()
    bench.update(bench.target("p0.l0"), OrderState.CANCELLED)
    assert bench.update(bench.entry("p0.l1"), OrderState.CANCELLED, filled="0.4") != ()
    assert bench.working(Purpose.CLOSE) == []
    events = bench.fill(bench.entry("p0.l1"), "0.4")
    assert [event.filled_qty for event in only(events, EntryEnded)] == [Decimal("0.4")]
    assert wants(events) == [("close:group", "1.4", "None")]


def test_an_unknown_order_keeps_the_close_waiting() -> None:
    """Unknown is neither working nor gone: nothing is sold until the venue has said (EX-704, EX-426)."""
    bench = filled(1, grid("0", "-1"))
    bench.update(bench.entry("p0.l1"), OrderState.UNKNOWN)
    assert bench.view.legs["p0.l1"].state is LegState.UNKNOWN
    bench.close()
    bench.update(bench.target("p0.l0"), OrderState.CANCELLED)
    assert bench.working(Purpose.CLOSE) == []
    assert wants(bench.update(bench.entry("p0.l1"), OrderState.REJECTED)) == [("close:group", "1", "None")]


def test_a_fill_after_the_market_close_gets_its_own_close() -> None:
    """A late layer fill is closed by a supplementary order (EX-705)."""
    bench = filled(1)
    bench.close()
    bench.ack_cancels()
    assert wants(bench.fill(bench.entry("p0.l1"), "0.3")) == [("close:group", "0.3", "None")]


def test_a_fill_after_the_end_is_flattened_without_a_second_release() -> None:
    """Closed, late fill: LateFill, Closing, sold at once, Closed again; the slot is released once (EX-705, EX-803)."""
    bench = filled(1, grid("0", "-1"))
    bench.close()
    bench.ack_cancels()
    bench.fill(bench.closing_order(), price="100")
    events = bench.fill(bench.entry("p0.l1"), "0.3")
    assert (alerts(events), states(events)) == (["LateFill"], ["closing"])
    assert wants(events) == [("close:group", "0.3", "None")]
    events = bench.fill(bench.closing_order(), price="100")
    assert states(events) == ["closed"]
    assert [event.realized_quote for event in only(events, GroupClosed)] == [Decimal("0.3")]
    assert effects(events, "/g") == ()


def test_a_late_fill_too_small_to_sell_is_dust() -> None:
    """A late fill below the minimums closes the group again as dust (EX-705, EX-708)."""
    bench = filled(1, grid("0", "-1"))
    bench.close()
    bench.ack_cancels()
    bench.fill(bench.closing_order())
    events = bench.fill(bench.entry("p0.l1"), "0.01")
    assert states(events) == ["closing", "closed"]
    assert [event.qty for event in only(events, DustRecorded)] == [Decimal("0.01")]


def test_dust_never_blocks_closing_and_stays_out_of_profit() -> None:
    """What cannot be sold when the group closes is recorded; its cost is not a loss (EX-708)."""
    bench = Bench(grid("0"))
    bench.fill(bench.entry("p0.l0"), "0.03")
    bench.close()
    events = bench.ack_cancels()
    assert [event.legs for event in only(events, DustRecorded)] == [{"p0.l0": Decimal("0.03")}]
    assert (bench.view.state, bench.view.realized_quote, bench.view.open_qty) == (GroupState.CLOSED, 0, 0)


# --- first trigger wins -----------------------------------------------------------------------------------------------


def test_later_triggers_on_an_owned_group_are_superseded() -> None:
    """Exit, reduction and risk close change nothing while the group closes, and are recorded (EX-701, EX-706)."""
    bench = filled(1)
    bench.close()
    before = bench.view
    for message, trigger in (
        (CloseGroup(group_id=GROUP, reason=CloseReason.OPERATOR, signal_id="x", at=5), CloseReason.OPERATOR),
        (CloseGroup(group_id=GROUP, reason=CloseReason.OPERATOR, leg_id="p0.l0", at=5), CloseReason.OPERATOR),
        (reduce("0.5"), CloseReason.REDUCE),
        (RiskClose(group_id=GROUP, plan_id="r", qty=Decimal("0.5"), at=5), CloseReason.RISK_PARTIAL),
        (RiskClose(group_id=GROUP, plan_id="r2", at=5), CloseReason.RISK_CLOSE),
    ):
        events = bench.tell(message)
        assert [event.trigger for event in only(events, TriggerSuperseded)] == [trigger]
        assert {type(event) for event in events} <= {TriggerSuperseded, RiskStepEnded}
    assert len(bench.view.superseded) == 5
    assert bench.view.orders == before.orders


def test_a_closed_group_ignores_triggers() -> None:
    """What arrives after the end changes nothing (EX-105)."""
    bench = Bench()
    bench.close()
    bench.ack_cancels()
    risk = RiskClose(group_id=GROUP, plan_id="r", at=5)
    assert (bench.close(), bench.tell(reduce("0.5")), bench.price("1")) == ((), (), ())
    assert [type(event) for event in bench.tell(risk)] == [RiskStepEnded]


def test_triggers_of_one_turn_are_ranked() -> None:
    """Exit signal > operator > stop > risk close > reduction > targets, whatever the order in the batch (EX-702)."""

    def close(reason: CloseReason) -> CloseGroup:
        return CloseGroup(group_id=GROUP, reason=reason, at=5)

    bench = filled(1, grid("0", "-1", tp_mode="aggregate"))
    target = PriceTick(SYMBOL, 5, Decimal(101), Decimal(101), Decimal(101))
    risk = RiskClose(group_id=GROUP, plan_id="r", at=5)
    batch = Batch((target, risk, reduce("0.5"), close(CloseReason.STOP), close(CloseReason.OPERATOR)))
    events = bench.tell(batch)
    assert bench.view.reason is CloseReason.OPERATOR
    late = [event.trigger for event in only(events, TriggerSuperseded)]
    assert late == [CloseReason.STOP, CloseReason.RISK_CLOSE, CloseReason.REDUCE, CloseReason.AGGREGATE_TP]


def test_a_price_alone_in_a_batch_acts() -> None:
    """A batch is handled like its triggers one by one (EX-702)."""
    bench = filled(1, grid("0", tp_mode="aggregate"))
    bench.tell(Batch((PriceTick(SYMBOL, 5, Decimal(101), Decimal(101), Decimal(101)),)))
    assert bench.view.reason is CloseReason.AGGREGATE_TP


def test_a_group_close_escalates_over_a_pyramid_close() -> None:
    """Cancels already asked for are kept; what is already being sold is not sold twice (EX-707)."""
    bench = Bench(grid("0", "-1", tp_mode="pyramid_aggregate", pyramid_scope="per_pyramid"))
    bench.fill(bench.entry("p0.l0"))
    bench.pyramid("90", "s1")
    bench.fill(bench.entry("p1.l0"))
    bench.price("90.9")
    bench.update(bench.entry("p1.l1"), OrderState.CANCELLED)
    pyramid_close = bench.closing_order()
    assert cancels(bench.close()) == ["entry:p0.l1"]
    assert wants(bench.ack_cancels()) == [("close:group", "1", "None")]
    events = bench.fill(pyramid_close, price="90.9")
    assert (states(events), only(events, PyramidClosed)) == ([], [])
    assert [event.scope for event in only(events, CloseFinished)] == ["pyramid:1"]
    assert states(bench.fill(bench.closing_order(), price="90.9")) == ["closed"]
    assert bench.view.realized_quote == Decimal("-8.2")


def test_a_pyramid_close_that_fails_while_the_group_closes_is_taken_over() -> None:
    """The group close sells what the pyramid's order did not (EX-707, EX-712)."""
    bench = filled(1, grid("0", tp_mode="pyramid_aggregate", pyramid_scope="per_pyramid"))
    bench.price("101")
    pyramid_close = bench.closing_order()
    assert wants(bench.close()) == []
    assert wants(bench.update(pyramid_close, OrderState.REJECTED)) == [("close:group", "1", "None")]


def test_a_leg_can_be_closed_alone() -> None:
    """An operator closes one leg: its entry and target are cancelled, its rest sold, the others go on (EX-716)."""
    bench = filled(2)
    assert cancels(bench.close("operator", "p0.l0")) == ["tp:p0.l0"]
    assert [e.trigger for e in only(bench.close("operator", "p0.l0"), TriggerSuperseded)] == [CloseReason.OPERATOR]
    assert wants(bench.ack_cancels()) == [("close:leg:p0.l0", "1", "None")]
    events = bench.fill(bench.closing_order())
    assert [(event.leg_id, event.leg_state) for event in only(events, LegClosed)] == [("p0.l0", LegState.CLOSED)]
    assert bench.view.state is GroupState.PARTIALLY_FILLED
    assert bench.close("operator", "p9.l9") == ()


def test_the_last_leg_closed_by_an_operator_closes_the_group_in_his_name() -> None:
    """Flat by an operator's hand is ``operator``, not ``take_profit`` (EX-804)."""
    bench = filled(1, grid("0"))
    bench.close("operator", "p0.l0")
    bench.ack_cancels()
    bench.fill(bench.closing_order())
    assert (bench.view.state, bench.view.reason) == (GroupState.CLOSED, CloseReason.OPERATOR)


def test_an_unfilled_leg_closed_by_an_operator_is_cancelled() -> None:
    """Closing a leg that never filled is a cancel (EX-427)."""
    bench = Bench()
    bench.close("operator", "p0.l2")
    events = bench.ack_cancels()
    assert (only(events, LegClosed), bench.view.legs["p0.l2"].state) == ([], LegState.CANCELLED)
    assert bench.view.closes == ()


def test_a_layer_cancelled_before_it_left_is_no_rejection() -> None:
    """EX-703, EX-427: an exit while the venue is away ends unsent layers as cancelled, without an alarm about each."""
    bench = filled(1)
    bench.close()
    events = bench.tell(
        OrderUpdate(
            client_order_id=bench.entry("p0.l1"),
            state=OrderState.REJECTED,
            reason="CancelledUnsent: cancelled while it waited",
            code="CancelledUnsent",
            at=bench.now,
        )
    )
    assert alerts(events) == []
    leg = bench.view.legs["p0.l1"]
    assert (leg.entry, leg.state) == (EntryState.CANCELLED, LegState.CANCELLED)

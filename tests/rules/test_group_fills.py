"""Fills, targets, watched prices."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import (
    CloseReason,
    CloseStarted,
    GroupState,
    LegClosed,
    LegState,
    PyramidClosed,
    TargetDeferred,
    TargetsWatched,
)
from protocol.instruments import PrecisionRules
from protocol.market import PriceTick
from protocol.orders import OrderState
from protocol.values import MarketType, Side
from rules.group import summary, watch_bounds
from tests.rules.group_bench import Bench, alerts, cancels, grid, instrument, only, states, wants


def test_a_partial_fill_is_protected_at_once_and_its_target_replaced_as_it_grows() -> None:
    """Each fill gets a target for what is filled; the next replaces it by cancel, then place (EX-604)."""
    bench = Bench()
    assert wants(bench.fill(bench.entry("p0.l0"), "0.4")) == [("tp:leg:p0.l0", "0.4", "101.00")]
    first = bench.target("p0.l0")
    events = bench.fill(bench.entry("p0.l0"), "0.6")
    assert (cancels(events), wants(events)) == (["tp:p0.l0"], [])
    assert wants(bench.update(first, OrderState.CANCELLED)) == [("tp:leg:p0.l0", "1", "101.00")]
    assert bench.target("p0.l0") != first


def test_fills_during_a_replacement_are_all_in_the_next_target() -> None:
    """While a target is being replaced, fills of entry and target only change what is placed next (EX-604)."""
    bench = Bench()
    entry = bench.entry("p0.l0")
    bench.fill(entry, "0.4")
    first = bench.target("p0.l0")
    bench.fill(entry, "0.3")
    assert wants(bench.fill(entry, "0.1")) == []
    assert wants(bench.fill(first, "0.2")) == []
    assert wants(bench.update(first, OrderState.CANCELLED)) == [("tp:leg:p0.l0", "0.6", "101.00")]


def test_a_target_in_full_closes_only_its_leg() -> None:
    """A leg that hits its target leaves the others alone (EX-613, EX-427)."""
    bench = Bench()
    bench.fill(bench.entry("p0.l0"))
    bench.fill(bench.entry("p0.l1"))
    events = bench.fill(bench.target("p0.l0"))
    assert [(event.leg_id, event.reason) for event in only(events, LegClosed)] == [("p0.l0", CloseReason.LEG_TP)]
    assert bench.view.legs["p0.l0"].state is LegState.HIT_TP
    assert (cancels(events), states(events)) == ([], [])
    assert bench.view.realized_quote == 1


def test_the_unfilled_rest_of_a_leg_is_cancelled_when_its_target_fills() -> None:
    """A leg's target fills while its entry still works: the rest is cancelled, a late fill is protected (EX-614)."""
    bench = Bench()
    bench.fill(bench.entry("p0.l1"))
    entry = bench.entry("p0.l0")
    bench.fill(entry, "0.5")
    events = bench.fill(bench.target("p0.l0"))
    assert cancels(events) == ["entry:p0.l0"]
    assert wants(bench.fill(entry, "0.2")) == [("tp:leg:p0.l0", "0.2", "101.00")]
    events = bench.update(entry, OrderState.CANCELLED)
    assert (cancels(events), bench.view.legs["p0.l0"].state) == ([], LegState.FILLED)


def test_a_flat_group_with_unfilled_layers_closes_by_default() -> None:
    """Flat, policy close: layers are cancelled, then the group closes as ``take_profit`` (EX-615)."""
    bench = Bench()
    bench.fill(bench.entry("p0.l0"))
    events = bench.fill(bench.target("p0.l0"))
    assert (states(events), cancels(events)) == (["closing"], ["entry:p0.l1", "entry:p0.l2"])
    assert states(bench.ack_cancels()) == ["closed"]
    assert bench.view.reason is CloseReason.TAKE_PROFIT


def test_a_flat_group_may_keep_its_layers() -> None:
    """Flat, policy keep: back to Live, the layers work; flat again without layers it closes (EX-615, EX-803)."""
    bench = Bench(grid("0", "-1", when_flat_with_pending="keep"))
    bench.fill(bench.entry("p0.l0"))
    events = bench.fill(bench.target("p0.l0"))
    assert (states(events), cancels(events)) == (["live"], [])
    assert states(bench.fill(bench.entry("p0.l1"))) == ["active"]
    assert states(bench.fill(bench.target("p0.l1"))) == ["closing", "closed"]
    assert bench.view.reason is CloseReason.TAKE_PROFIT


def test_a_kept_group_whose_layers_end_closes_too() -> None:
    """A kept flat group closes when its last layer is cancelled by the venue (EX-802)."""
    bench = Bench(grid("0", "-1", when_flat_with_pending="keep"))
    bench.fill(bench.entry("p0.l0"))
    bench.fill(bench.target("p0.l0"))
    assert states(bench.update(bench.entry("p0.l1"), OrderState.CANCELLED)) == ["closing", "closed"]


def test_targets_too_small_to_rest_are_sold_together() -> None:
    """Deferred targets that are reached are closed by one market order once their sum passes (EX-605)."""
    bench = Bench(grid("0", "-1", "-2", tp="1"))
    events = bench.fill(bench.entry("p0.l0"), "0.03")
    assert [(event.qty, event.price) for event in only(events, TargetDeferred)] == [(Decimal("0.03"), 101)]
    bench.fill(bench.entry("p0.l1"), "0.03")
    assert bench.price("100.98") == ()
    assert wants(bench.price("101")) == [("close:partial", "0.06", "None")]
    events = bench.fill(bench.closing_order(), price="101")
    assert [event.leg_id for event in only(events, LegClosed)] == ["p0.l0", "p0.l1"]


def test_a_deferred_target_waits_for_the_price_that_makes_it_sellable() -> None:
    """The bound of a deferred target is where its value passes the minimum, not its target (EX-605)."""
    bench = Bench(grid("0", "-50", tp="1"))
    bench.fill(bench.entry("p0.l0"), "0.04")
    assert bench.price("124.9") == ()
    assert wants(bench.price("125")) == [("close:partial", "0.04", "None")]


def test_a_short_sells_its_deferred_targets_below() -> None:
    """Deferred targets of shorts trigger at or below their price, together if one alone is too small (EX-605, 616)."""
    bench = Bench(grid("0", "-1"), side=Side.SHORT, market=instrument(market=MarketType.PERP))
    bench.fill(bench.entry("p0.l0"), "0.03")
    bench.fill(bench.entry("p0.l1"), "0.03")
    assert bench.price("99.99") == ()
    assert wants(bench.price("99")) == [("close:partial", "0.06", "None")]


@pytest.mark.parametrize(("fee", "qty"), [("0.0005", "0.999"), ("-0.0005", "1")])
def test_a_fee_in_base_currency_reduces_what_can_be_sold(fee: str, qty: str) -> None:
    """Net fill = fill - fee, floored to the step; a rebate is not counted on (EX-428)."""
    bench = Bench()
    events = bench.fill(bench.entry("p0.l0"), fee=Decimal(fee), fee_currency="BTC")
    assert wants(events) == [("tp:leg:p0.l0", qty, "101.00")]
    assert bench.view.fees == {"BTC": Decimal(fee)}


def test_fees_in_base_currency_on_the_way_out_do_not_leave_a_phantom() -> None:
    """A closing fee taken in base currency leaves the leg too, as a fee and not as a loss (EX-428)."""
    bench = Bench(grid("0"))
    bench.fill(bench.entry("p0.l0"), fee=Decimal("0.0015"), fee_currency="BTC")
    bench.fill(bench.target("p0.l0"), "0.5", fee=Decimal("0.0005"), fee_currency="BTC")
    assert bench.view.open_qty == Decimal("0.498")
    assert bench.view.realized_quote == Decimal("0.5")
    assert bench.view.avg_entry == 100


def test_fees_in_other_currencies_are_only_summed() -> None:
    """Fees do not change quantities or averages; they are kept by currency (EX-1002)."""
    bench = Bench()
    bench.fill(bench.entry("p0.l0"), fee=Decimal("0.1"), fee_currency="USDT")
    bench.fill(bench.target("p0.l0"), "0.5", fee=Decimal("0.02"), fee_currency="BNB")
    assert bench.view.fees == {"USDT": Decimal("0.1"), "BNB": Decimal("0.02")}
    assert bench.view.open_qty == Decimal("0.5")


# --- watched targets --------------------------------------------------------------------------------------------------


def test_an_aggregate_target_follows_every_fill() -> None:
    """The watched target is recomputed on every fill and new pyramid (EX-606, EX-611)."""
    bench = Bench(grid(tp_mode="aggregate", tp_aggregate_percent="1"))
    bench.fill(bench.entry("p0.l0"))
    assert watch_bounds(bench.view) == (None, 101)
    bench.fill(bench.entry("p0.l1"))
    assert watch_bounds(bench.view) == (None, Decimal("100.495"))
    assert wants(tuple(bench.journal))[3:] == []


def test_an_aggregate_target_closes_everything_at_market() -> None:
    """Price at the target: layers are cancelled, then one market close (EX-606, EX-703)."""
    bench = Bench(grid(tp_mode="aggregate"))
    bench.fill(bench.entry("p0.l0"))
    events = bench.price("101")
    assert (states(events), cancels(events)) == (["closing"], ["entry:p0.l1", "entry:p0.l2"])
    assert wants(bench.ack_cancels()) == [("close:group", "1", "None")]
    assert watch_bounds(bench.view) == (None, None)


def test_hybrid_runs_both_and_the_first_one_acts() -> None:
    """Leg targets rest while the aggregate target is watched; it cancels them and closes all (EX-607)."""
    bench = Bench(grid("0", "-1", tp_mode="hybrid", tp_aggregate_percent="0.6"))
    bench.fill(bench.entry("p0.l0"))
    bench.fill(bench.entry("p0.l1"))
    assert watch_bounds(bench.view) == (None, Decimal("100.097"))
    assert cancels(bench.price("100.1")) == ["tp:p0.l0", "tp:p0.l1"]


def test_a_pyramid_target_closes_its_pyramid_alone() -> None:
    """Scope per_pyramid: own average and percent, own unfilled layers cancelled, the others go on (EX-609)."""
    settings = {"tp_mode": "pyramid_aggregate", "pyramid_scope": "per_pyramid", "pyramid_tp_percents": {"1": "2"}}
    bench = Bench(grid("0", "-1", **settings))
    bench.fill(bench.entry("p0.l0"))
    bench.pyramid("90", "s1")
    bench.fill(bench.entry("p1.l0"))
    assert watch_bounds(bench.view) == (None, Decimal("91.8"))
    assert cancels(bench.price("91.8")) == ["entry:p1.l1"]
    assert wants(bench.ack_cancels()) == [("close:pyramid:1", "1", "None")]
    events = bench.fill(bench.closing_order(), price="91.8")
    assert [event.pyramid for event in only(events, PyramidClosed)] == [1]
    assert (bench.view.state, watch_bounds(bench.view)) == (GroupState.PARTIALLY_FILLED, (None, 101))


def test_a_late_fill_of_a_closed_pyramid_is_watched_again() -> None:
    """A layer that fills after its pyramid closed gets that pyramid's target (EX-609, EX-611)."""
    settings = {"tp_mode": "pyramid_aggregate", "pyramid_scope": "per_pyramid"}
    bench = Bench(grid("0", "-1", **settings))
    bench.fill(bench.entry("p0.l0"))
    bench.pyramid("90", "s1")
    bench.fill(bench.entry("p1.l0"))
    bench.price("91")
    bench.ack_cancels()
    bench.fill(bench.closing_order(), price="91")
    bench.fill(bench.entry("p1.l1"), "0.5")
    assert watch_bounds(bench.view) == (None, Decimal("89.991"))


def test_the_last_pyramid_to_close_closes_the_group() -> None:
    """Flat through pyramid targets: the group closes as ``take_profit`` (EX-804)."""
    bench = Bench(grid("0", tp_mode="pyramid_aggregate", pyramid_scope="per_pyramid"))
    bench.fill(bench.entry("p0.l0"))
    bench.price("101")
    assert states(bench.fill(bench.closing_order(), price="101")) == ["closing", "closed"]
    assert bench.view.reason is CloseReason.TAKE_PROFIT


def test_a_short_watches_below() -> None:
    """A short's target is at or below its price, judged at the ask (EX-610, EX-616)."""
    bench = Bench(grid(tp_mode="aggregate"), side=Side.SHORT, market=instrument(market=MarketType.PERP))
    bench.fill(bench.entry("p0.l0"))
    assert watch_bounds(bench.view) == (99, None)
    assert bench.price("99.01") == ()
    assert states(bench.price("99")) == ["closing"]


def test_targets_can_be_judged_at_the_last_trade() -> None:
    """``tp_trigger_price`` executable takes the bid of a long, last the last trade (EX-610)."""
    tick = PriceTick("BTC/USDT", 9, bid=Decimal(100), ask=Decimal(102), last=Decimal(101))
    found = []
    for trigger in ("executable", "last"):
        bench = Bench(grid(tp_mode="aggregate", tp_trigger_price=trigger))
        bench.fill(bench.entry("p0.l0"))
        found.append(states(bench.tell(tick)))
    assert found == [[], ["closing"]]


def test_an_honoured_stop_closes_the_group() -> None:
    """A stop that the signal armed closes everything when the price reaches it (EX-270)."""
    bench = Bench(grid("0"), stop_price=Decimal(95), target_price=Decimal(120))
    bench.fill(bench.entry("p0.l0"))
    assert watch_bounds(bench.view) == (95, 120)
    assert bench.price("95.01") == ()
    bench.price("95")
    assert bench.view.reason is CloseReason.STOP


def test_an_honoured_target_closes_the_group() -> None:
    """A group target that the signal armed is watched like an aggregate target (EX-270)."""
    bench = Bench(grid("0"), target_price=Decimal(120))
    bench.fill(bench.entry("p0.l0"))
    bench.price("120")
    assert bench.view.reason is CloseReason.AGGREGATE_TP


def test_a_stop_goes_before_a_target_reached_by_the_same_price() -> None:
    """Of what one price triggers, the stop owns the close (EX-702)."""
    settings = {"tp_mode": "aggregate", "tp_aggregate_percent": "1"}
    bench = Bench(grid("0", **settings), stop_price=Decimal(99))
    bench.fill(bench.entry("p0.l0"), price="50")
    assert watch_bounds(bench.view) == (99, Decimal("50.5"))
    bench.price("60")
    assert bench.view.reason is CloseReason.STOP


def test_watches_are_told_only_when_they_change() -> None:
    """A message that leaves the watched prices alone journals none."""
    bench = Bench(grid(tp_mode="aggregate"))
    bench.fill(bench.entry("p0.l0"))
    events = bench.update(bench.entry("p0.l1"), OrderState.OPEN)
    assert only(events, TargetsWatched) == []


# --- lost targets -----------------------------------------------------------------------------------------------------


def test_a_refused_target_is_watched_instead() -> None:
    """A target that the venue refuses is not sent again and again: it is watched until the next fill (EX-605)."""
    bench = Bench()
    bench.fill(bench.entry("p0.l0"))
    events = bench.update(bench.target("p0.l0"), OrderState.REJECTED, reason="no")
    assert (alerts(events), wants(events)) == (["TargetLost"], [])
    assert [event.code for event in only(events, TargetDeferred)] == ["TargetRefused"]
    assert wants(bench.price("101")) == [("close:partial", "1", "None")]


def test_a_target_that_the_venue_drops_is_placed_again_a_few_times() -> None:
    """A target cancelled by the venue is replaced; the third loss in a row makes it a watched one."""
    bench = Bench()
    bench.fill(bench.entry("p0.l0"))
    for _ in range(2):
        assert len(wants(bench.update(bench.target("p0.l0"), OrderState.CANCELLED))) == 1
    events = bench.update(bench.target("p0.l0"), OrderState.EXPIRED)
    assert (wants(events), len(only(events, TargetDeferred))) == ([], 1)


def test_the_summary_says_when_all_layers_are_sent_and_filled() -> None:
    """The conditions of the risk timer follow from the legs (EX-1006)."""
    bench = Bench(grid("0", "-1"))
    assert not summary(bench.view, 1).all_layers_sent
    bench.update(bench.entry("p0.l0"), OrderState.OPEN)
    bench.update(bench.entry("p0.l1"), OrderState.OPEN)
    found = summary(bench.view, 1)
    assert (found.all_layers_sent, found.all_layers_filled, found.placed_dca_legs) == (True, False, 1)
    bench.fill(bench.entry("p0.l0"))
    bench.update(bench.entry("p0.l1"), OrderState.CANCELLED)
    assert summary(bench.view, 1).all_layers_filled
    assert only(tuple(bench.journal), CloseStarted) == []


def test_a_leg_that_hit_its_target_stays_so_when_its_rest_is_cancelled() -> None:
    """The end of the unfilled rest does not rewrite how the leg closed (EX-427, EX-614)."""
    bench = Bench()
    bench.fill(bench.entry("p0.l1"))
    bench.fill(bench.entry("p0.l0"), "0.5")
    bench.fill(bench.target("p0.l0"))
    bench.ack_cancels()
    assert bench.view.legs["p0.l0"].state is LegState.HIT_TP


def test_deferred_targets_below_the_minimum_quantity_set_no_bound() -> None:
    """What can never be sold at any price is not waited for; without the notional check only targets count (EX-514)."""
    rules = PrecisionRules(Decimal("0.01"), Decimal("0.001"), Decimal("0.1"), Decimal(5))
    small = Bench(grid("0", "-1"), market=instrument(rules))
    small.fill(small.entry("p0.l0"), "0.06")
    assert watch_bounds(small.view) == (None, None)
    unchecked = Bench(grid("0", "-1", enforce_min_notional=False), market=instrument(rules))
    unchecked.fill(unchecked.entry("p0.l0"), "0.06")
    unchecked.fill(unchecked.entry("p0.l1"), "0.06")
    assert watch_bounds(unchecked.view) == (None, 101)

"""Editing a running group: what is refused, what follows, and that the preview says exactly what is done."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from protocol.codec import decode_msgpack, encode_msgpack
from protocol.groups import FlatPolicy, GroupState, RecoveryPolicy, TpMode
from protocol.groups.editing import EditEffect, EditGroup, EditStep, GroupChanges, GroupEdited
from protocol.market import PriceTick
from protocol.orders import OrderState, Purpose
from protocol.values import Side
from rules.group import evolve, replay
from rules.group.edit_preview import effects_of
from rules.group.settle import settle
from rules.group.turn import Turn
from tests.rules.group_bench import GROUP, SYMBOL, Bench, alerts, cancels, filled, grid, only, reduce, states, wants
from tests.rules.group_edits import codes, done, edit, look, plain, steps

D = Decimal


# --- take profit ------------------------------------------------------------------------------------------------------


def test_resting_targets_give_way_to_one_watched_price() -> None:
    """per_leg -> aggregate: the group watches its target at once and the resting ones are cancelled (EX-601, EX-606)."""
    bench = filled(2)
    shown = look(bench, edit(tp_mode="aggregate", tp_aggregate_percent="2"))
    assert steps(shown) == [
        ("cancel", "tp:p0.l0", "1", "101"),
        ("cancel", "tp:p0.l1", "1", "99.99"),
        ("watch", ":", "2", "101.49"),
    ]
    events = done(bench, edit(tp_mode="aggregate", tp_aggregate_percent="2"))
    assert bench.view.config.tp_mode is TpMode.AGGREGATE
    assert bench.working(Purpose.TP) == []
    assert [watch.price for watch in bench.view.watches] == [D("101.49")]
    assert "tp_mode: per_leg -> aggregate" in only(events, GroupEdited)[0].summary


def test_a_watched_price_gives_way_to_resting_targets() -> None:
    """Aggregate -> per_leg: every filled leg gets its target in the same turn, so that nothing is left unprotected."""
    bench = filled(2, grid(tp_mode="aggregate"))
    events = bench.tell(edit(tp_mode="per_leg"))
    assert wants(events) == [("tp:leg:p0.l0", "1", "101.00"), ("tp:leg:p0.l1", "1", "99.99")]
    assert bench.view.watches == ()


@pytest.mark.parametrize("before", list(TpMode))
@pytest.mark.parametrize("after", list(TpMode))
@pytest.mark.parametrize("scope", ["combined", "per_pyramid"])
def test_any_mode_may_follow_any_other(before: TpMode, after: TpMode, scope: str) -> None:
    """Whatever the mode was, after an edit the group stands as one that had the new mode from the beginning (EX-601)."""
    bench = filled(2, grid(tp_mode=before.value))
    fresh = filled(2, grid(tp_mode=after.value, pyramid_scope=scope))
    changes = {"tp_mode": after.value} | ({"pyramid_scope": scope} if after is TpMode.PYRAMID_AGGREGATE else {})
    if before is after and scope == "combined":
        assert codes(bench, edit(**changes)) == ["NothingChanged"]
        return
    if before is after and after is not TpMode.PYRAMID_AGGREGATE:
        return
    done(bench, edit(**changes))
    targets = [(order.leg_id, order.rest, order.request.price) for order in bench.working(Purpose.TP)]
    assert targets == [(order.leg_id, order.rest, order.request.price) for order in fresh.working(Purpose.TP)]
    assert bench.view.watches == fresh.view.watches
    assert (bench.view.watch_low, bench.view.watch_high) == (fresh.view.watch_low, fresh.view.watch_high)


def test_a_new_percent_replaces_the_resting_target() -> None:
    """A leg's target is cancelled and placed anew at its new price, no earlier than the venue has let go of the old one."""
    bench = filled(2)
    events = bench.tell(edit(tp_percents={"all": "3", "p0.l1": "2"}))
    assert cancels(events) == ["tp:p0.l0", "tp:p0.l1"]
    assert wants(events) == []
    assert wants(bench.ack_cancels()) == [("tp:leg:p0.l0", "1", "103.00"), ("tp:leg:p0.l1", "1", "100.98")]
    assert [leg.tp_percent for leg in bench.view.legs.values()] == [3, 2, 3]


def test_a_percent_of_a_pyramid_is_merged_and_taken_away() -> None:
    """Percents of pyramids are changed one by one; None returns a pyramid to the common percent (EX-608)."""
    bench = filled(1, grid(tp_mode="pyramid_aggregate", pyramid_tp_percents={"1": "4"}))
    done(bench, edit(pyramid_tp_percents={"0": "2"}))
    assert bench.view.config.pyramid_tp_percents == {0: 2, 1: 4}
    assert [watch.price for watch in bench.view.watches] == [102]
    bench.tell(EditGroup(group_id=GROUP, changes=GroupChanges(pyramid_tp_percents={0: None, 1: None})))
    assert bench.view.config.pyramid_tp_percents == {}
    assert [watch.price for watch in bench.view.watches] == [101]


def test_a_target_that_the_venue_dropped_gets_a_new_chance() -> None:
    """After an edit of its percent a leg whose target was refused is offered to the venue again."""
    bench = filled(1)
    bench.update(bench.target("p0.l0"), OrderState.REJECTED)
    assert bench.view.legs["p0.l0"].deferred_qty == 1
    events = done(bench, edit(tp_percents={"p0.l0": "2"}))
    assert ("tp:leg:p0.l0", "1", "102.00") in wants(events)


# --- stop and target --------------------------------------------------------------------------------------------------


def test_stop_and_target_are_set_moved_and_cleared() -> None:
    """References of the group can be set, moved and taken away while it runs (EX-270)."""
    bench = filled(1, grid(tp_mode="aggregate"), tick="100")
    done(bench, edit(stop_price="95", target_price="110"))
    assert (bench.view.watch_low, bench.view.watch_high) == (95, 101)
    done(bench, msgspec.structs.replace(edit(stop_price="97", clear=["target"]), request_id="r2"))
    assert (bench.view.stop_price, bench.view.target_price) == (97, None)
    bench.price("97")
    assert bench.view.state is GroupState.CLOSING


@pytest.mark.parametrize(
    ("side", "changes", "code"),
    [
        (Side.LONG, {"stop_price": "100"}, "StopOnWrongSide"),
        (Side.LONG, {"stop_price": "101"}, "StopOnWrongSide"),
        (Side.LONG, {"target_price": "99"}, "TargetOnWrongSide"),
        (Side.LONG, {"target_price": "100"}, "TargetOnWrongSide"),
        (Side.SHORT, {"stop_price": "99"}, "StopOnWrongSide"),
        (Side.SHORT, {"target_price": "101"}, "TargetOnWrongSide"),
        (Side.LONG, {"stop_price": "95", "clear": ["stop"]}, "ConflictingChanges"),
        (Side.LONG, {"stop_price": "0"}, "OutOfRange"),
    ],
)
def test_a_reference_the_price_has_passed_is_refused(side: Side, changes: dict[str, Any], code: str) -> None:
    """A stop or target that would close the group at once is a mistake; the answer says how to close (EX-270)."""
    bench = filled(1, side=side, tick="100")
    assert codes(bench, edit(**changes)) == [code]


def test_a_stop_may_lock_in_a_profit() -> None:
    """A stop between the entry and the price is no mistake: what counts is the price, not the entry."""
    bench = filled(1, grid(tp_mode="aggregate", tp_aggregate_percent="50"), tick="100")
    bench.price("120")
    done(bench, edit(stop_price="110"))
    bench.price("109")
    assert bench.view.state is GroupState.CLOSING


# --- layers -----------------------------------------------------------------------------------------------------------


def test_a_layer_is_moved_by_cancel_and_place() -> None:
    """An unfilled layer is cancelled and sent again at its new price under a new id (EX-422)."""
    bench = filled(1)
    old = bench.entry("p0.l2")
    events = bench.tell(edit(layers={"p0.l2": {"price": "97"}}))
    assert cancels(events) == ["entry:p0.l2"]
    assert wants(events) == []
    assert wants(bench.ack_cancels()) == [("entry:leg:p0.l2", "1", "97.00")]
    leg = bench.view.legs["p0.l2"]
    assert (leg.price, leg.gap_percent, leg.entry_order != old, leg.moved) == (97, -3, True, False)


@pytest.mark.parametrize(
    ("change", "qty", "price"),
    [
        ({"gap_percent": "-4.005"}, "1", "95.99"),
        ({"qty": "2.5009"}, "2.5", "98.00"),
        ({"weight_percent": "50"}, "1.5", "98.00"),
        ({"gap_percent": "-5", "weight_percent": "10"}, "0.3", "95.00"),
    ],
)
def test_a_layer_takes_a_new_gap_or_size(change: dict[str, str], qty: str, price: str) -> None:
    """Gap and weight mean what they mean in a ladder, rounded to tick and step (EX-403, EX-411, EX-502, EX-503)."""
    bench = filled(1)
    events = done(bench, edit(layers={"p0.l2": change}))
    assert wants(events) == [("entry:leg:p0.l2", qty, price)]


def test_a_partly_filled_layer_moves_with_its_rest() -> None:
    """What is filled stays and keeps its target; only the rest is sent again."""
    bench = Bench()
    bench.fill(bench.entry("p0.l0"), "0.4")
    events = done(bench, edit(layers={"p0.l0": {"price": "99.5"}}))
    assert wants(events) == [("entry:leg:p0.l0", "0.6", "99.50")]
    assert bench.working(Purpose.TP)[0].rest == D("0.4")


def test_a_fill_during_the_move_is_counted() -> None:
    """What fills while the cancel is under way is not bought twice."""
    bench = Bench()
    bench.tell(edit(layers={"p0.l0": {"price": "99.5"}}))
    bench.fill(bench.entry("p0.l0"), "0.4")
    events = bench.ack_cancels()
    assert ("entry:leg:p0.l0", "0.6", "99.50") in wants(events)
    bench.fill(bench.entry("p0.l0"))
    assert (bench.view.legs["p0.l0"].filled, bench.view.legs["p0.l0"].entry.value) == (1, "done")


def test_a_layer_that_fills_before_it_moves_stays_filled() -> None:
    """When the old order fills in full there is nothing left to move; an alert says so."""
    bench = Bench()
    bench.tell(edit(layers={"p0.l0": {"price": "99.5", "qty": "2"}}))
    events = bench.fill(bench.entry("p0.l0"))
    assert "LayerFilledFirst" in alerts(events)
    assert bench.view.legs["p0.l0"].entry.value == "done"
    assert [order.leg_id for order in bench.working(Purpose.ENTRY)] == ["p0.l1", "p0.l2"]


def test_a_late_fill_of_the_old_order_leaves_the_new_one_working() -> None:
    """A fill that comes after the move belongs to the leg and says nothing of the new order (EX-705)."""
    bench = Bench()
    old = bench.entry("p0.l0")
    done(bench, edit(layers={"p0.l0": {"price": "99.5"}}))
    bench.fill(old, "1")
    assert bench.view.legs["p0.l0"].entry.value == "working"
    assert bench.view.legs["p0.l0"].filled == 1


def test_a_rest_too_small_to_move_ends_the_layer() -> None:
    """A rest below the minimums after fills during the move is not sent; the layer ends with what it holds (EX-504)."""
    bench = Bench()
    bench.tell(edit(layers={"p0.l0": {"price": "99.5"}}))
    bench.fill(bench.entry("p0.l0"), "0.98")
    bench.ack_cancels()
    assert bench.view.legs["p0.l0"].entry.value == "cancelled"


def test_an_exit_overtakes_a_move() -> None:
    """A group that closes while a layer is moved does not send it again (EX-703)."""
    bench = filled(1)
    bench.tell(edit(layers={"p0.l2": {"price": "97"}}))
    bench.close()
    assert [want for want in wants(bench.ack_cancels()) if want[0].startswith("entry")] == []


def test_a_moved_layer_that_was_lost_is_sent_again() -> None:
    """Attempts lost on the way are counted from the move on, however often a layer was moved before (EX-426)."""
    bench = Bench()
    for number in range(5):
        bench.tell(msgspec.structs.replace(edit(layers={"p0.l2": {"price": str(97 - number)}}), request_id=str(number)))
        bench.ack_cancels()
    bench.update(bench.entry("p0.l2"), OrderState.UNKNOWN)
    events = bench.update(bench.entry("p0.l2"), OrderState.REJECTED)
    assert wants(events) == [("entry:leg:p0.l2", "1", "93.00")]


@pytest.mark.parametrize(
    ("names", "gone"),
    [(["all"], ["p0.l1", "p0.l2"]), (["p0"], ["p0.l1", "p0.l2"]), (["p0.l2"], ["p0.l2"])],
)
def test_unfilled_layers_are_cancelled(names: list[str], gone: list[str]) -> None:
    """All layers, those of a pyramid or one can be taken away; the position and its targets stay."""
    bench = filled(1)
    events = done(bench, edit(cancel_layers=names))
    assert cancels(events) == [f"entry:{leg}" for leg in gone]
    assert len(bench.working(Purpose.TP)) == 1
    assert bench.view.state is (GroupState.ACTIVE if len(gone) == 2 else GroupState.PARTIALLY_FILLED)


def test_a_group_without_a_fill_ends_with_its_layers() -> None:
    """Cancelling every layer of a group that holds nothing closes it and gives the slot back; the preview says so."""
    bench = Bench()
    shown = look(bench, edit(cancel_layers=["all"]))
    assert shown.state_after is GroupState.CLOSED
    assert shown.effects[-1] == EditEffect(
        step=EditStep.STATE, code="unfilled_cancelled", text="closed", after_cancel=True
    )
    done(bench, edit(cancel_layers=["all"]))


def test_the_policy_of_a_flat_group_takes_effect_at_once() -> None:
    """A flat group that kept its layers closes when its policy becomes ``close`` (EX-615)."""
    bench = filled(1, grid(when_flat_with_pending="keep"))
    bench.fill(bench.target("p0.l0"))
    assert bench.view.state is GroupState.LIVE
    shown = look(bench, edit(when_flat="close"))
    assert "close" in [effect.step for effect in shown.effects]
    events = done(bench, edit(when_flat="close"))
    assert states(events)[0] == "closing"
    assert bench.view.config.when_flat_with_pending is FlatPolicy.CLOSE


def test_limits_hold_from_now_on() -> None:
    """Pyramids, slippage and the recovery contract are settings of the group and need no order (EX-323, EX-721)."""
    bench = filled(1, max_slippage_percent=D("0.1"))
    events = bench.tell(edit(max_pyramids=1, max_slippage_percent="3", on_recovery="flatten", recovery_max_gap_s=60))
    assert [type(event) for event in events] == [GroupEdited]
    config = bench.view.config
    assert (config.max_pyramids_per_group, config.max_slippage_percent) == (1, 3)
    assert (config.on_recovery, config.recovery_max_gap_s) == (RecoveryPolicy.FLATTEN, 60)
    assert bench.view.max_slippage_percent is None
    assert [event.code for event in bench.pyramid("99", "s1") if hasattr(event, "code")] == ["MaxPyramidsReached"]


# --- crashes ----------------------------------------------------------------------------------------------------------


def test_a_journal_cut_after_any_event_of_an_edit_goes_on() -> None:
    """Wherever a life ends between two events of an edit, the next one ends where the uninterrupted one ended (EX-1205)."""
    message = edit(
        tp_mode="aggregate", cancel_layers=["p0.l1"], layers={"p0.l2": {"price": "97"}}, stop_price="50", max_pyramids=3
    )
    whole = filled(1)
    first = len(whole.journal)
    whole.tell(message)
    cuts = list(range(first, len(whole.journal) + 1))
    while waiting := [name for name, o in whole.view.orders.items() if o.cancel_wanted and not o.settled]:
        whole.update(waiting[0], OrderState.CANCELLED)
        cuts.append(len(whole.journal))
    for cut in cuts:
        bench = filled(1)
        stored = [(type(event), encode_msgpack(event)) for event in whole.journal[:cut]]
        view = replay(decode_msgpack(data, of) for of, data in stored)
        assert view is not None
        bench.view = view
        bench.tell(message)
        _settled(bench)
        bench.ack_cancels()
        assert _outcome(bench) == _outcome(whole), cut


def _settled(bench: Bench) -> None:
    """Take the steps that are still to be taken, as whatever comes next makes a group do."""
    turn = Turn(bench.view, 1, bench.tick)
    settle(turn)
    for event in turn.events:
        bench.view = evolve(bench.view, event)


def _outcome(bench: Bench) -> Any:
    legs = [(leg.leg_id, leg.entry, leg.price, leg.qty, leg.open_qty) for leg in bench.view.legs.values()]
    orders = sorted((o.purpose, o.leg_id, o.rest, o.request.price) for o in bench.view.orders.values() if not o.settled)
    return legs, orders, bench.view.watches, bench.view.state, bench.view.version, bench.view.config


def test_prices_reach_what_an_edit_watches() -> None:
    """After a change of mode the very next price may close the group (EX-606)."""
    bench = filled(1)
    done(bench, edit(tp_mode="aggregate"))
    bench.tell(PriceTick(SYMBOL, 9, D(102), D(102), D(102)))
    assert bench.view.state is GroupState.CLOSING


def test_an_edit_leaves_a_slice_in_progress_alone() -> None:
    """A partial close keeps what it has claimed while targets and layers are edited (EX-709, EX-711)."""
    bench = filled(2)
    bench.tell(reduce("0.5"))
    bench.tell(edit(tp_percents={"all": "4"}))
    bench.ack_cancels()
    closing = bench.closing_order()
    assert bench.view.orders[closing].request.qty == 1
    bench.fill(closing, price="100")
    assert sorted(plain(order.rest) for order in bench.working(Purpose.TP)) == ["0.5", "0.5"]


def test_a_target_that_comes_to_be_watched_is_shown() -> None:
    """EX-605: what follows from events is said as effects; a target that is watched and not resting says why."""
    bench = Bench()
    bench.fill(bench.entry("p0.l0"))
    before = bench.view
    events = bench.update(bench.target("p0.l0"), OrderState.REJECTED, reason="no")
    (shown,) = (each for each in effects_of(before, events) if each.step is EditStep.DEFER)
    assert (shown.leg_id, shown.price, shown.qty, shown.code) == ("p0.l0", Decimal(101), Decimal(1), "TargetRefused")

"""Reductions and risk slices: part of a group is sold, the rest goes on."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import (
    CloseReason,
    CloseSkipped,
    GroupState,
    ReduceGroup,
    RiskClose,
)
from protocol.orders import OrderState, Purpose
from protocol.signals import SizeType
from tests.rules.group_bench import (
    GROUP,
    Bench,
    alerts,
    cancels,
    filled,
    grid,
    only,
    reduce,
    states,
    wants,
)


def test_targets_are_shrunk_before_a_slice_is_sold() -> None:
    """The market order leaves only when every affected target has made room (EX-711)."""
    bench = filled(2)
    first, second = bench.target("p0.l0"), bench.target("p0.l1")
    events = bench.tell(RiskClose(group_id=GROUP, plan_id="r", qty=Decimal("0.5"), at=5))
    assert (cancels(events), wants(events)) == (["tp:p0.l0", "tp:p0.l1"], [])
    assert wants(bench.update(first, OrderState.CANCELLED)) == [("tp:leg:p0.l0", "0.75", "101.00")]
    assert wants(bench.update(second, OrderState.CANCELLED)) == [
        ("tp:leg:p0.l1", "0.75", "99.99"),
        ("close:partial", "0.5", "None"),
    ]
    assert (cancels(bench.fill(bench.closing_order())), bench.view.open_qty) == ([], Decimal("1.5"))
    assert len(bench.working(Purpose.ENTRY)) == 1


def test_a_target_that_fills_while_it_is_shrunk_leaves_less_to_sell() -> None:
    """A slice never sells what a target has sold meanwhile (EX-705, EX-711)."""
    bench = filled(2)
    first, second = bench.target("p0.l0"), bench.target("p0.l1")
    bench.tell(reduce("0.5"))
    bench.fill(first)
    events = bench.update(second, OrderState.CANCELLED)
    assert wants(events)[-1] == ("close:partial", "0.5", "None")
    bench.fill(bench.closing_order())
    assert bench.view.open_qty == Decimal("0.5")


def test_a_slice_that_has_nothing_left_to_sell_is_skipped() -> None:
    """All targets filled before the slice could be sold: skipped, the flat group closes (EX-709, EX-615)."""
    bench = filled(1, grid("0"))
    target = bench.target("p0.l0")
    bench.tell(reduce("0.5"))
    events = bench.fill(target)
    assert [event.trigger for event in only(events, CloseSkipped)] == [CloseReason.REDUCE]
    assert states(events) == ["closing", "closed"]


def test_a_shrunk_target_that_is_too_small_is_deferred() -> None:
    """A target that would be too small is cancelled and watched (EX-711)."""
    bench = Bench(grid("0", "-1"))
    bench.fill(bench.entry("p0.l0"), "0.06")
    bench.fill(bench.entry("p0.l1"))
    bench.tell(reduce("0.5"))
    bench.ack_cancels()
    assert bench.view.legs["p0.l0"].deferred_qty == Decimal("0.03")


@pytest.mark.parametrize(
    ("amount", "unit", "qty"),
    [("0.5", SizeType.BASE, "0.5"), ("50", SizeType.QUOTE, "0.5"), ("0.5", SizeType.CONTRACTS, "0.5")],
)
def test_a_reduction_may_name_an_amount(amount: str, unit: SizeType, qty: str) -> None:
    """A reduction without a fraction takes its amount in its own unit (EX-313)."""
    bench = filled(1, grid("0", tp_mode="aggregate"))
    events = bench.tell(ReduceGroup(group_id=GROUP, amount=Decimal(amount), amount_type=unit, at=5))
    assert wants(events) == [("close:partial", qty, "None")]


def test_a_reduction_below_a_minimum_is_skipped_with_a_warning() -> None:
    """Too little to sell: nothing happens but a warning (EX-709)."""
    bench = filled(1)
    events = bench.tell(reduce("0.01"))
    assert [(event.code, event.qty) for event in only(events, CloseSkipped)] == [("BelowMinNotional", Decimal("0.01"))]
    assert (alerts(events), cancels(events)) == (["CloseSkipped"], [])


@pytest.mark.parametrize("fraction", ["1", "0.99"])
def test_a_reduction_that_leaves_nothing_sellable_closes_the_group(fraction: str) -> None:
    """If the rest would be unsellable the whole group closes, reason ``reduce`` (EX-709)."""
    bench = filled(1)
    assert states(bench.tell(reduce(fraction))) == ["closing"]
    assert bench.view.reason is CloseReason.REDUCE


def test_a_risk_slice_of_everything_is_a_risk_close() -> None:
    """A risk close of all that is open, or without a quantity, closes the group (EX-1012, EX-1017)."""
    for qty in (Decimal(1), None):
        bench = filled(1)
        bench.tell(RiskClose(group_id=GROUP, plan_id="r", qty=qty, at=5))
        assert bench.view.reason is CloseReason.RISK_CLOSE


def test_two_slices_share_what_is_open() -> None:
    """A second slice sees only what the first has not laid claim to (EX-710)."""
    bench = filled(1, grid("0", tp_mode="aggregate"))
    bench.tell(reduce("0.5"))
    events = bench.tell(ReduceGroup(group_id=GROUP, amount=Decimal("0.9"), at=5))
    assert wants(events) == [("close:partial", "0.5", "None")]
    for order in [found.request.client_order_id for found in bench.working(Purpose.CLOSE)]:
        bench.fill(order)
    assert bench.view.state is GroupState.CLOSED


def test_fills_of_a_slice_are_booked_by_the_same_split() -> None:
    """Partial fills of a slice are spread over the shares still outstanding (EX-710)."""
    bench = filled(3, grid(tp_mode="aggregate"))
    bench.tell(ReduceGroup(group_id=GROUP, amount=Decimal("1.5"), at=5))
    order = bench.closing_order()
    bench.fill(order, "0.3", "100")
    assert [leg.closed for leg in bench.view.legs.values()] == [Decimal("0.1")] * 3
    bench.fill(order, "1.2", "100")
    assert [leg.closed for leg in bench.view.legs.values()] == [Decimal("0.5")] * 3


def test_a_pyramid_close_takes_over_a_leg_close_that_waits() -> None:
    """A wider close sells what a narrower one has not ordered yet, once (EX-707)."""
    bench = filled(2, grid("0", "-1", tp_mode="pyramid_aggregate", pyramid_scope="per_pyramid"))
    bench.close("operator", "p0.l1")
    bench.update(bench.closing_order(), OrderState.REJECTED)
    assert wants(bench.price("101")) == [("close:pyramid:0", "2", "None")]
    assert [close.scope for close in bench.view.closes] == ["pyramid:0"]


def test_what_a_slice_is_still_selling_is_not_dust_of_its_pyramid() -> None:
    """A pyramid close waits for a slice in flight on its legs before it ends (EX-708, EX-707)."""
    bench = filled(1, grid("0", tp_mode="pyramid_aggregate", pyramid_scope="per_pyramid"))
    bench.tell(ReduceGroup(group_id=GROUP, amount=Decimal("0.5"), at=5))
    slice_order = bench.closing_order()
    assert wants(bench.price("101")) == [("close:pyramid:0", "0.5", "None")]
    (rest,) = (order for order in bench.working(Purpose.CLOSE) if order.scope == "pyramid:0")
    assert states(bench.fill(rest.request.client_order_id, price="101")) == []
    assert states(bench.fill(slice_order, price="101")) == ["closing", "closed"]
    assert (bench.view.dust, bench.view.realized_quote) == (0, 1)


def test_a_risk_slice_that_turns_out_to_be_all_ends_as_a_risk_close() -> None:
    """What a target sold meanwhile may leave nothing but the slice: the flat group names the risk engine (EX-804)."""
    bench = filled(2, grid("0", "-1"))
    first = bench.target("p0.l0")
    bench.tell(RiskClose(group_id=GROUP, plan_id="r", qty=Decimal(1), at=5))
    bench.fill(first)
    bench.ack_cancels()
    bench.fill(bench.target("p0.l1"))
    bench.fill(bench.closing_order())
    assert (bench.view.state, bench.view.reason) == (GroupState.CLOSED, CloseReason.RISK_CLOSE)


def test_two_reductions_within_a_moment_compound() -> None:
    """EX-709: halved twice before the first close has filled, a quarter is left, as it is when the fills come between."""
    for between in (False, True):
        bench = filled(1, grid("0", tp_mode="aggregate"))
        first = bench.tell(reduce("0.5"))
        if between:
            bench.fill(bench.closing_order(), price="100")
        second = bench.tell(reduce("0.5"))
        assert (wants(first), wants(second)) == (
            [("close:partial", "0.5", "None")],
            [("close:partial", "0.25", "None")],
        )
        for order in bench.working(Purpose.CLOSE):
            bench.fill(order.request.client_order_id, price="100")
        assert bench.view.open_qty == Decimal("0.25")

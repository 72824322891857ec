"""How a group begins and grows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import (
    CloseReason,
    EntryEnded,
    GridConfig,
    GroupClosed,
    GroupOpened,
    GroupState,
    LegState,
    Level,
    OrderWanted,
    PyramidAdded,
    PyramidAnchored,
    PyramidRefused,
    RetryEntry,
)
from protocol.orders import OrderState, Purpose
from protocol.signals import SizeType
from protocol.values import OrderType, Side
from rules.group import effects, retries, summary
from tests.rules.group_bench import GROUP, Bench, alerts, cancels, grid, instrument, only, open_message, states, wants


def test_all_layers_are_sent_at_once_layer_0_first() -> None:
    """An admitted pyramid sends every layer as a limit order that adds risk; the group is Live (EX-420, EX-801)."""
    bench = Bench()
    events = tuple(bench.journal)
    assert isinstance(events[0], GroupOpened)
    assert states(events) == ["live"]
    assert wants(events) == [
        ("entry:leg:p0.l0", "1", "100.00"),
        ("entry:leg:p0.l1", "1", "99.00"),
        ("entry:leg:p0.l2", "1", "98.00"),
    ]
    assert all(event.adds_risk and event.request.type is OrderType.LIMIT for event in only(events, OrderWanted))


def test_opening_twice_changes_nothing() -> None:
    """A repeated ``OpenGroup`` is at-least-once delivery, not a second group (EX-105)."""
    bench = Bench()
    count = sum(isinstance(event, GroupOpened) for event in bench.journal)

    message = open_message(Side.LONG, Decimal(100), Decimal(3), SizeType.BASE, bench.config, instrument())
    assert bench.tell(message) == ()
    assert count == 1


@pytest.mark.parametrize(
    ("config", "more", "code"),
    [
        (grid(), {"size": "0.01"}, "NoOrderableLeg"),
        (grid(max_quote_per_pyramid="100"), {}, "SizeAboveCap"),
        (grid(), {"free_quote": Decimal("297.5")}, "InsufficientFunds"),
        (GridConfig(levels=(Level(Decimal("0.5"), Decimal(100), Decimal(1)),)), {}, "InvalidGapSign"),
    ],
)
def test_a_group_that_can_place_nothing_closes_and_releases(config: GridConfig, more: dict, code: str) -> None:
    """No orderable layer, size above the cap, no funds: nothing is placed, the slot is free (EX-413, EX-414, EX-505)."""
    bench = Bench(config, **more)
    events = tuple(bench.journal)
    assert [event.code for event in only(events, PyramidRefused)] == [code]
    assert only(events, OrderWanted) == []
    assert bench.view.state is GroupState.CLOSED
    assert [event.reason for event in only(events, GroupClosed)] == [CloseReason.ENTRY_FAILED]
    assert [type(message).__name__ for message in effects(events, "/g")] == ["SlotReleased"]


def test_enough_funds_pass() -> None:
    """Exactly the notional and its fee buffer is enough (EX-414)."""
    bench = Bench(free_quote=Decimal("297.594"))
    assert bench.view.state is GroupState.LIVE


def test_a_blocked_layer_is_left_out_with_a_warning() -> None:
    """A layer below a minimum is Blocked, the others are placed (EX-505, EX-427)."""
    levels = (Level(Decimal(0), Decimal(99), Decimal(1)), Level(Decimal(-1), Decimal(1), Decimal(1)))
    bench = Bench(GridConfig(levels=levels), size="1")
    assert bench.view.legs["p0.l1"].state is LegState.BLOCKED
    assert [order.leg_id for order in bench.working(Purpose.ENTRY)] == ["p0.l0"]
    assert "BelowMinNotional" in alerts(tuple(bench.journal))


def test_a_pyramid_brings_its_own_layers_priced_from_its_own_entry() -> None:
    """Pyramid 1 is priced from its entry; the base entry price stays (EX-321, EX-324)."""
    bench = Bench()
    events = bench.pyramid("90", "s1")
    (added,) = only(events, PyramidAdded)
    assert (added.pyramid, [leg.price for leg in added.legs]) == (1, [90, Decimal("89.1"), Decimal("88.2")])
    assert bench.view.base_entry_price == 100
    assert summary(bench.view, 1).received == 2


def test_a_pyramid_of_an_active_group_makes_it_partially_filled() -> None:
    """Active, new pyramid: Partially Filled (EX-803)."""
    bench = Bench(grid("0"))
    bench.fill(bench.entry("p0.l0"))
    assert bench.view.state is GroupState.ACTIVE
    assert states(bench.pyramid("90", "s1")) == ["partially_filled"]


def test_the_same_signal_brings_no_second_pyramid() -> None:
    """Handling a message twice changes nothing (EX-105)."""
    bench = Bench()
    bench.pyramid("90", "s1")
    assert bench.pyramid("90", "s1") == ()


def test_beyond_the_maximum_a_pyramid_is_refused_and_the_group_unchanged() -> None:
    """The sixth entry of five is ``MaxPyramidsReached`` (EX-323)."""
    bench = Bench(grid("0", max_pyramids_per_group=2))
    bench.pyramid("99", "s1")
    before = bench.view
    assert [event.code for event in only(bench.pyramid("98", "s2"), PyramidRefused)] == ["MaxPyramidsReached"]
    assert bench.view == before


def test_a_closing_group_does_not_grow() -> None:
    """An entry for a group in Closing is refused here; the pool queues it (EX-327)."""
    bench = Bench()
    bench.close()
    assert [event.code for event in only(bench.pyramid("99", "s1"), PyramidRefused)] == ["GroupClosing"]


def test_a_pyramid_freezes_its_own_grid_but_not_the_take_profit() -> None:
    """Layers come from the settings at its creation, take profit from those the group opened with (EX-326)."""
    bench = Bench(grid("0", tp_mode="per_leg"))
    bench.pyramid("90", "s1", grid("0", "-5", tp_mode="aggregate"))
    assert [leg.price for leg in bench.view.legs_in("pyramid:1")] == [90, Decimal("85.5")]
    assert bench.view.config.tp_mode == "per_leg"


def test_collapsed_layers_stay_separate_with_a_warning() -> None:
    """Layers on one price after rounding are separate legs (EX-408)."""
    bench = Bench(grid("0", "-0.001"), price="100.005")
    assert alerts(tuple(bench.journal)) == ["LayersCollapsed"]
    assert len(bench.working(Purpose.ENTRY)) == 2


def test_references_on_the_wrong_side_are_ignored_with_a_warning() -> None:
    """A stop at or above a long's entry, a target at or below it, are dropped; the entry goes on (EX-270)."""
    bench = Bench(stop_price=Decimal(100), target_price=Decimal(99))
    assert alerts(tuple(bench.journal)) == ["ReferenceOnWrongSide"] * 2
    assert (bench.view.stop_price, bench.view.target_price) == (None, None)
    assert bench.view.state is GroupState.LIVE


def test_the_last_pyramid_with_a_reference_replaces_it() -> None:
    """A later stop replaces the earlier, a pyramid without one leaves it (EX-270)."""
    bench = Bench(stop_price=Decimal(80))
    bench.pyramid("90", "s1")
    assert bench.view.stop_price == 80
    bench.pyramid("90", "s2", stop_price=Decimal(85))
    assert bench.view.stop_price == 85


# --- market entries ---------------------------------------------------------------------------------------------------


def test_a_market_entry_anchors_the_other_layers_on_its_average_fill() -> None:
    """Layer 0 goes out at market; its average fill prices and sends the others once it is complete (EX-421)."""
    bench = Bench(grid(entry_order_type="market"), tick="100.5")
    (sent,) = only(tuple(bench.journal), OrderWanted)
    assert (sent.request.type, sent.request.price, sent.expected_price) == (OrderType.MARKET, None, Decimal("100.5"))
    assert wants(bench.fill(bench.entry("p0.l0"), "0.5", "100")) == [("tp:leg:p0.l0", "0.5", "101.00")]
    events = bench.fill(bench.entry("p0.l0"), "0.5", "102")
    (anchored,) = only(events, PyramidAnchored)
    assert anchored.entry_price == 101
    assert [want for want in wants(events) if want[0].startswith("entry")] == [
        ("entry:leg:p0.l1", "1", "99.99"),
        ("entry:leg:p0.l2", "1", "98.98"),
    ]
    assert bench.view.state is GroupState.PARTIALLY_FILLED


def test_a_market_entry_that_is_refused_takes_its_pyramid_along() -> None:
    """Without an anchor nothing else is sent: the group closes as ``entry_failed`` (EX-421, EX-425)."""
    bench = Bench(grid(entry_order_type="market"))
    events = bench.update(bench.entry("p0.l0"), OrderState.REJECTED, reason="halted")
    assert alerts(events) == ["OrderRejected"]
    assert bench.view.reason is CloseReason.ENTRY_FAILED


def test_a_market_entry_filled_in_part_anchors_on_that_part() -> None:
    """What the market gave is the position; the rest of layer 0 is not sent again (EX-421)."""
    bench = Bench(grid(entry_order_type="market"))
    bench.fill(bench.entry("p0.l0"), "0.4", "100")
    events = bench.update(bench.entry("p0.l0"), OrderState.CANCELLED)
    assert len([want for want in wants(events) if want[0].startswith("entry")]) == 2


def test_a_capped_market_entry_is_tried_four_times_then_gives_up() -> None:
    """An unfilled capped entry is sent again after 1 s with a fresh cap, three times, then given up (EX-724)."""
    bench = Bench(grid(entry_order_type="market", slippage_guard="capped"), tick="100")
    seen = []
    for price in ("101", "102", "103"):
        order = bench.view.orders[bench.entry("p0.l0")].request
        seen.append((order.type, order.price))
        (ended,) = only(bench.update(order.client_order_id, OrderState.CANCELLED), EntryEnded)
        assert ended.retry_after_s == 1
        ((wait_s, retry),) = retries(bench.view, 7)
        assert (wait_s, retry) == (1, RetryEntry(GROUP, "p0.l0", 7))
        assert bench.view.state is GroupState.LIVE
        bench.price(price)
        bench.tell(retry)
    assert seen == [(OrderType.IOC, Decimal(price)) for price in ("101.00", "102.01", "103.02")]
    events = bench.update(bench.entry("p0.l0"), OrderState.CANCELLED)
    assert alerts(events) == ["SlippageHeld"]
    assert (bench.view.state, bench.view.reason) == (GroupState.CLOSED, CloseReason.UNFILLED_CANCELLED)
    assert retries(bench.view, 7) == ()


def test_an_exit_while_a_capped_entry_waits_sends_nothing_more() -> None:
    """A layer that waits to be sent again is cancelled on the spot by an exit (EX-703, EX-714)."""
    bench = Bench(grid("0", entry_order_type="market", slippage_guard="capped"), tick="100")
    bench.update(bench.entry("p0.l0"), OrderState.CANCELLED)
    events = bench.close()
    assert states(events) == ["closing", "closed"]
    assert cancels(events) == []
    assert bench.tell(RetryEntry(GROUP, "p0.l0", 9)) == ()


def test_a_short_mirrors_everything() -> None:
    """A short sells higher and higher and takes its profit below (EX-403, EX-616)."""
    bench = Bench(side=Side.SHORT)
    assert [want[2] for want in wants(tuple(bench.journal))] == ["100.00", "101.00", "102.00"]
    assert wants(bench.fill(bench.entry("p0.l0"))) == [("tp:leg:p0.l0", "1", "99.00")]

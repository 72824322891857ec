"""What becomes of a group's orders: refusals, unknowns, repeats, late and impossible reports (EX-425..427, EX-805)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import (
    CloseReason,
    EntryEnded,
    EntryOrderType,
    EntryState,
    GridConfig,
    GroupState,
    LegState,
    Level,
    OpenGroup,
    OrderStateNoted,
    SlotReleased,
)
from protocol.market import PriceTick
from protocol.messages import Message
from protocol.orders import FillReported, OrderState, OrderUpdate, Purpose
from protocol.values import OrderSide
from rules import client_ids
from rules.group import decide, retries
from rules.order_life import IllegalOrderMove
from tests.rules.group_bench import GROUP, SYMBOL, Bench, alerts, filled, grid, only, states, wants


def test_a_refused_layer_leaves_the_others() -> None:
    """A venue rejection marks that leg, tells the venue's text, others go on (EX-425)."""
    bench = Bench()
    events = bench.update(bench.entry("p0.l1"), OrderState.REJECTED, reason="LOT_SIZE")
    assert (alerts(events), states(events)) == (["OrderRejected"], [])
    leg = bench.view.legs["p0.l1"]
    assert (leg.state, leg.entry, leg.reason) == (LegState.REJECTED, EntryState.REJECTED, "LOT_SIZE")


def test_when_all_layers_are_refused_the_group_fails() -> None:
    """All legs rejected: Closed, ``entry_failed``, slot released (EX-425)."""
    bench = Bench(grid("0", "-1"))
    bench.update(bench.entry("p0.l0"), OrderState.REJECTED)
    assert states(bench.update(bench.entry("p0.l1"), OrderState.REJECTED)) == ["closed"]
    assert (bench.view.reason, bench.view.released) == (CloseReason.ENTRY_FAILED, True)


def test_when_the_venue_cancels_every_layer_the_group_ends_unfilled() -> None:
    """The venue cancels a layer by itself: Cancelled, Warning; the last one closes the group (EX-805)."""
    bench = Bench(grid("0", "-1"))
    events = bench.update(bench.entry("p0.l0"), OrderState.CANCELLED)
    assert (alerts(events), bench.view.legs["p0.l0"].state) == (["LayerCancelled"], LegState.CANCELLED)
    assert states(bench.update(bench.entry("p0.l1"), OrderState.EXPIRED)) == ["closed"]
    assert bench.view.reason is CloseReason.UNFILLED_CANCELLED


def test_the_last_layer_cancelled_leaves_an_active_group() -> None:
    """Partially Filled, last layer cancelled: Active (EX-803)."""
    bench = filled(1, grid("0", "-1"))
    assert states(bench.update(bench.entry("p0.l1"), OrderState.CANCELLED)) == ["active"]


def test_a_partly_filled_cancelled_layer_keeps_its_position() -> None:
    """What filled before the cancel is held and protected (EX-423)."""
    bench = Bench(grid("0"))
    bench.fill(bench.entry("p0.l0"), "0.4")
    assert states(bench.update(bench.entry("p0.l0"), OrderState.CANCELLED)) == ["active"]
    leg = bench.view.legs["p0.l0"]
    assert (leg.state, leg.entry, leg.open_qty) == (LegState.FILLED, EntryState.CANCELLED, Decimal("0.4"))
    assert len(bench.working(Purpose.TP)) == 1


def test_legs_show_where_their_entry_stands() -> None:
    """Pending until the venue has it, then Open, Unknown after a time-out, Open again (EX-427)."""
    bench = Bench()
    seen = [bench.view.legs["p0.l0"].state]
    for state in (OrderState.SENT, OrderState.OPEN, OrderState.UNKNOWN, OrderState.OPEN):
        bench.update(bench.entry("p0.l0"), state)
        seen.append(bench.view.legs["p0.l0"].state)
    assert seen == ["pending", "pending", "open", "unknown", "open"]


def test_repeated_and_stale_reports_journal_nothing() -> None:
    """A report that says nothing new changes nothing (EX-105)."""
    bench = Bench()
    order = bench.entry("p0.l0")
    assert len(bench.update(order, OrderState.OPEN)) == 1
    bench.fill(order, "0.5")
    for state in (OrderState.OPEN, OrderState.SENT, OrderState.PARTIALLY_FILLED):
        assert bench.update(order, state) == ()
    bench.fill(order)
    for state in (OrderState.OPEN, OrderState.FILLED, OrderState.CANCELLED, OrderState.UNKNOWN):
        assert bench.update(order, state) == ()


def test_a_trade_is_booked_once() -> None:
    """A fill that is told twice, by its venue trade id, counts once (EX-1203)."""
    bench = Bench()
    bench.fill(bench.entry("p0.l0"), "0.4", trade_id="x")
    assert bench.fill(bench.entry("p0.l0"), "0.4", trade_id="x") == ()
    assert bench.view.open_qty == Decimal("0.4")


def test_reports_on_orders_that_are_not_ours() -> None:
    """A state of an unknown order is none of ours; a fill of one is an alert, never a position."""
    bench = Bench()
    stranger = "bhtest" + "0" * 18
    assert bench.tell(OrderUpdate(client_order_id=stranger, state=OrderState.OPEN, at=1)) == ()
    fill = FillReported(
        client_order_id=stranger,
        trade_id="x",
        symbol=SYMBOL,
        side=OrderSide.BUY,
        qty=Decimal(1),
        price=Decimal(1),
        fee=Decimal(0),
        fee_currency="USDT",
        at=1,
    )
    assert (alerts(bench.tell(fill)), bench.view.open_qty) == (["UnknownOrder"], 0)


def test_impossible_reports_raise_and_change_nothing() -> None:
    """What no order can do is a defect, named with both states."""
    bench = Bench()
    order = bench.entry("p0.l0")
    bench.fill(order, "0.5")
    bench.update(order, OrderState.PARTIALLY_FILLED)
    before = bench.view
    with pytest.raises(IllegalOrderMove):
        bench.update(order, OrderState.REJECTED)
    assert bench.view is before


# --- unknown ----------------------------------------------------------------------------------------------------------


def test_an_entry_that_never_arrived_is_sent_again_under_a_new_id() -> None:
    """Unknown, then refused by the venue's proof: attempt + 1, at most 3 attempts, then Rejected (EX-426, EX-422)."""
    bench = Bench(grid("0"))
    ids = []
    for attempt in (1, 2, 3):
        for _, retry in retries(bench.view, 5):
            bench.tell(retry)
        order = bench.entry("p0.l0")
        ids.append(order)
        parsed = client_ids.parse(order)
        assert parsed is not None
        assert parsed.attempt == attempt
        assert only(bench.update(order, OrderState.UNKNOWN), OrderStateNoted)
        events = bench.update(order, OrderState.REJECTED)
    assert len(set(ids)) == 3
    assert [event.entry for event in only(events, EntryEnded)] == [EntryState.REJECTED]
    assert bench.view.reason is CloseReason.ENTRY_FAILED


def test_a_plain_refusal_is_not_sent_again() -> None:
    """Only an order that the venue never had may be repeated (EX-425, EX-426)."""
    bench = Bench(grid("0", "-1"))
    assert wants(bench.update(bench.entry("p0.l0"), OrderState.REJECTED)) == []


def test_an_unknown_entry_that_is_found_is_adopted() -> None:
    """Found at the venue: it goes on under its id (EX-426)."""
    bench = Bench(grid("0"))
    order = bench.entry("p0.l0")
    bench.update(order, OrderState.UNKNOWN)
    bench.update(order, OrderState.OPEN)
    bench.fill(order)
    assert (bench.entry("p0.l0"), bench.view.state) == (order, GroupState.ACTIVE)


def test_unknown_orders_keep_counting_as_working() -> None:
    """A layer that is unknown is not gone: the group waits for the venue's word (EX-426, EX-802)."""
    bench = Bench(grid("0", "-1"))
    bench.update(bench.entry("p0.l0"), OrderState.UNKNOWN)
    assert states(bench.update(bench.entry("p0.l1"), OrderState.REJECTED)) == []
    assert bench.view.state is GroupState.LIVE


def test_a_target_that_never_arrived_is_placed_again() -> None:
    """An unknown target that the venue never had is not held against the leg."""
    bench = filled(1, grid("0"))
    bench.update(bench.target("p0.l0"), OrderState.UNKNOWN)
    assert len(wants(bench.update(bench.target("p0.l0"), OrderState.REJECTED))) == 1


# --- disagreements with the venue -------------------------------------------------------------------------------------


def test_an_entry_that_fills_beyond_its_quantity_is_held_as_it_is() -> None:
    """What the venue says was bought is held, and protected."""
    bench = Bench(grid("0"))
    bench.fill(bench.entry("p0.l0"), "1.2")
    assert bench.view.open_qty == Decimal("1.2")
    assert [order.request.qty for order in bench.working(Purpose.TP)] == [Decimal("1.2")]


def test_more_sold_than_held_is_a_mismatch_and_never_a_negative_position() -> None:
    """A sale beyond what the leg holds is booked on the other legs, then told as ``PositionMismatch``."""
    bench = filled(2, grid("0", "-1"))
    target = bench.target("p0.l0")
    assert "PositionMismatch" not in alerts(bench.fill(target, "1.5"))
    assert [leg.open_qty for leg in bench.view.legs.values()] == [0, Decimal("0.5")]
    events = bench.fill(target, "1")
    assert (alerts(events), bench.view.open_qty) == (["PositionMismatch"], 0)


def test_an_order_filled_for_less_than_asked_is_done() -> None:
    """A venue may round a quantity: filled means filled, and a close sends what is left at once."""
    bench = Bench(grid("0"))
    bench.fill(bench.entry("p0.l0"), "0.9")
    bench.update(bench.entry("p0.l0"), OrderState.FILLED, filled="0.9")
    assert bench.view.legs["p0.l0"].entry is EntryState.DONE
    bench.close()
    bench.ack_cancels()
    bench.fill(bench.closing_order(), "0.8")
    assert wants(bench.update(bench.closing_order(), OrderState.FILLED, filled="0.8")) == [
        ("close:group", "0.1", "None")
    ]


def test_messages_before_the_group_are_told_twice_or_lost() -> None:
    """Before ``OpenGroup`` there is nothing to decide about."""
    update = OrderUpdate(client_order_id="bhtest0000", state=OrderState.OPEN, at=1)
    tick = PriceTick(SYMBOL, 1, Decimal(1), Decimal(1), Decimal(1))
    assert (decide(None, update, 1), decide(None, tick, 1)) == ((), ())


def test_a_message_that_no_group_takes_is_a_defect() -> None:
    """An unknown message type raises and names it."""
    message: Message = SlotReleased("k", GROUP)
    with pytest.raises(TypeError, match="SlotReleased"):
        Bench().tell(message)
    assert OpenGroup.OVERFLOW == "keep"


@pytest.mark.parametrize("unknown_first", [True, False])
def test_an_entry_proven_absent_is_repeated_at_once_then_after_a_wait(unknown_first: bool) -> None:
    """Lost with a connection it goes out again at once; lost again, after two seconds (EX-426)."""
    bench = Bench(grid("0"))
    waits = []
    for _ in range(2):
        order = bench.entry("p0.l0")
        if unknown_first:
            bench.update(order, OrderState.UNKNOWN)
        report = OrderUpdate(client_order_id=order, state=OrderState.REJECTED, absent_proven=True, at=1)
        (ended,) = only(bench.tell(report), EntryEnded)
        waits.append((ended.retry_after_s, [wait_s for wait_s, _ in retries(bench.view, 5)]))
    assert waits == [(0, []), (2, [2])]


def test_filled_without_a_number_means_all_of_it() -> None:
    """A "filled" that names no quantity waits for every fill of the order."""
    bench = Bench(grid("0"))
    bench.update(bench.entry("p0.l0"), OrderState.FILLED, filled="0")
    assert bench.view.legs["p0.l0"].entry is EntryState.WORKING
    bench.fill(bench.entry("p0.l0"))
    assert bench.view.legs["p0.l0"].entry is EntryState.DONE


def test_a_blocked_layer_behind_a_market_entry_is_told() -> None:
    """Layers priced from the fill are checked like any other (EX-421, EX-505)."""
    levels = (Level(Decimal(0), Decimal(99), Decimal(1)), Level(Decimal(-1), Decimal(1), Decimal(1)))
    bench = Bench(GridConfig(levels=levels, entry_order_type=EntryOrderType.MARKET), size="1")
    assert alerts(bench.fill(bench.entry("p0.l0"))) == ["BelowMinNotional"]
    assert bench.view.state is GroupState.ACTIVE

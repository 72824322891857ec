"""The edge cases of EX-805, one test a row, and the small requirements that no other test names."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from protocol.groups import (
    CloseReason,
    EntryState,
    GroupAlert,
    GroupState,
    LegState,
    OrderWanted,
    PyramidRefused,
    RiskClose,
)
from protocol.orders import OrderState, Purpose
from protocol.signals import PrecisionMode, SizeType
from protocol.values import MarketType, Side
from rules.group import replay, retries, summary
from rules.precision import Action, Fetch, precision_decision
from tests.rules.group_bench import (
    GROUP,
    Bench,
    alerts,
    cancels,
    decide_opening,
    filled,
    grid,
    instrument,
    only,
    states,
    wants,
)
from tests.rules.test_pool import BTC, BTC_SHORT, ETH, ONE, entry, last, of, played

# --- EX-805 ------------------------------------------------------------------------------------------------------------


def test_a_duplicate_entry_replaces_only_what_waits() -> None:
    """EX-805, duplicate entry: a live group is left alone; a queued entry is replaced, if replacement is on."""
    bench = Bench()
    assert bench.pyramid("99", "s0") == ()
    queued = (entry(BTC), entry(ETH), entry(ETH, "99", 1))
    assert last(ONE, *queued) == ["replaced:q1"]
    assert last({**ONE, "queue_replace_same_symbol": False}, *queued) == ["rejected:DuplicateQueued"]


def test_an_entry_for_the_opposite_side_waits() -> None:
    """EX-805, opposite side: queued until the live side is closed, then it enters."""
    outcomes, script = played({"max_open_groups": 5}, entry(BTC), entry(BTC_SHORT))
    assert outcomes[1] == ["queued:q1:opposite_side"]
    assert script.do(of("closed", key=BTC))[-1] == "promoted:q1:opened"


def test_a_partial_fill_has_a_target_at_once() -> None:
    """EX-805, partial fill: a target for the filled part in the same turn, while the rest works on."""
    bench = Bench()
    assert wants(bench.fill(bench.entry("p0.l0"), "0.4")) == [("tp:leg:p0.l0", "0.4", "101.00")]
    assert bench.view.legs["p0.l0"].entry is EntryState.WORKING


def test_price_beyond_the_last_layer() -> None:
    """EX-424, EX-805: however far the price runs, unfilled layers stay at the venue; nothing is cancelled by distance."""
    bench = filled(1)
    for price in ("90", "50", "1"):
        assert bench.price(price) == ()
    assert [order.leg_id for order in bench.working(Purpose.ENTRY)] == ["p0.l1", "p0.l2"]
    bench.fill(bench.entry("p0.l2"))
    assert bench.view.legs["p0.l2"].open_qty == 1


def test_a_failed_fetch_holds_entries_and_no_exit() -> None:
    """EX-805, precision fetch fails: an entry is held; an exit goes out by the rules the group was opened with (EX-511)."""
    held = precision_decision(
        PrecisionMode.AUTO,
        cached=None,
        cache_age_s=None,
        refresh_s=60,
        fetch=Fetch.FAILED,
        block_on_missing=True,
        forced=None,
    )
    assert held.action is Action.HOLD
    bench = filled(1, grid("0"))
    bench.close()
    assert wants(bench.ack_cancels()) == [("close:group", "1", "None")]


def test_an_exit_while_queued() -> None:
    """EX-805, exit while queued: the queue entry goes with the exit."""
    assert last(ONE, entry(BTC), entry(ETH), of("exit", key=ETH)) == ["queue_removed:q1:exit_signal"]


def test_the_risk_engine_closes_a_part() -> None:
    """EX-805, EX-1018: legs, pyramids and unfilled layers stay; nothing but targets is cancelled."""
    bench = filled(2)
    events = bench.tell(RiskClose(group_id=GROUP, plan_id="r", qty=Decimal("0.5"), at=1))
    assert cancels(events) == ["tp:p0.l0", "tp:p0.l1"]
    bench.ack_cancels()
    bench.fill(bench.closing_order())
    assert (len(bench.view.pyramids), len(bench.view.legs), bench.view.state) == (1, 3, GroupState.PARTIALLY_FILLED)


def test_a_group_fully_closed_releases_its_slot_in_the_same_turn() -> None:
    """EX-805, EX-905: the last fill closes the group and gives its slot back, at once."""
    bench = filled(1, grid("0"))
    bench.close()
    bench.ack_cancels()
    events = bench.fill(bench.closing_order())
    assert states(events) == ["closed"]
    assert bench.view.released


def test_a_pyramid_beyond_the_maximum() -> None:
    """EX-322, EX-323, EX-805: indices count from 0; with 2 received the third is ``MaxPyramidsReached``."""
    bench = Bench(grid("0", max_pyramids_per_group=2))
    bench.pyramid("99", "s1")
    (refused,) = only(bench.pyramid("98", "s2"), PyramidRefused)
    assert refused.code == "MaxPyramidsReached"
    assert [pyramid.index for pyramid in bench.view.pyramids] == [0, 1]
    assert (summary(bench.view, 1).received, summary(bench.view, 1).max_pyramids) == (2, 2)


def test_an_entry_while_closing() -> None:
    """EX-327, EX-805: a closing group does not grow; the pool opens a new one afterwards."""
    bench = filled(1)
    bench.close()
    (refused,) = only(bench.pyramid("99", "s1"), PyramidRefused)
    assert refused.code == "GroupClosing"
    outcomes, script = played({"max_open_groups": 3}, entry(BTC), of("exit", key=BTC), entry(BTC))
    assert outcomes[-1] == ["queued:q1:closing"]
    assert script.do(of("closed", key=BTC))[-1] == "promoted:q1:opened"


def test_the_venue_cancels_a_layer_by_itself() -> None:
    """EX-805: leg Cancelled with a Warning; the last one with nothing open closes the group."""
    bench = Bench(grid("0", "-1"))
    events = bench.update(bench.entry("p0.l0"), OrderState.CANCELLED)
    assert (bench.view.legs["p0.l0"].state, alerts(events)) == (LegState.CANCELLED, ["LayerCancelled"])
    assert states(bench.update(bench.entry("p0.l1"), OrderState.EXPIRED)) == ["closed"]
    assert bench.view.reason is CloseReason.UNFILLED_CANCELLED


def test_a_symbol_is_halted() -> None:
    """EX-805, halted or delisted: refusals are reported and pinned, the group keeps its state, exits are retried."""
    bench = filled(1, grid("0", "-1"))
    events = bench.update(bench.entry("p0.l1"), OrderState.REJECTED, reason="market is closed")
    (alert,) = only(events, GroupAlert)
    assert (alert.code, alert.pinned, alert.text) == ("OrderRejected", True, "market is closed")
    assert bench.view.state is GroupState.ACTIVE
    bench.close()
    bench.ack_cancels()
    for wait in (1, 2, 4):
        bench.update(bench.closing_order(), OrderState.REJECTED, reason="market is closed")
        assert (bench.view.state, retries(bench.view, 1)[0][0]) == (GroupState.CLOSING, wait)
        bench.tell(retries(bench.view, 1)[0][1])


@pytest.mark.parametrize("until", range(6))
def test_a_restart_in_any_state(until: int) -> None:
    """EX-805, EX-1204: rebuilt from its journal in any state the group is the same, and goes on as if nothing had been."""
    bench = Bench(grid("0", "-1"))
    steps: tuple[Callable[[], object], ...] = (
        lambda: bench.fill(bench.entry("p0.l0"), "0.5"),
        lambda: bench.fill(bench.entry("p0.l0")),
        lambda: bench.fill(bench.entry("p0.l1")),
        bench.close,
        bench.ack_cancels,
        lambda: bench.fill(bench.closing_order()),
    )
    for number, step in enumerate(steps):
        if number == until:
            view = replay(bench.journal)
            assert view == bench.view
            assert view is not None
            bench.view = view
        step()
    assert bench.view.state is GroupState.CLOSED


def test_an_exit_without_anything_to_exit() -> None:
    """EX-713: neither live nor queued: ``nothing_to_exit``, which is no error."""
    assert last(ONE, entry(ETH), of("exit", key=BTC)) == ["nothing_to_exit"]


# --- small requirements ------------------------------------------------------------------------------------------------


def test_a_layer_has_gap_weight_and_target() -> None:
    """EX-401, EX-430: each leg keeps the three numbers of its layer; its id names pyramid and layer."""
    bench = Bench(grid("0", "-1"))
    bench.pyramid("90", "s1")
    assert list(bench.view.legs) == ["p0.l0", "p0.l1", "p1.l0", "p1.l1"]
    leg = bench.view.legs["p1.l1"]
    assert [leg.gap_percent, leg.weight_percent, leg.tp_percent] == [-1, 50, 1]


@pytest.mark.parametrize(
    ("unit", "size", "qty"), [("contracts", "1", "0.5"), ("base", "1", "0.5"), ("quote", "100", "0.5")]
)
def test_a_size_is_that_of_one_pyramid(unit: str, size: str, qty: str) -> None:
    """EX-410, EX-415: in any unit it is split over the layers of one pyramid; orders are in base units."""
    (first, _) = decide_opening(Decimal(size), SizeType(unit), grid("0", "-0.00000001"))
    assert first.request.qty == Decimal(qty)


def test_closing_what_is_below_a_minimum() -> None:
    """EX-512, EX-708: an exit of less than the venue sells writes it off as dust and closes all the same."""
    bench = Bench(grid("0"))
    bench.fill(bench.entry("p0.l0"), "0.04")
    bench.close()
    assert states(bench.ack_cancels()) == ["closed"]
    assert bench.view.dust == Decimal("0.04")


def test_minimums_are_judged_at_the_newest_price() -> None:
    """EX-708: the last known price is that of the last tick or fill, whichever is newer."""
    bench = Bench(grid("0", tp="50"))
    bench.fill(bench.entry("p0.l0"), "0.04")
    bench.price("130")
    bench.close()
    assert wants(bench.ack_cancels()) == [("close:group", "0.04", "None")]
    late = Bench(grid("0", tp="50"), tick="130")
    late.now = 5
    late.fill(late.entry("p0.l0"), "0.04", "100")
    late.close()
    assert (wants(late.ack_cancels()), late.view.dust) == ([], Decimal("0.04"))


@pytest.mark.parametrize("reason", ["exit_signal", "operator", "stop", "risk_close", "aggregate_tp"])
def test_every_market_close_is_measured(reason: str) -> None:
    """EX-723: exits, operators, stops, risk closes and targets are compared with the price expected when they were sent."""
    bench = filled(1, grid("0"), tick="100")
    bench.close(reason)
    bench.ack_cancels()
    assert alerts(bench.fill(bench.closing_order(), price="98")) == ["SlippageWarning"]


def test_pyramid_targets_deferred_targets_and_market_entries_are_measured() -> None:
    """EX-723: so are pyramid targets, deferred targets and entries at market."""
    pyramid = filled(1, grid("0", tp_mode="pyramid_aggregate", pyramid_scope="per_pyramid"))
    pyramid.price("101")
    assert "SlippageWarning" in alerts(pyramid.fill(pyramid.closing_order(), price="98"))
    deferred = Bench(grid("0"))
    deferred.fill(deferred.entry("p0.l0"), "0.04")
    deferred.price("130")
    assert "SlippageWarning" in alerts(deferred.fill(deferred.closing_order(), price="120"))
    market = Bench(grid("0", entry_order_type="market"), tick="100")
    assert "SlippageWarning" in alerts(market.fill(market.entry("p0.l0"), price="102"))


def test_an_order_that_did_not_slip_says_nothing() -> None:
    """EX-720, EX-721: better than expected never triggers; exactly the limit does not either."""
    bench = filled(1, grid("0"), tick="100")
    bench.close()
    bench.ack_cancels()
    assert alerts(bench.fill(bench.closing_order(), price="99")) == []


@pytest.mark.parametrize(("side", "stop", "target"), [(Side.LONG, "100", "100"), (Side.SHORT, "100", "100")])
def test_references_at_the_entry_are_on_the_wrong_side(side: Side, stop: str, target: str) -> None:
    """EX-270: a stop or target exactly at the entry price is on the wrong side, for shorts too; the entry goes on."""
    market = instrument(market=MarketType.PERP)
    bench = Bench(grid("0"), side=side, market=market, stop_price=Decimal(stop), target_price=Decimal(target))
    assert alerts(tuple(bench.journal)) == ["ReferenceOnWrongSide"] * 2
    assert (bench.view.stop_price, bench.view.target_price) == (None, None)
    assert len(only(tuple(bench.journal), OrderWanted)) == 1


def test_a_short_stop_is_above() -> None:
    """EX-270, EX-616: the stop of a short acts at its price or above, judged at the ask."""
    market = instrument(market=MarketType.PERP)
    bench = Bench(grid("0"), side=Side.SHORT, market=market, stop_price=Decimal(105))
    bench.fill(bench.entry("p0.l0"))
    assert bench.price("104.99") == ()
    bench.price("105")
    assert bench.view.reason is CloseReason.STOP


def test_a_signals_slippage_limit_holds_for_its_own_market_entry() -> None:
    """EX-271: the limit of a signal caps the market order that the signal causes."""
    settings = {"entry_order_type": "market", "slippage_guard": "capped"}
    bench = Bench(grid("0", **settings), tick="100", max_slippage_percent=Decimal("0.5"))
    assert bench.view.orders[bench.entry("p0.l0")].request.price == Decimal("100.5")

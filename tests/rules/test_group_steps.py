"""Steps of risk plans: what a group closes for the risk engine, and how it says that it is over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from protocol.groups import GroupState, RetryClose, RiskClose, RiskCloseEnded, RiskStepEnded
from protocol.orders import OrderState, Purpose
from protocol.values import Side
from rules.group import answer_again, answers
from tests.rules.group_bench import GROUP, Bench, alerts, filled, grid, only, states, wants

D = Decimal


def risk(qty: str | None = None, plan: str = "r1", to: str = "/risk") -> RiskClose:
    """Return a step of a plan."""
    return RiskClose(group_id=GROUP, plan_id=plan, reply_to=to, qty=None if qty is None else D(qty), at=1)


def sold(bench: Bench, price: str = "102", **more: Any) -> RiskStepEnded:
    """Confirm cancels, fill the closing order, return how the step ended."""
    bench.ack_cancels()
    (ended,) = only(bench.fill(bench.closing_order(), price=price, **more), RiskStepEnded)
    return ended


def test_a_slice_leaves_legs_pyramids_and_unfilled_layers() -> None:
    """EX-1018 (EX-805): legs, pyramids, unfilled layers and targets with reduced quantity stay as they are."""
    bench = filled(2)
    bench.pyramid("95", "s1")
    layers = {order.leg_id for order in bench.working(Purpose.ENTRY)}
    bench.tell(risk("0.5"))
    assert sold(bench).status == "closed"
    assert {order.leg_id for order in bench.working(Purpose.ENTRY)} == layers
    assert len(bench.view.pyramids) == 2
    assert [order.request.qty for order in bench.working(Purpose.TP)] == [D("0.75"), D("0.75")]
    assert bench.view.state is GroupState.PARTIALLY_FILLED


def test_a_step_books_its_fills_their_fees_and_the_entry_fees_of_what_was_sold() -> None:
    """EX-1016: realised profit, minus closing fees, minus entry fees pro-rata of the closed quantity."""
    bench = Bench(grid("0"))
    bench.fill(bench.entry("p0.l0"), fee=D("0.1"), fee_currency="USDT")
    bench.tell(risk("0.25"))
    ended = sold(bench, fee=D("0.03"), fee_currency="USDT")
    # 0.25 x 2 profit - 0.03 - a quarter of 0.1
    assert (ended.status, ended.qty, ended.booked_quote) == ("closed", D("0.25"), D("0.445"))


def test_fees_in_base_currency_are_taken_off_at_the_price_of_their_fill() -> None:
    """EX-428, EX-1016: a fee in base currency costs its worth; one in a third currency is not counted."""
    bench = Bench(grid("0"))
    bench.fill(bench.entry("p0.l0"), "0.5", fee=D("0.001"), fee_currency="BTC")
    bench.fill(bench.entry("p0.l0"), "0.5", fee=D("1"), fee_currency="BNB")
    held = bench.view.legs["p0.l0"].open_qty
    assert (held, bench.view.legs["p0.l0"].fee_quote) == (D("0.999"), D("0.1"))
    bench.tell(risk("0.333"))
    ended = sold(bench, fee=D("0.001"), fee_currency="BTC")
    # 0.333 x 2 - 0.001 x 102 - the entry fee of 0.333 sold and 0.001 spent, of 0.999
    share = D("0.1") * D("0.334") / D("0.999")
    assert abs(ended.booked_quote - (D("0.666") - D("0.102") - share)) < D("1e-15")


def test_a_short_books_like_a_long() -> None:
    """EX-616, EX-1016: the profit of a short is what it was bought back below its entry."""
    bench = filled(1, grid("0"), side=Side.SHORT)
    bench.tell(risk("0.5"))
    assert sold(bench, "98").booked_quote == 1


def test_a_step_that_is_told_again_changes_nothing_while_it_runs() -> None:
    """EX-105: the same plan names the same step; a second telling sells nothing."""
    bench = filled(1)
    bench.tell(risk("0.5"))
    assert bench.tell(risk("0.5")) == ()
    bench.ack_cancels()
    assert bench.tell(risk("0.5")) == ()
    assert answer_again(bench.view, risk("0.5")) is None


def test_a_step_that_has_ended_is_answered_again() -> None:
    """EX-105: after its end a second telling repeats the answer and nothing else."""
    bench = filled(1)
    bench.tell(risk("0.5"))
    ended = sold(bench)
    assert bench.tell(risk("0.5")) == ()
    again = answer_again(bench.view, risk("0.5"))
    assert answers([ended]) == [("/risk", again)]
    assert isinstance(again, RiskCloseEnded)
    assert bench.tell(risk("0.5", plan="r2")) != ()


def test_a_step_for_the_whole_group_ends_with_it() -> None:
    """EX-1017: a group closed in full has ended its step in the turn that releases its slot."""
    bench = filled(2)
    bench.tell(risk())
    bench.ack_cancels()
    events = bench.fill(bench.closing_order(), price="101")
    (ended,) = only(events, RiskStepEnded)
    assert (ended.status, ended.qty, ended.booked_quote) == ("closed", D(2), D(3))
    assert states(events) == ["closed"]


def test_a_step_whose_rest_could_not_be_sold_takes_the_whole_group() -> None:
    """EX-1012: a slice that would leave less than can be sold closes everything, and is answered for all of it."""
    bench = filled(1, grid("0"))
    bench.tell(risk("0.97"))
    assert bench.view.state is GroupState.CLOSING
    assert sold(bench).qty == 1


@pytest.mark.parametrize("qty", ["0.5", None])
def test_a_step_that_comes_too_late_is_superseded(qty: str | None) -> None:
    """EX-1015: a group-wide exit supersedes the step of a plan; so does a group that is closed."""
    bench = filled(1, grid("0"))
    bench.close()
    (ended,) = only(bench.tell(risk(qty)), RiskStepEnded)
    assert (ended.status, ended.code, ended.qty) == ("superseded", "GroupClosing", D(0))
    bench.ack_cancels()
    bench.fill(bench.closing_order())
    (ended,) = only(bench.tell(risk(qty, plan="r2")), RiskStepEnded)
    assert (ended.status, ended.code) == ("superseded", "GroupClosed")
    assert bench.tell(risk(qty, plan="r2")) == ()


def test_an_exit_overtakes_a_slice_that_has_not_been_sold() -> None:
    """EX-1015: an exit that comes while targets make room supersedes the step, which sells nothing."""
    bench = filled(1)
    bench.tell(risk("0.5"))
    (ended,) = only(bench.close(), RiskStepEnded)
    assert (ended.status, ended.qty) == ("superseded", D(0))


def test_an_exit_overtakes_a_slice_on_its_way() -> None:
    """EX-707, EX-1015: what was on its way when the exit came is still the step's."""
    bench = filled(1)
    bench.tell(risk("0.5"))
    bench.ack_cancels()
    order = bench.closing_order()
    assert only(bench.close(), RiskStepEnded) == []
    (ended,) = only(bench.fill(order, price="102"), RiskStepEnded)
    assert (ended.status, ended.qty, ended.booked_quote) == ("closed", D("0.5"), D(1))


def test_a_slice_too_small_to_sell_is_skipped() -> None:
    """EX-1011: below a minimum nothing is sold; the answer names the minimum."""
    bench = filled(1)
    (ended,) = only(bench.tell(risk("0.01")), RiskStepEnded)
    assert (ended.status, ended.code) == ("skipped", "BelowMinNotional")


def test_targets_that_fill_first_leave_a_step_nothing() -> None:
    """EX-705: everything was sold by targets while they made room; the step is skipped."""
    bench = filled(1)
    target = bench.target("p0.l0")
    bench.tell(risk("0.5"))
    (ended,) = only(bench.fill(target), RiskStepEnded)
    assert (ended.status, ended.code) == ("skipped", "BelowMinQty")


def test_nothing_filled_nothing_closed() -> None:
    """EX-703: a step for a group without fills cancels its layers and closes nothing."""
    bench = Bench()
    bench.tell(risk())
    events = bench.ack_cancels()
    (ended,) = only(events, RiskStepEnded)
    assert (ended.status, ended.code) == ("skipped", "NothingOpen")
    assert states(events) == ["closed"]


def test_a_refused_slice_fails_its_step_and_is_let_go() -> None:
    """EX-1027: a rejected close stops the plan; the slice is not tried again, its legs have their targets."""
    bench = filled(1)
    bench.tell(risk("0.5"))
    bench.ack_cancels()
    events = bench.update(bench.closing_order(), OrderState.REJECTED, reason="no")
    (ended,) = only(events, RiskStepEnded)
    assert (ended.status, ended.code, alerts(events)) == ("failed", "OrderRejected", ["OrderRejected"])
    assert bench.view.closes == ()
    bench.ack_cancels()
    assert [order.request.qty for order in bench.working(Purpose.TP)] == [1]


def test_a_refused_close_of_the_group_fails_its_step_and_goes_on() -> None:
    """EX-712, EX-1027: the plan stops at the first refusal, the closing group goes on trying."""
    bench = filled(1, grid("0"))
    bench.tell(risk())
    bench.ack_cancels()
    (ended,) = only(bench.update(bench.closing_order(), OrderState.REJECTED), RiskStepEnded)
    assert (ended.status, ended.code) == ("failed", "OrderRejected")
    assert bench.view.closes[0].retry_after_s == 1


def capped_out(bench: Bench) -> RiskStepEnded:
    """Let every capped order of a step end without a fill."""
    bench.ack_cancels()
    for _ in range(4):
        events = bench.update(bench.closing_order(), OrderState.CANCELLED)
        ended = only(events, RiskStepEnded)
        if ended:
            return ended[0]
        bench.tell(RetryClose(GROUP, bench.view.closes[0].number, 1))
    raise AssertionError("the step did not end")


@pytest.mark.parametrize("qty", ["0.5", None])
def test_a_step_that_slippage_holds_back_fails(qty: str | None) -> None:
    """EX-724: a capped risk close gives up after three retries: failed, ``SlippageHeld``; the group lives on."""
    bench = filled(1, grid("0", slippage_guard="capped"), tick="100")
    bench.tell(risk(qty))
    ended = capped_out(bench)
    assert (ended.status, ended.code, ended.qty) == ("failed", "SlippageHeld", D(0))
    assert bench.view.state is GroupState.ACTIVE


@pytest.mark.parametrize(("action", "exceeded"), [("warn", False), ("reject", True)])
def test_slippage_above_the_limit_is_said(action: str, exceeded: bool) -> None:
    """EX-721, EX-722, EX-1027: with ``reject`` the answer says that slippage was exceeded; the fill is booked."""
    bench = filled(1, grid("0", slippage_action=action), tick="100")
    bench.tell(risk("0.5"))
    ended = sold(bench, "98")
    assert (ended.status, ended.slippage_exceeded, ended.worst_slippage) == ("closed", exceeded, D(2))
    assert ended.booked_quote == -1


def test_nobody_is_told_of_a_step_without_an_address() -> None:
    """EX-1018: a step nobody waits for ends all the same, in the journal."""
    bench = filled(1)
    bench.tell(risk("0.5", to=""))
    assert answers([sold(bench)]) == []


def test_a_slice_in_two_orders_is_answered_once() -> None:
    """EX-712: a close order filled for less than was asked is followed by another; the answer sums both."""
    bench = filled(1)
    bench.tell(risk("0.5"))
    bench.ack_cancels()
    order = bench.closing_order()
    bench.fill(order, "0.2", "102")
    events = bench.update(order, OrderState.FILLED, "0.2")
    assert only(events, RiskStepEnded) == []
    assert wants(events) == [("close:partial", "0.3", "None")]
    assert (sold(bench).qty, bench.view.risk_steps["r1"].booked_quote) == (D("0.5"), D(1))

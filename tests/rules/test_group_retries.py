"""Closing orders that fail, slip or are capped."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import (
    CloseEnded,
    CloseStarted,
    GridConfig,
    GroupState,
    RetryClose,
    RiskClose,
)
from protocol.messages import Event
from protocol.orders import OrderState, Purpose
from protocol.values import MarketType, OrderType, Side
from rules.group import retries
from rules.group.failing import retry_delay_s
from tests.rules.group_bench import (
    GROUP,
    Bench,
    alerts,
    filled,
    grid,
    instrument,
    only,
    reduce,
    states,
    wants,
)


def test_waits_double_up_to_a_minute() -> None:
    """1, 2, 4 ... 60 seconds, without limit (EX-712)."""
    assert [retry_delay_s(n) for n in (1, 2, 3, 6, 7, 8, 1000)] == [1, 2, 4, 32, 60, 60, 60]


def test_a_rejected_close_is_retried_for_ever_and_pinned_from_the_third_failure() -> None:
    """The group stays Closing, each attempt has its own id, the third failure raises a pinned alert (EX-712)."""
    bench = filled(1, grid("0"))
    bench.close()
    bench.ack_cancels()
    ids = set()
    for failure in range(1, 5):
        order = bench.closing_order()
        ids.add(order)
        events = bench.update(order, OrderState.REJECTED, reason="no")
        (ended,) = only(events, CloseEnded)
        assert (ended.retry_after_s, ended.failures) == (retry_delay_s(failure), failure)
        assert alerts(events) == (["CloseFailing"] if failure == 3 else [])
        ((wait_s, retry),) = retries(bench.view, 5)
        assert (wait_s, bench.view.state) == (ended.retry_after_s, GroupState.CLOSING)
        assert wants(bench.tell(retry)) == [("close:group", "1", "None")]
    assert len(ids) == 4


def test_nothing_is_sent_before_the_wait_is_over() -> None:
    """Other messages do not shorten the wait; a retry of another close neither (EX-712)."""
    bench = filled(1, grid("0", "-1"))
    bench.close()
    bench.ack_cancels()
    bench.update(bench.closing_order(), OrderState.REJECTED)
    assert wants(bench.fill(bench.entry("p0.l1"), "0.3")) == []
    assert wants(bench.tell(RetryClose(GROUP, 99, 5))) == []
    assert wants(bench.tell(RetryClose(GROUP, 1, 5))) == [("close:group", "1.3", "None")]
    assert bench.tell(RetryClose(GROUP, 1, 5)) == ()


def test_a_slice_that_fails_is_retried_for_its_rest() -> None:
    """A partial close keeps its claim and its split over a retry (EX-712)."""
    bench = filled(2, grid("0", "-1", tp_mode="aggregate"))
    bench.tell(reduce("0.5"))
    bench.fill(bench.closing_order(), "0.4", "100")
    bench.update(bench.closing_order(), OrderState.CANCELLED)
    assert wants(bench.tell(RetryClose(GROUP, 1, 5))) == [("close:partial", "0.6", "None")]
    bench.fill(bench.closing_order(), price="100")
    assert ([leg.closed for leg in bench.view.legs.values()], bench.view.closes) == ([Decimal("0.5")] * 2, ())


# --- capped orders ----------------------------------------------------------------------------------------------------


def capped(reason: str, config: GridConfig | None = None) -> tuple[Bench, tuple[Event, ...]]:
    """Return a group whose close was capped four times in vain, and the last turn's events."""
    bench = filled(1, config or grid("0", slippage_guard="capped"), tick="100")
    bench.close(reason) if config is None else bench.price("101")
    bench.ack_cancels()
    events: tuple[Event, ...] = ()
    for attempt in range(4):
        order = bench.view.orders[bench.closing_order()].request
        assert order.type is OrderType.IOC
        events = bench.update(order.client_order_id, OrderState.CANCELLED)
        if attempt < 3:
            ((wait_s, retry),) = retries(bench.view, 5)
            assert wait_s == 1
            bench.tell(retry)
    return bench, events


@pytest.mark.parametrize("reason", ["exit_signal", "stop", "operator"])
def test_exits_end_in_a_plain_market_order(reason: str) -> None:
    """After three capped retries exits, stops and operator closes go at market (EX-724)."""
    bench, _ = capped(reason)
    ((_, retry),) = retries(bench.view, 5)
    bench.tell(retry)
    assert bench.view.orders[bench.closing_order()].request.type is OrderType.MARKET


def test_the_cap_is_computed_from_a_fresh_price() -> None:
    """Each attempt is capped from the price at its time: a sell at most 1 % below the bid (EX-724)."""
    bench = filled(1, grid("0", slippage_guard="capped"), tick="100")
    bench.close()
    bench.ack_cancels()
    first = bench.view.orders[bench.closing_order()].request
    bench.update(first.client_order_id, OrderState.CANCELLED)
    bench.price("90")
    bench.tell(RetryClose(GROUP, 1, 5))
    second = bench.view.orders[bench.closing_order()].request
    assert (first.price, second.price) == (99, Decimal("89.1"))


def test_targets_give_up_and_are_armed_again() -> None:
    """A target that slippage holds back gives up: Active again, warned, its target watched again (EX-724)."""
    bench, events = capped("", grid("0", "-1", tp_mode="aggregate", slippage_guard="capped"))
    assert (alerts(events), states(events)) == (["SlippageHeld"], ["active"])
    assert (bench.view.reason, bench.view.closes, bench.view.watch_high) == (None, (), 101)
    assert states(bench.price("101")) == ["closing"]


def test_a_risk_close_gives_up_and_the_legs_get_their_targets_back() -> None:
    """A held risk close re-arms the leg targets it had cancelled (EX-724)."""
    bench, events = capped("risk_close")
    assert ("tp:leg:p0.l0", "1", "101.00") in wants(events)
    assert bench.view.state is GroupState.ACTIVE


def test_a_slice_that_gives_up_frees_its_claim() -> None:
    """A held risk slice ends; the targets grow back (EX-724, EX-711)."""
    bench = filled(1, grid("0", slippage_guard="capped"), tick="100")
    bench.tell(RiskClose(group_id=GROUP, plan_id="r", qty=Decimal("0.5"), at=5))
    bench.ack_cancels()
    for attempt in range(4):
        bench.update(bench.closing_order(), OrderState.CANCELLED)
        if attempt < 3:
            bench.tell(RetryClose(GROUP, 1, 5))
    bench.ack_cancels()
    assert [order.request.qty for order in bench.working(Purpose.TP)] == [1]
    assert only(tuple(bench.journal), CloseStarted)[0].scope == "partial"


@pytest.mark.parametrize(
    ("action", "price", "codes"),
    [("warn", "99", []), ("warn", "98.9", ["SlippageWarning"]), ("reject", "98.9", ["SlippageExceeded"])],
)
def test_slippage_is_measured_after_the_fill(action: str, price: str, codes: list[str]) -> None:
    """Strictly above the limit warns, or raises a pinned error; the fill is booked all the same (EX-720..723)."""
    bench = filled(1, grid("0", slippage_action=action), tick="100")
    bench.close()
    bench.ack_cancels()
    events = bench.fill(bench.closing_order(), price=price)
    assert (alerts(events), bench.view.state) == (codes, GroupState.CLOSED)


def test_the_signals_own_limit_holds_for_its_group() -> None:
    """The smaller of the configured and the signal's limit counts for later closes too (EX-271, EX-721)."""
    bench = filled(1, grid("0"), tick="100", max_slippage_percent=Decimal("0.1"))
    bench.close()
    bench.ack_cancels()
    assert alerts(bench.fill(bench.closing_order(), price="99.8")) == ["SlippageWarning"]


def test_shorts_close_by_buying() -> None:
    """A short's close buys, and what it costs more is its loss (EX-616)."""
    bench = filled(1, grid("0"), side=Side.SHORT, market=instrument(market=MarketType.PERP))
    bench.close()
    bench.ack_cancels()
    assert bench.view.orders[bench.closing_order()].request.side == "buy"
    bench.fill(bench.closing_order(), price="103")
    assert bench.view.realized_quote == -3

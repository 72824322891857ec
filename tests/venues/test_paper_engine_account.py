"""The paper engine: latency, partial fills, fees, perpetuals, the account (EX-1107)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.orders import FillReport, OrderState
from protocol.paper import (
    PaperOrderArrived,
    PaperOrderFilled,
)
from tests.venues.paper_helpers import MINUTE, PERP, SPOT, bar, engine, free, instrument, order, place, tick
from venues.paper import PaperConfig, PaperEngine
from venues.paper.drive import applied, run_bar, run_tick

D = Decimal


def fills(events):
    return [event for event in events if isinstance(event, PaperOrderFilled)]


def test_latency_delays_the_match():
    """An order under way meets no price before its instant, then arrives as a taker at the price it finds."""
    made = engine(latency_ns=30 * 10**9)
    run_bar(made, bar("100", "100", "100", "100", at=0))
    (accepted,) = place(made, order("aaaaaa", "buy", "limit", "1", "99"), MINUTE - 1)
    assert accepted.active_at == MINUTE - 1 + 30 * 10**9
    crash = bar("100", "100.5", "95", "96", at=MINUTE)
    assert made.touches(crash)
    arrived, fill = run_bar(made, crash)
    assert isinstance(arrived, PaperOrderArrived)
    assert arrived.at == MINUTE + 40 * 10**9
    assert (fill.price, fill.maker) == (95, False)


def test_jitter_depends_on_seed_and_id_alone():
    """Two exchanges with the same seed delay the same order equally, within the configured jitter."""
    delays = set()
    for seed in (1, 1, 2):
        made = engine(latency_ns=100, jitter_ns=1000, seed=seed)
        run_tick(made, tick("99", "100"))
        (accepted,) = place(made, order("aaaaaa", "buy", "limit", "1", "99"))
        assert 100 <= accepted.active_at <= 1100
        delays.add(accepted.active_at)
    assert len(delays) == 2


def test_jitter_spreads_over_its_whole_range():
    """Delays reach into every quarter of a long jitter, not only its first seconds."""
    made = engine(jitter_ns=60 * 10**9)
    run_tick(made, tick("99", "100"))
    quarters = set()
    for number in range(40):
        (accepted,) = place(made, order(f"order{number}", "buy", "limit", "0.1", "99"))
        quarters.add(accepted.active_at // (15 * 10**9))
    assert quarters >= {0, 1, 2, 3}


def test_without_a_price_orders_wait_for_the_first():
    """A limit placed before any price is known becomes a taker at the first touch, not a maker at its limit."""
    made = engine()
    (accepted,) = place(made, order("aaaaaa", "buy", "limit", "1", "105"), 5)
    assert accepted.active_at == 6
    _, fill = run_tick(made, tick("99", "100"))
    assert (fill.price, fill.maker) == (100, False)


def test_participation_limits_fills_to_a_share_of_volume():
    """With participation 10 % each quarter of the bar's volume gives at most a tenth of itself; the rest stays open."""
    made = engine(participation=D("0.1"))
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("aaaaaa", "buy", "limit", "5", "99"))
    events = fills(run_bar(made, bar("100", "100", "98", "98.5", at=2 * MINUTE, volume="40")))
    assert [fill.qty for fill in events] == [1, 1]
    report = made.query("aaaaaa", SPOT, 0)
    assert (report.state, report.filled_qty) == (OrderState.PARTIALLY_FILLED, 2)


def test_seeded_partial_fills_add_up():
    """With shares the order trades in several fills that end exactly at its quantity."""
    made = engine(smallest_share=D("0.2"), seed=3)
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("aaaaaa", "buy", "limit", "5", "99"))
    events = []
    for minute in range(2, 40):
        events += fills(run_bar(made, bar("98", "98", "98", "98", at=minute * MINUTE)))
    assert len(events) > 1
    assert sum(fill.qty for fill in events) == 5
    assert made.query("aaaaaa", SPOT, 0).state is OrderState.FILLED


def test_base_fee_reduces_what_a_buy_brings():
    """With base fees a buy brings quantity less fee (EX-428) and locks no fee in quote."""
    made = engine(fee_in_base=True)
    run_tick(made, tick("99", "100"))
    accepted, fill = place(made, order("aaaaaa", "buy", "market", "1"))
    assert accepted.locked == 100
    assert (fill.fee, fill.fee_currency) == (D("0.002"), "BTC")
    assert free(made, "BTC") == D("0.998")


def test_rebate_is_paid_to_the_maker():
    """A negative maker fee adds to the balance."""
    made = engine(instrument(maker="-0.0001"), btc="1")
    run_tick(made, tick("99", "100"))
    place(made, order("aaaaaa", "sell", "limit", "1", "101"))
    (fill,) = run_tick(made, tick("101", "102"))
    assert fill.fee == D("-0.0101")
    assert free(made, "USDT") == D("10101.0101")


def test_stop_buy_is_cut_to_what_the_account_can_pay():
    """A stop buy that gaps above its lock buys what is affordable and cancels the rest with the reason."""
    made = engine(usdt="1003")
    run_bar(made, bar("99", "99", "99", "99"))
    place(made, order("aaaaaa", "buy", "stop", "10", stop="100"))
    _, fill, cancelled = run_bar(made, bar("110", "110", "110", "110", at=2 * MINUTE))
    assert fill.qty == D("9.099")
    assert cancelled.reason.startswith("InsufficientFunds")
    assert 0 <= free(made, "USDT") < D("0.2")


def test_cancel_unlocks_and_is_harmless_twice():
    """Cancelling gives the lock back; a second cancel and one of an unknown order change nothing."""
    made = engine()
    place(made, order("aaaaaa", "buy", "limit", "1", "100"))
    applied(made, made.cancel("aaaaaa", 3))
    assert made.query("aaaaaa", SPOT, 4).state is OrderState.CANCELLED
    assert free(made, "USDT") == 10000
    assert made.cancel("aaaaaa", 5) == ()
    assert made.cancel("zzzzzz", 5) == ()


def test_perpetual_goes_short_and_realizes():
    """A perpetual can be sold short; margin is notional over leverage; closing books the profit less fees."""
    made = engine(leverage=D(10))
    run_tick(made, tick("100", "100.01", symbol=PERP))
    place(made, order("aaaaaa", "sell", "market", "10", symbol=PERP))
    assert made.positions()[0].qty == -10
    assert free(made, "USDT") == 10000 - 2 - 100
    run_tick(made, tick("89.99", "90", symbol=PERP))
    place(made, order("bbbbbb", "buy", "limit", "10", "90", symbol=PERP, reduce_only=True))
    assert made.positions() == ()
    assert free(made, "USDT") == 10000 - 2 + 100 - D("1.8")


def test_perpetual_reversal_splits_into_close_and_open():
    """Selling more than the long position closes it at profit and opens the rest short at the new price."""
    made = engine()
    run_tick(made, tick("100", "100", symbol=PERP))
    place(made, order("aaaaaa", "buy", "market", "1", symbol=PERP))
    run_tick(made, tick("110", "110", symbol=PERP))
    place(made, order("bbbbbb", "sell", "market", "3", symbol=PERP))
    assert made.positions()[0].qty == -2
    assert free(made, "USDT") == 10000 - D("0.2") + 10 - D("0.66") - 220


def test_reduce_only_never_opens():
    """A reduce-only order trades at most the position and its rest is cancelled."""
    made = engine()
    run_tick(made, tick("100", "100", symbol=PERP))
    place(made, order("aaaaaa", "buy", "market", "1", symbol=PERP))
    place(made, order("bbbbbb", "sell", "limit", "3", "105", symbol=PERP, reduce_only=True))
    fill, cancelled = run_tick(made, tick("105", "105", symbol=PERP))
    assert fill.qty == 1
    assert cancelled.reason.startswith("ReduceOnly")
    assert made.query("bbbbbb", PERP, 1).code == "ReduceOnly"
    assert made.positions() == ()


def test_reports_follow_events():
    """After a fill the account hears the fill, then the order's new state."""
    made = engine()
    run_tick(made, tick("99", "100"))
    _, fill = place(made, order("aaaaaa", "buy", "market", "1"))
    told = made.reports(fill)
    assert isinstance(told[0], FillReport)
    assert told[1].state is OrderState.FILLED
    assert made.fills_since(0) == (told[0],)
    assert made.fills_since(1) == ()


def test_an_instrument_may_leave_the_configuration():
    """Events of a symbol that is no longer configured still rebuild balances and answers."""
    made = engine()
    run_tick(made, tick("99", "100"))
    events = place(made, order("aaaaaa", "buy", "market", "1"))
    events += place(made, order("bbbbbb", "buy", "limit", "1", "90"))
    rebuilt = PaperEngine(PaperConfig(), ())
    for event in [*engine(opened=False).open_account(0), *events]:
        rebuilt.apply(event)
    assert rebuilt.state.memory == made.state.memory
    assert rebuilt.query("bbbbbb", SPOT, 0).state is OrderState.OPEN
    applied(rebuilt, rebuilt.cancel("bbbbbb", 1))
    assert free(rebuilt, "USDT") == free(made, "USDT") + D("90") * D("1.002")


def test_the_account_opens_once():
    """Opening an open account does nothing."""
    assert engine().open_account(5) == ()


@pytest.mark.parametrize(
    "settings", [{"smallest_share": D(2)}, {"latency_ns": -1}, {"half_spread_bps": D(10000)}, {"leverage": D(0)}]
)
def test_absurd_settings_are_refused(settings):
    """Settings outside their range raise a ValueError that names the field."""
    with pytest.raises(ValueError, match=next(iter(settings))):
        PaperConfig(**settings)

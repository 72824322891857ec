"""The paper exchange: refusals, fills, money and answers, one rule a test (EX-1107)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.orders import OrderState
from protocol.paper import (
    PaperOrderAccepted,
    PaperOrderCancelled,
    PaperOrderFilled,
    PaperOrderRejected,
    PaperOrderTriggered,
)
from tests.venues.paper_helpers import MINUTE, PERP, SPOT, bar, engine, free, instrument, order, place, tick
from venues.paper import OhlcPath
from venues.paper.drive import applied, run_bar, run_tick

D = Decimal


def fills(events):
    return [event for event in events if isinstance(event, PaperOrderFilled)]


@pytest.mark.parametrize(
    "request_, code",
    [
        (order("aaaaaa", "buy", "limit", "1", "100", symbol="XYZ/USDT"), "UnknownSymbol"),
        (order("aaaaaa", "buy", "limit", "1", "100.001"), "TickSize"),
        (order("aaaaaa", "sell", "stop", "1", stop="99.999"), "TickSize"),
        (order("aaaaaa", "buy", "limit", "1.0005", "100"), "StepSize"),
        (order("aaaaaa", "buy", "limit", "0.001", "100"), "MinNotional"),
        (order("aaaaaa", "buy", "limit", "100", "100"), "InsufficientFunds"),
        (order("aaaaaa", "buy", "market", "100"), "InsufficientFunds"),
        (order("aaaaaa", "sell", "limit", "1", "100"), "InsufficientFunds"),
        (order("aaaaaa", "buy", "limit", "1", "100", reduce_only=True), "ReduceOnly"),
        (order("aaaaaa", "sell", "limit", "1", "100", symbol=PERP, reduce_only=True), "ReduceOnly"),
        (order("aaaaaa", "sell", "limit", "101", "100", symbol=PERP), "InsufficientFunds"),
        (order("aaaaaa", "buy", "stop", "1", "101", stop="100"), "Unsupported"),
    ],
)
def test_refusals(request_, code):
    """The paper exchange refuses what a real venue refuses, names the broken rule, and locks nothing."""
    made = engine()
    run_bar(made, bar("100", "100", "100", "100"))
    run_bar(made, bar("100", "100", "100", "100", symbol=PERP))
    (event,) = place(made, request_)
    assert isinstance(event, PaperOrderRejected)
    assert event.code == code
    report = made.query("aaaaaa", request_.symbol, 1)
    assert (report.state, report.absent_proven) == (OrderState.REJECTED, False)
    assert report.reason.startswith(code)
    assert (report.code == "ReduceOnly") == (code == "ReduceOnly")
    assert free(made, "USDT") == 10000


def test_min_qty():
    """A quantity below the minimum is refused as such."""
    made = engine(instrument(min_notional="0", min_qty="0.005"))
    (event,) = place(made, order("aaaaaa", "buy", "limit", "0.004", "100"))
    assert event.code == "MinQty"


def test_market_order_without_a_price_is_refused():
    """Before the first price nothing can be bought at market."""
    (event,) = place(engine(), order("aaaaaa", "buy", "market", "1"))
    assert event.code == "NoMarketPrice"


def test_a_known_client_id_never_makes_a_second_order():
    """A second place with a known id yields nothing and the known order is the answer (EX-422)."""
    made = engine()
    first = order("aaaaaa", "buy", "limit", "1", "100")
    place(made, first)
    assert made.place(first, 5) == ()
    assert made.answer(first, 5).state is OrderState.OPEN
    other = order("aaaaaa", "buy", "limit", "2", "100")
    assert made.place(other, 5) == ()
    answer = made.answer(other, 5)
    assert answer.state is OrderState.OPEN
    assert answer.reason.startswith("DuplicateClientId")
    assert len(made.open_orders(5)) == 1


def test_a_refused_client_id_stays_refused():
    """An id that was refused once is answered with the same refusal, even when money has come since."""
    made = engine(usdt="50")
    request = order("aaaaaa", "buy", "limit", "1", "100")
    place(made, request)
    assert made.place(request, 9) == ()
    assert made.answer(request, 9).reason.startswith("InsufficientFunds")


def test_unknown_id_is_proven_absent():
    """The exchange forgets nothing, so an id that it does not know was never accepted."""
    report = engine().query("zzzzzz", SPOT, 7)
    assert (report.state, report.absent_proven, report.at) == (OrderState.REJECTED, True, 7)


def test_limit_rests_locks_and_fills_at_its_price_as_maker():
    """A resting buy locks cost and fee, fills at its limit inside a bar, pays the maker fee, and unlocks the rest."""
    made = engine()
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("aaaaaa", "buy", "limit", "2", "99"))
    assert free(made, "USDT") == D("10000") - D("198") * D("1.002")
    (fill,) = run_bar(made, bar("100", "101", "98", "100.5", at=2 * MINUTE))
    assert (fill.qty, fill.price, fill.fee, fill.fee_currency, fill.maker) == (2, 99, D("0.198"), "USDT", True)
    assert fill.at == 2 * MINUTE + 20 * 10**9
    assert free(made, "USDT") == D("10000") - D("198") - D("0.198")
    assert free(made, "BTC") == 2


def test_gap_fills_at_the_open():
    """A bar that opens beyond a resting limit fills it at the open, not at the limit."""
    made = engine()
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("aaaaaa", "buy", "limit", "1", "99"))
    (fill,) = run_bar(made, bar("95", "96", "94", "95", at=2 * MINUTE))
    assert (fill.price, fill.at) == (95, 2 * MINUTE)


def test_fills_are_on_a_tick_even_when_the_data_is_not():
    """A gap to a price between ticks fills a buy at the next tick up, a sell at the next down, within the limits."""
    made = engine(btc="1")
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("aaaaaa", "buy", "limit", "1", "99"))
    (buy,) = run_bar(made, bar("95.0000000001", "95.0000000001", "95.0000000001", "95.0000000001", at=2 * MINUTE))
    assert buy.price == D("95.01")
    place(made, order("bbbbbb", "sell", "limit", "1", "99"))
    (sell,) = run_bar(made, bar("120.009", "120.009", "120.009", "120.009", at=3 * MINUTE))
    assert sell.price == 120


def test_marketable_limit_is_a_taker_at_the_touch():
    """A limit that could trade on arrival pays the ask and the taker fee."""
    made = engine()
    run_tick(made, tick("99.5", "100"))
    _, fill = place(made, order("aaaaaa", "buy", "limit", "1", "105"))
    assert (fill.price, fill.fee, fill.maker) == (100, D("0.2"), False)


def test_resting_limit_against_quotes():
    """A quote fills a resting buy when its ask reaches the limit, at the limit; the bid alone does not."""
    made = engine()
    run_tick(made, tick("99.5", "100"))
    place(made, order("aaaaaa", "buy", "limit", "1", "99"))
    assert run_tick(made, tick("98.9", "99.1")) == []
    (fill,) = run_tick(made, tick("98", "98.5"))
    assert (fill.price, fill.maker) == (99, True)


def test_ioc_cancels_what_does_not_trade():
    """An immediate-or-cancel order beyond the touch fills, one below it is cancelled at once and unlocks all."""
    made = engine()
    run_tick(made, tick("99.5", "100"))
    accepted, cancelled = place(made, order("aaaaaa", "buy", "ioc", "1", "99"))
    assert isinstance(accepted, PaperOrderAccepted)
    assert isinstance(cancelled, PaperOrderCancelled)
    assert free(made, "USDT") == 10000
    _, fill = place(made, order("bbbbbb", "buy", "ioc", "1", "100"))
    assert fill.price == 100


def test_market_order_pays_spread_and_slippage_on_bars():
    """Spread and slippage move a market order's price against it, each on to a tick."""
    made = engine(half_spread_bps=D(5), slippage_bps=D(10), btc="5")
    run_bar(made, bar("100", "100", "100", "100"))
    _, buy = place(made, order("aaaaaa", "buy", "market", "1"))
    _, sell = place(made, order("bbbbbb", "sell", "market", "1"))
    assert (buy.price, sell.price) == (D("100.16"), D("99.85"))


def test_stop_triggers_inside_the_bar_and_pays_slippage():
    """A sell stop becomes a market order when the price reaches it and sells below it by the slippage."""
    made = engine(btc="1", slippage_bps=D(10))
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("aaaaaa", "sell", "stop", "1", stop="98"))
    triggered, fill = run_bar(made, bar("100", "101", "97", "99", at=2 * MINUTE))
    assert isinstance(triggered, PaperOrderTriggered)
    assert (fill.price, fill.maker) == (D("97.90"), False)


def test_stop_gapped_over_fills_at_the_open():
    """A stop that the open jumped over is filled at the open, not at its stop price."""
    made = engine(btc="1")
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("aaaaaa", "sell", "stop", "1", stop="98"))
    _, fill = run_bar(made, bar("90", "91", "89", "90", at=2 * MINUTE))
    assert fill.price == 90


def test_stop_already_passed_triggers_on_arrival():
    """A stop whose price has traded already protects at once instead of waiting for a second touch."""
    made = engine(btc="1")
    run_tick(made, tick("97", "97.1"))
    _, triggered, fill = place(made, order("aaaaaa", "sell", "stop", "1", stop="98"))
    assert isinstance(triggered, PaperOrderTriggered)
    assert fill.price == 97


def test_orders_meet_the_price_in_its_order():
    """On the way down the higher buy fills first, on the way up the lower sell; a rising bar goes down first."""
    made = engine(btc="2")
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("buylow", "buy", "limit", "1", "98"))
    place(made, order("buyhigh", "buy", "limit", "1", "99"))
    place(made, order("sellhigh", "sell", "limit", "1", "102"))
    place(made, order("selllow", "sell", "limit", "1", "101"))
    rising = fills(run_bar(made, bar("100", "103", "97", "100", at=2 * MINUTE)))
    assert [fill.client_order_id for fill in rising] == ["buyhigh", "buylow", "selllow", "sellhigh"]


def test_jumps_and_quotes_serve_the_better_price_first():
    """Orders that a gap or a quote reaches together fill best price first, then oldest first."""
    for move in (bar("95", "95", "95", "95", at=2 * MINUTE), tick("94", "95", at=2 * MINUTE)):
        made = engine()
        run_bar(made, bar("100", "100", "100", "100"))
        for client_id, price in (("second", "98"), ("thirdone", "98"), ("firstone", "99"), ("lastone", "97")):
            place(made, order(client_id, "buy", "limit", "1", price))
        events = run_tick(made, move) if hasattr(move, "bid") else fills(run_bar(made, move))
        assert [fill.client_order_id for fill in events] == ["firstone", "second", "thirdone", "lastone"]


def test_market_order_waits_for_liquidity():
    """A market order that found too little volume goes on in the next bar, even one that reaches no resting order."""
    made = engine(participation=D("0.1"))
    run_bar(made, bar("100", "100", "100", "100", volume="40"))
    _, first = place(made, order("aaaaaa", "buy", "market", "3"))
    assert first.qty == 1
    events = fills(run_bar(made, bar("100", "100", "100", "100", at=2 * MINUTE, volume="60")))
    assert [fill.qty for fill in events] == [D("1.5"), D("0.5")]


def test_rounded_fees_never_overdraw_the_lock():
    """Partial fills whose fees round up leave free at zero or above when the account held exactly the lock."""
    request = order("aaaaaa", "buy", "limit", "1", "99.99")
    for number in range(1, 40):
        fees = instrument(maker=f"0.0000000000{number:02}7", taker=f"0.0000000000{number:02}7")
        probe = engine(fees)
        (accepted,) = place(probe, request)
        made = engine(fees, usdt=str(accepted.locked), smallest_share=D("0.1"), seed=number)
        run_bar(made, bar("100", "100", "100", "100"))
        place(made, request)
        assert free(made, "USDT") == 0
        for minute in range(2, 60):
            run_bar(made, bar("100", "100", "99", "99.99", at=minute * MINUTE))
            assert free(made, "USDT") >= 0
        assert made.query("aaaaaa", SPOT, 0).state is OrderState.FILLED


@pytest.mark.parametrize("close, first", [("100", "buyone"), ("100.01", "buyone"), ("99.99", "sellone")])
def test_path_rule(close, first):
    """Open -> low -> high -> close when close >= open, else open -> high -> low -> close."""
    made = engine(btc="1")
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("buyone", "buy", "limit", "1", "98"))
    place(made, order("sellone", "sell", "limit", "1", "102"))
    events = fills(run_bar(made, bar("100", "103", "97", close, at=2 * MINUTE)))
    assert events[0].client_order_id == first
    assert [point.at for point in made.path(bar("1", "1", "1", "1", at=0))] == [0, 20 * 10**9, 40 * 10**9, MINUTE - 1]
    assert [point.at for point in made.path(bar("1", "1", "1", "1", at=0), 2)][::3] == [2, MINUTE - 3]


def test_pessimistic_path():
    """A stop's extreme comes first; without a stop the extreme that a fresh entry could profit from does."""
    made = engine(btc="1", ohlc_path=OhlcPath.PESSIMISTIC)
    run_bar(made, bar("100", "100", "100", "100"))
    rising = bar("100", "103", "97", "101", at=2 * MINUTE)
    place(made, order("buyone", "buy", "limit", "1", "98"))
    assert made.path(rising)[1].price_to == 103
    place(made, order("stopone", "sell", "stop", "1", stop="97.5"))
    assert made.path(rising)[1].price_to == 97


def test_reaction_between_path_points():
    """A take profit placed after the entry filled at the low fills at the high of the same bar."""
    made = engine()
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("entry1", "buy", "limit", "1", "98"))
    filled = []
    moving = bar("100", "104", "97", "102", at=2 * MINUTE)
    for point in made.path(moving):
        events = applied(made, made.on_point(SPOT, point.price_from, point.price_to, point.at, point.volume))
        filled += fills(events)
        if events and len(filled) == 1:
            place(made, order("target", "sell", "limit", "1", "103"), point.at)
    assert [fill.client_order_id for fill in filled] == ["entry1", "target"]


def test_untouched_bar_only_moves_the_price():
    """A bar that reaches no order answers no to touches, makes no events, and its close is the new price."""
    made = engine()
    run_bar(made, bar("100", "100", "100", "100"))
    place(made, order("aaaaaa", "buy", "limit", "1", "90"))
    quiet = bar("100", "105", "90.01", "104", at=2 * MINUTE)
    assert not made.touches(quiet)
    made.on_bar_untouched(quiet)
    assert made.newest(SPOT).last == 104
    assert made.touches(bar("100", "101", "90", "100", at=3 * MINUTE))
    made.on_bar_untouched(bar("1", "1", "1", "1", symbol="XYZ"))
    assert not made.touches(bar("1", "1", "1", "1", symbol="XYZ"))

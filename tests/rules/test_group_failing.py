"""Closes that keep failing: when operators are told, how long is waited, and what is let go of."""

from __future__ import annotations

from decimal import Decimal

from protocol.groups import (
    CloseEnded,
    DustRecorded,
    FreezeGroup,
    GroupAlert,
    GroupClosed,
    GroupState,
    RetryClose,
)
from protocol.messages import Event
from protocol.orders import OrderState
from protocol.values import MarketType
from rules.group import replay, retries, summary
from rules.group.failing import MARKET_HALTED, NOTHING_TO_REDUCE, retry_delay_s
from tests.rules.group_bench import GROUP, Bench, alerts, filled, grid, instrument, only

FREEZE = FreezeGroup(group_id=GROUP, reason="the venue has nothing", at=1)
GONE = "ReduceOnly: there is no position that this order would reduce"


def closing(reason: str = "exit_signal", market: MarketType = MarketType.SPOT) -> Bench:
    """Return a group of one filled layer whose market close is at work."""
    bench = filled(1, grid("0"), market=instrument(market=market))
    bench.close(reason)
    bench.ack_cancels()
    return bench


def fails(bench: Bench, reason: str = "no", code: str = "") -> tuple[Event, ...]:
    """Have the close's order be refused, then its wait be over; return what the refusal led to."""
    events = bench.update(bench.closing_order(), OrderState.REJECTED, reason=reason, code=code)
    bench.tell(RetryClose(GROUP, 1, bench.now))
    return events


def test_an_alert_comes_at_growing_distances() -> None:
    """EX-712: a week end of failures is told at the third, the 10th, the 100th and the 1000th, not 1,428 times."""
    bench = closing()
    told = [number for number in range(1, 1_429) if alerts(fails(bench))]
    assert told == [3, 10, 100, 1_000]
    assert replay(bench.journal) == bench.view


def test_an_alert_says_that_the_attempts_go_on() -> None:
    """EX-712: pinned, with the number of failures, the venue's reason and the next attempt."""
    bench = closing()
    fails(bench)
    fails(bench)
    (alert,) = only(fails(bench, "the venue's reason"), GroupAlert)
    assert (alert.code, alert.pinned) == ("CloseFailing", True)
    assert all(part in alert.text for part in ("3 attempts", "the venue's reason", "next in 4 s"))


def test_a_new_reason_is_told_once() -> None:
    """EX-712: what was not told before is news; the same in other figures, or told earlier, is none."""
    bench = closing()
    reasons = ["halted", "halted", "halted", "halted", "margin 10.5 short", "margin 7.25 short", "halted", "banned"]
    told = [reason for reason in reasons if alerts(fails(bench, reason))]
    assert told == ["halted", "margin 10.5 short", "banned"]


def test_a_venue_with_ever_new_words_is_not_told_each_time() -> None:
    """EX-712: after eight reasons only the growing distances count."""
    bench = closing()
    told = [number for number in range(1, 100) if alerts(fails(bench, "x" * number))]
    assert told == list(range(3, 11))


def test_it_is_told_that_it_works_again() -> None:
    """EX-712: one line when a close that was told to fail works; none for one that was not."""
    bench = closing()
    for _ in range(5):
        fails(bench)
    events = bench.fill(bench.closing_order(), price="100")
    (alert,) = only(events, GroupAlert)
    assert (alert.code, alert.pinned) == ("CloseWorks", False)
    assert "5 failed attempts" in alert.text
    assert bench.view.state is GroupState.CLOSED
    quiet = closing()
    fails(quiet)
    assert alerts(quiet.fill(quiet.closing_order(), price="100")) == []


def test_a_halted_market_is_asked_less_often() -> None:
    """EX-712: the waits double up to a minute, in a halted market up to five: it may be halted for a week end."""
    waits = [retry_delay_s(failure, MARKET_HALTED) for failure in (1, 2, 6, 7, 8, 9, 10, 1_000)]
    assert waits == [1, 2, 32, 64, 128, 256, 300, 300]
    bench = closing()
    for _ in range(20):
        events = fails(bench, "MarketHalted: closed", MARKET_HALTED)
    assert [event.retry_after_s for event in only(events, CloseEnded)] == [300]
    (ended,) = only(fails(bench), CloseEnded)
    assert ended.retry_after_s == 60


# --- nothing to reduce --------------------------------------------------------------------------------------------------


def test_a_group_says_that_the_venue_has_nothing_to_reduce() -> None:
    """EX-1204: the comparison of positions looks at both sides of a perpetual when a venue refuses so."""
    bench = closing(market=MarketType.PERP)
    assert not summary(bench.view, 1).nothing_to_reduce
    fails(bench, GONE, NOTHING_TO_REDUCE)
    assert summary(bench.view, 1).nothing_to_reduce
    fails(bench, "busy", "OrderRejected")
    assert not summary(bench.view, 1).nothing_to_reduce


def test_it_is_tried_again_until_the_comparison_says_so_and_then_left_to_an_operator() -> None:
    """EX-1204: one refusal proves nothing; a frozen group sends nothing more and raises one pinned alert, no more."""
    bench = closing(market=MarketType.PERP)
    for _ in range(5):
        assert not only(fails(bench, GONE, NOTHING_TO_REDUCE), DustRecorded)
    assert alerts(bench.tell(FREEZE)) == ["PositionMismatch"]
    events = bench.update(bench.closing_order(), OrderState.REJECTED, reason=GONE, code=NOTHING_TO_REDUCE)
    assert alerts(events) == []
    assert retries(bench.view, bench.now) == ()
    assert bench.tell(RetryClose(GROUP, 1, bench.now)) == ()
    assert (bench.view.state, bench.view.open_qty) == (GroupState.CLOSING, Decimal(1))


def test_an_operator_ends_what_the_venue_no_longer_has() -> None:
    """EX-1204: told to close a frozen group whose close has nothing to reduce, it is written off and gives its slot back."""
    bench = closing(market=MarketType.PERP)
    for _ in range(3):
        fails(bench, GONE, NOTHING_TO_REDUCE)
    bench.tell(FREEZE)
    bench.update(bench.closing_order(), OrderState.REJECTED, reason=GONE, code=NOTHING_TO_REDUCE)
    bench.close("operator")
    bench.tell(RetryClose(GROUP, 1, bench.now))
    events = bench.update(bench.closing_order(), OrderState.REJECTED, reason=GONE, code=NOTHING_TO_REDUCE)
    (dust,), (closed,) = only(events, DustRecorded), only(events, GroupClosed)
    assert (dust.qty, closed.realized_quote, closed.releases_slot) == (Decimal(1), Decimal(0), True)
    (alert,) = only(events, GroupAlert)
    assert (alert.code, alert.pinned) == ("PositionGone", True)
    assert bench.view.state is GroupState.CLOSED
    assert replay(bench.journal) == bench.view


def test_another_refusal_writes_nothing_off() -> None:
    """EX-1204: a frozen group that an operator closes is tried again for as long as the venue may have the position."""
    bench = closing("operator", MarketType.PERP)
    bench.tell(FREEZE)
    for reason, code in (("busy", "OrderRejected"), ("halted", MARKET_HALTED)):
        assert not only(fails(bench, reason, code), DustRecorded)
    assert (bench.view.state, bench.view.open_qty) == (GroupState.CLOSING, Decimal(1))

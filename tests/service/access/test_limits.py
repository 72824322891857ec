"""What is counted of strangers is bounded, and fair in time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.access.lockout import FAILURES, LOCKED_NS, Lockout, neighbourhood
from service.access.rates import Rates

SECOND = 10**9


@given(gaps=st.lists(st.integers(0, 400), min_size=1, max_size=40))
def test_only_five_within_fifteen_minutes_lock(gaps: list[int]) -> None:
    """A key is locked exactly when its fifth failure came less than 15 minutes after the first of the five (EX-1507)."""
    lockout, now, since = Lockout(), 0, list[int]()
    for gap in gaps:
        now += gap * SECOND
        since.append(now)
        five = since[-FAILURES:]
        expected = len(five) == FAILURES and five[-1] - five[0] < LOCKED_NS
        assert (lockout.failed(("name ada",), now) == ["name ada"]) is expected
        if expected:
            since.clear()
            assert lockout.until(("name ada", "address x"), now) == now + LOCKED_NS
            assert lockout.until(("name ada",), now + LOCKED_NS) == 0


def test_a_success_forgets_the_failures_of_a_name() -> None:
    """Whoever mistyped four times and then got in begins anew."""
    lockout = Lockout()
    for _ in range(FAILURES - 1):
        lockout.failed(("name ada",), 1)
    lockout.succeeded("name ada")
    assert lockout.failed(("name ada",), 2) == []


def test_a_crowd_of_strangers_is_not_remembered_for_ever() -> None:
    """Keys beyond ten thousand push out those that failed longest ago: memory does not grow with who comes."""
    lockout, rates = Lockout(), Rates()
    for number in range(10_050):
        lockout.failed((f"address {number}",), number)
        rates.wait_s(f"address {number}", 10, number)
    assert len(lockout._failures) == 10_000
    assert len(rates._buckets) == 10_000


@given(per_minute=st.integers(10, 1_000), pause_s=st.integers(0, 120))
def test_a_bucket_fills_evenly(per_minute: int, pause_s: int) -> None:
    """A minute's worth at once, then as much as time has brought since; whoever waits as told gets in."""
    rates, now = Rates(), 0
    assert all(rates.wait_s("a", per_minute, now) == 0 for _ in range(per_minute))
    wait_s = rates.wait_s("a", per_minute, now)
    assert 0 < wait_s <= 60 / per_minute
    assert rates.wait_s("a", per_minute, now + int(wait_s * SECOND) + 1) == 0
    assert rates.wait_s("b", per_minute, now) == 0, "another caller has another bucket"
    later = now + int(wait_s * SECOND) + 1 + pause_s * SECOND
    brought = sum(rates.wait_s("a", per_minute, later) == 0 for _ in range(2 * per_minute))
    assert abs(brought - min(per_minute, pause_s * per_minute / 60)) <= 1


def test_an_address_of_version_six_is_counted_with_its_line() -> None:
    """Whoever has a line has 2^64 addresses: they are one guesser. One of version 4 is itself, however it is written."""
    assert neighbourhood("2001:db8:1:2::1") == neighbourhood("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert neighbourhood("2001:db8:1:3::1") != neighbourhood("2001:db8:1:2::1")
    assert neighbourhood("::ffff:192.0.2.7") == neighbourhood("192.0.2.7") == "192.0.2.7"
    assert neighbourhood("unknown") == "unknown"

"""Duplicates (EX-240 to EX-242)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.signals import SignalKind
from rules.signals import DuplicateMemory, DuplicateWindows, Sighting, Target, Verdict, dedupe, fingerprint

NS = 10**9
T0 = 1_772_366_400 * NS
KEY = "u1|binance|BTC/USDT|15m|long"


def sighting(received_s: float = 0, **changes: Any) -> Sighting:
    """Return an entry fired and received so many seconds after noon."""
    at = T0 + int(received_s * NS)
    given: dict[str, Any] = {
        "key": KEY,
        "kind": SignalKind.ENTRY,
        "trade_id": "Long",
        "fired_at": at,
        "received_at": at,
        "entry_price": Decimal(65000),
    }
    return Sighting(**given | changes)


def verdicts(*arrivals: Sighting | tuple[Sighting, Target], **settings: Any) -> list[Verdict]:
    """Return the verdict of each arrival, in order."""
    pairs = [each if isinstance(each, tuple) else (each, Target.LIVE) for each in arrivals]
    return [verdict for verdict, _ in dedupe(pairs, **settings)]


A, D, R = Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.REPLACEMENT


def test_the_fingerprint_of_the_specification() -> None:
    """EX-240: SHA-256 over the canonical parts with the timestamp to the millisecond."""
    expected = "474c351d8ebefd906fa5a68fc99a0f96ecb0f1251b136736817f31f587030f25"
    assert fingerprint(sighting(trade_id="12345")) == expected


@pytest.mark.parametrize(
    "change",
    [{"key": KEY.replace("long", "short")}, {"kind": SignalKind.EXIT}, {"trade_id": "x"}, {"fired_at": T0 + 1_000_000}],
)
def test_each_part_makes_another_fingerprint(change: dict[str, Any]) -> None:
    """EX-240: signals that differ in identity, kind, trade id or millisecond are not exact duplicates."""
    assert fingerprint(sighting(**change)) != fingerprint(sighting())


def test_an_exact_duplicate_is_ignored_until_its_window_ends() -> None:
    """EX-240: the window counts from the first sighting, includes its end, and a duplicate does not extend it."""
    later = {"fired_at": T0, "entry_price": None}
    resent = [sighting(at, **later) for at in (0, 40_000, 86_400, 86_400.001, 86_410)]
    assert verdicts(*resent) == [A, D, D, A, D]


def test_an_exact_duplicate_is_never_a_replacement() -> None:
    """EX-240: a retransmission of a queued entry is ignored, it confirms nothing."""
    assert verdicts(sighting(), (sighting(1, fired_at=T0), Target.QUEUED)) == [A, D]


def test_the_near_window_slides() -> None:
    """EX-241: each near duplicate starts the window anew; its end is included."""
    assert verdicts(*(sighting(at) for at in (0, 5, 10, 15.001))) == [A, D, D, A]


def test_an_exact_duplicate_does_not_slide_the_near_window() -> None:
    """EX-240: of an exact duplicate nothing remains, so it keeps no near window open."""
    assert verdicts(sighting(0), sighting(4, fired_at=T0), sighting(6)) == [A, D, A]


@pytest.mark.parametrize(
    ("target", "enabled", "expected"),
    [
        (Target.NONE, True, D),
        (Target.LIVE, True, D),
        (Target.QUEUED, True, R),
        (Target.QUEUED, False, D),
    ],
)
def test_a_near_duplicate_replaces_only_a_queued_entry(target: Target, enabled: bool, expected: Verdict) -> None:
    """EX-241: ignored when live or unknown; a replacement when queued and replacement is on."""
    assert verdicts(sighting(0), (sighting(2), target), replacement_enabled=enabled) == [A, expected]


@pytest.mark.parametrize(
    "change",
    [
        {"key": KEY.replace("long", "short")},
        {"key": KEY.replace("15m", "1h")},
        {"trade_id": "Long2"},
        {"entry_price": Decimal("65000.1")},
        {"entry_price": None},
        {"kind": SignalKind.EXIT},
        {"kind": SignalKind.REDUCE},
    ],
)
def test_what_is_no_near_duplicate(change: dict[str, Any]) -> None:
    """EX-241: another identity, trade id or price, no price, or no entry: accepted."""
    assert verdicts(sighting(0), sighting(2, **change)) == [A, A]


def test_prices_compare_numerically() -> None:
    """EX-241: 65000, 65000.00 and 6.5e4 are one price."""
    prices = (Decimal(65000), Decimal("65000.00"), Decimal("6.5e4"))
    assert verdicts(*(sighting(at, entry_price=price) for at, price in enumerate(prices))) == [A, D, D]


def test_a_reversal_counts_as_an_entry() -> None:
    """EX-241: two alerts that both reverse would open the new side twice."""
    assert verdicts(sighting(0, kind=SignalKind.REVERSE), sighting(2, kind=SignalKind.REVERSE)) == [A, D]


def test_the_near_rule_can_be_off() -> None:
    """EX-241: a near window of 0 switches the rule off, even for the same instant."""
    arrivals = (sighting(0), sighting(0, fired_at=T0 + 1_000_000))
    assert verdicts(*arrivals, windows=DuplicateWindows(near_s=0)) == [A, A]
    assert verdicts(*arrivals) == [A, D]


def test_a_clock_set_back_does_not_turn_pyramids_into_duplicates() -> None:
    """EX-241: near means near in either direction; an hour back is not near."""
    assert verdicts(sighting(3600), sighting(0), sighting(-3)) == [A, A, D]


def test_a_restart_does_not_forget() -> None:
    """EX-242: a memory that was encoded and decoded judges as before."""
    memory = DuplicateMemory()
    memory.record(sighting(0))
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(memory), type=DuplicateMemory)
    assert again == memory
    assert again.judge(sighting(1, fired_at=T0)) is D
    assert again.judge(sighting(2)) is D
    assert again.judge(sighting(6)) is A


def test_judging_changes_nothing() -> None:
    """EX-240: a signal that is judged but not recorded leaves no trace."""
    memory = DuplicateMemory()
    assert [memory.judge(sighting(0)) for _ in range(2)] == [A, A]
    assert memory == DuplicateMemory()


def test_pruning_forgets_exactly_what_is_too_old() -> None:
    """EX-242: what is still inside its window stays, the rest goes and is counted."""
    memory = DuplicateMemory()
    for at in (0, 1, 2):
        memory.record(sighting(at, trade_id=str(at)))
    assert memory.prune(T0 + 6 * NS) == 1
    assert (len(memory.first_seen), len(memory.last_seen)) == (3, 2)
    assert memory.prune(T0 + 86_401 * NS) == 3
    assert (len(memory.first_seen), len(memory.last_seen)) == (2, 0)
    assert memory.prune(T0 + 10**6 * NS) == 2
    assert memory == DuplicateMemory()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 4000), st.integers(0, 30), st.sampled_from(["a", "b"]), st.sampled_from([1, 2])),
        max_size=30,
    )
)
def test_pruning_never_changes_a_verdict(steps: list[tuple[int, int, str, int]]) -> None:
    """EX-242: with a clock that does not go back, a memory pruned before every signal judges like one never pruned."""
    windows = DuplicateWindows(exact_s=3, near_s=1)
    pruned, full = DuplicateMemory(), DuplicateMemory()
    at = 0
    for step_ms, fired_ms, trade_id, price in steps:
        at += step_ms
        seen = sighting(at / 1000, trade_id=trade_id, entry_price=Decimal(price), fired_at=T0 + fired_ms * 1_000_000)
        pruned.prune(seen.received_at, windows)
        assert pruned.judge(seen, windows=windows) is full.judge(seen, windows=windows)
        pruned.record(seen, windows)
        full.record(seen, windows)

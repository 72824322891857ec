"""Clocks: real, replayed at a speed, virtual."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import NANOS, ReplayClock, VirtualClock, WallClock


class Monotonic:
    """A monotonic clock that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000
        monkeypatch.setattr("runtime.clock.time.monotonic_ns", lambda: self.now)


def test_the_wall_clock_tells_nanoseconds_since_1970() -> None:
    """The wall clock is the system's clock; what has passed takes no time."""
    before = time.time_ns()
    clock = WallClock()
    assert before <= clock.now() <= time.time_ns()
    assert clock.real_seconds_until(clock.now() - 1) == 0
    assert 59 < clock.real_seconds_until(clock.now() + 60 * NANOS) <= 60


@pytest.mark.parametrize(("speed", "real_s", "history_s"), [(1, 10, 10), (60, 10, 600), (0.5, 10, 5)])
def test_history_runs_at_its_speed(
    monkeypatch: pytest.MonkeyPatch, speed: float, real_s: int, history_s: float
) -> None:
    """A replay clock starts at its instant and runs ``speed`` seconds a second; waits shrink by the same factor."""
    monotonic = Monotonic(monkeypatch)
    start = 1_700_000_000 * NANOS
    clock = ReplayClock(start, speed)
    assert clock.now() == start
    assert clock.real_seconds_until(start + round(history_s * NANOS)) == pytest.approx(real_s)
    monotonic.now += real_s * NANOS
    assert clock.now() == start + round(history_s * NANOS)
    assert clock.real_seconds_until(start) == 0


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_is_positive(speed: float) -> None:
    """History never stands still or runs backwards."""
    with pytest.raises(ValueError, match="speed"):
        ReplayClock(0, speed)


@given(st.lists(st.integers(-(10**18), 10**18), max_size=20))
def test_virtual_time_never_runs_backwards(instants: list[int]) -> None:
    """Advancing to an earlier instant changes nothing."""
    clock = VirtualClock(5)
    for instant in instants:
        before = clock.now()
        clock.advance_to(instant)
        assert clock.now() == max(before, instant)


def test_holds_nest() -> None:
    """The clock is held until the last of several holds ends, also when a block raises."""
    clock = VirtualClock()
    with clock.hold():
        with pytest.raises(KeyError), clock.hold():
            raise KeyError
        assert clock.held
    assert not clock.held

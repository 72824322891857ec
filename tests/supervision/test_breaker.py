"""The dependency breaker: closed, open, half-open."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import NANOS
from supervision.backoff import Backoff
from supervision.breaker import CLOSED, Breaker, BreakerPhase, BreakerPolicy, admit, failed, succeeded

PLAIN = Backoff(first_s=1.0, factor=2.0, limit_s=60.0, jitter=0.0)
THREE = BreakerPolicy(failures=3, ratio=None, window_s=10.0, probes=1, successes=2, probe_s=5.0, backoff=PLAIN)


def breaker(policy: BreakerPolicy = THREE, draws: Iterable[float] = repeat(0.0)) -> Breaker:
    """Return a breaker."""
    numbers = iter(draws)
    return Breaker("venue", policy, lambda: next(numbers))


def at(seconds: float) -> int:
    """Return an instant."""
    return round(seconds * NANOS)


def opened(seconds: float = 0) -> Breaker:
    """Return a breaker that opened at an instant."""
    made = breaker()
    for _ in range(3):
        assert made.allow(at(seconds))
        made.failure(at(seconds))
    assert made.state.phase is BreakerPhase.OPEN
    return made


def test_opens_after_failures_in_its_window() -> None:
    """It opens at the n-th failure within the window, and refuses from then on."""
    made = breaker()
    assert not made.failure(at(0))
    assert not made.failure(at(5))
    assert made.allow(at(10))
    assert made.failure(at(10))
    assert not made.allow(at(10))
    assert made.stats().refused == 1


def test_old_failures_and_successes_in_between_do_not_open() -> None:
    """Failures that left the window do not count; successes do not wash failures away within it."""
    made = breaker()
    made.failure(at(0))
    made.failure(at(1))
    made.failure(at(11.5))
    assert made.state.phase is BreakerPhase.CLOSED
    made.success(at(12))
    made.failure(at(12))
    assert made.state.phase is BreakerPhase.CLOSED
    made.failure(at(13))
    assert made.state.phase is BreakerPhase.OPEN


def test_opens_at_a_failure_ratio_once_enough_is_known() -> None:
    """With a ratio it opens when that share of enough recent calls failed, and not before enough are known."""
    made = breaker(BreakerPolicy(failures=None, ratio=0.5, ratio_calls=10, window_s=10.0, backoff=PLAIN))
    for _ in range(4):
        made.failure(at(0))
    for _ in range(5):
        made.success(at(1))
    assert made.state.phase is BreakerPhase.CLOSED
    assert made.failure(at(1))
    assert made.state.phase is BreakerPhase.OPEN


def test_half_opens_after_its_delay_and_closes_after_successes() -> None:
    """After the delay one call at a time may probe; k successes close it, and everything is forgotten."""
    made = opened()
    assert not made.allow(at(0.99))
    assert made.allow(at(1.0))
    assert made.state.phase is BreakerPhase.HALF_OPEN
    assert not made.allow(at(1.1))
    assert not made.success(at(1.2))
    assert made.allow(at(1.3))
    assert made.success(at(1.4))
    assert made.state.phase is BreakerPhase.CLOSED
    assert made.state.trips == 0
    assert made.allow(at(1.5))
    assert made.stats().recent_failures == 0


def test_failed_probe_opens_it_for_longer() -> None:
    """Each opening in a row doubles the delay; a close starts over."""
    made = opened()
    made.allow(at(1))
    assert made.failure(at(1))
    assert made.stats().retry_at == at(3)
    made.allow(at(3))
    made.failure(at(3))
    assert made.stats().retry_at == at(7)
    assert made.stats().trips == 3
    for seconds in (7, 8):
        assert made.allow(at(seconds))
        made.success(at(seconds))
    for _ in range(3):
        made.failure(at(9))
    assert made.stats().retry_at == at(10)


def test_probes_are_limited() -> None:
    """Half-open it lets out as many calls at a time as the policy says."""
    made = breaker(BreakerPolicy(failures=1, ratio=None, probes=3, successes=4, backoff=PLAIN))
    made.failure(at(0))
    assert [made.allow(at(2)) for _ in range(5)] == [True, True, True, False, False]
    made.success(at(2))
    assert [made.allow(at(2)) for _ in range(2)] == [True, False]


def test_probe_without_an_outcome_has_failed() -> None:
    """A probe that never returns does not leave the breaker half-open for ever: unknown is not a yes."""
    made = opened()
    assert made.allow(at(1))
    assert not made.allow(at(5.9))
    assert made.state.phase is BreakerPhase.HALF_OPEN
    assert not made.allow(at(6))
    assert made.state.phase is BreakerPhase.OPEN
    assert made.allow(at(8))


def test_late_outcomes_change_nothing() -> None:
    """Outcomes of calls made before it opened neither close it nor open it for longer."""
    made = opened()
    state = made.state
    assert not made.success(at(0.5))
    assert not made.failure(at(0.6))
    assert made.state == state


def test_jitter_is_drawn() -> None:
    """The delay takes its jitter from the draws it was given."""
    policy = BreakerPolicy(failures=1, ratio=None, backoff=Backoff(first_s=10.0, limit_s=10.0, jitter=0.5))
    made = breaker(policy, [0.5])
    made.failure(at(0))
    assert made.stats().retry_at == at(7.5)


def test_outcomes_kept_are_bounded() -> None:
    """It remembers no more outcomes than its policy says, however many calls there are."""
    made = breaker(BreakerPolicy(failures=5, ratio=None, samples=20, window_s=1_000.0))
    for second in range(100):
        made.success(at(second))
    assert made.stats().recent_calls == 20


@pytest.mark.parametrize(
    "values",
    [
        {"failures": None, "ratio": None},
        {"failures": 0},
        {"failures": -1},
        {"ratio": 0.0},
        {"ratio": 1.1},
        {"probes": 0},
        {"successes": 0},
        {"window_s": 0.0},
        {"probe_s": 0.0},
        {"samples": 4},
    ],
)
def test_impossible_policy_is_refused(values: dict[str, float | None]) -> None:
    """A policy that never opens, never closes or counts below one is refused."""
    with pytest.raises(ValueError):
        BreakerPolicy(**values)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from(["call", "ok", "bad"]), st.floats(0, 20), st.floats(0, 0.99)), max_size=80))
def test_any_history(steps: list[tuple[str, float, float]]) -> None:
    """Never does a call pass while it is open before its time; half-open no more are out than allowed; no dead end."""
    state = CLOSED
    now = 0
    for what, gap_s, draw in steps:
        now += at(gap_s)
        before = state
        if what == "call":
            state, allowed = admit(THREE, state, now, draw)
            if before.phase is BreakerPhase.OPEN:
                assert allowed == (now >= before.retry_at)
            if before.phase is BreakerPhase.CLOSED:
                assert allowed
        elif what == "ok":
            state = succeeded(THREE, state, now)
        else:
            state = failed(THREE, state, now, draw)
        assert state.probes_out <= THREE.probes
        assert sum(1 for _, ok in state.outcomes if not ok) < 3
        assert (state.phase is BreakerPhase.CLOSED) == (state.trips == 0)
    for _ in range(10):  # whatever happened, a healthy dependency is called again before long
        now += at(61)
        state, allowed = admit(THREE, state, now, 0.0)
        state = succeeded(THREE, state, now) if allowed else state
    assert state.phase is BreakerPhase.CLOSED

"""The pure parts: budget, backoff, verdict, which children a failure takes along."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import NANOS
from runtime.lifecycle import Exit, ExitKind
from supervision.backoff import Backoff
from supervision.budget import Intensity, spend
from supervision.child import ChildSpec, Verdict, verdict
from supervision.errors import SupervisorExhausted
from supervision.slots import Slot, affected
from supervision.supervisor import Supervisor

EXHAUSTED = Exit(ExitKind.CRASH, SupervisorExhausted("/a", "/a/b", None))


@given(
    st.lists(st.integers(0, 100), max_size=60).map(sorted),
    st.integers(0, 6),
    st.integers(1, 30),
)
def test_never_more_than_the_intensity_in_any_window(instants: list[int], restarts: int, window_s: int) -> None:
    """Whatever the instants of failure, no window holds more restarts than allowed, and none is refused needlessly."""
    allowed: list[int] = []
    history: tuple[int, ...] = ()
    for instant in instants:
        now = instant * NANOS
        spent = spend(history, now, Intensity(restarts, window_s))
        in_window = [at for at in allowed if at >= now - window_s * NANOS]
        assert (spent is not None) == (len(in_window) < restarts)
        if spent is not None:
            history = spent
            allowed.append(now)
        assert len(history) <= restarts


def test_restart_exactly_one_window_old_counts() -> None:
    """The window is closed at its old end, as in OTP."""
    one = Intensity(1, 10)
    assert spend((0,), 10 * NANOS, one) is None
    assert spend((0,), 10 * NANOS + 1, one) == (10 * NANOS + 1,)


@pytest.mark.parametrize("values", [(-1, 10.0), (1, 0.0), (1, -1.0), (1, float("nan"))])
def test_impossible_intensity_is_refused(values: tuple[int, float]) -> None:
    """An intensity has restarts of 0 or more and a window above 0."""
    with pytest.raises(ValueError, match="an intensity needs"):
        Intensity(*values)


def test_backoff_doubles_up_to_its_limit() -> None:
    """Without jitter the delays are first, first x factor, ... and stay at the limit."""
    backoff = Backoff(first_s=0.5, factor=2, limit_s=5, jitter=0)
    assert [backoff.delay_s(failures, 0.7) for failures in range(6)] == [0.5, 1, 2, 4, 5, 5]


@given(
    st.floats(0, 100),
    st.floats(1, 10),
    st.floats(0, 1_000),
    st.floats(0, 1),
    st.integers(0, 10_000),
    st.floats(0, 1, exclude_max=True),
)
def test_backoff_stays_in_its_bounds(
    first_s: float, factor: float, more_s: float, jitter: float, failures: int, draw: float
) -> None:
    """A delay is never above its limit nor below what the jitter may take off it, and does not shrink with failures."""
    backoff = Backoff(first_s, factor, first_s + more_s, jitter)
    delay = backoff.delay_s(failures, draw)
    assert first_s * (1 - jitter) <= delay <= backoff.limit_s
    assert backoff.delay_s(failures + 1, draw) >= delay


@pytest.mark.parametrize(
    "values",
    [
        {"first_s": -1},
        {"first_s": 31},
        {"factor": 0.5},
        {"jitter": 1.5},
        {"jitter": -0.1},
        {"forget_s": -1},
        {"factor": float("nan")},
    ],
)
def test_impossible_backoff_is_refused(values: dict[str, float]) -> None:
    """A backoff that would wait a negative time, shrink, or overshoot its limit is refused."""
    with pytest.raises(ValueError, match="a backoff needs"):
        Backoff(**values)


@pytest.mark.parametrize("kind", ExitKind)
def test_verdict_is_otps_table(kind: ExitKind) -> None:
    """Permanent children are always restarted, transient ones after an abnormal exit, temporary ones never."""
    exit_ = Exit(kind)
    assert verdict("permanent", exit_) is Verdict.RESTART
    assert verdict("transient", exit_) is (Verdict.RESTART if exit_.abnormal else Verdict.KEEP)
    assert verdict("temporary", exit_) is Verdict.REMOVE


def test_exhaustion_is_never_dropped() -> None:
    """A supervisor that ran out of its budget is restarted or escalated, whatever its restart type."""
    assert [verdict(each, EXHAUSTED) for each in ("permanent", "transient", "temporary")] == [
        Verdict.RESTART,
        Verdict.RESTART,
        Verdict.ESCALATE,
    ]


@given(st.integers(1, 8), st.data())
def test_affected_children(count: int, data: st.DataObject) -> None:
    """one_for_one takes nobody along, one_for_all everybody, rest_for_one exactly the suffix; in start order."""
    slots = [Slot(ChildSpec(f"c{index}", Supervisor), static=True) for index in range(count)]
    index = data.draw(st.integers(0, count - 1))
    assert affected("one_for_one", slots, slots[index]) == [slots[index]]
    assert affected("one_for_all", slots, slots[index]) == slots
    assert affected("rest_for_one", slots, slots[index]) == slots[index:]

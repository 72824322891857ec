"""What the gateway remembers of the requests it had, and what it lets go of."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from actors import gateway_memory
from actors.gateway_memory import GatewayState, fold
from protocol.signals import SignalReceived
from rules.signals import DuplicateWindows
from runtime.clock import NANOS
from tests.actors.groups import signal
from tests.examples import example

HOUR = 3_600 * NANOS
WINDOWS = DuplicateWindows(exact_s=60)


def received(number: int, at: int) -> SignalReceived:
    """Return an alert without a time of its own, accepted at an instant."""
    heard = signal(f"s{number}", fired_at=at, received_at=at)
    event: SignalReceived = replace(
        example(SignalReceived),
        signal_id=f"s{number}",
        signal=heard,
        received_at=at,
        outcome="accepted",
        fingerprint=f"mark {number}",
        undated=True,
    )
    return event


def test_what_is_past_its_window_is_forgotten_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fingerprints go with their window and undated texts after an hour: memory follows the rate, not the uptime."""
    monkeypatch.setattr(gateway_memory, "_PRUNE_EVERY", 4)
    state = GatewayState()
    for number in range(3):
        fold(state, received(number, number), WINDOWS)
    assert (len(state.undated), len(state.first_ids)) == (3, 3)
    fold(state, received(3, 2 * HOUR), WINDOWS)
    assert [ident for _, ident in state.undated.values()] == ["s3"]
    assert len(state.memory.first_seen) <= 1
    assert set(state.first_ids) <= set(state.memory.first_seen)
    assert state.received == 4


def test_what_was_a_duplicate_then_is_none_the_less_one_under_another_window() -> None:
    """EX-242: a window that was set anew since changes nothing about what is rebuilt (found by the simulator, seed 26)."""
    first = received(1, HOUR)
    again = replace(first, signal_id="s2", outcome="duplicate_ignored", received_at=HOUR + 69 * NANOS)
    later = replace(first, signal_id="s3", received_at=2 * HOUR)
    states = []
    for window_s in (60, 86_400):
        state = GatewayState()
        for event in (first, again, later):
            heard = replace(first.signal, received_at=event.received_at)  # type: ignore[type-var]
            fold(state, replace(event, signal=heard), DuplicateWindows(exact_s=window_s))
        states.append(list(state.memory.first_seen.values()))
    assert states == [[2 * HOUR], [2 * HOUR]]

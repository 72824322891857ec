"""How the phone is told of time: round trips, signals, events ahead and blackouts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from actors.session_figures import CallFigures
from rules.quantiles import nearest_rank
from rules.windows import Window, inside
from runtime.clock import NANOS
from service.config.market import Account

__all__ = ["NO_CALENDAR", "NO_MODEL", "maintenance", "round_trips", "signal_to_order"]

NO_CALENDAR: Final = (
    "No economic calendar is connected: nothing is known of high-impact events in the next 24 h, "
    "and entries are not held back around them."
)
NO_MODEL: Final = "model: none, no entry is decided by one"


def round_trips(calls: CallFigures) -> str:
    """Say how long an account's newest calls to its venue took."""
    if calls.last_ms is None:
        return "venue: no call yet"
    failed = f", {calls.failed} failed" if calls.failed else ""
    return (
        f"venue: last {_ms(calls.last_ms)}, p50 {_ms(calls.median_ms)}, p95 {_ms(calls.p95_ms)} "
        f"({calls.calls} calls{failed})"
    )


def signal_to_order(took: Sequence[float]) -> str:
    """Say how long signals took to become orders."""
    if not took:
        return "signal to order: no entry yet"
    return (
        f"signal to order: p50 {_ms(nearest_rank(took, 50))}, p95 {_ms(nearest_rank(took, 95))} ({len(took)} entries)"
    )


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 10_000:
        return f"{value / 1_000:.0f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def maintenance(account: Account, now: int) -> str:
    """Say when entries wait for an account's venue to be back; empty when no such span is set."""
    if not account.maintenance:
        return ""
    until = inside([Window.of(each) for each in account.maintenance], now)
    state = f"entries wait until {_clock(until)}" if until is not None else "none now"
    return f"{account.name}: maintenance {', '.join(account.maintenance)} UTC; {state}"


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at / NANOS, UTC):%a %H:%M} UTC"

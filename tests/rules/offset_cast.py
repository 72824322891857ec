"""Groups for the tests of the loss offset, and the readers of its golden vectors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from protocol.groups import GroupState
from protocol.offset import OffsetPlan
from protocol.values import Side
from rules.offset import Candidate, OffsetSettings, OnShortfall, TimerStart

D = Decimal
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60 * 10**9
NOW = 1_772_366_400 * 10**9
"""2026-03-01T12:00:00Z, the noon of the vectors."""


def candidate(group_id: str, qty: Any = 10, entry: Any = 100, mark: Any = 92, **more: Any) -> Candidate:
    """Return a ripe group: by default 10 at 100, mark 92, all pyramids in, timer over."""
    fields: dict[str, Any] = {
        "side": Side.LONG,
        "state": GroupState.ACTIVE,
        "quote_usd": D(1),
        "step": D("0.001"),
        "min_qty": D("0.001"),
        "min_notional": D(5),
        "first_fill_at": NOW - 2 * 86_400 * 10**9,
        "received": 5,
        "expires_at": NOW - 60 * MINUTE,
        **more,
    }
    return Candidate(group_id=group_id, open_qty=D(qty), avg_entry=D(entry), mark=D(mark), **fields)


def loser(**more: Any) -> Candidate:
    """Return the loser of the worked plans: 16 at 100, mark 92.5, so 120 USD."""
    return candidate("L", 16, 100, "92.5", **more)


def winner_a(**more: Any) -> Candidate:
    """Return A of the worked plans: 40 at 50, mark 52, so +80 USD."""
    return candidate("A", 40, 50, 52, **more)


def winner_b(**more: Any) -> Candidate:
    """Return B of the worked plans: 50 short at 20, mark 19, so +50 USD."""
    return candidate("B", 50, 20, 19, side=Side.SHORT, **more)


def winner_c(**more: Any) -> Candidate:
    """Return C of the worked plans: 100 at 10, mark 10.1, so +10 USD."""
    return candidate("C", 100, 10, "10.1", **more)


# --- golden vectors ----------------------------------------------------------------------------------------------------


def instant(text: str | None) -> int | None:
    """Return the instant a vector writes as ISO 8601, with or without a fraction of a second."""
    return None if text is None else (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1) * 1000


def iso(at: int | None) -> str | None:
    """Return an instant as the vectors write it."""
    if at is None:
        return None
    written = (EPOCH + timedelta(microseconds=at // 1000)).isoformat(
        timespec="milliseconds" if at % 10**9 else "seconds"
    )
    return written.replace("+00:00", "Z")


def of_vector(group: dict[str, Any]) -> Candidate:
    """Return a vector's group."""

    def number(name: str) -> Any:
        return None if group.get(name) is None else D(group[name])

    return Candidate(
        group_id=group["id"],
        side=Side(group["side"]),
        state=GroupState(group.get("state", "active")),
        avg_entry=number("avg_entry"),
        mark=number("mark"),
        open_qty=D(group["open_qty"]),
        quote_usd=number("quote_usd"),
        step=D(group["step_size"]),
        min_qty=D(group["min_qty"]),
        min_notional=D(group["min_notional"]),
        first_fill_at=instant(group.get("opened_at")),
        received=group.get("pyramids_received", 1),
        expires_at=instant(group.get("risk_timer_expires")),
        blocked=group.get("blocked", False),
        skip_once=group.get("skip_once", False),
    )


def settings_of(config: dict[str, Any]) -> OffsetSettings:
    """Return the settings a vector gives; those of no plan (slippage, say) are left out."""
    kinds: dict[str, Any] = {
        "loss_threshold_percent": D,
        "min_close_notional": D,
        "timer_start_condition": lambda name: TimerStart(
            {"after_5_pyramids": "after_pyramids_received"}.get(name, name)
        ),
        "on_insufficient_winners": OnShortfall,
    }
    given = {name.removeprefix("risk_engine."): it for name, it in config.items()}
    known = OffsetSettings.__struct_fields__
    return OffsetSettings(**{name: kinds.get(name, lambda it: it)(it) for name, it in given.items() if name in known})


def as_vector(plan: OffsetPlan | None) -> dict[str, Any] | None:
    """Return a plan as the vectors write it: without a net result when nothing is closed."""
    if plan is None:
        return None
    found: dict[str, Any] = {
        "loser": plan.loser,
        "required_usd": plan.required_usd,
        "winners": [
            {
                "id": each.group_id,
                "qty": each.qty,
                "full": each.full,
                "profit_usd": each.profit_usd,
                "notional_usd": each.notional_usd,
            }
            for each in plan.winners
        ],
        "skipped": [{"id": each.group_id, "reason": each.reason} for each in plan.skipped],
        "covered_usd": plan.covered_usd,
        "loser_close_qty": plan.loser_close_qty,
        "loser_full": plan.loser_full,
        "status": plan.status.value,
        "reason": plan.reason,
    }
    return {**found, "net_usd": plan.net_usd} if plan.executable else found

"""Why a losing group may not be offset yet (EX-1003, EX-1004)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from rules.offset.figures import LIVE_STATES, Candidate, loss_percent
from rules.offset.settings import OffsetSettings
from rules.offset.timer import age_ok, timer_expired

__all__ = ["PATIENCE", "failures", "pyramids_ok", "ripe"]

PATIENCE: Final = ("pyramids_incomplete", "timer_not_started", "timer_running", "loss_too_small", "too_young")
"""Reasons of conditions 3 to 6: what a group still waits for."""


def failures(group: Candidate, now: int, settings: OffsetSettings, percent: Decimal | None = None) -> tuple[str, ...]:
    """Return every reason against an offset of this group, in the order of the table; empty when it is eligible.

    ``percent`` spares computing the group's unrealized percent again.
    """
    if percent is None:
        percent = loss_percent(group)
    found: list[str] = []
    if group.state not in LIVE_STATES:
        found.append("not_live")
    if group.blocked:
        found.append("blocked")
    if not pyramids_ok(group, settings):
        found.append("pyramids_incomplete")
    if not timer_expired(group.expires_at, now):
        found.append("timer_not_started" if group.expires_at is None else "timer_running")
    if percent is None or percent > settings.loss_threshold_percent:
        found.append("loss_too_small")
    if not age_ok(group.first_fill_at, now, settings):
        found.append("too_young")
    if group.skip_once and not found:
        found.append("skip_once")
    return tuple(found)


def pyramids_ok(group: Candidate, settings: OffsetSettings) -> bool:
    """Tell whether as many pyramids as required were received, or none are."""
    return not settings.require_full_pyramids or group.received >= settings.required_pyramids_for_timer


def ripe(group: Candidate, now: int, settings: OffsetSettings) -> bool:
    """Tell whether only its price, or an operator's word, stands between a group and its offset."""
    return (
        group.state in LIVE_STATES
        and pyramids_ok(group, settings)
        and timer_expired(group.expires_at, now)
        and age_ok(group.first_fill_at, now, settings)
    )

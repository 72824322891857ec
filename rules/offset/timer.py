"""The waiting time between a complete structure and its first offset (EX-1005..1007)."""

from __future__ import annotations

from typing import Final

from rules.offset.settings import OffsetSettings, TimerStart

__all__ = ["age_ok", "age_passes_at", "remaining_s", "start_holds", "timer_after", "timer_expired"]

_MINUTE: Final = 60 * 10**9
_SECOND: Final = 10**9


def start_holds(received: int, *, all_sent: bool, all_filled: bool, settings: OffsetSettings) -> bool:
    """Tell whether the start condition holds (EX-1006)."""
    if settings.require_full_pyramids and received < settings.required_pyramids_for_timer:
        return False
    match settings.timer_start_condition:
        case TimerStart.AFTER_PYRAMIDS_RECEIVED:
            return True
        case TimerStart.AFTER_ALL_DCA_SUBMITTED:
            return all_sent
    return all_filled


def timer_after(
    expires_at: int | None, *, holds: bool, now: int, settings: OffsetSettings, replaced: bool = False
) -> int | None:
    """Return when the timer expires after something happened to its group at ``now``; None when it does not run.

    ``replaced``: a queued continuation of the group was replaced, which restarts a running timer when the settings say so.
    """
    if not holds:
        return None
    restarts = replaced and settings.reset_timer_on_replacement and not timer_expired(expires_at, now)
    if expires_at is None or restarts:
        minutes = settings.post_pyramids_wait_minutes if settings.enable_post_full_wait else 0
        return now + minutes * _MINUTE
    return expires_at


def timer_expired(expires_at: int | None, now: int) -> bool:
    """Tell whether a timer is over: strictly after its expiry (EX-1005)."""
    return expires_at is not None and now > expires_at


def remaining_s(expires_at: int | None, now: int) -> int | None:
    """Return the whole seconds a timer still runs, rounded up; None when it was not started."""
    return None if expires_at is None else max(0, -((now - expires_at) // _SECOND))


def age_ok(first_fill_at: int | None, now: int, settings: OffsetSettings) -> bool:
    """Tell whether the age filter lets a group pass (EX-1003, row 6); equality passes."""
    if not settings.use_trade_age_filter:
        return True
    return first_fill_at is not None and now >= age_passes_at(first_fill_at, settings)


def age_passes_at(first_fill_at: int, settings: OffsetSettings) -> int:
    """Return the first instant at which the age filter lets a group pass."""
    return first_fill_at + settings.age_threshold_minutes * _MINUTE

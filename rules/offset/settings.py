"""The settings of the loss offset (EX-1302, ``risk_engine.*``)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from protocol.messages import Value

__all__ = ["OffsetSettings", "OnShortfall", "TimerStart"]


class TimerStart(StrEnum):
    """What starts a group's waiting time (EX-1006)."""

    AFTER_PYRAMIDS_RECEIVED = "after_pyramids_received"
    AFTER_ALL_DCA_SUBMITTED = "after_all_dca_submitted"
    AFTER_ALL_DCA_FILLED = "after_all_dca_filled"


class OnShortfall(StrEnum):
    """What happens when profits do not cover the loss (EX-1013)."""

    PARTIAL_LOSER = "partial_loser"
    WAIT = "wait"


class OffsetSettings(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """All that decides an offset. Percentages are percent points, ``min_close_notional`` is USD.

    ``reject_slippage`` is ``slippage_action`` = reject: a step that slipped too far stops its plan (EX-1027).
    """

    enabled: bool = True
    loss_threshold_percent: Decimal = Decimal(-5)
    require_full_pyramids: bool = True
    required_pyramids_for_timer: int = 5
    enable_post_full_wait: bool = True
    post_pyramids_wait_minutes: int = 15
    timer_start_condition: TimerStart = TimerStart.AFTER_ALL_DCA_FILLED
    reset_timer_on_replacement: bool = False
    use_trade_age_filter: bool = False
    age_threshold_minutes: int = 200
    max_winners_to_combine: int = 3
    partial_close_enabled: bool = True
    on_insufficient_winners: OnShortfall = OnShortfall.PARTIAL_LOSER
    min_close_notional: Decimal = Decimal(20)
    evaluate_on_fill: bool = True
    evaluate_interval_sec: int = 10
    max_plans_per_cycle: int = 5
    reject_slippage: bool = False

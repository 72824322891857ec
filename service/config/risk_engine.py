"""The section of loss offsetting: losers closed out of winners' profit (EX-1001 to EX-1036)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from service.config.keys import Key, Section

__all__ = ["InsufficientWinners", "OffsetMode", "RiskEngine", "SlippageAction", "SlippageGuard", "TimerStart"]


class TimerStart(StrEnum):
    """What starts the waiting time of a group."""

    AFTER_PYRAMIDS_RECEIVED = "after_pyramids_received"
    AFTER_ALL_DCA_SUBMITTED = "after_all_dca_submitted"
    AFTER_ALL_DCA_FILLED = "after_all_dca_filled"


class OffsetMode(StrEnum):
    """Unit in which a loss is offset."""

    USD = "usd"


class InsufficientWinners(StrEnum):
    """What happens when profits do not cover a loss."""

    PARTIAL_LOSER = "partial_loser"
    WAIT = "wait"


class SlippageAction(StrEnum):
    """What more slippage than allowed does."""

    WARN = "warn"
    REJECT = "reject"


class SlippageGuard(StrEnum):
    """Whether slippage is only measured, or orders are capped at the tolerance."""

    POST = "post"
    CAPPED = "capped"


class RiskEngine(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Loss offsetting: which losers are closed, when, and out of whose profit."""

    enabled: Annotated[bool, Key(doc="Offset losses.", applies="now")] = True
    loss_threshold_percent: Annotated[
        Decimal,
        Key(doc="Loss at which a group becomes eligible.", unit="%", applies="now", above=-100, below=0),
    ] = Decimal(-5)
    require_full_pyramids: Annotated[
        bool, Key(doc="Only groups that received all required pyramids are eligible.", applies="now")
    ] = True
    required_pyramids_for_timer: Annotated[
        int,
        Key(
            doc="Entries received, the first one included; at most max_pyramids_per_group.",
            unit="pyramids",
            applies="now",
            at_least=1,
        ),
    ] = 5
    enable_post_full_wait: Annotated[bool, Key(doc="Wait before a group becomes eligible.", applies="now")] = True
    post_pyramids_wait_minutes: Annotated[
        int, Key(doc="Length of the wait.", unit="min", applies="now", at_least=0, at_most=10_080)
    ] = 15
    timer_start_condition: Annotated[TimerStart, Key(doc="What starts the wait.", applies="now")] = (
        TimerStart.AFTER_ALL_DCA_FILLED
    )
    reset_timer_on_replacement: Annotated[bool, Key(doc="A replacement signal restarts the wait.", applies="now")] = (
        False
    )
    use_trade_age_filter: Annotated[bool, Key(doc="Only groups of a minimum age are eligible.", applies="now")] = False
    age_threshold_minutes: Annotated[
        int, Key(doc="That minimum age.", unit="min", applies="now", at_least=0, at_most=525_600)
    ] = 200
    offset_mode: Annotated[OffsetMode, Key(doc="Unit of the offset.", applies="now")] = OffsetMode.USD
    max_winners_to_combine: Annotated[
        int, Key(doc="Winners per plan.", unit="groups", applies="now", at_least=1, at_most=10)
    ] = 3
    partial_close_enabled: Annotated[bool, Key(doc="Winners and losers may be closed in part.", applies="now")] = True
    on_insufficient_winners: Annotated[
        InsufficientWinners, Key(doc="What happens when profits do not cover the loss.", applies="now")
    ] = InsufficientWinners.PARTIAL_LOSER
    min_close_notional: Annotated[Decimal, Key(doc="Smallest close.", unit="USD", applies="now", at_least=0)] = Decimal(
        20
    )
    evaluate_on_fill: Annotated[bool, Key(doc="Look after each fill as well.", applies="now")] = True
    evaluate_interval_sec: Annotated[
        int, Key(doc="Time between two looks.", unit="s", applies="now", at_least=1, at_most=3600)
    ] = 10
    max_plans_per_cycle: Annotated[
        int, Key(doc="Plans of one look.", unit="plans", applies="now", at_least=1, at_most=50)
    ] = 5
    max_slippage_percent: Annotated[
        Decimal, Key(doc="Tolerance of market orders.", unit="%", applies="now", at_least=0, at_most=50)
    ] = Decimal(1)
    slippage_action: Annotated[SlippageAction, Key(doc="What an excess does.", applies="now")] = SlippageAction.WARN
    slippage_guard: Annotated[
        SlippageGuard,
        Key(doc="Measure slippage only, or send capped orders.", applies="now"),
    ] = SlippageGuard.POST

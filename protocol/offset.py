"""The loss offset: closing losers out of winners' profit (EX-1001..1027).

One engine an account hears ``GroupChanged``, keeps timers and flags, decides in *cycles* and has groups closed step by
step (``RiskClose``, ``RiskCloseEnded`` in ``protocol.groups``). Percentages are percent points, amounts USD, quantities
base units.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from protocol.messages import Event, Message, Request, Value
from protocol.values import Instant, Name, Side, Text

__all__ = [
    "BlockGroup",
    "LoserRow",
    "OffsetDecided",
    "OffsetEnded",
    "OffsetPlan",
    "OffsetRepeated",
    "OffsetStarted",
    "OffsetStatus",
    "OffsetStepAsked",
    "OffsetStepEnded",
    "PlanStatus",
    "PlannedWinner",
    "RiskCommandDone",
    "RiskFlag",
    "RiskFlagCleared",
    "RiskFlagSet",
    "RiskPicture",
    "RiskStatus",
    "RiskTimerCleared",
    "RiskTimerStarted",
    "RiskView",
    "RunNow",
    "SkipOnce",
    "SkippedWinner",
    "TellStanding",
    "UnblockGroup",
]


# --- values ------------------------------------------------------------------------------------------------------------


class PlanStatus(StrEnum):
    """Whether a plan closes its loser in full, in part, or nothing at all (EX-1013)."""

    FULL = "full"
    PARTIAL = "partial"
    NOT_EXECUTABLE = "not_executable"


class OffsetStatus(StrEnum):
    """What the engine is about, as an operator reads it (EX-1024)."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    IDLE = "idle"


class RiskFlag(StrEnum):
    """What an operator has set on a group: exempt for good, or from the first cycle that would act on it."""

    BLOCKED = "blocked"
    SKIP_ONCE = "skip_once"


class PlannedWinner(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What of a winner is closed: quantity, whether that is all of it, its profit and its worth in USD."""

    group_id: Name
    qty: Decimal
    full: bool
    profit_usd: Decimal
    notional_usd: Decimal


class SkippedWinner(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A winner that cannot be closed, and why (``below_min_close``)."""

    group_id: Name
    reason: Name


class OffsetPlan(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Which winners pay for which loser (EX-1010..1014).

    ``required_usd`` is the loser's loss, ``covered_usd`` the winners' profit, ``net_usd`` what is left of it after the
    part of the loser that is closed. ``reason`` says why a plan is not executable; such a plan has no winners and closes
    nothing.
    """

    loser: Name
    required_usd: Decimal
    winners: tuple[PlannedWinner, ...]
    skipped: tuple[SkippedWinner, ...]
    covered_usd: Decimal
    loser_close_qty: Decimal | None
    loser_full: bool
    status: PlanStatus
    reason: str | None
    net_usd: Decimal | None

    @property
    def executable(self) -> bool:
        """Whether anything is closed."""
        return self.status is not PlanStatus.NOT_EXECUTABLE


# --- what an operator asks ---------------------------------------------------------------------------------------------


class RiskCommandDone(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """What became of an operator's command; ``code`` is empty when it was done, else ``message`` says what to do.

    ``skipped`` lists the conditions that a run for one group passes over, ``plan`` what it would do or has begun
    (``plan_id``, empty when nothing was begun).
    """

    group_id: str
    code: str = ""
    message: Text = ""
    skipped: tuple[str, ...] = ()
    plan: OffsetPlan | None = None
    plan_id: str = ""


class RunNow(Request[RiskCommandDone], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Run a cycle at once, or offset one group whatever it still waits for (EX-1021); ``check`` only says what would be."""

    LANE: ClassVar[str] = "control"

    group_id: str = ""
    check: bool = False


class SkipOnce(Request[RiskCommandDone], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Leave a group out of the first cycle that would act on it (EX-1022)."""

    LANE: ClassVar[str] = "control"

    group_id: Name


class BlockGroup(Request[RiskCommandDone], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Exempt a group as loser and as winner until it is unblocked or closed (EX-1023)."""

    LANE: ClassVar[str] = "control"

    group_id: Name


class UnblockGroup(Request[RiskCommandDone], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """End a group's exemption."""

    LANE: ClassVar[str] = "control"

    group_id: Name


class LoserRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One losing group as panel C shows it (EX-1615).

    ``loss_percent`` and ``loss_usd`` are negative; both None when ``left_out`` says why the group has no price or rate.
    ``timer`` is ``not_started``, ``running`` or ``expired``; ``age_ok`` is None when the age filter is off. ``winners``
    counts the groups whose profit could pay, ``plan`` is what an offset would do now, whatever the group still waits for.
    ``reasons`` are those of EX-1003 in order.
    """

    group_id: Name
    key: Name
    symbol: Name
    timeframe: Name
    side: Side
    state: Name
    loss_percent: Decimal | None
    loss_usd: Decimal | None
    timer: Name
    expires_at: Instant | None
    remaining_s: int | None
    received: int
    required: int
    pyramids_ok: bool
    age_ok: bool | None
    age_minutes: int | None
    winners: int
    winners_usd: Decimal
    plan: OffsetPlan | None
    reasons: tuple[str, ...]
    blocked: bool
    skip_once: bool
    left_out: str = ""


class RiskPicture(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An account's loss offset at an instant: nothing is changed by looking. ``status`` to ``acted_at`` as in RiskStatus."""

    account: Name
    enabled: bool
    status: OffsetStatus
    why: Text
    text: Text
    acted_at: Instant
    plan_id: str
    losers: tuple[LoserRow, ...]
    blocked: tuple[str, ...]
    skip_once: tuple[str, ...]
    winners: int
    winners_usd: Decimal
    at: Instant


class RiskView(Request[RiskPicture], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Show how the account's loss offset stands, with a projected plan for each losing group."""

    LANE: ClassVar[str] = "control"


class RiskStatus(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Status of an account's engine and ``why``; ``text`` is the last thing it did, ``acted_at`` when (0: nothing yet).

    Kept on the bus topic ``risk:<account>``.
    """

    account: Name
    status: OffsetStatus
    why: Text
    text: Text
    acted_at: Instant
    at: Instant


class TellStanding(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Engine to groups: say how you stand; a new life of the engine has heard nobody yet."""

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"


# --- facts -------------------------------------------------------------------------------------------------------------


class RiskTimerStarted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group's waiting time began, or began anew; it is over once the clock is past ``expires_at`` (EX-1005)."""

    group_id: Name
    expires_at: Instant
    at: Instant


class RiskTimerCleared(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """The start condition stopped holding, or the group closed (EX-1007)."""

    group_id: Name
    at: Instant


class RiskFlagSet(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An operator blocked a group, or has it skipped once."""

    group_id: Name
    flag: RiskFlag
    at: Instant


class RiskFlagCleared(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A flag is gone; ``cause`` is ``operator``, ``consumed`` (a cycle has skipped the group) or ``closed``."""

    group_id: Name
    flag: RiskFlag
    cause: Name
    at: Instant


class OffsetDecided(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """One cycle with a losing group (EX-1025).

    ``reasons`` holds for every losing group why it is not eligible (empty: it is), ``left_out`` the groups without a
    fresh price or rate (``StaleMark``, ``QuoteRateMissing``), ``ranked`` the eligible ones, worst first. ``trigger`` is
    what woke the engine. ``plan_id`` is empty when nothing was begun. ``losses`` are the losing groups' unrealized USD.
    """

    account: Name
    decision_id: Name
    trigger: Name
    reasons: dict[str, tuple[str, ...]]
    losses: dict[str, Decimal]
    left_out: dict[str, str]
    ranked: tuple[str, ...]
    plan: OffsetPlan | None
    plan_id: str
    status: OffsetStatus
    at: Instant


class OffsetRepeated(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A decision came out the same ``repeats`` more times, the last time at ``last_at``; counts since it was first made."""

    account: Name
    decision_id: Name
    repeats: int
    last_at: Instant
    at: Instant


class OffsetStarted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A plan is being carried out; ``quote_usd`` is the USD value of each group's quote currency when it was made.

    ``forced``: an operator's run for one group. ``number`` is the plan's place in its cycle, from 1.
    """

    plan_id: Name
    decision_id: Name
    plan: OffsetPlan
    quote_usd: dict[str, Decimal]
    paths: dict[str, str]
    number: int
    forced: bool
    at: Instant


class OffsetStepAsked(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A group was told to close ``qty``, or all of it when None; told again until it answers."""

    plan_id: Name
    step_id: Name
    group_id: Name
    path: Name
    qty: Decimal | None
    loser: bool
    at: Instant


class OffsetStepEnded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A step is over: the fields of ``RiskCloseEnded``, and ``booked_usd``."""

    plan_id: Name
    step_id: Name
    group_id: Name
    loser: bool
    status: Name
    code: str
    qty: Decimal
    booked_quote: Decimal
    booked_usd: Decimal
    slippage_exceeded: bool
    worst_slippage: Decimal | None
    at: Instant


class OffsetEnded(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A plan is over. ``outcome`` is ``done``, ``stopped`` (``code`` says by what) or ``nothing_closed``.

    ``booked_usd`` sums winners and loser, fees taken off.
    """

    account: Name
    plan_id: Name
    decision_id: Name
    outcome: Name
    code: str
    booked_usd: Decimal
    began_at: Instant
    at: Instant

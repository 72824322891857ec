"""What the loss offset decided and did, in sentences (EX-1025). One function an event type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocol.offset import (
    OffsetDecided,
    OffsetEnded,
    OffsetPlan,
    OffsetRepeated,
    OffsetStarted,
    OffsetStepAsked,
    OffsetStepEnded,
    RiskFlag,
    RiskFlagCleared,
    RiskFlagSet,
    RiskTimerCleared,
    RiskTimerStarted,
)
from rules.notation import iso_ms
from service.explain.story import Story
from service.explain.words import ago, and_list, number, words

__all__ = ["OF_OFFSET", "plan_words", "reason_words"]

_REASONS: Final = {
    "not_live": "its state does not allow it",
    "blocked": "it is blocked",
    "pyramids_incomplete": "not all required pyramids came in",
    "timer_not_started": "its waiting time has not begun",
    "timer_running": "its waiting time still runs",
    "loss_too_small": "its loss is above the threshold",
    "too_young": "it is too young",
    "skip_once": "it is skipped once",
    "loser_below_min": "the loser is below the venue's minimums",
    "loser_slice_below_min": "what could be paid for is too small to be closed",
    "no_winners": "no group has a profit that can be used",
    "insufficient_winners": "the winners do not cover the loss",
    "StaleMark": "its price is older than 30 seconds",
    "QuoteRateMissing": "the USD value of its quote currency is unknown",
    "Frozen": "an operator has to resolve a difference first",
}


def reason_words(code: str) -> str:
    """Return why a group is not offset, in words."""
    return _REASONS.get(code, words(code))


def plan_words(plan: OffsetPlan) -> str:
    """Return a plan in words: winners with quantities and USD, then the loser and what is left over."""
    if not plan.executable:
        return f"nothing can be closed for {plan.loser}: {reason_words(plan.reason or '')}"
    payers = [
        f"{'all' if each.full else number(each.qty)} of {each.group_id} (+{number(each.profit_usd)} USD)"
        for each in plan.winners
    ]
    loser = "all" if plan.loser_full else number(plan.loser_close_qty)
    return f"close {and_list(payers)}, then {loser} of {plan.loser}; net {number(plan.net_usd)} USD"


def _timer(e: RiskTimerStarted, _: Story) -> str:
    return f"The structure of {e.group_id} is complete: it may be offset after {iso_ms(e.expires_at)}."


def _timer_over(e: RiskTimerCleared, _: Story) -> str:
    return f"The waiting time of {e.group_id} was cleared: its structure is not complete any more, or it has closed."


def _flag(e: RiskFlagSet, _: Story) -> str:
    if e.flag is RiskFlag.BLOCKED:
        return f"An operator blocked {e.group_id}: it takes part in no loss offset, neither as loser nor as winner."
    return f"An operator has {e.group_id} skipped by the next cycle that would offset it."


def _flag_over(e: RiskFlagCleared, _: Story) -> str:
    what = "blocked" if e.flag is RiskFlag.BLOCKED else "to be skipped once"
    why = {"operator": "an operator said so", "consumed": "a cycle has skipped it", "closed": "it has closed"}
    return f"{e.group_id} is no longer {what}: {why.get(e.cause, words(e.cause))}."


def _decided(e: OffsetDecided, _: Story) -> str:
    why = [
        f"{group} is not offset because {and_list([reason_words(each) for each in found])}"
        for group, found in e.reasons.items()
        if found
    ]
    left = [f"{group} is left out because {reason_words(code)}" for group, code in e.left_out.items()]
    plan = [plan_words(e.plan)] if e.plan is not None else []
    said = "; ".join([*plan, *why, *left]) or "no group is to be offset"
    return f"The loss offset looked ({words(e.trigger)}): {said}."


def _repeated(e: OffsetRepeated, _: Story) -> str:
    return f"The same decision came out {e.repeats} more times, the last time at {iso_ms(e.last_at)}."


def _started(e: OffsetStarted, _: Story) -> str:
    how = "An operator began" if e.forced else "The loss offset began"
    return f"{how} plan {e.plan_id} for a loss of {number(e.plan.required_usd)} USD: {plan_words(e.plan)}."


def _asked(e: OffsetStepAsked, _: Story) -> str:
    what = "all of it" if e.qty is None else number(e.qty)
    return f"Plan {e.plan_id} had {'the loser' if e.loser else 'the winner'} {e.group_id} close {what}."


def _ended(e: OffsetStepEnded, _: Story) -> str:
    why = f" ({reason_words(e.code)})" if e.code else ""
    slip = f", slippage {number(e.worst_slippage)} %" if e.worst_slippage is not None else ""
    exceeded = ", more than allowed" if e.slippage_exceeded else ""
    booked = f"{number(e.qty)} traded, {number(e.booked_usd)} USD booked after fees"
    return f"{e.group_id} {words(e.status)}{why}: {booked}{slip}{exceeded}."


def _over(e: OffsetEnded, _: Story) -> str:
    why = f" ({reason_words(e.code)})" if e.code else ""
    took = ago(e.at - e.began_at)
    return f"Plan {e.plan_id} was {words(e.outcome)}{why} after {took}: {number(e.booked_usd)} USD booked in all."


OF_OFFSET: Final[dict[str, Callable[[Any, Story], str]]] = {
    "OffsetDecided": _decided,
    "OffsetEnded": _over,
    "OffsetRepeated": _repeated,
    "OffsetStarted": _started,
    "OffsetStepAsked": _asked,
    "OffsetStepEnded": _ended,
    "RiskFlagCleared": _flag_over,
    "RiskFlagSet": _flag,
    "RiskTimerCleared": _timer_over,
    "RiskTimerStarted": _timer,
}
"""Event type -> its sentence."""

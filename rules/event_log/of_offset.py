"""What an operator reads of the loss offset (EX-1401). One function an event type."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

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
from rules.event_log.line import WARNING, Line, LineOf, LineSeverity, Source
from rules.notation import plain, words

__all__ = ["OF_OFFSET"]

_RISK: Final = LineSeverity.RISK


def _plan(plan: OffsetPlan) -> str:
    if not plan.executable:
        return f"nothing can be closed for {plan.loser}: {words(plan.reason or '')}"
    payers = ", ".join(f"{plain(each.qty)} of {each.group_id}" for each in plan.winners)
    qty = plain(plan.loser_close_qty or Decimal(0))
    return f"{payers} pay {plain(plan.covered_usd)} USD for {qty} of {plan.loser}"


def _timer(e: RiskTimerStarted) -> Line:
    return Line(Source.RISK_ENGINE, _RISK, "RiskTimerStarted", "its wait for the loss offset has begun", e.group_id)


def _timer_over(e: RiskTimerCleared) -> Line:
    return Line(Source.RISK_ENGINE, _RISK, "RiskTimerCleared", "its wait for the loss offset is cleared", e.group_id)


def _flag(e: RiskFlagSet) -> Line:
    said = "blocked for the loss offset" if e.flag is RiskFlag.BLOCKED else "will be skipped once by the loss offset"
    return Line(Source.RISK_ENGINE, _RISK, "RiskFlagSet", said, e.group_id)


def _flag_over(e: RiskFlagCleared) -> Line:
    if e.flag is RiskFlag.BLOCKED:
        said = f"no longer blocked for the loss offset ({words(e.cause)})"
    else:
        said = f"will not be skipped any more ({words(e.cause)})"
    return Line(Source.RISK_ENGINE, _RISK, "RiskFlagCleared", said, e.group_id)


def _decided(e: OffsetDecided) -> Line:
    named = [*e.reasons, *e.left_out]
    alone = named[0] if len(named) == 1 else ""
    stale = [f"{group} {why}" for group, why in e.left_out.items()]
    if e.plan is not None:
        said = _plan(e.plan)
    elif len(e.reasons) == 1:
        [(group, why)] = e.reasons.items()
        said = f"{'' if alone else f'{group} '}not offset yet: {', '.join(map(words, why))}"
    else:
        said = f"{len(e.reasons)} losing groups, none to be offset yet"
    severity = WARNING if "QuoteRateMissing" in e.left_out.values() else _RISK
    text = f"{said}; left out: {', '.join(stale)}" if stale else said
    about = next(iter(e.ranked), alone)
    return Line(Source.RISK_ENGINE, severity, "OffsetDecided", f"decision {e.decision_id}: {text}", about)


def _repeated(e: OffsetRepeated) -> Line:
    return Line(
        Source.RISK_ENGINE, _RISK, "OffsetRepeated", f"decision {e.decision_id} came out the same {e.repeats} times"
    )


def _started(e: OffsetStarted) -> Line:
    how = " on an operator's word" if e.forced else ""
    return Line(Source.RISK_ENGINE, _RISK, "OffsetStarted", f"plan {e.plan_id}{how}: {_plan(e.plan)}", e.plan.loser)


def _asked(e: OffsetStepAsked) -> Line:
    what = "all" if e.qty is None else plain(e.qty)
    said = f"plan {e.plan_id}: close {what} of the {'loser' if e.loser else 'winner'}"
    return Line(Source.RISK_ENGINE, _RISK, "OffsetStepAsked", said, e.group_id)


def _ended(e: OffsetStepEnded) -> Line:
    severity = WARNING if e.status == "failed" or e.slippage_exceeded else _RISK
    why = f" ({e.code})" if e.code else ""
    slipped = ", slippage exceeded" if e.slippage_exceeded else ""
    said = f"plan {e.plan_id}: {words(e.status)}{why}, {plain(e.booked_usd)} USD booked{slipped}"
    return Line(Source.RISK_ENGINE, severity, e.code or "OffsetStepEnded", said, e.group_id)


def _over(e: OffsetEnded) -> Line:
    severity = _RISK if e.outcome == "done" else WARNING
    why = f" ({e.code})" if e.code else ""
    said = f"plan {e.plan_id} {words(e.outcome)}{why}: {plain(e.booked_usd)} USD booked in all"
    return Line(Source.RISK_ENGINE, severity, e.code or "OffsetEnded", said)


OF_OFFSET: Final[dict[str, LineOf]] = {
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
"""Event type -> its line."""

"""Lines of what others made a group do: freezing, held triggers, new rules of its market."""

from __future__ import annotations

from typing import Final

from protocol.groups import CloseForced, CloseGroup, GroupFrozen, GroupUnfrozen, RulesTaken, TriggerHeld
from protocol.groups.tolerance import ToleranceTaken
from rules.event_log.line import INFO, WARNING, Line, LineOf, Source
from rules.notation import plain

__all__ = ["OF_STEERING"]


def _frozen(e: GroupFrozen) -> Line:
    said = f"group frozen: {e.reason}; no automatic orders until an operator unfreezes or closes it"
    return Line(Source.SYSTEM, WARNING, "GroupFrozen", said, e.group_id)


def _unfrozen(e: GroupUnfrozen) -> Line:
    why = f": {e.reason}" if e.reason else ""
    return Line(Source.SYSTEM, INFO, "GroupUnfrozen", f"group goes on{why}", e.group_id)


def _held(e: TriggerHeld) -> Line:
    what = e.trigger.reason.value if isinstance(e.trigger, CloseGroup) else "reduce"
    said = f"{what} held until the group is unfrozen"
    return Line(Source.ORDER, WARNING, "TriggerHeld", said, e.group_id, signal_id=e.trigger.signal_id)


def _forced(e: CloseForced) -> Line:
    return Line(Source.ORDER, INFO, "CloseForced", f"close {e.number} goes on by an operator's word", e.group_id)


def _rules_taken(e: RulesTaken) -> Line:
    rules = e.instrument.rules
    said = f"{e.instrument.symbol}: tick {plain(rules.tick_size)}, step {plain(rules.step_size)}"
    minimums = f"minimum {plain(rules.min_qty)}, notional {plain(rules.min_notional)}"
    since = "" if e.fetched else "; no answer in time, the strictest rules known must do"
    severity = INFO if e.fetched else WARNING
    return Line(Source.PRECISION, severity, "RulesTaken", f"{said}, {minimums}{since}", e.group_id)


def _tolerance_taken(e: ToleranceTaken) -> Line:
    said = (
        f"slippage limit {plain(e.limit_percent)} %, action {e.tolerance.action.value}, guard {e.tolerance.guard.value}"
    )
    return Line(Source.SYSTEM, INFO, "ToleranceTaken", f"{said}, from the next market order on", e.group_id)


OF_STEERING: Final[dict[str, LineOf]] = {
    "CloseForced": _forced,
    "GroupFrozen": _frozen,
    "GroupUnfrozen": _unfrozen,
    "RulesTaken": _rules_taken,
    "ToleranceTaken": _tolerance_taken,
    "TriggerHeld": _held,
}
"""Event type -> its line."""

"""What others made a group do, in sentences: freezing, held triggers, new rules. One small function an event type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocol.groups import (
    CloseForced,
    CloseGroup,
    GroupFrozen,
    GroupUnfrozen,
    RulesTaken,
    RulesWanted,
    TriggerHeld,
)
from protocol.groups.tolerance import ToleranceTaken
from protocol.groups.values import SlippageGuard
from service.explain.story import Story
from service.explain.words import number, words

__all__ = ["OF_STEERING"]


def _frozen(e: GroupFrozen, _: Story) -> str:
    return f"The group was frozen ({e.reason}): it sends no order of its own accord until an operator resolves it."


def _unfrozen(e: GroupUnfrozen, _: Story) -> str:
    why = f" ({e.reason})" if e.reason else ""
    return f"The group goes on{why}: what it held back is done now."


def _held(e: TriggerHeld, _: Story) -> str:
    what = words(e.trigger.reason) if isinstance(e.trigger, CloseGroup) else "a reduction"
    return f"{what.capitalize()} waits: the group is frozen."


def _forced(e: CloseForced, _: Story) -> str:
    return f"An operator had close {e.number} go on although the group is frozen."


def _rules_wanted(e: RulesWanted, _: Story) -> str:
    return f"The venue refused the format of order {e.client_order_id}: the group asked for the rules of {e.symbol}."


def _rules_taken(e: RulesTaken, _: Story) -> str:
    rules = e.instrument.rules
    since = "" if e.fetched else " No answer came in time, so the strictest rules known must do."
    return (
        f"The group now trades by a tick of {number(rules.tick_size)}, a step of {number(rules.step_size)}, at least "
        f"{number(rules.min_qty)} and a notional of at least {number(rules.min_notional)}.{since}"
    )


def _tolerance_taken(e: ToleranceTaken, _: Story) -> str:
    does = f"an excess is a matter of {words(e.tolerance.action.value)}"
    capped = "orders are capped at it" if e.tolerance.guard is SlippageGuard.CAPPED else "it is measured after the fill"
    return f"Market orders may slip by {number(e.limit_percent)} % from now on: {capped}, {does}. The settings changed."


OF_STEERING: Final[dict[str, Callable[[Any, Story], str]]] = {
    "CloseForced": _forced,
    "GroupFrozen": _frozen,
    "GroupUnfrozen": _unfrozen,
    "RulesTaken": _rules_taken,
    "RulesWanted": _rules_wanted,
    "ToleranceTaken": _tolerance_taken,
    "TriggerHeld": _held,
}
"""Event type -> its sentence."""

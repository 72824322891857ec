"""Apply what others steer a group to: steps of risk plans, freezing, new rules; assignments only, as in ``evolve``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from protocol.groups import (
    CloseForced,
    GroupFrozen,
    GroupUnfrozen,
    RiskStepEnded,
    RulesTaken,
    RulesWanted,
    TriggerHeld,
)
from protocol.groups.tolerance import ToleranceTaken
from protocol.messages import Event
from rules.group.view import GroupView

__all__ = ["EVOLVERS_OF_STEERING"]


def _step_ended(view: GroupView, event: RiskStepEnded) -> GroupView:
    return replace(view, risk_steps={**view.risk_steps, event.plan_id: event})


def _frozen(view: GroupView, event: GroupFrozen) -> GroupView:
    return replace(view, frozen=event.reason)


def _unfrozen(view: GroupView, _: GroupUnfrozen) -> GroupView:
    return replace(view, frozen="", held=())


def _trigger_held(view: GroupView, event: TriggerHeld) -> GroupView:
    return replace(view, held=(*view.held, event.trigger))


def _close_forced(view: GroupView, event: CloseForced) -> GroupView:
    return replace(
        view,
        closes=tuple(replace(close, forced=True) if close.number == event.number else close for close in view.closes),
    )


def _rules_wanted(view: GroupView, _: RulesWanted) -> GroupView:
    return replace(view, rules_wanted=True)


def _rules_taken(view: GroupView, event: RulesTaken) -> GroupView:
    legs = {leg.leg_id: replace(leg, awaits_rules=False) if leg.awaits_rules else leg for leg in view.legs.values()}
    for rebuilt in event.legs:
        legs[rebuilt.leg_id] = replace(legs[rebuilt.leg_id], price=rebuilt.price, qty=rebuilt.qty)
    closes = tuple(replace(close, awaits_rules=False) if close.awaits_rules else close for close in view.closes)
    return replace(view, instrument=event.instrument, rules_wanted=False, legs=legs, closes=closes)


def _tolerance_taken(view: GroupView, event: ToleranceTaken) -> GroupView:
    action, guard = event.tolerance.action, event.tolerance.guard
    config = replace(
        view.config, max_slippage_percent=event.limit_percent, slippage_action=action, slippage_guard=guard
    )
    return replace(view, config=config, tolerance=event.tolerance)


EVOLVERS_OF_STEERING: Final[dict[type[Event], Callable[[GroupView, Any], GroupView]]] = {
    RiskStepEnded: _step_ended,
    GroupFrozen: _frozen,
    GroupUnfrozen: _unfrozen,
    TriggerHeld: _trigger_held,
    CloseForced: _close_forced,
    RulesWanted: _rules_wanted,
    RulesTaken: _rules_taken,
    ToleranceTaken: _tolerance_taken,
}
"""Event type -> the function that applies it."""

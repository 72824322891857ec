"""Follow the slippage settings that are in force: market orders from the next one on (EX-721, EX-1302)."""

from __future__ import annotations

from protocol.groups import GroupState
from protocol.groups.tolerance import TakeTolerance, Tolerance, ToleranceTaken
from rules.group.turn import Turn
from rules.group.view import GroupView

__all__ = ["followed", "on_take_tolerance"]


def followed(view: GroupView) -> Tolerance:
    """Return the settings a group follows: those it was told last, else those it opened with."""
    config = view.config
    opened = Tolerance(config.max_slippage_percent, config.slippage_action, config.slippage_guard)
    return view.tolerance or opened


def on_take_tolerance(turn: Turn, message: TakeTolerance) -> None:
    """Take over other settings; the limit that an operator gave this very group stays its own."""
    view, tolerance = turn.view, message.tolerance
    if view.state is GroupState.CLOSED or followed(view) == tolerance:
        return
    limit = view.config.max_slippage_percent if view.own_limit else tolerance.max_slippage_percent
    turn.emit(ToleranceTaken(view.group_id, tolerance, limit, turn.at))

"""Apply what operators and recoveries did to a group: assignments only, as in ``evolve``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from protocol.groups import EntryState, LegState
from protocol.groups.adoption import PositionAdopted
from protocol.groups.editing import GroupEdited
from protocol.groups.recovery import GroupRecovered
from protocol.messages import Event
from rules.group.view import GroupView

__all__ = ["EDITS_KEPT", "EVOLVERS_OF_EDITING"]

EDITS_KEPT: Final = 50
"""Newest edits whose request ids are remembered, so that told again they are answered and not made twice."""


def _edited(view: GroupView, event: GroupEdited) -> GroupView:
    legs = dict(view.legs)
    for edited in event.legs:
        leg = legs[edited.leg_id]
        legs[edited.leg_id] = replace(
            leg,
            price=edited.price,
            qty=edited.qty,
            gap_percent=edited.gap_percent,
            weight_percent=edited.weight_percent,
            tp_percent=edited.tp_percent,
            replaces=leg.entry_order if edited.moved else "",
            entry_base=leg.entry_attempt if edited.moved else leg.entry_base,
            dropped=edited.dropped,
            target_losses=0,
        )
    limited = event.config.max_slippage_percent != view.config.max_slippage_percent
    edits = {**view.edits, event.request_id: event.version} if event.request_id else view.edits
    return replace(
        view,
        version=event.version,
        edits=dict(list(edits.items())[-EDITS_KEPT:]),
        config=event.config,
        stop_price=event.stop_price,
        target_price=event.target_price,
        max_slippage_percent=event.max_slippage_percent,
        own_limit=view.own_limit or limited,
        legs=legs,
    )


def _adopted(view: GroupView, event: PositionAdopted) -> GroupView:
    leg = replace(
        view.legs[event.leg_id],
        filled=event.qty,
        cost=event.qty * event.avg_price,
        entry=EntryState.DONE,
        state=LegState.FILLED,
    )
    return replace(
        view,
        legs={**view.legs, event.leg_id: leg},
        last_fill_price=event.avg_price,
        first_fill_at=event.at,
    )


def _recovered(view: GroupView, event: GroupRecovered) -> GroupView:
    return replace(view, absence_id=event.absence_id, flatten_due=event.flattens)


EVOLVERS_OF_EDITING: Final[dict[type[Event], Callable[[GroupView, Any], GroupView]]] = {
    GroupEdited: _edited,
    GroupRecovered: _recovered,
    PositionAdopted: _adopted,
}
"""Event type -> the function that applies it."""

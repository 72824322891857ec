"""Protection: at rest, whatever a group holds has its way out at the exchange, or is watched for one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from actors.group import PositionGroup
from protocol.groups import GroupState
from rules.group import GroupView
from rules.group.view import LegView
from simulation.invariant import Invariant, Scene
from simulation.invariants.truth import place_of

__all__ = ["HeldIsProtected"]


class HeldIsProtected(Invariant):
    """Each leg's target rests for what the leg holds; one that cannot rest is watched, and its group hears prices."""

    NAME = "held-is-protected"

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look at every living group; closing and frozen ones stand aside."""
        for path in scene.system.paths():
            cell = scene.system.cell_of(path)
            actor = cell.actor if cell is not None else None
            if not isinstance(actor, PositionGroup) or actor._view is None:
                continue
            view = actor._view
            if view.state in (GroupState.CLOSING, GroupState.CLOSED) or view.frozen:
                continue
            yield from self._legs(view, scene)
            if (view.watch_low, view.watch_high) != (None, None) and not actor._hears_prices:
                yield f"{view.group_id} watches prices and hears none"

    def _legs(self, view: GroupView, scene: Scene) -> Iterator[str]:
        claimed = view.reserved()
        for leg in view.legs.values():
            qty = view.floor(leg.open_qty - claimed.get(leg.leg_id, Decimal(0)))
            if qty <= 0 or view.owned(leg):
                continue
            if view.config.tp_mode.rests:
                yield from self._rests(view, leg, qty, scene)
            elif not _watched(view, leg):
                yield f"{view.group_id}: leg {leg.leg_id} holds {qty} and nothing watches for its target"

    def _rests(self, view: GroupView, leg: LegView, qty: Decimal, scene: Scene) -> Iterator[str]:
        order = place_of(scene, view.account, leg.target_order) if leg.target_order else None
        if order is not None and not order.state.final:
            if order.rest != qty:
                yield f"{view.group_id}: leg {leg.leg_id} holds {qty}, its target {leg.target_order} rests for {order.rest}"
        elif not any(watch.scope == f"leg:{leg.leg_id}" for watch in view.watches):
            there = "never came to the exchange" if order is None else f"is {order.state.value} there"
            yield f"{view.group_id}: leg {leg.leg_id} holds {qty}, its target {leg.target_order or '(none)'} {there}"


def _watched(view: GroupView, leg: LegView) -> bool:
    scopes = ("group", f"pyramid:{leg.pyramid}")
    return any(watch.scope in scopes for watch in view.watches)

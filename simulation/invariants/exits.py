"""Exits: what is asked to be sold is there to be sold, and no position changes its sign."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.groups import GroupOpened
from protocol.groups.adoption import PositionAdopted
from protocol.orders import FillRecorded, OrderSent, OrderStateChanged, Purpose
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene
from simulation.invariants.truth import ZERO, Truth

__all__ = ["NoOverExit", "PositionSign"]


class NoOverExit(Invariant):
    """All exits of a group that can still trade never come to more than it holds at the exchange."""

    NAME = "no-double-exit"
    WANTS = (OrderSent, OrderStateChanged, GroupOpened, PositionAdopted)

    def __init__(self) -> None:
        self._truth = Truth()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Add up what is on its way out, with this order."""
        self._truth.note(entry)
        event = entry.event
        if not isinstance(event, OrderSent) or event.purpose is Purpose.ENTRY:
            return
        self._truth.catch_up(scene)
        working = self._truth.working(scene, event.group_id, exits=True)
        asked = sum((rest for _, rest in working), ZERO)
        held = abs(self._truth.held.get(event.group_id, ZERO))
        if asked > held:
            names = ", ".join(f"{name} ({rest})" for name, rest in working)
            yield f"{event.group_id} holds {held} and its exits could trade {asked}: {names}"


class PositionSign(Invariant):
    """By the exchange's own fills, a long group never sells more than it bought, nor a short one the other way round."""

    NAME = "position-keeps-its-sign"
    WANTS = (OrderSent, FillRecorded, GroupOpened, PositionAdopted)

    def __init__(self) -> None:
        self._truth = Truth()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Count what has traded."""
        self._truth.note(entry)
        if isinstance(entry.event, FillRecorded):
            yield from self.at_rest(scene)

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Count what has traded."""
        for group_id, fill in self._truth.fills(scene):
            side = self._truth.side_of(group_id)
            if side is not None and self._truth.held[group_id] * side.sign < 0:
                held = self._truth.held[group_id]
                yield f"{group_id} ({side.value}) holds {held} after fill {fill.trade_id} of {fill.client_order_id}"

"""Actors: none is silently gone, and at rest nothing waits anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actors.desk import OrderDesk
from actors.gateway import Gateway
from actors.pool import Pool
from actors.risk import RiskCoordinator
from actors.session import VenueSession
from protocol.event_log import EventLogged
from protocol.venue import VenueStatus
from runtime.cell import Cell
from runtime.journal import Entry
from runtime.lifecycle import LifeState
from simulation.invariant import Invariant, Scene
from simulation.invariants.journal import parked_groups, parked_signals
from supervision.slots import LIVE
from supervision.supervisor import Supervisor

__all__ = ["NobodyMissing", "NothingWaits"]


def _cells(scene: Scene) -> Iterator[Cell]:
    for path in scene.system.paths():
        cell = scene.system.cell_of(path)
        if cell is not None:
            yield cell


class NobodyMissing(Invariant):
    """Everybody that a supervisor answers for lives, whoever was given up has been told of, every slot has its group."""

    NAME = "no-actor-silently-dead"
    WANTS = (EventLogged,)

    def __init__(self) -> None:
        self._told: set[str] = set()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - judged at rest
        """Remember who was reported as given up."""
        event = entry.event
        assert isinstance(event, EventLogged)
        if event.code == "ActorQuarantined":
            self._told.add(event.about)
        yield from ()

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look at every place of the tree."""
        for cell in _cells(scene):
            if cell.mark == "quarantined":
                if cell.path not in self._told:
                    yield f"{cell.path} is given up and nobody was told"
            elif cell.state is not LifeState.RUNNING or not cell.was_ready:
                yield f"{cell.path} is {cell.mark or cell.state.value}"
            if isinstance(cell.actor, Supervisor):
                yield from self._children(cell, cell.actor)
            elif isinstance(cell.actor, Pool):
                yield from self._groups(scene, cell.actor)

    def _children(self, cell: Cell, supervisor: Supervisor) -> Iterator[str]:
        views = {view.name: view for view in supervisor.view()}
        for spec in supervisor._static:
            if spec.name not in views:
                yield f"{cell.path} has forgotten {spec.name}"
        for view in views.values():
            if view.phase in LIVE and view.name not in cell.children:
                yield f"{cell.path} believes {view.name} to be {view.phase.value}, and nobody is there"
        for name in cell.children:
            if name not in views:
                yield f"{cell.path}/{name} lives and its supervisor does not know"

    def _groups(self, scene: Scene, pool: Any) -> Iterator[str]:
        living = {getattr(cell.actor, "_group_id", "") for cell in _cells(scene)}
        for group in pool._state.live.values():
            if group.group_id not in living and group.group_id not in parked_groups(scene):
                yield f"{group.group_id} has a slot and no actor"


class NothingWaits(Invariant):
    """At rest every mailbox is empty, nobody waits for an answer, no order is on its way and nothing is held back."""

    NAME = "nothing-waits-at-rest"

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look into every place where something can wait."""
        if scene.system.durability.pending:
            yield "events wait for a commit"
        if pending := len(scene.system.asks):
            yield f"{pending} requests wait for an answer"
        parked = parked_signals(scene)
        for cell in _cells(scene):
            if len(cell.mailbox):
                oldest = cell.mailbox.oldest_at() or 0
                yield f"{cell.path} has {len(cell.mailbox)} messages, the oldest {(scene.now - oldest) / 1e9:g} s old"
            if cell.busy or cell.waits_for is not None:
                yield f"{cell.path} is busy"
            for what, waiting in _held_by(cell.actor, parked):
                if waiting:
                    yield f"{cell.path}: {what}: {waiting}"[:300]


def _held_by(actor: Any, parked: set[str]) -> Iterator[tuple[str, Any]]:
    """Yield what an actor may hold back, by name; signals that are ``parked`` are explained."""
    match actor:
        case OrderDesk():
            unknown = [
                f"{order.request.client_order_id} {order.state.value}"
                for order in actor._book.working()
                if order.state.value in ("sent", "unknown")
            ]
            yield "orders without an outcome", unknown
            yield "orders that wait for a permit", list(actor._waiting)
            yield "orders that wait for the venue", [*actor._hold.unsent, *actor._hold.sent]
        case Pool():
            yield "entries that wait for their rules", list(actor._aside)
            yield "mail for groups", actor._unsent
        case Gateway():
            yield "signals without an outcome", [each for each in actor._state.pending if each not in parked]
        case VenueSession():
            yield "orders in the line before the venue", list(actor._calls._unsent)
            yield (
                "a venue that can be reached, and counts as",
                "" if actor._health is VenueStatus.UP else actor._health.value,
            )
        case RiskCoordinator():
            yield "an Error whose causes are over", list(actor._troubles.values())

"""Durable actors: the state each one has is what its journal comes to, from the beginning and from its snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from actors.desk import OrderDesk
from actors.equity import EquityKeeper
from actors.gateway import Gateway
from actors.group import PositionGroup
from actors.pool import Pool
from actors.reconciler import Reconciler
from actors.risk import RiskCoordinator
from runtime.cell import Cell
from runtime.durable import DurableActor
from runtime.lifecycle import LifeState
from service.config_store import ConfigStore
from simulation.invariant import Invariant, Scene

__all__ = ["SnapshotAndTail", "StateIsFold", "durable_part"]


def _decided(pool: Any) -> Any:
    """Return what a pool has decided; what groups say of themselves is learned anew in each life."""
    state = pool._state
    groups = {key: (group.group_id, group.opening, group.closing_by) for key, group in state.live.items()}
    return groups, state.queue, state.next_queue, state.answered, state.committed, pool._outcomes.all()


def _marks(keeper: Any) -> Any:
    """Return where curves begin and the newest marks; which symbols trade is heard anew in each life."""
    return {name: (each.starting, each.marks) for name, each in keeper._accounts.items() if each.starting is not None}


class _Windowed(dict[str, Any]):
    """What is forgotten in portions, by windows that may have been set anew since: only what both know is compared."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and all(other[key] == self[key] for key in self.keys() & other.keys())

    def __ne__(self, other: object) -> bool:
        return not self == other


def _heard(gateway: Any) -> Any:
    """Return what a gateway knows, what is past its window left aside."""
    state = gateway._state
    whole = {name: getattr(state, name) for name in state.__struct_fields__}
    memory = whole.pop("memory")
    windowed = (memory.first_seen, memory.last_seen, whole.pop("first_ids"), whole.pop("undated"))
    return whole, *(_Windowed(each) for each in windowed)


_PARTS: Final[dict[type[DurableActor], Callable[[Any], Any]]] = {
    Pool: _decided,
    EquityKeeper: _marks,
    # A snapshot each would say the same; these are looked at directly because they are large or take none.
    Gateway: _heard,
    OrderDesk: lambda actor: actor._book,
    PositionGroup: lambda actor: (actor._view, actor._acted),
    Reconciler: lambda actor: actor._status,
    RiskCoordinator: lambda actor: (actor._number, actor._said, actor._paused, actor._stopped),
    ConfigStore: lambda actor: vars(actor._history),
}


def durable_part(actor: DurableActor) -> Any:
    """Return what of an actor's state its events make, comparable."""
    part = next((_PARTS[each] for each in type(actor).__mro__ if each in _PARTS), None)
    if part is not None:
        return part(actor)
    state = actor.snapshot()
    return None if state is None else msgspec.msgpack.decode(state, strict=False)


def _durable(scene: Scene) -> Iterator[tuple[Cell, DurableActor]]:
    for path in scene.system.paths():
        cell = scene.system.cell_of(path)
        if cell is not None and cell.state is LifeState.RUNNING and isinstance(cell.actor, DurableActor):
            yield cell, cell.actor


def _differs(one: Any, other: Any) -> str:
    """Say where two states differ, shortly."""
    names = getattr(one, "__struct_fields__", ())
    if type(one) is type(other) and names:
        return "; ".join(
            f"{name}: {_differs(getattr(one, name), getattr(other, name))}"
            for name in names
            if getattr(one, name) != getattr(other, name)
        )
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return "; ".join(_differs(*pair) for pair in zip(one, other, strict=True) if pair[0] != pair[1])
    if isinstance(one, dict) and isinstance(other, dict):
        names = [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]
        return "; ".join(f"{key}: {_differs(one.get(key), other.get(key))}" for key in sorted(names, key=str)[:3])
    return f"{str(one)[:200]} instead of {str(other)[:200]}"


class StateIsFold(Invariant):
    """The state of every durable actor is what a fresh one comes to that reads its stream from the first event."""

    NAME = "state-is-the-fold"

    def __init__(self) -> None:
        self._folded: dict[str, tuple[DurableActor, int]] = {}

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Fold on what was journalled since the last look, and compare."""
        for cell, actor in _durable(scene):
            fresh, seq = self._folded.get(actor.stream) or (_made(cell), 0)
            for record in scene.journal.read(actor.stream, seq):
                fresh.apply(record.event)
                seq = record.seq
            self._folded[actor.stream] = (fresh, seq)
            if actor.sequence != seq:
                yield f"{cell.path} is at event {actor.sequence}, its journal at {seq}"
            live, folded = durable_part(actor), durable_part(fresh)
            if live != folded:
                yield f"{cell.path} is not what its journal comes to: {_differs(live, folded)}"


def _made(cell: Cell) -> DurableActor:
    fresh = cell.spec.factory()
    assert isinstance(fresh, DurableActor)
    return fresh


class SnapshotAndTail(Invariant):
    """An actor that begins with its snapshot and reads the rest comes to the state it has."""

    NAME = "snapshot-and-tail"

    def __init__(self) -> None:
        self._looked: dict[str, int] = {}

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Compare where a snapshot is new."""
        for cell, actor in _durable(scene):
            snapshot = scene.journal.load_snapshot(actor.stream)
            if snapshot is None or self._looked.get(actor.stream) == snapshot.seq:
                continue
            self._looked[actor.stream] = snapshot.seq
            if snapshot.version != actor.SNAPSHOT_VERSION:
                continue
            fresh = _made(cell)
            fresh.restore(snapshot.state)
            for record in scene.journal.read(actor.stream, snapshot.seq):
                fresh.apply(record.event)
            live, restored = durable_part(actor), durable_part(fresh)
            if live != restored:
                text = _differs(live, restored)
                yield f"{cell.path} does not come back from its snapshot of event {snapshot.seq}: {text}"

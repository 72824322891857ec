"""Invariants about durable actors and read models find what they are for."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.event_log import EventLog
from actors.risk import RiskCoordinator
from protocol.event_log import EventLogged
from protocol.orders import OrderState
from protocol.risk import EngineStatus, EngineStatusChanged
from runtime.durable import DurableActor
from runtime.journal import Snapshot
from runtime.lifecycle import LifeState
from runtime.spec import Spec
from simulation.invariant import Invariant
from simulation.invariants.folds import SnapshotAndTail, StateIsFold
from simulation.invariants.read_models import RebuildAgrees, ViewsTellTheJournal
from store.projector import Projector
from tests.simulation.invariants.recording import Stage, name_of, order


class Place:
    """A cell with an actor of which it says nothing but where it lives."""

    state = LifeState.RUNNING

    def __init__(self, path: str, actor: DurableActor) -> None:
        self.path = path
        self.actor = actor
        self.spec = Spec(path.rpartition("/")[2], type(actor))


class Tree:
    """A system of one such cell."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def paths(self) -> list[str]:
        """Return the one path."""
        return [self._place.path]

    def cell_of(self, path: str) -> Any:
        """Return the one cell."""
        return self._place if path == self._place.path else None


class Kept(EventLog):
    """An event log whose stream is known without a context."""

    @property
    def stream(self) -> str:
        """The path."""
        return "/store/events"


class Steered(RiskCoordinator):
    """A coordinator whose stream is known without a context."""

    @property
    def stream(self) -> str:
        """The path."""
        return "/risk/coordinator"


def line(number: int) -> EventLogged:
    """Return a line of the log."""
    return EventLogged(id=f"line{number}", source="system", severity="info", code="Test", text="a line", at=number)


def logging(kind: type[Invariant], *, lines: int) -> tuple[Stage, Kept]:
    """Return a stage on which an event log has written some lines."""
    stage, actor = Stage(kind()), Kept()
    stage.system = Tree(Place("/store/events", actor))
    for number in range(lines):
        stage.tell("/store/events", line(number))
        actor.apply(line(number))
        actor.sequence += 1
    return stage, actor


def test_an_actor_that_acts_on_what_is_not_kept_is_found() -> None:
    """EX-1205: nothing durable is in an actor but what its journal says."""
    stage, actor = logging(StateIsFold, lines=3)
    assert stage.rest() == []
    actor.apply(line(3))
    assert "is not what its journal comes to" in stage.rest()[0]


def test_an_actor_that_missed_an_event_is_found() -> None:
    """An actor behind its own journal would write over it."""
    stage, actor = logging(StateIsFold, lines=3)
    stage.tell("/store/events", line(3))
    assert stage.rest()[0] == "/store/events is at event 3, its journal at 4"
    assert len(actor._ids) == 3


def test_an_actor_without_snapshots_is_compared_all_the_same() -> None:
    """The risk coordinator keeps no snapshot; that it was paused must be in the journal."""
    stage, actor = Stage(StateIsFold()), Steered()
    stage.system = Tree(Place("/risk/coordinator", actor))
    actor._paused[""] = ""
    assert len(stage.rest()) == 1
    stage.tell("/risk/coordinator", EngineStatusChanged(1, EngineStatus.PAUSED, "", stage.now))
    actor._number, actor._said, actor.sequence = 1, EngineStatus.PAUSED, 1
    assert len(stage.rest()) == 1


@pytest.mark.parametrize(("behind", "found"), [(0, 0), (1, 1)])
def test_a_snapshot_that_is_behind_its_number_is_found(behind: int, found: int) -> None:
    """A snapshot one event behind loses that event at the next start."""
    stage, actor = logging(SnapshotAndTail, lines=4)
    older = Kept()
    for number in range(3 - behind):
        older.apply(line(number))
    stage.journal.save_snapshot(Snapshot("/store/events", 3, actor.SNAPSHOT_VERSION, older.snapshot()))
    assert len(stage.rest()) == found


def projected(stage: Stage, folder: Path, *, but: str = "") -> None:
    """Project what a stage has journalled, and spoil it."""
    path = folder / "views.db"
    projector = Projector(path)
    projector.catch_up(stage.journal)
    if but:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(but)
    stage.made = projector.views()


def traded(stage: Stage) -> None:
    """Have a fill in the journal."""
    stage.opened()
    stage.placed(order(name_of(), price=None))
    stage.tell("/venues/paper/desk", stage.recorded())
    stage.state(name_of(), OrderState.FILLED, filled="1")


@pytest.mark.parametrize(
    ("defect", "tables"),
    [
        ("", []),
        ("DELETE FROM fills", ["table fills"]),
        ("UPDATE positions SET qty = '7'", ["table positions"]),
        ("UPDATE orders SET reason = 'other'", ["table orders"]),
    ],
)
def test_a_row_that_a_rebuild_would_not_make_is_found(defect: str, tables: list[str], tmp_path: Path) -> None:
    """The read models are the projection of the journal and of nothing else."""
    stage = Stage(RebuildAgrees())
    traded(stage)
    projected(stage, tmp_path, but=defect)
    assert [text.partition(":")[0] for text in stage.rest()] == tables


@pytest.mark.parametrize(
    ("defect", "count"), [("", 0), ("DELETE FROM fills", 1), ("UPDATE orders SET state = 'open'", 1)]
)
def test_a_projector_that_skips_an_event_is_found_without_a_projector(defect: str, count: int, tmp_path: Path) -> None:
    """A rebuild by the same defect would agree: orders, fills, groups and signals are counted by themselves."""
    stage = Stage(ViewsTellTheJournal())
    traded(stage)
    projected(stage, tmp_path, but=defect)
    assert len(stage.rest()) == count
    assert stage.exchange.balances()[0].free == Decimal(1)

"""All invariants together over a run of the kernel, and those that look at actors over one that has been damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.desk import OrderDesk
from actors.group import PositionGroup
from actors.pool import Pool
from protocol.event_log import EventLogged
from protocol.venue import AllowEntries
from runtime.dead_letters import DeadLetter
from runtime.envelope import Envelope
from runtime.lifecycle import LifeState
from simulation.invariant import Invariant
from simulation.invariants import ALL
from simulation.invariants.actors import NobodyMissing, NothingWaits
from simulation.invariants.alerts import AlertsAreShown, critical
from simulation.invariants.journal import DeadLettersExplained, JournalWhole
from simulation.invariants.protection import HeldIsProtected
from simulation.run import Run
from simulation.world import PROFILES, scenario_of
from store.projector import Projector
from tests.simulation.invariants.recording import Stage

pytestmark = pytest.mark.slow

SEEDS = (12, 10, 25, 24, 3, 9, 18)
"""Worlds in which groups are likely to hold something at a rest."""
HOURS = 12.0


def played(
    seed: int, folder: Path, kinds: tuple[type[Invariant], ...], damage: Callable[[Run], None] | None = None
) -> Run:
    """Play half a day without faults; do some damage at each rest, before everything is looked at."""
    scenario = scenario_of(seed, hours=HOURS, profile=PROFILES["none"])
    run = Run(scenario, folder, [kind() for kind in kinds], keep_timeline=False)
    if damage is not None:
        look = run.check_at_rest

        def damaged() -> None:
            damage(run)
            look()

        run.check_at_rest = damaged  # type: ignore[method-assign]
    run.play()
    return run


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The first of those worlds in which a target rests."""
    for each in SEEDS:
        found: list[str] = []
        played(each, tmp_path_factory.mktemp("look"), (), lambda run, found=found: found.extend(targets(run)))  # type: ignore[misc]
        if found:
            return each
    pytest.fail(f"in none of the worlds {SEEDS} a target rests at a rest")


def cells(run: Run, kind: type) -> list[Any]:
    """Return the cells of a kind of actor."""
    found = [run.system.cell_of(path) for path in run.system.paths()]
    return [cell for cell in found if cell is not None and isinstance(cell.actor, kind)]


def test_a_run_without_faults_breaks_no_rule(seed: int, tmp_path: Path) -> None:
    """Every invariant is checked, at rest at least, and none is violated."""
    run = played(seed, tmp_path, ALL)
    assert run.verdict.violations == []
    assert {kind.NAME for kind in ALL} <= run.verdict.coverage.checked.keys()
    assert run.verdict.counts["FillRecorded"] > 0
    assert len({kind.NAME for kind in ALL}) == len(ALL)


def targets(run: Run) -> list[str]:
    """Return the targets that rest at the exchange."""
    orders = run.exchange.engine.state.memory.orders
    legs = [leg for cell in cells(run, PositionGroup) for leg in cell.actor._view.legs.values()]
    return [leg.target_order for leg in legs if leg.target_order in orders and not orders[leg.target_order].state.final]


def without_target(run: Run) -> None:
    """Have the exchange forget whatever target rests there."""
    for name in targets(run):
        run.exchange.engine.state.memory.orders.pop(name)


def dead(run: Run) -> None:
    """Take an actor's life without telling anybody."""
    cells(run, Pool)[0].state = LifeState.DOWN


def forgotten(run: Run) -> None:
    """Have a supervisor forget one of its children."""
    house = run.system.cell_of("/venues/sim")
    assert house is not None
    getattr(house.actor, "_slots").pop("desk")  # noqa: B009 - of a supervisor, which the type does not say


def without_group(run: Run) -> None:
    """Have a slot whose group lives nowhere."""
    for cell in cells(run, PositionGroup):
        cell.actor._group_id = "another"


def waiting(run: Run) -> None:
    """Leave a message in a mailbox, and an order held back at the desk."""
    desk = cells(run, OrderDesk)[0]
    desk.mailbox.data.append(Envelope("mail", "/x", 1, 1, 0, run.now))
    desk.actor._hold.sent["bh"] = True


def asking(run: Run) -> None:
    """Ask somebody who does not answer."""
    desk = cells(run, OrderDesk)[0]
    desk.busy = True
    run.system.asks.ask(desk, AllowEntries("sim"), 60)


def lost(run: Run) -> None:
    """Have a message end nowhere."""
    envelope = Envelope("mail", "/x", 1, 1, 0, run.now)
    run.system.dead_letters.add(DeadLetter(1, "/y", envelope, "no actor lives there", "", poison=False, at=run.now))


@pytest.mark.parametrize(
    ("kind", "damage", "said"),
    [
        (HeldIsProtected, without_target, "never came to the exchange"),
        (NobodyMissing, dead, "/risk/pool-sim is down"),
        (NobodyMissing, forgotten, "has forgotten desk"),
        (NobodyMissing, without_group, "has a slot and no actor"),
        (NothingWaits, waiting, "orders that wait for the venue"),
        (NothingWaits, asking, "1 requests wait for an answer"),
        (DeadLettersExplained, lost, "no actor lives there"),
    ],
)
def test_damage_at_rest_is_found(
    kind: type[Invariant], damage: Callable[[Run], None], said: str, seed: int, tmp_path: Path
) -> None:
    """What is wrong with actors, and no event says, is seen at rest."""
    found = [each.message for each in played(seed, tmp_path, (kind,), damage).verdict.violations]
    assert any(said in text for text in found), found


def told(**changes: Any) -> EventLogged:
    """Return a line of the log."""
    fields = {"source": "system", "severity": "error", "code": "ActorQuarantined", "text": "x", "at": 1, "pinned": True}
    return EventLogged(**{**fields, **changes})


def test_an_alert_that_is_not_shown_is_found() -> None:
    """EX-1406: what is critical stands in the strip, whatever the projection makes of it."""
    stage = Stage(AlertsAreShown())
    stage.tell("/store/events", told())
    projector = Projector(":memory:")
    stage.made = projector.views()
    assert len(stage.rest()) == 1
    projector.catch_up(stage.journal)
    assert len(stage.rest()) == 1
    stage.tell("/store/events", told(pinned=False))
    projector.catch_up(stage.journal)
    assert len(stage.rest()) == 2
    assert not critical(told(pinned=False, code="ActorRestarted"))


def test_a_gap_in_a_stream_or_a_lost_record_is_found() -> None:
    """What was durable stays, and every stream goes on where it stood."""
    stage = Stage(JournalWhole())
    stage.tell("/store/events", told())
    assert stage.rest() == []
    stage._seqs["/other"] = 3
    with pytest.raises(Exception, match="event 4 where 1 follows"):
        stage.tell("/other", told())
    stage.tell("/store/events", told())
    stage.journal = type(stage.journal)()
    assert stage.rest() == ["the journal ends at 0, 2 events were durable"]


def test_the_page_says_what_must_hold() -> None:
    """Whoever reads of the simulator finds every rule."""
    page = (Path(__file__).parents[3] / "docs/explanation/simulator.md").read_text(encoding="utf-8")
    assert [kind.NAME for kind in ALL if f"| `{kind.NAME}` |" not in page] == []

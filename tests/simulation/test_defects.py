"""The simulator is itself tested: each bug that is planted in production code is found, and nothing else is."""

from __future__ import annotations

from types import ModuleType

import msgspec
import pytest

from simulation.campaign.processes import on_processes
from simulation.commands.planting import planted_view
from simulation.defects import DEFECTS, NothingToPatch, patched, planted
from simulation.defects.hunt import Found, Hunt, hunt, lost, scenario_for
from simulation.invariants import ALL
from simulation.run import run
from simulation.shrink import Budget

MOST_SEEDS = 200
ASKED_FOR = {
    "dedupe-off",
    "blind-retry",
    "act-before-persist",
    "fill-matched-by-price",
    "lost-timer-on-restart",
    "slot-leaked-on-rejection",
    "projector-skips-one-event",
    "breaker-read-stale",
    "partial-treated-as-full",
    "cancel-assumed-successful",
    "snapshot-one-behind",
    "double-exit",
}


def test_all_bugs_that_were_asked_for_can_be_planted() -> None:
    """The twelve mistakes that must be found are in the registry."""
    assert set(DEFECTS) >= ASKED_FOR


@pytest.mark.parametrize("name", DEFECTS)
def test_a_bug_is_planted_and_taken_out_again(name: str) -> None:
    """What a bug replaces exists in production, is other code while it is planted, and is back afterwards."""
    before = {owner: dict(vars(owner)) for owner in touched(name)}
    assert before
    with planted(name):
        assert any(dict(vars(owner)) != was for owner, was in before.items())
    assert all(dict(vars(owner)) == was for owner, was in before.items())


def touched(name: str) -> set[type | ModuleType]:
    """Return the classes and modules that a bug is planted in."""
    found: set[type | ModuleType] = set()
    import simulation.defects.journal
    import simulation.defects.orders
    import simulation.defects.signals

    for module in (simulation.defects.journal, simulation.defects.orders, simulation.defects.signals):
        noted = module.patched

        def noting(owner: type | ModuleType, *given: object) -> object:
            found.add(owner)
            return patched(owner, *given)  # type: ignore[arg-type]

        module.patched = noting  # type: ignore[attr-defined]
        try:
            with planted(name):
                pass
        finally:
            module.patched = noted  # type: ignore[attr-defined]
    return found


def test_each_bug_names_rules_that_there_are() -> None:
    """The rules that a bug should break exist."""
    names = {rule.NAME for rule in ALL}
    assert {rule for defect in DEFECTS.values() for rule in defect.found_by} <= names
    assert all(defect.found_by and defect.sentence for defect in DEFECTS.values())


def test_a_bug_without_a_place_is_an_error() -> None:
    """When production has changed and the patched piece is gone, planting fails instead of doing nothing."""

    class Moved:
        pass

    with pytest.raises(NothingToPatch, match="Moved has no fill any more"), patched(Moved, "fill", lambda old: old):
        pass


def test_an_unknown_bug_is_an_error() -> None:
    """A name that there is none of is refused."""
    with pytest.raises(KeyError), planted("no-such-bug"):
        pass


@pytest.mark.slow(seconds=90)
def test_every_planted_bug_is_found_and_nothing_without_it() -> None:
    """Within 200 seeds each bug breaks a rule that it should break; the same seed without the bug breaks none."""
    jobs = [Hunt(name, MOST_SEEDS, Budget(runs=6)) for name in DEFECTS]
    found = {each.name: each for each in on_processes(jobs, hunt, lost=lost, workers=2)}
    hidden = {name: each.message for name, each in found.items() if not each.seed}
    assert hidden == {}
    assert all(each.invariant in DEFECTS[name].found_by and each.after <= each.before for name, each in found.items())
    seeds = {(DEFECTS[name].profile.name, each.seed): name for name, each in found.items()}
    broken = {
        place: run(msgspec.structs.replace(scenario_for(name, place[1]), defect="")).violations
        for place, name in seeds.items()
    }
    assert {place: each for place, each in broken.items() if each} == {}


def test_the_table_is_loud_about_what_was_not_found() -> None:
    """A bug that stayed hidden stands in the table as such."""
    from service.cli.output import console

    out = console()
    with out.capture() as captured:
        out.print(planted_view([Found("double-exit", tried=200), Found("blind-retry", seed=3, invariant="x")]))
    assert "not in 200" in captured.get()

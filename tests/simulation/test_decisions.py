"""The record of inputs is enough: whatever faults a run has, every actor decides again what its journal has."""

from __future__ import annotations

from decimal import Decimal

import pytest

import rules.take_profit
from protocol.orders import OrderSide
from rules.precision import PriceRounding, round_price
from simulation.invariants.decisions import DecidesAgain
from simulation.run import run
from simulation.world import PROFILES, scenario_of

HOURS = 24.0


class Watched(DecidesAgain):
    """Notes the newest object, which a run makes for itself."""

    newest: DecidesAgain

    def __init__(self) -> None:
        super().__init__()
        Watched.newest = self


@pytest.mark.slow(seconds=40)
@pytest.mark.parametrize("seed", [3, 11])
def test_every_actor_decides_again_what_its_journal_has(seed: int) -> None:
    """Crashes, lost commits, killed processes, changed settings: no event but follows from what was recorded."""
    scenario = scenario_of(seed, hours=HOURS, profile=PROFILES["all"])
    plain = run(scenario, invariants=())
    recorded = run(scenario, invariants=(Watched,))
    assert recorded.violations == []
    assert Watched.newest.events > 100
    assert recorded.counts == plain.counts, "to record changes nothing of what happens"


def test_a_decision_from_elsewhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that remembers something of its own decides otherwise the second time, and that is a violation."""
    once = iter([1])

    def moody(price: Decimal, tick: Decimal, side: OrderSide, rounding: PriceRounding) -> Decimal:
        return round_price(price, tick, side, rounding) + tick * next(once, 0)

    monkeypatch.setattr(rules.take_profit, "round_price", moody)
    found = run(scenario_of(3, hours=HOURS, profile=PROFILES["all"]), invariants=(DecidesAgain,))
    assert {each.invariant for each in found.violations} == {DecidesAgain.NAME}

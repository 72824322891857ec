"""Seeds that once broke a rule: they are run again, so that what was mended stays so."""

from __future__ import annotations

import pytest

from simulation.run import run
from simulation.world import PROFILES, scenario_of

pytestmark = pytest.mark.slow(seconds=30)


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(157, id="157: a fill that the stream lost before a restart was never asked for"),
        pytest.param(235, id="235: a close that was due, and could not be done, was not tried again"),
    ],
)
def test_a_week_that_once_broke_a_rule_breaks_none(seed: int) -> None:
    """All faults, one week: no violation."""
    verdict = run(scenario_of(seed, hours=168, profile=PROFILES["all"]))
    assert [(each.invariant, each.message) for each in verdict.violations] == []

"""A failing scenario as a test file: what once went wrong is run for ever.

The file holds the scenario as JSON that can be read, its timeline, and one test that runs it and asks for no violation.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from protocol.codec import encode_json
from simulation.scenario import Scenario
from simulation.timeline import timeline
from simulation.verdict import Verdict, Violation
from simulation.world.recorded import have_recorded

__all__ = [
    "read_scenario",
    "recordings_missing",
    "regression_text",
    "scenario_text",
    "violations_of",
    "write_regression",
]

_FILE: Final = '''\
"""Seed {seed} once broke {invariant}: {message}.

{timeline}
"""
# ruff: noqa: E501 - a scenario is data, one item a line

import pytest

from simulation.regression import recordings_missing, violations_of

SCENARIO = r"""
{scenario}
"""


@pytest.mark.slow
@pytest.mark.skipif(recordings_missing(SCENARIO), reason="the recorded candles of this scenario are not here")
def test_seed_{seed}_{name}() -> None:
    """The rule {invariant}, which this scenario once broke, holds, and so does every other."""
    assert violations_of(SCENARIO) == []
'''


def scenario_text(scenario: Scenario) -> str:
    """Return a scenario as JSON: one line a field, one line an item."""
    plain = json.loads(encode_json(scenario))
    fields = [f"  {json.dumps(name)}: {_field(value)}" for name, value in plain.items()]
    return "{\n" + ",\n".join(fields) + "\n}"


def _field(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(f"    {json.dumps(each, ensure_ascii=False)}" for each in value) + "\n  ]"


def read_scenario(text: str) -> Scenario:
    """Return the scenario of a JSON text, or of a regression test file; raise ValueError when it is neither."""
    found = re.search(r'SCENARIO = r"""\n(.*?)\n"""', text, re.DOTALL)
    try:
        return msgspec.json.decode(found[1] if found else text, type=Scenario)
    except msgspec.DecodeError as error:
        raise ValueError(f"this is not a scenario: {error}") from error


def recordings_missing(text: str) -> bool:
    """Whether a scenario is played on recorded candles that are not on this machine."""
    return any(path.file and not have_recorded(path.file) for path in read_scenario(text).paths)


def violations_of(text: str) -> list[Violation]:
    """Run the scenario of a text and return everything that it broke."""
    from simulation.run import run

    return run(read_scenario(text)).violations


def regression_text(scenario: Scenario, violation: Violation, verdict: Verdict | None = None) -> str:
    """Return the test file of a scenario that broke a rule; a bug that was planted is left out of it."""
    clean = msgspec.structs.replace(scenario, defect="")
    lines = timeline(clean, verdict, events=False)
    told = "\n".join(lines).replace("\\", "/").replace('"""', "'''")
    return _FILE.format(
        seed=scenario.seed,
        invariant=violation.invariant,
        name=_name(violation.invariant),
        message=" ".join(violation.message.split()).rstrip(".").replace("\\", "/").replace('"', "'"),
        timeline=told,
        scenario=scenario_text(clean),
    )


def write_regression(folder: Path, scenario: Scenario, violation: Violation, verdict: Verdict | None = None) -> Path:
    """Write the test file into a folder, which is made when it is not there; return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"test_seed_{scenario.seed}_{_name(violation.invariant)}.py"
    path.write_text(regression_text(scenario, violation, verdict), encoding="utf-8")
    return path


def _name(invariant: str) -> str:
    return re.sub(r"\W+", "_", invariant).strip("_").lower()

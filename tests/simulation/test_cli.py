"""``bulkhead simulate`` as it is typed: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.cli import app
from simulation.campaign import Job, run_campaign
from simulation.regression import scenario_text
from simulation.world import PROFILES, scenario_of
from tests.service.command_line import CliRunner

pytestmark = pytest.mark.slow(seconds=30)


def typed(*words: str) -> tuple[int, str, str]:
    """Run a command line; return exit code, standard output and standard error."""
    result = CliRunner().invoke(app, ["simulate", *words])
    return result.exit_code, result.stdout, result.stderr


def test_many_seeds_as_json_with_a_page(tmp_path: Path) -> None:
    """Seeds run in processes of their own; document and page tell of one run, whose journals are those of any process."""
    code, out, err = typed("--seeds", "2", "--hours", "6", "--faults", "disk", "--json", "--out", str(tmp_path / "o"))
    document = json.loads(out)
    assert (code, document["seeds"], document["simulated_hours"], document["failures"]) == (0, 2, 12.0, [])
    here = run_campaign([Job(seed, 6.0, "disk") for seed in (1, 2)], workers=0)
    assert document["digest"] == here.digest
    assert "2 seeds of 6 hours, faults: disk" in (tmp_path / "o" / "simulation.html").read_text()
    assert "simulation.html" in err


def test_one_seed_again_with_its_timeline() -> None:
    """A seed is replayed with a line for everything that happened, and has the same digest each time."""
    words = ("replay", "--seed", "3", "--hours", "6", "--faults", "network")
    code, out, _ = typed(*words, "--timeline")
    assert code == 0
    assert out.startswith("seed 3, 6 h from ")
    assert "  fault  " in out
    _, again, _ = typed(*words)
    assert again.splitlines()[-1] == out.splitlines()[-1]
    assert again.splitlines()[-1].startswith("digest ")


def test_a_bug_in_a_file_is_found_shrunk_and_written(tmp_path: Path) -> None:
    """A scenario of a file that breaks a rule ends with 1; shrunk it becomes a test without the planted bug."""
    scenario = scenario_of(1, hours=4.0, profile=PROFILES["none"])
    file = tmp_path / "s.json"
    file.write_text(scenario_text(scenario).replace('"defect": ""', '"defect": "dedupe-off"'))
    code, out, err = typed("replay", str(file), "--shrink", "--out", str(tmp_path))
    assert code == 1
    assert "signal-acted-once" in out
    written = list((tmp_path / "regressions").glob("test_seed_1_*.py"))
    assert len(written) == 1
    assert str(written[0]) in err
    assert typed("replay", str(written[0]))[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--faults", "netwrok"), "did you mean network"),
        (("replay",), "name a file or a --seed"),
        (("planted", "double-exits"), "did you mean double-exit"),
    ],
)
def test_a_wrong_call_says_what_is_right(words: tuple[str, ...], said: str) -> None:
    """Mistakes in the call end with exit code 2 and the nearest that there is."""
    code, _, err = typed(*words)
    assert code == 2
    assert said in err


def test_one_planted_bug_by_name() -> None:
    """A bug is looked for by its name and told of with the rule that found it."""
    code, out, _ = typed("planted", "projector-skips-one-event", "--seeds", "10", "--json")
    found = json.loads(out)[0]
    assert code == 0
    assert found["seeds"] <= 10
    assert found["invariant"].startswith("read-models-")

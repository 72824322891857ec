"""Timelines and regression files: what a failing run looks like to a person, and how it is kept."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec
import pytest

from simulation.regression import read_scenario, recordings_missing, regression_text, scenario_text, write_regression
from simulation.scenario import FaultKind, PathKind
from simulation.timeline import describe, timeline
from simulation.verdict import Moment, Violation
from tests.simulation.toy import scenario, toy_run

BROKEN = Violation("two-and-a-break", 1_760_011_000 * 10**9, 'said "no" in \\ a\nhurry')


def test_a_line_an_instant_all_aligned() -> None:
    """Every line has its instant to the millisecond, then what it is, then what happened, in columns."""
    lines = [line for line in timeline(scenario()) if re.match(r"  \d\d:", line)]
    assert len(lines) == len(scenario().items)
    assert all(re.match(r"  \d\d:\d\d:\d\d\.\d{3}  (fault|post|operator|rest) +\S", line) for line in lines)
    assert len({line.index(line.split(maxsplit=2)[2]) for line in lines}) == 1


def test_days_are_headings() -> None:
    """A new day is said once, with its name."""
    days = [line for line in timeline(scenario()) if re.match(r"[A-Z]\w+day 2025", line)]
    assert days == ["Thursday 2025-10-09", "Friday 2025-10-10"]


def test_violations_stand_where_they_happened() -> None:
    """A violation is a line of its own, marked, after what led to it."""
    verdict = toy_run(scenario())
    lines = timeline(scenario(), verdict)
    assert lines[-1].split()[1:3] == ["VIOLATED", "two-and-a-break:"]


def test_a_fault_says_all_that_it_is() -> None:
    """Kind, target, how often, how long and how much are told, and nothing that it has not."""
    faults = [item for item in scenario().items if getattr(item, "kind", None) is FaultKind.DISCONNECT]
    assert describe(faults[0]) == "disconnect on paper for 55.5 s amount 0.123"


def test_a_scenario_survives_its_text() -> None:
    """The text of a scenario is one item a line, and reads back as the same scenario."""
    text = scenario_text(scenario())
    assert read_scenario(text) == scenario()
    assert len(text.splitlines()) == len(scenario().items) + len(scenario().paths) + 11


def test_a_regression_file_is_a_test_of_the_scenario(tmp_path: Path) -> None:
    """The file that is written is valid Python with one test, reads back as the scenario, and names what broke."""
    path = write_regression(tmp_path / "new", scenario(), BROKEN, toy_run(scenario()))
    assert path.name == "test_seed_7_two_and_a_break.py"
    tree = ast.parse(path.read_text())
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == ["test_seed_7_two_and_a_break"]
    assert "VIOLATED" in (ast.get_docstring(tree) or "")
    assert read_scenario(path.read_text()) == scenario()


def test_quotes_in_a_body_break_no_file() -> None:
    """A post whose body is full of quotes and backslashes is kept as it was."""
    nasty = msgspec.structs.replace(scenario().items[0], body='{"a": "\\"\\"\\"", "b": """, \\\\ \\n}')  # type: ignore[call-overload]
    one = msgspec.structs.replace(scenario(), items=(nasty,))
    text = regression_text(one, BROKEN)
    ast.parse(text)
    assert read_scenario(text) == one


def test_a_planted_bug_is_not_kept() -> None:
    """A regression file runs production as it is: the bug that was planted stays out of it."""
    planted = msgspec.structs.replace(scenario(), defect="blind-retry")
    assert read_scenario(regression_text(planted, BROKEN)).defect == ""


def test_a_text_that_is_no_scenario_is_refused() -> None:
    """What cannot be read says so."""
    with pytest.raises(ValueError, match="this is not a scenario"):
        read_scenario("{}")


def test_missing_recordings_are_noticed() -> None:
    """A scenario on recorded candles that are not on this machine is known before it is run."""
    assert not recordings_missing(scenario_text(scenario()))
    path = msgspec.structs.replace(scenario().paths[0], kind=PathKind.RECORDED, file="nowhere.parquet")
    assert recordings_missing(scenario_text(msgspec.structs.replace(scenario(), paths=(path,))))


def test_a_regression_tells_what_was_done_and_not_every_event() -> None:
    """What actors wrote is left out of a test's own words: faults, deaths and the violation stay."""
    verdict = toy_run(scenario())
    verdict.timeline += [
        Moment(BROKEN.at, "/venues/sim/desk", "OrderSent OrderSent(at=1)"),
        Moment(BROKEN.at, "killed", "life 1"),
    ]
    text = regression_text(scenario(), BROKEN, verdict)
    assert "OrderSent" not in text
    assert all(word in text for word in ("killed", "VIOLATED", "disconnect"))

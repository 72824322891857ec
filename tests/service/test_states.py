"""The life of a group as the docs and the command line show it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from protocol.groups import GroupState
from rules.group.states import TRANSITIONS, Cause
from service.cli.commands import app
from service.cli.state_diagram import diagram
from service.explain.states import EVENTS, transitions
from tests.service.command_line import CliRunner

ROOT = Path(__file__).parents[2]


def test_every_move_has_words() -> None:
    """EX-803: each cause of the table is explained, and each of its moves is a row."""
    assert set(EVENTS) == set(Cause)
    moves = {(old, cause, new) for cause, (before, after) in TRANSITIONS.items() for old in before for new in after}
    assert {(each.before or None, each.cause, each.after) for each in transitions()} == moves


def test_the_diagram_is_fresh() -> None:
    """EX-801, EX-803: the picture in the docs is the one drawn from the table; `make generated` draws it again."""
    assert (ROOT / "docs/assets/group-states.svg").read_text(encoding="utf-8") == diagram()
    assert "group-states.svg" in (ROOT / "docs/explanation/groups.md").read_text(encoding="utf-8")


def test_the_diagram_shows_every_state_and_move() -> None:
    """EX-801: all six states are drawn, and one arrow for every pair of states the table connects."""
    picture = ET.fromstring(diagram())
    space = "{http://www.w3.org/2000/svg}"
    assert len(picture.findall(f"{space}rect[@class='s']")) == len(GroupState)
    assert len(picture.findall(f"{space}line")) == len({(each.before, each.after) for each in transitions()})


def test_the_table_is_printed_without_a_daemon() -> None:
    """EX-803: `bulkhead explain group` prints from, event, to and rule; --json gives the same to programs."""
    shown = CliRunner().invoke(app, ["explain", "group"])
    assert shown.exit_code == 0
    assert "late fill" in shown.stdout
    found = json.loads(CliRunner().invoke(app, ["explain", "group", "--json"]).stdout)
    assert found["transitions"][0] == {
        "before": "",
        "cause": "entry_held",
        "event": "entry without a slot, or held",
        "after": "waiting",
        "rule": "EX-803",
    }

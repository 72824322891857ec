"""The group against the golden scripts of exits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.group_script import Script
from tests.rules.vectors import cases, same, tolerance


@pytest.mark.parametrize("case", cases("exits", "group_script"))
def test_scripts_give_the_golden_effects(case: dict[str, Any]) -> None:
    """Every event of a script leads to the golden effects, in their order, and to the golden end (EX-600..EX-806)."""
    script = Script(case["input"]["group"])
    found = [{"event": event["type"], "effects": script.run(event)} for event in case["input"]["events"]]
    wanted = case["expected"]["steps"]
    for step, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        assert same(ours, theirs, tolerance(case)), f"step {step}: {ours} is not {theirs}"
    assert same(script.final(), case["expected"]["final"], tolerance(case)), script.final()

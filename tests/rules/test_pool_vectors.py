"""The golden vectors of pool and queue, run through the reducer the actor uses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from protocol.values import Side
from rules.pool import Contender, rank_queue
from tests.rules.pool_script import PoolScript, instant, settings_of
from tests.rules.vectors import cases, decimal

RANKING = ("selection_priority", "priority_rules_enabled")


@pytest.mark.parametrize("case", cases("pool_queue", "pool_script"))
def test_pool_script(case: dict[str, Any]) -> None:
    """Each event has the outcomes of the vectors, and leaves their groups and queue (EX-901 to EX-931)."""
    script = PoolScript(case["input"]["config"])
    for event, expected in zip(case["input"]["events"], case["expected"]["steps"], strict=True):
        assert {"outcome": script.do(event), **script.standing()} == {**expected, "live": sorted(expected["live"])}


@pytest.mark.parametrize("case", cases("pool_queue", "rank_queue"))
def test_rank_queue(case: dict[str, Any]) -> None:
    """The order and the loss percents are those of the vectors (EX-920 to EX-923)."""
    given = case["input"]
    settings, _ = settings_of({name: given[name] for name in RANKING if name in given})
    ranked = rank_queue((_contender(each) for each in given["entries"]), settings.rules)
    assert [each.entry_id for each in ranked] == case["expected"]["order"]
    losses = {each.entry_id: each.loss_percent for each in ranked}
    expected = case["expected"]["loss_percent"]
    assert losses == {name: None if value is None else Decimal(value) for name, value in expected.items()}


def _contender(entry: dict[str, Any]) -> Contender:
    return Contender(
        entry["id"],
        Side(entry["side"]),
        Decimal(entry["entry_price"]),
        decimal(entry.get("price")),
        entry.get("replacement_count", 0),
        decimal(entry.get("expected_profit")),
        instant(entry["queued_at"]),
        entry.get("continuation", False),
    )


def test_the_example_says_why() -> None:
    """EX-920: each place is explained by the first rule that differs, with both values (the example of the requirement)."""
    case: dict[str, Any] = cases("pool_queue", "rank_queue")[0].values[0]
    if not case:
        pytest.skip("golden vectors are not here")
    given = case["input"]
    settings, _ = settings_of({name: given[name] for name in RANKING})
    ranked = rank_queue((_contender(each) for each in given["entries"]), settings.rules)
    assert [each.why for each in ranked] == [
        "before q3 by pyramid_continuation: continues a live group yes against no",
        "before q2 by highest_expected_profit: expected profit 6.00 USD against 4.00 USD",
        "before q1 by highest_loss_percent: loss percent -3.00 % against -2.00 %",
        "before q5 by highest_loss_percent: loss percent -2.00 % against unknown",
        "no other entry",
    ]

"""Pyramids: indices, sources, anchors, the maximum."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from protocol.groups import (
    AddPyramid,
    GridConfig,
    PyramidAdded,
    PyramidRefused,
)
from protocol.instruments import PrecisionRules
from protocol.signals import SizeType
from protocol.values import Side
from rules.group import GroupView, decide, evolve
from tests.rules.group_bench import GROUP, instrument, open_message
from tests.rules.vectors import cases, same, tolerance


def enter(
    view: GroupView | None, price: Decimal, given_: dict[str, Any], number: int
) -> tuple[GroupView, dict[str, Any]]:
    """Give a group one more entry; return the group and what became of it, in the shape of the vectors."""
    config = msgspec.convert(
        {**given_["config"], "max_pyramids_per_group": given_["max_pyramids"]}, GridConfig, strict=False
    )
    rules = msgspec.convert(given_["rules"], PrecisionRules)
    size = Decimal(given_["quote_per_pyramid"])
    message: Any
    if view is None:
        message = open_message(Side(given_["side"]), price, size, SizeType.QUOTE, config, instrument(rules))
    else:
        message = AddPyramid(
            group_id=GROUP,
            signal_id=f"s{number}",
            entry_price=price,
            size=size,
            size_type=SizeType.QUOTE,
            config=config,
            instrument=instrument(rules),
            at=1,
        )
    before = view
    events = decide(view, message, 1)
    for event in events:
        view = evolve(view, event)
    assert view is not None
    return view, shown(view, events, first=before is None)


def shown(view: GroupView, events: tuple[Any, ...], *, first: bool) -> dict[str, Any]:
    """Return one step in the shape of the vectors."""
    count = len(view.pyramids) - 1
    refused = [event for event in events if isinstance(event, PyramidRefused)]
    if refused:
        return {"outcome": f"rejected:{refused[0].code}", "pyramid_count": count}
    added = next(event for event in events if isinstance(event, PyramidAdded))
    return {
        "outcome": "opened" if first else "pyramid_added",
        "pyramid_index": added.pyramid,
        "pyramid_count": count,
        "received": count + 1,
        "levels_source": added.levels_source,
        "legs": [{"id": leg.leg_id, "price": leg.price, "qty": leg.qty} for leg in added.legs],
    }


@pytest.mark.parametrize("case", cases("pyramids", "apply_pyramids"))
def test_golden_pyramids(case: dict[str, Any]) -> None:
    """Entries become pyramids with the golden index, layer source and ladder, or are refused (EX-320..325)."""
    view: GroupView | None = None
    steps = []
    for number, price in enumerate(case["input"]["entry_prices"]):
        view, step = enter(view, Decimal(price), case["input"], number)
        steps.append(step)
    assert same({"steps": steps}, case["expected"], tolerance(case)), steps

"""Pyramids of a group against a second telling: index, source and ladder of each entry, the maximum (EX-320 to EX-325)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.group import GroupView
from tests.rules.reference_ladder import ladder
from tests.rules.test_pyramids import enter

PRICES = st.decimals("50", "70000", places=2).map(str)
LAYERS = st.sampled_from(
    [
        [("0", "60", "1"), ("-1", "40", "1")],
        [("0", "100", "0.8")],
        [("-0.4", "50", "2"), ("-0.9", "50", "2")],
        [("0", "33.33", "1"), ("-1", "33.33", "1"), ("-2.5", "33.33", "1")],
    ]
).map(lambda rows: [dict(zip(("gap_percent", "weight_percent", "tp_percent"), row, strict=True)) for row in rows])


def expected(given_: dict[str, Any]) -> list[dict[str, Any]]:
    """Tell each entry by the rules alone."""
    steps: list[dict[str, Any]] = []
    index = 0
    for price in given_["entry_prices"]:
        if index == given_["max_pyramids"]:
            steps.append({"outcome": "rejected:MaxPyramidsReached", "pyramid_count": index - 1})
            continue
        own = index > 0 and str(index) in given_["config"]["pyramid_specific_levels"]
        levels = given_["config"]["pyramid_specific_levels"][str(index)] if own else given_["config"]["levels"]
        made = ladder(
            {
                "side": given_["side"],
                "entry_price": price,
                "levels": levels,
                "size_type": "quote",
                "size": given_["quote_per_pyramid"],
                "rules": given_["rules"],
            }
        )
        steps.append(
            {
                "outcome": "pyramid_added" if index else "opened",
                "pyramid_index": index,
                "pyramid_count": index,
                "received": index + 1,
                "levels_source": f"pyramid_specific_levels[{index}]" if own else "levels",
                "legs": [
                    {"id": f"p{index}.l{leg['leg']}", "price": leg["price"], "qty": leg["qty"]} for leg in made["legs"]
                ],
            }
        )
        index += 1
    return steps


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["long", "short"]),
    st.lists(PRICES, min_size=1, max_size=7),
    LAYERS,
    st.dictionaries(st.sampled_from(["0", "1", "2", "3", "4"]), LAYERS, max_size=3),
    st.integers(1, 6),
    st.sampled_from(["300", "500.55", "12345"]),
)
def test_every_sequence_of_entries(
    side: str, prices: list[str], levels: Any, specific: Any, most: int, quote: str
) -> None:
    """Each entry is a pyramid priced from itself, its layers those of its index when defined, never those of index 0."""
    given_ = {
        "side": side,
        "entry_prices": prices,
        "config": {"levels": levels, "pyramid_specific_levels": specific},
        "max_pyramids": most,
        "quote_per_pyramid": quote,
        "rules": {"tick_size": "0.05", "step_size": "0.00001", "min_qty": "0.00001", "min_notional": "5"},
    }
    view: GroupView | None = None
    steps = []
    for number, price in enumerate(prices):
        view, step = enter(view, Decimal(price), given_, number)
        for leg in step.get("legs", []):
            leg.update(price=Fraction(leg["price"]), qty=Fraction(leg["qty"]))
        steps.append(step)
    assert steps == expected(given_)

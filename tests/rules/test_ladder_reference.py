"""Ladders, targets and layer rules against a second telling in fractions (EX-403 to EX-413, EX-502 to EX-515)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.groups import PriceRounding
from protocol.values import Side
from rules.ladder import generate_levels, validate_levels
from rules.take_profit import leg_tp_price
from tests.rules.reference_ladder import faults, ladder, target
from tests.rules.test_ladder import ladder_of, levels_of, shown

TICKS = ("0.00000001", "0.0001", "0.0025", "0.01", "0.05", "0.25", "0.5", "1", "5", "100")
STEPS = ("0.00000001", "0.00001", "0.001", "0.1", "0.25", "1", "10", "1000")


def text(low: str, high: str, places: int) -> st.SearchStrategy[str]:
    """Return decimals as text."""
    return st.decimals(low, high, places=places).map(lambda value: format(value, "f"))


PRICES = st.one_of(
    text("0.00000001", "0.00001", 8), text("0.001", "10", 5), text("10", "100000", 2), st.just("0.00000012")
)
LAYERS = st.lists(
    st.tuples(text("-99.99", "0", 2), text("0.01", "60", 2), text("0.01", "99.99", 2)), min_size=1, max_size=6
).map(lambda rows: [dict(zip(("gap_percent", "weight_percent", "tp_percent"), row, strict=True)) for row in rows])
RULES = st.fixed_dictionaries(
    {
        "tick_size": st.sampled_from(TICKS),
        "step_size": st.sampled_from(STEPS),
        "min_qty": st.sampled_from(("0", "0.00001", "0.001", "1")),
        "min_notional": st.sampled_from(("0", "1", "5", "100")),
    }
)
LADDERS = st.fixed_dictionaries(
    {
        "side": st.sampled_from(("long", "short")),
        "entry_price": PRICES,
        "levels": LAYERS,
        "size_type": st.sampled_from(("quote", "base", "contracts")),
        "size": st.one_of(text("0.001", "10", 3), text("10", "100000", 2)),
        "rules": RULES,
        "contract_size": st.sampled_from(("1", "0.1", "0.001", "100")),
        "price_rounding": st.sampled_from(("down", "passive")),
        "blocked_leg_policy": st.sampled_from(("skip_leg", "reject_pyramid")),
        "max_quote_per_pyramid": st.sampled_from(("0", "50", "5000")),
        "enforce_tick_size": st.booleans(),
        "enforce_step_size": st.booleans(),
        "enforce_min_notional": st.booleans(),
    }
).map(lambda made: made | {"enforce_step_size": made["enforce_step_size"] or made["size_type"] == "quote"})
"""Inputs of ladders. A quotient that is not rounded to a step has more digits than money needs (EX-107): not compared."""


def exact(value: Any) -> Any:
    """Return a tree with its decimals as fractions."""
    if isinstance(value, dict):
        return {name: exact(each) for name, each in value.items()}
    if isinstance(value, list):
        return [exact(each) for each in value]
    return Fraction(value) if isinstance(value, Decimal | int) else value


@settings(max_examples=400, deadline=None)
@given(LADDERS)
def test_every_ladder(made: dict[str, Any]) -> None:
    """Prices, quantities, blocks, targets, totals, outcome and warnings are those of the rules, digit by digit."""
    found, config = ladder_of(made)
    side, tick = Side(made["side"]), Decimal(made["rules"]["tick_size"])
    told: dict[str, Any] = {
        "legs": [shown(layer, side, tick, config) for layer in found.layers],
        "submitted": len(found.placed),
        "total_qty": found.total_qty,
        "total_notional": found.total_notional,
        "expected_profit": found.expected_profit,
        "outcome": f"rejected:{found.refusal}" if found.refusal else "ok",
        "warnings": list(found.warnings),
    }
    assert exact(told) == exact(ladder(made))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(Side), PRICES, text("0.001", "99.9", 3), st.sampled_from(TICKS), st.sampled_from(PriceRounding))
def test_every_leg_target(side: Side, fill: str, percent: str, tick: str, rounding: PriceRounding) -> None:
    """EX-602, EX-603: targets of longs and shorts, tiny prices, ticks that are no powers of ten, both roundings."""
    found = leg_tp_price(side, Decimal(fill), Decimal(percent), Decimal(tick), rounding)
    passive = rounding is PriceRounding.PASSIVE
    assert Fraction(found) == target(side.value, Fraction(fill), Fraction(percent), Fraction(tick), passive=passive)
    assert Fraction(found) % Fraction(tick) == 0


@pytest.mark.parametrize(
    ("side", "fill", "percent", "tick", "expected"),
    [
        ("long", "99", "1.5", "0.01", "100.48"),
        ("short", "99", "1.5", "0.01", "97.51"),
        ("long", "0.00000012", "0.5", "0.00000001", "0.00000013"),
        ("short", "0.00000012", "0.5", "0.00000001", "0.00000011"),
        ("short", "0.00000001", "50", "0.00000001", "0.00000001"),
        ("long", "100.03", "0.01", "0.05", "100.05"),
        ("long", "100.05", "0.01", "0.05", "100.10"),
        ("short", "100.05", "0.01", "0.05", "100"),
        ("long", "100.25", "0.1", "0.25", "100.5"),
        ("short", "100.25", "0.1", "0.25", "100"),
        ("long", "100.1", "0.2", "0.25", "100.25"),
        ("long", "7", "1", "5", "10"),
        ("short", "7", "1", "5", "5"),
        ("short", "4", "1", "5", "5"),
    ],
)
def test_targets_by_hand(side: str, fill: str, percent: str, tick: str, expected: str) -> None:
    """EX-602, EX-603: targets worked out by hand: always on the profit side, a short's never below one tick."""
    found = leg_tp_price(Side(side), Decimal(fill), Decimal(percent), Decimal(tick))
    assert found == Decimal(expected)


NUMBERS = st.sampled_from(
    ("1", "0.5", "0.01", "0", "-0.01", "-0.5", "-1", "-1.5", "-2", "-99.99", "-100", "-101", "-3", "-4", "-5")
)
WEIGHTS = st.sampled_from(
    ("0", "-1", "0.01", "10", "20", "25", "33.3", "33.33", "50", "49.95", "99.9", "99.89", "100", "101")
)
PERCENTS = st.sampled_from(("0", "-1", "0.01", "1", "99.99", "100", "100.01", "999", "1000", "1000.01"))


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.tuples(NUMBERS, WEIGHTS, PERCENTS), max_size=9),
    st.integers(1, 8),
    st.sampled_from((None, "long", "short")),
)
def test_every_fault_of_layers(rows: list[tuple[str, str, str]], most: int, side: str | None) -> None:
    """EX-404, EX-405: all faults, their paths and their order: number, then layer by layer, then the sum."""
    levels = [dict(zip(("gap_percent", "weight_percent", "tp_percent"), row, strict=True)) for row in rows]
    found = validate_levels(levels_of(levels), most, None if side is None else Side(side))
    assert [(each.path, each.code) for each in found] == faults(levels, most, side)


@pytest.mark.parametrize("count", range(1, 51))
def test_the_shorthand(count: int) -> None:
    """EX-406: gap -i*g, the target t, weight floor(100/n) to a hundredth, and the last layer takes the remainder."""
    levels = generate_levels(count, Decimal("0.7"), Decimal("1.2"))
    each = Fraction(10_000 // count, 100)
    assert [Fraction(level.gap_percent) for level in levels] == [-index * Fraction("0.7") for index in range(count)]
    assert [Fraction(level.weight_percent) for level in levels] == [each] * (count - 1) + [100 - each * (count - 1)]
    assert {level.tp_percent for level in levels} == {Decimal("1.2")}
    assert validate_levels(levels, 50) == ()

"""Layers: validation, shorthand, prices, sizes, blocks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.groups import GridConfig, Level
from protocol.groups.values import DEFAULT_LEVELS
from protocol.instruments import PrecisionRules
from protocol.signals import SizeType
from protocol.values import Side
from rules.ladder import (
    Ladder,
    PlannedLayer,
    build_ladder,
    funds_needed,
    generate_levels,
    levels_source,
    validate_levels,
)
from rules.take_profit import leg_tp_price
from tests.rules.vectors import cases, option, same, tolerance

RULES = PrecisionRules(Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(5))
SETTINGS = ("price_rounding", "blocked_leg_policy", "enforce_tick_size", "enforce_step_size", "enforce_min_notional")


def levels_of(found: list[dict[str, str]]) -> tuple[Level, ...]:
    """Return a vector's layers."""
    return msgspec.convert(found, tuple[Level, ...])


def level(gap: str, weight: str = "50", tp: str = "1") -> Level:
    """Return one layer."""
    return Level(Decimal(gap), Decimal(weight), Decimal(tp))


def ladder_of(found: dict[str, Any]) -> tuple[Ladder, GridConfig]:
    """Return the ladder of a vector's input, and its settings."""
    changed = {name: found[name] for name in SETTINGS if found.get(name) is not None}
    if found.get("max_quote_per_pyramid"):
        changed["max_quote_per_pyramid"] = str(found["max_quote_per_pyramid"])
    config = msgspec.convert(changed, GridConfig)
    ladder = build_ladder(
        Side(found["side"]),
        Decimal(found["entry_price"]),
        levels_of(found["levels"]),
        size=Decimal(found["size"]),
        size_type=SizeType(found["size_type"]),
        rules=msgspec.convert(found["rules"], PrecisionRules),
        contract_size=Decimal(found.get("contract_size") or "1"),
        config=config,
    )
    return ladder, config


def shown(layer: PlannedLayer, side: Side, tick: Decimal, config: GridConfig) -> dict[str, Any]:
    """Return a layer in the shape of the vectors."""
    return {
        "leg": layer.layer,
        "gap_percent": layer.level.gap_percent,
        "weight_percent": layer.level.weight_percent,
        "tp_percent": layer.level.tp_percent,
        "price": layer.price,
        "qty": layer.qty,
        "notional": layer.notional,
        "tp_price_if_filled_at_limit": leg_tp_price(
            side, layer.price, layer.level.tp_percent, tick, config.price_rounding
        ),
        "status": "blocked" if layer.reason else "ok",
        "reason": layer.reason,
    }


@pytest.mark.parametrize("case", cases("ladder", "build_ladder"))
def test_golden_ladders(case: dict[str, Any]) -> None:
    """Every ladder has the golden prices, quantities, targets, totals and warnings (EX-403..411, EX-502..505)."""
    ladder, config = ladder_of(case["input"])
    side, tick = Side(case["input"]["side"]), Decimal(case["input"]["rules"]["tick_size"])
    found = {
        "legs": [shown(layer, side, tick, config) for layer in ladder.layers],
        "submitted": len(ladder.placed),
        "total_qty": ladder.total_qty,
        "total_notional": ladder.total_notional,
        "expected_profit": ladder.expected_profit,
        "outcome": f"rejected:{ladder.refusal}" if ladder.refusal else "ok",
        "warnings": list(ladder.warnings),
    }
    assert same(found, case["expected"], tolerance(case)), found


@pytest.mark.parametrize("case", cases("ladder", "leg_tp_price"))
def test_golden_leg_targets(case: dict[str, Any]) -> None:
    """A leg's target is the golden price (EX-602, EX-603)."""
    given_ = case["input"]
    config = msgspec.convert({"price_rounding": option(given_, "price_rounding", default="down")}, GridConfig)
    found = leg_tp_price(
        Side(given_["side"]),
        Decimal(given_["fill_price"]),
        Decimal(given_["tp_percent"]),
        Decimal(given_["tick_size"]),
        config.price_rounding,
    )
    assert found == Decimal(case["expected"]["price"])


@pytest.mark.parametrize("case", cases("ladder", "validate_levels"))
def test_golden_layer_faults(case: dict[str, Any]) -> None:
    """Layers have the golden faults (EX-404, EX-405)."""
    given_ = case["input"]
    side = Side(given_["side"]) if given_.get("side") else None
    most = option(given_, "max_dca_per_pyramid", "max", default=7)
    found = validate_levels(levels_of(given_["levels"]), most, side)
    assert [fault._asdict() for fault in found] == case["expected"]["errors"]


@pytest.mark.parametrize("case", cases("ladder", "generate_levels"))
def test_golden_shorthand(case: dict[str, Any]) -> None:
    """The shorthand generates the golden layers (EX-406)."""
    given_ = case["input"]
    found = generate_levels(given_["dca_count"], Decimal(given_["dca_gap_percent"]), Decimal(given_["tp_percent"]))
    assert found == levels_of(case["expected"]["levels"])


@pytest.mark.parametrize(
    ("levels", "codes"),
    [
        ((), ["EmptyLevels"]),
        ((level("0"),) * 8, ["TooManyLayers", *["GapsNotDescending"] * 7, "WeightSum"]),
        ((level("0"), level("0")), ["GapsNotDescending"]),
        ((level("0"), level("-100")), ["OutOfRange"]),
        ((level("0", "0"), level("-1", "100")), ["OutOfRange"]),
        ((level("0", tp="0"), level("-1", tp="1000.1")), ["OutOfRange", "OutOfRange"]),
        ((level("0", "49.9"), level("-1", "49.9")), ["WeightSum"]),
        ((level("0", "49.95"), level("-1", "49.95")), []),
    ],
)
def test_every_fault_of_layers_is_reported(levels: tuple[Level, ...], codes: list[str]) -> None:
    """Counts, gaps, weights and targets are all checked, and all faults told at once (EX-405)."""
    assert [fault.code for fault in validate_levels(levels, 7)] == codes


def test_targets_of_shorts_stay_below_100_percent() -> None:
    """A short cannot earn its whole price: its target must be below 100 % (EX-405)."""
    levels = (level("0", "100", "100"),)
    assert validate_levels(levels, 7, Side.LONG) == ()
    assert [fault.path for fault in validate_levels(levels, 7, Side.SHORT)] == ["levels[0].tp_percent"]


def test_one_blocked_layer_may_reject_the_pyramid() -> None:
    """``reject_pyramid`` places nothing when one layer is below a minimum (EX-505)."""
    levels = (level("0", "98"), level("-1", "2"))
    common: dict[str, Any] = {"size": Decimal(100), "size_type": SizeType.QUOTE, "rules": RULES}
    skipped = build_ladder(Side.LONG, Decimal(100), levels, **common)
    config = msgspec.convert({"blocked_leg_policy": "reject_pyramid"}, GridConfig)
    refused = build_ladder(Side.LONG, Decimal(100), levels, config=config, **common)
    assert [layer.layer for layer in skipped.placed] == [0]
    assert (refused.placed, refused.refusal, refused.total_notional) == ((), "BelowMinNotional", 0)


def test_a_pyramid_without_an_orderable_layer_is_refused() -> None:
    """No layer left: ``NoOrderableLeg`` (EX-505)."""
    ladder = build_ladder(
        Side.LONG, Decimal(100), DEFAULT_LEVELS, size=Decimal(10), size_type=SizeType.QUOTE, rules=RULES
    )
    assert (ladder.refusal, ladder.placed) == ("NoOrderableLeg", ())


def test_a_price_below_the_tick_blocks_its_layer() -> None:
    """A layer whose price rounds to nothing is blocked as ``PriceBelowTick`` and sizes to nothing (EX-504)."""
    ladder = build_ladder(
        Side.LONG, Decimal("0.004"), (level("0", "100"),), size=Decimal(10), size_type=SizeType.QUOTE, rules=RULES
    )
    assert [(layer.qty, layer.reason) for layer in ladder.layers] == [(0, "PriceBelowTick")]


def test_size_above_the_cap_is_refused() -> None:
    """``max_quote_per_pyramid`` above 0 rejects a larger plan, and equality passes (EX-413)."""

    def refusal(cap: str) -> str | None:
        config = msgspec.convert({"max_quote_per_pyramid": cap}, GridConfig)
        common: dict[str, Any] = {"size": Decimal(100), "size_type": SizeType.QUOTE, "rules": RULES}
        return build_ladder(Side.LONG, Decimal(100), (level("0", "100"),), config=config, **common).refusal

    assert (refusal("0"), refusal("100"), refusal("99.99")) == (None, None, "SizeAboveCap")


def test_the_funds_check_counts_the_fee_buffer() -> None:
    """Needed are the notional of all placed layers and the fee buffer on it (EX-414)."""
    ladder = build_ladder(
        Side.LONG, Decimal(100), (level("0", "100"),), size=Decimal(100), size_type=SizeType.QUOTE, rules=RULES
    )
    assert funds_needed(ladder, Decimal("0.2")) == Decimal("100.2")


def test_switches_leave_price_and_quantity_unrounded() -> None:
    """Tick and step checks can be switched off one by one (EX-514)."""
    config = GridConfig(enforce_tick_size=False, enforce_step_size=False)
    ladder = build_ladder(
        Side.LONG,
        Decimal("100.001"),
        (level("0", "100"),),
        size=Decimal("0.1234567"),
        size_type=SizeType.BASE,
        rules=RULES,
        config=config,
    )
    assert (ladder.layers[0].price, ladder.layers[0].qty) == (Decimal("100.001"), Decimal("0.1234567"))


def test_pyramid_zero_always_uses_the_common_layers() -> None:
    """``pyramid_specific_levels`` begin at pyramid 1 (EX-325)."""
    own = (level("0", "100"),)
    config = GridConfig(pyramid_specific_levels={0: own, 1: own})
    assert config.levels_of(0) == DEFAULT_LEVELS
    assert (config.levels_of(1), config.levels_of(2)) == (own, DEFAULT_LEVELS)
    assert levels_source(config, 0) == "levels"


@given(
    st.sampled_from(Side),
    st.decimals(min_value="0.01", max_value=10**6, places=4),
    st.decimals(min_value=1, max_value=10**6, places=2),
    st.sampled_from([SizeType.QUOTE, SizeType.BASE]),
    st.integers(1, 9),
)
def test_a_ladder_never_exceeds_the_size_asked_for(
    side: Side, entry: Decimal, size: Decimal, size_type: SizeType, count: int
) -> None:
    """The placed layers sum to at most the requested size in its own unit (EX-411)."""
    levels = generate_levels(count, Decimal("0.7"), Decimal(1))
    ladder = build_ladder(side, entry, levels, size=size, size_type=size_type, rules=RULES)
    used = ladder.total_notional if size_type is SizeType.QUOTE else ladder.total_qty
    assert used <= size
    assert sum((found.weight_percent for found in levels), Decimal(0)) == 100

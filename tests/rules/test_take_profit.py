"""Targets, progress and group figures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.groups import PriceRounding, PyramidScope, TpMode
from protocol.values import Side
from rules.metrics import group_metrics
from rules.take_profit import Lot, leg_tp_price, tp_plan, tp_progress
from tests.rules.vectors import cases, decimal, same, tolerance


def lots_of(found: list[dict[str, Any]]) -> list[Lot]:
    """Return a vector's open lots."""
    return [
        Lot(
            lot["id"],
            lot.get("pyramid", 0),
            Decimal(lot["qty"]),
            Decimal(lot["price"]),
            Decimal(lot.get("tp_percent", "1")),
        )
        for lot in found
    ]


@pytest.mark.parametrize("case", cases("take_profit", "tp_plan"))
def test_golden_plans(case: dict[str, Any]) -> None:
    """Every mode rests and watches the golden targets (EX-601..609)."""
    given_, settings = case["input"], case["input"].get("settings", {})
    plan = tp_plan(
        TpMode({"leg": "per_leg"}.get(given_["mode"], given_["mode"])),
        Side(given_["side"]),
        lots_of(given_["lots"]),
        aggregate_percent=Decimal(settings.get("tp_aggregate_percent", "1")),
        pyramid_percents={int(k): Decimal(v) for k, v in settings.get("pyramid_tp_percents", {}).items()},
        scope=PyramidScope(settings.get("pyramid_scope", "combined")),
        tick=Decimal(given_["tick_size"]),
        rounding=PriceRounding(given_.get("price_rounding", settings.get("price_rounding", "down"))),
    )
    found = {
        "resting": [{"leg": leg, "qty": qty, "price": price} for leg, qty, price in plan.resting],
        "watch": [target._asdict() for target in plan.watch],
    }
    assert same(found, case["expected"], tolerance(case)), found


@pytest.mark.parametrize("case", cases("take_profit", "tp_progress"))
def test_golden_progress(case: dict[str, Any]) -> None:
    """Progress towards a target is the golden percent (EX-612)."""
    given_ = case["input"]
    prices = (Decimal(given_[name]) for name in ("fill_price", "tp_price", "price"))
    found = tp_progress(Side(given_["side"]), *prices)
    assert same({"percent": found}, case["expected"], tolerance(case)), found


@pytest.mark.parametrize("case", cases("take_profit", "group_metrics"))
def test_golden_metrics(case: dict[str, Any]) -> None:
    """Quantity, average and unrealized figures are the golden ones (EX-1002)."""
    given_ = case["input"]
    found = group_metrics(
        Side(given_["side"]), lots_of(given_["lots"]), Decimal(given_["mark"]), decimal(given_["quote_usd"])
    )
    assert same(found._asdict(), case["expected"], tolerance(case)), found


def test_progress_is_clamped() -> None:
    """Progress is never below 0 or above 100 (EX-612)."""
    assert tp_progress(Side.LONG, Decimal(100), Decimal(102), Decimal(99)) == 0
    assert tp_progress(Side.LONG, Decimal(100), Decimal(102), Decimal(110)) == 100


def test_nothing_open_has_no_figures() -> None:
    """Nothing open: quantity 0, average and percent empty, USD 0; unknown rate: USD empty (EX-1002, EX-109)."""
    assert group_metrics(Side.LONG, [], Decimal(1), Decimal(1)) == (0, None, 0, None)
    lot = Lot("p0.l0", 0, Decimal(1), Decimal(100), Decimal(1))
    assert group_metrics(Side.LONG, [lot], Decimal(101), None) == (1, 100, None, 1)


def test_a_combined_target_is_reached_exactly() -> None:
    """The combined target is one quotient, so a price exactly on it triggers (EX-107, EX-608)."""
    lots = [
        Lot("p0.l0", 0, Decimal("0.006"), Decimal("64837.5"), Decimal(1)),
        Lot("p1.l0", 1, Decimal("0.004"), Decimal(64000), Decimal(1)),
    ]
    plan = tp_plan(TpMode.PYRAMID_AGGREGATE, Side.LONG, lots, pyramid_percents={1: Decimal(2)}, tick=Decimal("0.01"))
    assert plan.watch[0].target == Decimal("65403.525")


@given(
    st.sampled_from(Side),
    st.decimals(min_value="0.00000002", max_value=10**6, places=8),
    st.decimals(min_value="0.01", max_value="99", places=2),
    st.sampled_from([Decimal(tick) for tick in ("1e-8", "0.05", "0.0025", "1")]),
    st.sampled_from(PriceRounding),
)
def test_leg_targets_are_always_on_the_profit_side(
    side: Side, fill: Decimal, percent: Decimal, tick: Decimal, rounding: PriceRounding
) -> None:
    """A target is a multiple of the tick beyond the fill; a short's at least one tick (EX-603)."""
    target = leg_tp_price(side, fill, percent, tick, rounding)
    assert target % tick == 0
    assert target > fill if side is Side.LONG else tick <= target
    if side is Side.SHORT and fill > tick:
        assert target < fill

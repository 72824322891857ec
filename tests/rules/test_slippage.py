"""Slippage measured and prevented."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.groups import SlippageAction
from protocol.values import OrderSide
from rules.slippage import NoExpectedPrice, cap_price, slippage, slippage_limit
from tests.rules.vectors import cases, decimal, option, same, tolerance


def limit_of(given_: dict[str, Any]) -> Decimal:
    """Return the tolerance of a vector: that of the settings, or a tighter one of the signal."""
    configured = Decimal(option(given_, "max_slippage_percent", default="1"))
    return slippage_limit(configured, decimal(given_.get("signal_max_slippage_percent")))


@pytest.mark.parametrize("case", cases("slippage", "slippage"))
def test_golden_slippage(case: dict[str, Any]) -> None:
    """Percent, limit and verdict are the golden ones (EX-720..722)."""
    given_ = case["input"]
    limit = limit_of(given_)
    try:
        result = slippage(
            OrderSide(given_["order_side"]),
            Decimal(given_["expected_price"]),
            Decimal(given_["fill_price"]),
            limit_percent=limit,
            action=SlippageAction(option(given_, "action", "slippage_action", default="warn")),
        )
    except NoExpectedPrice:
        assert "NoExpectedPrice" in str(case["expected"])
        return
    found = {
        "slippage_percent": result.percent,
        "limit_percent": result.limit_percent,
        "exceeded": result.exceeded,
        "result": result.verdict.value,
    }
    assert same(found, case["expected"], tolerance(case)), found


@pytest.mark.parametrize("case", cases("slippage", "cap_price"))
def test_golden_caps(case: dict[str, Any]) -> None:
    """The cap is the golden price (EX-724)."""
    given_ = case["input"]
    expected, tick = Decimal(given_["expected_price"]), Decimal(given_["tick_size"])
    try:
        found = cap_price(OrderSide(given_["order_side"]), expected, limit_of(given_), tick)
    except NoExpectedPrice:
        assert "NoExpectedPrice" in str(case["expected"])
        return
    assert same({"price": found}, case["expected"])


def test_the_limit_itself_is_not_exceeded() -> None:
    """Slippage is exceeded only strictly above the limit (EX-721)."""
    found = slippage(OrderSide.BUY, Decimal(100), Decimal(101), limit_percent=Decimal(1), action=SlippageAction.REJECT)
    assert not found.exceeded


@pytest.mark.parametrize("expected", ["0", "-1"])
def test_there_must_be_a_price_to_measure_against(expected: str) -> None:
    """An expected price at or below zero is ``NoExpectedPrice`` (EX-720)."""
    with pytest.raises(NoExpectedPrice):
        slippage(OrderSide.BUY, Decimal(expected), Decimal(1), limit_percent=Decimal(1), action=SlippageAction.WARN)
    with pytest.raises(NoExpectedPrice):
        cap_price(OrderSide.BUY, Decimal(expected), Decimal(1), Decimal("0.01"))


@given(
    st.sampled_from(OrderSide),
    st.decimals(min_value=1, max_value=10**6, places=4),
    st.decimals(min_value=0, max_value=50, places=2),
    st.sampled_from([Decimal(tick) for tick in ("0.01", "0.05", "0.0025")]),
)
def test_rounding_never_widens_the_cap(side: OrderSide, expected: Decimal, limit: Decimal, tick: Decimal) -> None:
    """A capped order cannot trade at more slippage than the limit (EX-724)."""
    cap = cap_price(side, expected, limit, tick)
    assert cap % tick == 0
    verdict = slippage(side, expected, cap, limit_percent=limit, action=SlippageAction.WARN)
    assert not verdict.exceeded

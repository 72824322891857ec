"""Rounding, minimums, and whose rules apply."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.groups import PriceRounding
from protocol.instruments import PrecisionRules
from protocol.signals import PrecisionMode
from protocol.values import OrderSide
from rules.precision import (
    FALLBACK_RULES,
    Action,
    Fetch,
    PrecisionDecision,
    Source,
    check_order,
    chosen_rules,
    closing_rules,
    floor_to,
    precision_decision,
    quotient,
    round_price,
    round_qty,
    rules_by_name,
)
from tests.actors.orders import market
from tests.rules.vectors import cases, option

RULES = PrecisionRules(Decimal("0.01"), Decimal("0.001"), Decimal("0.002"), Decimal(5))
AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=8)
UNITS = st.sampled_from([Decimal(unit) for unit in ("0.05", "0.25", "0.0025", "1e-8", "1", "0.01", "3")])


def rules_or_none(found: dict[str, str] | None) -> PrecisionRules | None:
    """Return a vector's rules."""
    return None if found is None else msgspec.convert(found, PrecisionRules)


@pytest.mark.parametrize("case", cases("precision", "precision_decision"))
def test_golden_precision_decisions(case: dict[str, Any]) -> None:
    """The decision table of EX-506 gives the golden source, action and code."""
    given_ = case["input"]
    found = precision_decision(
        PrecisionMode(given_["mode"]),
        cached=rules_or_none(given_.get("cached")),
        cache_age_s=given_.get("cache_age_seconds"),
        refresh_s=option(given_, "refresh_seconds", default=172_800),
        fetch=None if given_.get("fetch") is None else Fetch(given_["fetch"]),
        block_on_missing=option(given_, "block_on_missing_metadata", default=True),
        forced=rules_or_none(given_.get("forced_rules")),
    )
    assert found._asdict() == case["expected"]


STALE = {"cached": RULES, "cache_age_s": 11.0}
ABSENT = {"cached": None, "cache_age_s": None}


@pytest.mark.parametrize(
    ("known", "fetch", "blocks", "expected"),
    [
        (STALE, "ok", True, ("venue", "proceed", None)),
        (STALE, "symbol_absent", True, (None, "reject", "PrecisionMissing")),
        (STALE, "symbol_absent", False, ("fallback", "proceed", "PrecisionFallback")),
        (STALE, "failed", True, (None, "hold", "PrecisionFetchFailed")),
        (STALE, "failed", False, ("stale_cache", "proceed", "PrecisionStale")),
        (ABSENT, "ok", False, ("venue", "proceed", None)),
        (ABSENT, "symbol_absent", False, ("fallback", "proceed", "PrecisionFallback")),
        (ABSENT, "failed", True, (None, "hold", "PrecisionFetchFailed")),
        (ABSENT, "failed", False, ("fallback", "proceed", "PrecisionFallback")),
    ],
)
def test_every_row_of_the_automatic_mode(
    known: dict[str, Any], fetch: str, blocks: bool, expected: tuple[str | None, str, str | None]
) -> None:
    """Absent or old rules are refreshed; what the refresh brought decides, as EX-506 says row by row."""
    found = precision_decision(
        PrecisionMode.AUTO, **known, refresh_s=10, fetch=Fetch(fetch), block_on_missing=blocks, forced=None
    )
    assert (found.source, found.action, found.code) == expected
    assert found.refreshed


@pytest.mark.parametrize(
    ("tick", "step", "code"),
    [
        ("0.02", "0.001", None),
        ("0.015", "0.001", "ForcedPrecisionIncompatible"),
        ("0.01", "0.0015", "ForcedPrecisionIncompatible"),
    ],
)
def test_forced_rules_must_be_multiples_of_the_venues(tick: str, step: str, code: str | None) -> None:
    """Forced tick and step must be multiples of the cached ones (EX-506)."""
    forced = PrecisionRules(Decimal(tick), Decimal(step), Decimal(0), Decimal(0))
    found = precision_decision(
        PrecisionMode.FORCE,
        cached=RULES,
        cache_age_s=1e9,
        refresh_s=1,
        fetch=None,
        block_on_missing=True,
        forced=forced,
    )
    assert found.code == code
    assert found.source == (None if code else "forced")


def test_force_without_forced_rules_is_refused() -> None:
    """Mode force needs forced rules for the symbol, and takes any when nothing is cached (EX-506, EX-510)."""
    common: dict[str, Any] = {"cache_age_s": None, "refresh_s": 1, "fetch": None, "block_on_missing": False}
    missing = precision_decision(PrecisionMode.FORCE, cached=RULES, forced=None, **common)
    alone = precision_decision(PrecisionMode.FORCE, cached=None, forced=RULES, **common)
    assert (missing.action, missing.code) == ("reject", "ForcedPrecisionMissing")
    assert (alone.action, alone.source) == ("proceed", "forced")


@pytest.mark.parametrize(
    ("price", "qty", "code"),
    [
        ("0", "0", "PriceBelowTick"),
        ("100", "0", "BelowMinQty"),
        ("100", "0.001", "BelowMinQty"),
        ("100", "0.002", "BelowMinNotional"),
        ("100", "0.05", None),
        ("99.99", "0.05", "BelowMinNotional"),
    ],
)
def test_orders_are_blocked_in_order_and_equality_passes(price: str, qty: str, code: str | None) -> None:
    """Price, then quantity, then notional; an order exactly at a minimum passes (EX-504)."""
    assert check_order(Decimal(price), Decimal(qty), RULES) == code


def test_the_notional_check_can_be_switched_off_but_never_the_quantity() -> None:
    """``enforce_min_notional`` off lets small orders through, minimum quantity stays (EX-514)."""
    assert check_order(Decimal(1), Decimal("0.002"), RULES, enforce_min_notional=False) is None
    assert check_order(Decimal(1), Decimal("0.001"), RULES, enforce_min_notional=False) == "BelowMinQty"


@given(AMOUNTS, UNITS)
def test_rounding_down_gives_the_largest_multiple_not_above(value: Decimal, unit: Decimal) -> None:
    """Prices and quantities go down to a multiple of tick and step, whatever the tick (EX-502, EX-503)."""
    found = round_qty(value, unit)
    assert found == floor_to(value, unit) == round_price(value, unit, OrderSide.BUY, PriceRounding.PASSIVE)
    assert found % unit == 0
    assert found <= value < found + unit


def test_a_fine_step_of_a_large_amount() -> None:
    """EX-107: more multiples of a step than 28 digits can count are rounded as well, and raise nothing."""
    assert floor_to(Decimal("1000000000000.5"), Decimal("1e-18")) == Decimal("1000000000000.5")
    assert floor_to(Decimal("12345678901234567.0000000000019"), Decimal("1e-12")) == Decimal(
        "12345678901234567.000000000001"
    )


@given(AMOUNTS, UNITS)
def test_passive_sells_round_up(value: Decimal, unit: Decimal) -> None:
    """With passive rounding a sell is never cheaper than planned, and less than a tick dearer (EX-515)."""
    found = round_price(value, unit, OrderSide.SELL, PriceRounding.PASSIVE)
    assert found % unit == 0
    assert found - unit < value <= found


def test_quotients_are_rounded_half_even_to_18_places() -> None:
    """A quotient that feeds a decision has 18 decimal places, ties to even (EX-107), however large it is."""
    assert quotient(Decimal(2), Decimal(3)) == Decimal("0.666666666666666667")
    assert quotient(Decimal("25e-19"), Decimal(1)) == Decimal("2e-18")
    assert quotient(Decimal("35e-19"), Decimal(1)) == Decimal("4e-18")
    assert quotient(Decimal("1e17"), Decimal(3)) == Decimal("33333333333333333.333333333333333333")


FORCED = PrecisionRules(Decimal("0.02"), Decimal("0.002"), Decimal(0), Decimal(0))
OPENED = PrecisionRules(Decimal("0.05"), Decimal("0.005"), Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("source", "action", "expected"),
    [
        (Source.CACHE, Action.PROCEED, RULES),
        (Source.VENUE, Action.PROCEED, RULES),
        (Source.STALE_CACHE, Action.PROCEED, RULES),
        (Source.FALLBACK, Action.PROCEED, FALLBACK_RULES),
        (Source.FORCED, Action.PROCEED, FORCED),
        (None, Action.HOLD, None),
        (None, Action.REJECT, None),
    ],
)
def test_a_decision_names_the_rules_of_the_order(
    source: Source | None, action: Action, expected: PrecisionRules | None
) -> None:
    """EX-501, EX-509, EX-510: the venue's rules, the forced or the fallback ones; held entries have none."""
    decision = PrecisionDecision(source, action, None, refreshed=False)
    assert chosen_rules(decision, known=RULES, forced=FORCED) == expected


def test_the_fallback_rules() -> None:
    """EX-509: tick 0.00000001, step and minimum quantity 0.000001, minimum notional 1."""
    assert PrecisionRules(Decimal("0.00000001"), Decimal("0.000001"), Decimal("0.000001"), Decimal(1)) == FALLBACK_RULES


def test_a_closing_order_always_has_rules() -> None:
    """EX-511: cached rules however old, then those the group was opened with, then fallback; never a hold or a refusal."""
    assert closing_rules(RULES, OPENED) == RULES
    assert closing_rules(None, OPENED) == OPENED
    assert closing_rules(None, None) == FALLBACK_RULES
    assert closing_rules(None, None, FORCED) == FORCED


def test_rules_are_found_under_both_names() -> None:
    """EX-508: the unified symbol and the venue's id name the same rules; where they clash the symbol wins."""
    first = market("BTC/USDT")
    clash = msgspec.structs.replace(market("X/Y"), venue_symbol="BTC/USDT", rules=OPENED)
    found = rules_by_name([first, clash])
    assert found["BTC/USDT"] == found["BTCUSDT"] == first.rules
    assert found["X/Y"] == OPENED

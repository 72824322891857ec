"""Round prices and quantities to what a venue accepts, check minimums, decide whose rules apply (EX-501..515).

Quotients that feed a rounding or a comparison go through ``quotient`` (EX-107). Everything else is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from protocol.groups import PriceRounding
from protocol.instruments import Instrument, PrecisionRules
from protocol.signals import PrecisionMode
from protocol.values import OrderSide

__all__ = [
    "FALLBACK_RULES",
    "Action",
    "Fetch",
    "PrecisionDecision",
    "Source",
    "check_order",
    "chosen_rules",
    "closing_rules",
    "floor_to",
    "precision_decision",
    "quotient",
    "round_price",
    "round_qty",
    "rules_by_name",
]

FALLBACK_RULES: Final = PrecisionRules(Decimal("1e-8"), Decimal("1e-6"), Decimal("1e-6"), Decimal(1))
"""Rules when nothing is known and blocking is off (EX-509)."""

_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_PLACES: Final = Decimal("1e-18")


def quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Divide and round half-even to 18 decimal places (EX-107)."""
    return _WIDE.quantize(_WIDE.divide(numerator, denominator), _PLACES)


def floor_to(value: Decimal, unit: Decimal) -> Decimal:
    """Return the largest multiple of ``unit`` that is not above a value of zero or more; exact, as precise as the unit."""
    return _WIDE.quantize(_WIDE.subtract(value, _WIDE.remainder(value, unit)), unit)


def _ceil_to(value: Decimal, unit: Decimal) -> Decimal:
    lower = floor_to(value, unit)
    return lower if lower == value else lower + unit


def round_price(price: Decimal, tick: Decimal, side: OrderSide, rounding: PriceRounding) -> Decimal:
    """Round a price to the tick: down, or for ``passive`` sells up (EX-502, EX-515). Ticks need not be powers of ten."""
    if rounding is PriceRounding.PASSIVE and side is OrderSide.SELL:
        return _ceil_to(price, tick)
    return floor_to(price, tick)


def round_qty(qty: Decimal, step: Decimal) -> Decimal:
    """Round a quantity down to the step (EX-503)."""
    return floor_to(qty, step)


def check_order(
    price: Decimal, qty: Decimal, rules: PrecisionRules, *, enforce_min_notional: bool = True
) -> str | None:
    """Return why an order of rounded price and quantity is blocked, or None (EX-504, EX-514); equality passes."""
    if price <= 0:
        return "PriceBelowTick"
    if qty <= 0 or qty < rules.min_qty:
        return "BelowMinQty"
    if enforce_min_notional and price * qty < rules.min_notional:
        return "BelowMinNotional"
    return None


class Source(StrEnum):
    """Where the rules of an order come from."""

    CACHE = "cache"
    VENUE = "venue"
    STALE_CACHE = "stale_cache"
    FALLBACK = "fallback"
    FORCED = "forced"


class Action(StrEnum):
    """What becomes of an entry: it goes on, waits for rules, or ends with an error."""

    PROCEED = "proceed"
    HOLD = "hold"
    REJECT = "reject"


class Fetch(StrEnum):
    """How a refresh of the rules ended."""

    OK = "ok"
    SYMBOL_ABSENT = "symbol_absent"
    FAILED = "failed"


class PrecisionDecision(NamedTuple):
    """Which rules an entry uses and what happens to it; ``refreshed`` says that a fetch was tried."""

    source: Source | None
    action: Action
    code: str | None
    refreshed: bool


def precision_decision(
    mode: PrecisionMode,
    *,
    cached: PrecisionRules | None,
    cache_age_s: float | None,
    refresh_s: float,
    fetch: Fetch | None,
    block_on_missing: bool,
    forced: PrecisionRules | None,
) -> PrecisionDecision:
    """Decide by the table of EX-506; ``fetch`` is None when none was made."""
    if mode is PrecisionMode.FORCE:
        return _forced(cached, forced)
    if cached is not None and cache_age_s is not None and cache_age_s <= refresh_s:
        return PrecisionDecision(Source.CACHE, Action.PROCEED, None, refreshed=False)
    refreshed = fetch is not None
    if fetch is Fetch.OK:
        return PrecisionDecision(Source.VENUE, Action.PROCEED, None, refreshed)
    absent = fetch is Fetch.SYMBOL_ABSENT
    if block_on_missing:
        if absent:
            return PrecisionDecision(None, Action.REJECT, "PrecisionMissing", refreshed)
        return PrecisionDecision(None, Action.HOLD, "PrecisionFetchFailed", refreshed)
    if cached is None or absent:
        return PrecisionDecision(Source.FALLBACK, Action.PROCEED, "PrecisionFallback", refreshed)
    return PrecisionDecision(Source.STALE_CACHE, Action.PROCEED, "PrecisionStale", refreshed)


def _forced(cached: PrecisionRules | None, forced: PrecisionRules | None) -> PrecisionDecision:
    if forced is None:
        return PrecisionDecision(None, Action.REJECT, "ForcedPrecisionMissing", refreshed=False)
    if cached is not None and (forced.tick_size % cached.tick_size or forced.step_size % cached.step_size):
        return PrecisionDecision(None, Action.REJECT, "ForcedPrecisionIncompatible", refreshed=False)
    return PrecisionDecision(Source.FORCED, Action.PROCEED, None, refreshed=False)


def chosen_rules(
    decision: PrecisionDecision,
    *,
    known: PrecisionRules | None,
    forced: PrecisionRules | None,
    fallback: PrecisionRules = FALLBACK_RULES,
) -> PrecisionRules | None:
    """Return the rules that a decision names, None unless it proceeds; ``known`` are the newest of the venue (EX-509)."""
    if decision.action is not Action.PROCEED:
        return None
    if decision.source is Source.FORCED:
        return forced
    return fallback if decision.source is Source.FALLBACK else known


def closing_rules(
    known: PrecisionRules | None, opened_with: PrecisionRules | None, fallback: PrecisionRules = FALLBACK_RULES
) -> PrecisionRules:
    """Return the rules of a closing order: cached however old, else the group's own, else fallback (EX-511)."""
    return known or opened_with or fallback


def rules_by_name(instruments: Iterable[Instrument]) -> dict[str, PrecisionRules]:
    """Return the rules under the unified symbol and the venue's id; where both are the same the symbol wins (EX-508)."""
    found = list(instruments)
    by_id = {each.venue_symbol: each.rules for each in found}
    return by_id | {each.symbol: each.rules for each in found}

"""A second, plain telling of EX-403 to EX-413, EX-502 to EX-505, EX-602 and EX-603 in fractions; only for comparison."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

Row = dict[str, Any]


def steps(value: Fraction, unit: Fraction, *, up: bool = False) -> Fraction:
    """Return the multiple of ``unit`` at or below a value, or at or above it."""
    return (ceil if up else floor)(value / unit) * unit


def target(side: str, fill: Fraction, percent: Fraction, tick: Fraction, *, passive: bool) -> Fraction:
    """Return a leg's target (EX-602, EX-603)."""
    if side == "long":
        found = steps(fill * (1 + percent / 100), tick, up=passive)
        while found <= fill:
            found = (floor(fill / tick) + 1) * tick
        return found
    return max(steps(fill * (1 - percent / 100), tick), tick)


def rounded18(value: Fraction) -> Fraction:
    """Round half-even to 18 decimal places (EX-107)."""
    return Fraction(round(value * 10**18), 10**18)


def ladder(given: Row) -> Row:
    """Return legs, totals, outcome and warnings of a ladder in the shape of the vectors, numbers as fractions."""
    side, entry, size = given["side"], Fraction(given["entry_price"]), Fraction(given["size"])
    rules = {name: Fraction(value) for name, value in given["rules"].items()}
    passive = given.get("price_rounding", "down") == "passive"
    if given["size_type"] == "contracts":
        size *= Fraction(given.get("contract_size", "1"))
    legs = [
        _leg(number, level, side, entry, size, given["size_type"], rules, passive=passive, given=given)
        for number, level in enumerate(given["levels"])
    ]
    placed = [leg for leg in legs if leg["reason"] is None]
    warnings = []
    for leg in placed:
        first = next(each for each in placed if each["price"] == leg["price"])
        if first is not leg:
            warnings.append(f"LayersCollapsed:{first['leg']},{leg['leg']}")
    outcome = _outcome(legs, placed, given)
    if outcome != "ok":
        placed = []
    return {
        "legs": legs,
        "submitted": len(placed),
        "total_qty": sum((leg["qty"] for leg in placed), Fraction(0)),
        "total_notional": sum((leg["notional"] for leg in placed), Fraction(0)),
        "expected_profit": sum((leg["notional"] * leg["tp_percent"] / 100 for leg in placed), Fraction(0)),
        "outcome": outcome,
        "warnings": warnings,
    }


def _outcome(legs: list[Row], placed: list[Row], given: Row) -> str:
    """Return ok, or why nothing is placed (EX-413, EX-505)."""
    if not placed:
        return "rejected:NoOrderableLeg"
    if len(placed) < len(legs) and given.get("blocked_leg_policy") == "reject_pyramid":
        return "rejected:" + next(leg["reason"] for leg in legs if leg["reason"])
    cap = Fraction(given.get("max_quote_per_pyramid", "0"))
    return "rejected:SizeAboveCap" if 0 < cap < sum(leg["notional"] for leg in placed) else "ok"


def _leg(
    number: int,
    level: Row,
    side: str,
    entry: Fraction,
    size: Fraction,
    unit: str,
    rules: dict[str, Fraction],
    *,
    passive: bool,
    given: Row,
) -> Row:
    gap, weight, percent = (Fraction(level[name]) for name in ("gap_percent", "weight_percent", "tp_percent"))
    price = entry * (1 + gap / 100) if side == "long" else entry * (1 - gap / 100)
    if given.get("enforce_tick_size", True):
        price = steps(price, rules["tick_size"], up=passive and side == "short")
    share = size * weight / 100
    qty = share if unit != "quote" else rounded18(share / price) if price else Fraction(0)
    if given.get("enforce_step_size", True):
        qty = steps(qty, rules["step_size"])
    if price <= 0:
        reason = "PriceBelowTick"
    elif qty == 0 or qty < rules["min_qty"]:
        reason = "BelowMinQty"
    elif given.get("enforce_min_notional", True) and price * qty < rules["min_notional"]:
        reason = "BelowMinNotional"
    else:
        reason = None
    return {
        "leg": number,
        "gap_percent": gap,
        "weight_percent": weight,
        "tp_percent": percent,
        "price": price,
        "qty": qty,
        "notional": price * qty,
        "tp_price_if_filled_at_limit": target(side, price, percent, rules["tick_size"], passive=passive),
        "status": "blocked" if reason else "ok",
        "reason": reason,
    }


def faults(levels: list[Row], most: int, side: str | None) -> list[tuple[str, str]]:
    """Return (path, code) of every fault of a list of layers (EX-404, EX-405)."""
    if not levels:
        return [("levels", "EmptyLevels")]
    found = [("levels", "TooManyLayers")] if len(levels) > most else []
    for number, level in enumerate(levels):
        gap, weight, percent = (Fraction(level[name]) for name in ("gap_percent", "weight_percent", "tp_percent"))
        where = f"levels[{number}]"
        if gap > 0:
            found.append((f"{where}.gap_percent", "InvalidGapSign"))
        elif gap <= -100:
            found.append((f"{where}.gap_percent", "OutOfRange"))
        elif number and gap >= Fraction(levels[number - 1]["gap_percent"]):
            found.append((f"{where}.gap_percent", "GapsNotDescending"))
        if weight <= 0 or weight > 100:
            found.append((f"{where}.weight_percent", "OutOfRange"))
        if percent <= 0 or percent > 1000 or (side == "short" and percent >= 100):
            found.append((f"{where}.tp_percent", "OutOfRange"))
    total = sum(Fraction(level["weight_percent"]) for level in levels)
    if total < Fraction("99.9") or total > 100:
        found.append(("levels", "WeightSum"))
    return found

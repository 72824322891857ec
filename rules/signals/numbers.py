"""Exact numbers in one notation."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from protocol.values import MAX_DECIMAL_PLACES

__all__ = ["exact", "plain"]

_MAX_DIGITS_BEFORE_POINT: Final = 18


def exact(value: Decimal) -> Decimal | None:
    """Return a number without exponent and trailing zeros; None when it is not finite, absurdly large or too fine."""
    if not value.is_finite():
        return None
    if value.is_zero():
        return Decimal(0)
    sign, digits, exponent = value.as_tuple()
    if value.adjusted() >= _MAX_DIGITS_BEFORE_POINT or not isinstance(exponent, int):
        return None
    if exponent == 0 or (digits[-1] and -MAX_DECIMAL_PLACES <= exponent < 0):
        return value  # in that notation already
    kept = "".join(map(str, digits)).rstrip("0")
    exponent += len(digits) - len(kept)
    if exponent < -MAX_DECIMAL_PLACES:
        return None
    if exponent > 0:
        kept, exponent = kept + "0" * exponent, 0
    return Decimal(f"{'-' if sign else ''}{kept}E{exponent}")


def plain(value: Decimal) -> str:
    """Return a number as digits without exponent and trailing zeros, equal for equal numbers; raise for insane ones."""
    found = exact(value)
    if found is None:
        raise ValueError("not a finite number of sane size")
    return f"{found:f}"

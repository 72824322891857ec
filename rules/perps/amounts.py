"""Exact arithmetic of contracts and money, and the checks of what comes from outside (PF-1, PF-2, PF-211)."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from protocol.errors import ValidationError
from protocol.values import check_decimal, check_positive

__all__ = ["EXACT", "booked", "positive", "whole_contracts"]

EXACT: Final = Context(prec=200, rounding=ROUND_HALF_EVEN)
"""Wide enough that no product of three numbers that may cross a boundary is rounded, whatever the thread's context is."""

_MONEY: Final = Decimal("1e-8")


def booked(amount: Decimal) -> Decimal:
    """Round an amount as it is booked: half-even to 8 decimal places (PF-2)."""
    return amount.quantize(_MONEY, context=EXACT)


def positive(path: str, value: Decimal, code: str) -> Decimal:
    """Return a finite number above 0; raise ValidationError with ``code`` for any other."""
    try:
        check_positive(path, value)
    except ValueError as error:
        raise ValidationError(path, str(error), code=code, value=str(value)) from None
    return value


def whole_contracts(contracts: object) -> int:
    """Return a whole number of contracts above 0; raise ValidationError with code InvalidContracts."""
    number = Decimal(contracts) if isinstance(contracts, int) and not isinstance(contracts, bool) else contracts
    if isinstance(number, Decimal) and number.is_finite() and number > 0:
        try:
            check_decimal("contracts", number)
        except ValueError as error:
            raise _not_whole(number, str(error)) from None
        if number == number.to_integral_value(context=EXACT):
            return int(number)
    raise _not_whole(number, "must be a whole number above 0")


def _not_whole(number: object, why: str) -> ValidationError:
    return ValidationError("$.contracts", why, code="InvalidContracts", value=str(number))

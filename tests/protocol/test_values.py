"""Number bounds and words that all messages share."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.values import (
    MAX_DECIMAL,
    MAX_DECIMAL_PLACES,
    OrderSide,
    Side,
    check_decimal,
    check_non_negative,
    check_positive,
)


@pytest.mark.parametrize(
    "text", ["NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1e18", "-1e18", "1e999999999", "1e-31", "1e-999999999"]
)
def test_absurd_numbers(text: str) -> None:
    """EX-107: not finite, 10^18 and more, more than 30 places: refused with the field's name, in any context."""
    for precision in (1, 28, 100):
        with localcontext() as context:
            context.prec = precision
            with pytest.raises(ValueError, match="`price`"):
                check_decimal("price", Decimal(text))


@pytest.mark.parametrize(
    "text", ["0", "-0", "999999999999999999.999999999999", "-1", "1e17", f"1e-{MAX_DECIMAL_PLACES}"]
)
def test_sane_numbers(text: str) -> None:
    """EX-107: everything inside the bounds passes, whatever its sign."""
    check_decimal("price", Decimal(text))


def test_signs() -> None:
    """EX-110: above zero and zero or more are told apart; None is not looked at."""
    check_positive("qty", Decimal("1e-30"))
    check_non_negative("qty", Decimal(0))
    check_positive("qty", None)
    check_non_negative("qty", None)
    with pytest.raises(ValueError, match="`qty` must be above 0"):
        check_positive("qty", Decimal(0))
    with pytest.raises(ValueError, match="`qty` must not be negative"):
        check_non_negative("qty", Decimal("-0.1"))


@given(st.decimals())
def test_the_bounds_are_what_they_say(value: Decimal) -> None:
    """EX-107: a number passes exactly when it is finite, below 10^18 in magnitude and has at most 30 places."""
    exponent = value.as_tuple().exponent
    fits = value.is_finite() and isinstance(exponent, int) and exponent >= -MAX_DECIMAL_PLACES
    sane = fits and value.copy_abs() < MAX_DECIMAL
    try:
        check_decimal("x", value)
    except ValueError:
        assert not sane
    else:
        assert sane


def test_sides() -> None:
    """EX-108: a long is opened by buying and closed by selling, a short the other way round."""
    assert (Side.LONG.sign, Side.LONG.entry, Side.LONG.exit) == (1, OrderSide.BUY, OrderSide.SELL)
    assert (Side.SHORT.sign, Side.SHORT.entry, Side.SHORT.exit) == (-1, OrderSide.SELL, OrderSide.BUY)

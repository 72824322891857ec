"""Words and number bounds that every conversation shares.

Instants are integers: nanoseconds since 1970-01-01T00:00:00Z. Money, price and quantity are ``Decimal``.
Percentages are percent points (1 = 1 %); rates such as fees are fractions (0.001 = 10 basis points).
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta

__all__ = [
    "MAX_DECIMAL",
    "MAX_DECIMAL_PLACES",
    "Instant",
    "MarketType",
    "Name",
    "OrderSide",
    "OrderType",
    "Scope",
    "Side",
    "Text",
    "check_decimal",
    "check_non_negative",
    "check_positive",
]

_MAX_DIGITS: Final = 18
MAX_DECIMAL: Final = Decimal(f"1e{_MAX_DIGITS}")
"""No price, quantity or amount of money is as large as this; larger values are refused as absurd."""

MAX_DECIMAL_PLACES: Final = 30
"""Most decimal places a price, quantity or amount may carry across a boundary."""

Instant = Annotated[int, Meta(ge=0, le=2**63 - 1, description="UTC, nanoseconds since 1970")]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Text = Annotated[str, Meta(max_length=4096)]


class Side(StrEnum):
    """Direction of a position."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short (the ``s`` of EX-108)."""
        return 1 if self is Side.LONG else -1

    @property
    def entry(self) -> OrderSide:
        """The order side that opens this position."""
        return OrderSide.BUY if self is Side.LONG else OrderSide.SELL

    @property
    def exit(self) -> OrderSide:
        """The order side that closes this position."""
        return OrderSide.SELL if self is Side.LONG else OrderSide.BUY


class OrderSide(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """Kinds of order that every venue adapter understands.

    ``IOC`` is a limit order whose unfilled rest is cancelled at once; ``STOP`` becomes a market order when the
    stop price trades.
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    IOC = "ioc"


class MarketType(StrEnum):
    """Family of a market."""

    SPOT = "spot"
    PERP = "perp"


class Scope(StrEnum):
    """What an account's orders are worth; belongs to the venue account and never mixes."""

    LIVE = "live"
    PAPER = "paper"
    SIMULATION = "simulation"


def check_decimal(field: str, value: Decimal) -> None:
    """Refuse NaN, infinities and absurd magnitudes; raise ``ValueError`` naming the field."""
    if not value.is_finite():
        raise ValueError(f"`{field}` must be a finite number")
    # Not by arithmetic: the magnitude of 1e999999999 overflows the context before it can be compared.
    if value.adjusted() >= _MAX_DIGITS and not value.is_zero():
        raise ValueError(f"`{field}` must be below 10^18")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMAL_PLACES:
        raise ValueError(f"`{field}` must have at most {MAX_DECIMAL_PLACES} decimal places")


def check_positive(field: str, value: Decimal | None) -> None:
    """Refuse anything but a sane number above zero; None passes."""
    if value is None:
        return
    check_decimal(field, value)
    if value <= 0:
        raise ValueError(f"`{field}` must be above 0")


def check_non_negative(field: str, value: Decimal | None) -> None:
    """Refuse anything but a sane number of zero or more; None passes."""
    if value is None:
        return
    check_decimal(field, value)
    if value < 0:
        raise ValueError(f"`{field}` must not be negative")

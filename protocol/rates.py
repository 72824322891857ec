"""What venues charge or pay for holding a position, and how much of it is held."""

from __future__ import annotations

from decimal import Decimal

from protocol.messages import Value
from protocol.values import Instant, Name

__all__ = ["FundingRate", "OpenInterest", "SwapRates"]


class FundingRate(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Funding of a perpetual: ``rate`` is the fraction of notional that longs pay shorts an interval (DK-50)."""

    symbol: Name
    rate: Decimal
    interval_hours: Decimal
    next_at: Instant

    @property
    def annual(self) -> Decimal:
        """The rate of a year of 365 days: 0.0001 per 8 h is 0.1095."""
        return self.rate * 24 / self.interval_hours * 365


class OpenInterest(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """How much of a perpetual is held, in base units, and its value in quote currency where the venue says it."""

    symbol: Name
    qty: Decimal
    notional: Decimal | None
    at: Instant


class SwapRates(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Financing of an FX pair, fractions a year: what a long and a short position pay (negative) or earn (DK-50)."""

    pair: Name
    long_annual: Decimal
    short_annual: Decimal
    at: Instant

"""What can be traded and the rules an order must obey there."""

from __future__ import annotations

from decimal import Decimal

from protocol.messages import Value
from protocol.values import MarketType, Name, check_non_negative, check_positive

__all__ = ["Instrument", "PrecisionRules"]


class PrecisionRules(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Tick, step and minimums of one symbol (EX-501).

    ``tick_size`` and ``min_notional`` are in quote currency, ``step_size`` and ``min_qty`` in base units.
    """

    tick_size: Decimal
    step_size: Decimal
    min_qty: Decimal
    min_notional: Decimal

    def __post_init__(self) -> None:
        check_positive("tick_size", self.tick_size)
        check_positive("step_size", self.step_size)
        check_non_negative("min_qty", self.min_qty)
        check_non_negative("min_notional", self.min_notional)


class Instrument(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One market of one venue.

    ``symbol`` is the unified form (``BTC/USDT`` spot, ``BTC/USDT:USDT`` perpetual), ``venue_symbol`` the venue's own.
    Fees are fractions of notional; a negative maker fee is a rebate. ``contract_size`` is base units a contract.
    """

    venue: Name
    symbol: Name
    venue_symbol: Name
    base: Name
    quote: Name
    market_type: MarketType = MarketType.SPOT
    rules: PrecisionRules
    contract_size: Decimal = Decimal(1)
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")

    def __post_init__(self) -> None:
        check_positive("contract_size", self.contract_size)

    @property
    def shortable(self) -> bool:
        """Whether a position below zero can be opened (EX-429)."""
        return self.market_type is MarketType.PERP

"""Option contracts and chains as a venue tells them (DK-50)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from protocol.messages import Value
from protocol.values import Instant, Name

__all__ = ["OptionChain", "OptionContract", "Right"]


class Right(StrEnum):
    """What the holder may do."""

    CALL = "C"
    PUT = "P"


class OptionContract(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One contract with its quote, prices a share. ``expiration`` is an ISO date; what the venue did not tell is None."""

    symbol: Name
    underlying: Name
    strike: Decimal
    expiration: str
    right: Right
    bid: Decimal = Decimal(0)
    ask: Decimal = Decimal(0)
    mid: Decimal | None = None
    delta: float | None = None
    gamma: float | None = None
    theta: float | None = None
    vega: float | None = None
    implied_vol: float | None = None
    open_interest: int = 0
    volume: int = 0
    multiplier: int = 100


class OptionChain(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Contracts of one underlying; ``complete`` is False when the venue did not tell all that were asked for."""

    underlying: Name
    underlying_price: Decimal | None
    expirations: tuple[str, ...]
    contracts: tuple[OptionContract, ...]
    complete: bool = True
    at: Instant

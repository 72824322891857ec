"""How many contracts a signal is worth, and how often it is worth none (PF-195, PF-196, PF-204)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from protocol.errors import ValidationError
from rules.perps.amounts import EXACT, positive, whole_contracts

__all__ = [
    "BELOW_MIN_CONTRACTS",
    "CONTRACT_SPECS",
    "NO_CONTRACT_SPEC",
    "ContractSpec",
    "Contracts",
    "blocked_rate",
    "contracts_for",
    "contracts_of_signal",
]

BELOW_MIN_CONTRACTS: Final = "below_min_contracts"
NO_CONTRACT_SPEC: Final = "no_contract_spec"


class ContractSpec(NamedTuple):
    """Base units in one contract, and the fewest contracts of a trade."""

    size: Decimal
    min_contracts: int = 1


CONTRACT_SPECS: Final[Mapping[str, ContractSpec]] = MappingProxyType(
    {"ETH-USD": ContractSpec(Decimal("0.1")), "BTC-USD": ContractSpec(Decimal("0.001"))}
)
"""Known without any configuration (PF-189)."""


class Contracts(NamedTuple):
    """A size in contracts and its notional in quote; both 0 when ``blocked`` names why there is no trade (PF-292)."""

    contracts: int
    notional: Decimal
    blocked: str | None = None


def contracts_for(notional: Decimal, price: Decimal, spec: ContractSpec | None) -> Contracts:
    """Return the most whole contracts that ``notional`` quote units pay for (PF-195).

    Raises ValidationError with code InvalidSizingInput for a notional, price or contract size that is not above 0.
    """
    positive("$.notional", notional, "InvalidSizingInput")
    positive("$.price", price, "InvalidSizingInput")
    if spec is None:
        return _blocked(NO_CONTRACT_SPEC)
    one = EXACT.multiply(price, positive("$.contract_size", spec.size, "InvalidSizingInput"))
    # Integer division: a quotient that is rounded first could reach the next whole number and overspend.
    contracts = int(EXACT.divide_int(notional, one))
    if contracts < max(1, spec.min_contracts):
        return _blocked(BELOW_MIN_CONTRACTS)
    return Contracts(contracts, EXACT.multiply(one, Decimal(contracts)))


def contracts_of_signal(
    own: int | Decimal | None, *, notional: Decimal, price: Decimal, spec: ContractSpec | None
) -> Contracts:
    """Return the signal's ``own`` count when it names one, else what ``notional`` pays for (PF-204).

    Raises ValidationError with code InvalidContracts (own count), InvalidPrice, or as ``contracts_for`` does.
    """
    if own is None:
        return contracts_for(notional, price, spec)
    contracts = whole_contracts(own)
    if spec is None:
        return _blocked(NO_CONTRACT_SPEC)
    one = EXACT.multiply(positive("$.price", price, "InvalidPrice"), positive("$.size", spec.size, "InvalidPrice"))
    return Contracts(contracts, EXACT.multiply(one, Decimal(contracts)))


def blocked_rate(traded: int, blocked: int) -> float | None:
    """Return the percentage of signals that were blocked, None without any (PF-196).

    Raises ValidationError with code InvalidCount for a negative count.
    """
    for name, count in (("traded", traded), ("blocked", blocked)):
        if count < 0:
            raise ValidationError(f"$.{name}", "must not be negative", code="InvalidCount", value=str(count))
    return blocked / (traded + blocked) * 100 if traded + blocked else None


def _blocked(why: str) -> Contracts:
    return Contracts(0, Decimal(0), why)

"""Whether a chain is good enough to choose strikes from, and which of its contracts are (DK-60 to DK-62).

A price that is not a number or below 0 counts as 0, "no quote"; a Greek that is not a number counts as missing (DK-5).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from protocol.options import OptionChain, OptionContract
from protocol.values import Instant
from rules.options.expiry import DteRange, in_order

__all__ = [
    "MOST_AGE_NS",
    "SLACK",
    "ChainFault",
    "ChainQuality",
    "ExpiryQuality",
    "clean_contracts",
    "delta_of",
    "is_clean",
    "judge_chain",
    "judge_expiry",
]

MOST_AGE_NS: Final = 120 * 1_000_000_000
"""A chain older than this is not used; of exactly this age it is."""

SLACK: Final = 1e-12
"""Floats that differ from a limit by less lie on the limit (DK-3)."""

_PARTS: Final = 10
"""More than one in so many contracts without Greeks, or without quotes, is too many."""


class ChainFault(StrEnum):
    """Why a chain, or one expiry of it, is not used."""

    CHAIN_EMPTY = "chain_empty"
    UNDERLYING_PRICE_MISSING = "underlying_price_missing"
    CHAIN_STALE = "chain_stale"
    NO_EXPIRY_IN_RANGE = "no_expiry_in_range"
    GREEKS_INCOMPLETE = "greeks_incomplete"
    QUOTES_INCOMPLETE = "quotes_incomplete"
    NO_CLEAN_CONTRACTS = "no_clean_contracts"


class ExpiryQuality(NamedTuple):
    """What one expiry is worth; all but ``expiration`` and ``fault`` are numbers of contracts."""

    expiration: str
    fault: ChainFault | None
    contracts: int
    missing_greeks: int
    missing_quotes: int
    crossed: int
    clean: int


class ChainQuality(NamedTuple):
    """What a chain is worth; ``expiries`` are those in range in the order of DK-60, none when it was refused as a whole."""

    fault: ChainFault | None
    expiries: tuple[ExpiryQuality, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether candidates may be made of the chain."""
        return self.fault is None

    @property
    def target(self) -> str | None:
        """The expiry that decides about the chain."""
        return self.expiries[0].expiration if self.expiries else None

    @property
    def usable(self) -> tuple[str, ...]:
        """The expiries that are good by themselves; of an invalid chain none is to be used all the same."""
        return tuple(each.expiration for each in self.expiries if each.fault is None)


def judge_chain(chain: OptionChain, wanted: DteRange, *, today: date, now: Instant) -> ChainQuality:
    """Say what a chain is worth at ``now`` on the session date ``today`` (DK-60, DK-61).

    An expiry the venue lists but sent no contracts of takes part, and fails: the next best must not become the target
    because the best stayed out. Raises ValidationError for an expiration that is no date.
    """
    if not chain.contracts:
        return ChainQuality(ChainFault.CHAIN_EMPTY)
    price = chain.underlying_price
    if price is None or not _price(price):
        return ChainQuality(ChainFault.UNDERLYING_PRICE_MISSING)
    # An instant far ahead of ours is of a broken clock: it would stay "fresh" for as long as it is ahead.
    if abs(now - chain.at) > MOST_AGE_NS:
        return ChainQuality(ChainFault.CHAIN_STALE)
    of: dict[str, list[OptionContract]] = {each: [] for each in chain.expirations}
    for contract in chain.contracts:
        of.setdefault(contract.expiration, []).append(contract)
    expiries = tuple(judge_expiry(each, of[each]) for each in in_order(of, wanted, today))
    return ChainQuality(expiries[0].fault if expiries else ChainFault.NO_EXPIRY_IN_RANGE, expiries)


def judge_expiry(expiration: str, contracts: Sequence[OptionContract]) -> ExpiryQuality:
    """Count what is missing among the contracts of one expiry; exactly 10 % may be (DK-61)."""
    quotes = [(_price(each.bid), _price(each.ask)) for each in contracts]
    missing_greeks = sum(delta_of(each) is None for each in contracts)
    missing_quotes = sum(bid == 0 and ask == 0 for bid, ask in quotes)
    crossed = sum(bid > ask for bid, ask in quotes)
    clean = sum(map(is_clean, contracts))
    fault = None
    if missing_greeks * _PARTS > len(contracts):
        fault = ChainFault.GREEKS_INCOMPLETE
    elif missing_quotes * _PARTS > len(contracts):
        fault = ChainFault.QUOTES_INCOMPLETE
    elif not clean:
        fault = ChainFault.NO_CLEAN_CONTRACTS
    return ExpiryQuality(expiration, fault, len(contracts), missing_greeks, missing_quotes, crossed, clean)


def is_clean(contract: OptionContract) -> bool:
    """Whether a contract may be a leg: a delta, a bid, and an ask that is not below it (DK-62)."""
    return delta_of(contract) is not None and 0 < _price(contract.bid) <= _price(contract.ask)


def clean_contracts(contracts: Iterable[OptionContract]) -> tuple[OptionContract, ...]:
    """Return the contracts that may be legs, in their order."""
    return tuple(filter(is_clean, contracts))


def delta_of(contract: OptionContract) -> float | None:
    """Return the delta, None when it is missing, no number, or beyond 1 (DK-61)."""
    delta = contract.delta
    if delta is None or not math.isfinite(delta) or abs(delta) > 1 + SLACK:
        return None
    return delta


def _price(price: Decimal) -> Decimal:
    return price if price.is_finite() and price > 0 else Decimal(0)

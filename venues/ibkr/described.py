"""Contracts in the library's words, and back."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ib_async.contract import Contract

from venues.ibkr.contracts import Found
from venues.ibkr.gateway import exact
from venues.ibkr.symbols import Wanted

__all__ = ["contract_of", "contract_wanted", "found_all"]


def contract_of(found: Found) -> Contract:
    """Return what the library sends for a contract that the broker knows."""
    return Contract(
        conId=found.con_id,
        secType=found.kind,
        symbol=found.symbol,
        currency=found.currency,
        exchange=found.exchange,
        localSymbol=found.local,
        lastTradeDateOrContractMonth=found.expiry,
        strike=float(found.strike),
        right=found.right,
        multiplier="" if found.kind in ("STK", "CASH", "CRYPTO") else f"{found.multiplier.normalize():f}",
    )


def contract_wanted(wanted: Wanted) -> Contract:
    """Return what the library asks with."""
    return Contract(
        secType=wanted.kind,
        symbol=wanted.symbol,
        currency=wanted.currency,
        exchange=wanted.exchange,
        lastTradeDateOrContractMonth=wanted.expiry,
        strike=float(wanted.strike),
        right=wanted.right,
    )


def found_all(details: Iterable[Any]) -> list[Found]:
    """Return contracts as the broker described them; of options that a split has adjusted, only the usual ones."""
    told = list(details)
    usual = [
        each for each in told if each.contract.secType != "OPT" or each.contract.tradingClass == each.contract.symbol
    ]
    return [_found(each) for each in usual or told]


def _found(details: Any) -> Found:
    contract = details.contract
    increment = exact(details.sizeIncrement) or Decimal(1)
    return Found(
        con_id=int(contract.conId),
        kind=contract.secType,
        symbol=contract.symbol,
        currency=contract.currency,
        exchange=contract.exchange,
        local=contract.localSymbol,
        expiry=contract.lastTradeDateOrContractMonth,
        strike=exact(contract.strike) or Decimal(0),
        right=contract.right[:1],
        multiplier=exact(contract.multiplier) or Decimal(1),
        tick=exact(details.minTick) or Decimal("0.01"),
        min_size=exact(details.minSize) or increment,
        increment=increment,
    )

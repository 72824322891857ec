"""What dialects of several exchanges have in common: codes read from errors, and what ccxt is to take them for."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from protocol.values import MarketType
from venues.crypto.dialect import Exchange

__all__ = ["LATEST", "ccxt_error", "code_of", "of_both", "take_for"]

LATEST: Final = "bulkheadLatestMs"
"""Name of the parameter that carries a request's latest time as far as where it is signed, and no further."""

T = TypeVar("T")


def of_both(value: T) -> dict[MarketType, T]:
    """Return what holds for spot and perpetuals alike."""
    return {MarketType.SPOT: value, MarketType.PERP: value}


def ccxt_error(name: str) -> type[Exception]:
    """Return one of ccxt's errors; the library is imported only now."""
    found: type[Exception] = getattr(importlib.import_module("ccxt.base.errors"), name)
    return found


def take_for(exchange: Exchange, codes: Mapping[str, Iterable[str]]) -> None:
    """Have ccxt raise its errors, by their names, for codes of the venue; the last name of a code holds."""
    exact = exchange.exceptions["exact"]
    for name, those in codes.items():
        exact.update(dict.fromkeys(those, ccxt_error(name)))


def code_of(error: BaseException, *patterns: re.Pattern[str]) -> str:
    """Return the group of the first pattern that an error's text holds, empty when it holds none."""
    text = str(error)
    found = next((match for match in (each.search(text) for each in patterns) if match), None)
    return found[1] if found else ""

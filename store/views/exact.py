"""Exact decimal arithmetic on text, also as functions inside SQLite."""

from __future__ import annotations

import sqlite3
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact
from typing import Final

from rules.notation import plain

__all__ = ["SHARE_PLACES", "exact", "install", "share"]

SHARE_PLACES: Final = Decimal(1).scaleb(-24)
"""Shares of a fee are cut here; the last share takes the rest, so that the parts always sum to the whole."""

# Two numbers below 10^18 with 30 decimal places: their product, summed over a million records, still fits. A result
# that would not be exact is an error and not a rounding.
_exact: Final = Context(prec=130, traps=[Inexact])
_rounding: Final = Context(prec=130, rounding=ROUND_HALF_EVEN)


def exact() -> Context:
    """Return the context whose operations never round."""
    return _exact


def share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """Return ``whole * part / of``, rounded; all of it when ``part`` is all there is."""
    if part >= of:
        return whole
    return _rounding.quantize(_rounding.divide(_rounding.multiply(whole, part), of), SHARE_PLACES)


def _add(left: str, right: str) -> str:
    return plain(_exact.add(Decimal(left), Decimal(right)))


def _subtract(left: str, right: str) -> str:
    return plain(_exact.subtract(Decimal(left), Decimal(right)))


class _Sum:
    """Adds up a column of decimal texts; NULLs count as nothing."""

    def __init__(self) -> None:
        self._total = Decimal(0)

    def step(self, value: str | None) -> None:
        """Take one row."""
        if value is not None:
            self._total = _exact.add(self._total, Decimal(value))

    def finalize(self) -> str:
        """Return the sum."""
        return plain(self._total)


def install(connection: sqlite3.Connection) -> None:
    """Give a connection ``exact_add(a, b)``, ``exact_sub(a, b)`` and the aggregate ``exact_sum(x)`` on decimal text."""
    connection.create_function("exact_add", 2, _add, deterministic=True)
    connection.create_function("exact_sub", 2, _subtract, deterministic=True)
    connection.create_aggregate("exact_sum", 1, _Sum)  # type: ignore[arg-type]  # the stub knows integers only

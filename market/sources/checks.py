"""Defects of recorded data: each is counted in a ``FeedReport`` and handled by a stated policy, never silently.

Always dropped, because time cannot go back and a price must be a price: rows older than their predecessor, a bar
that starts before its predecessor ended, a second row of a bar's start (the first is kept), a second identical quote of an
instant, rows with a missing or non-positive price.
Gaps are never filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from protocol.messages import Value

__all__ = ["BarChecker", "Cell", "FeedPolicy", "FeedReport", "Handling", "Row", "TickChecker"]

_ZERO: Final = Decimal(0)

Cell = Decimal | None
Row = tuple[int, tuple[Decimal, ...]]


class Handling(StrEnum):
    """What to do with a defective row."""

    SKIP = "skip"
    REPAIR = "repair"
    KEEP = "keep"


class FeedPolicy(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """How defects that leave a choice are handled.

    ``inconsistent`` (open or close outside low..high): repair widens low and high. ``no_volume`` (missing or NaN): repair
    says 0; such a row cannot be kept as it is. ``crossed`` (ask < bid): repair gives both the mid price.
    """

    inconsistent: Handling = Handling.REPAIR
    no_volume: Handling = Handling.REPAIR
    crossed: Handling = Handling.SKIP

    def __post_init__(self) -> None:
        if self.no_volume is Handling.KEEP:
            raise ValueError("`no_volume` must be skip or repair")


class FeedReport(msgspec.Struct):
    """What was found in one symbol's data so far: ``rows`` read, ``kept`` delivered, ``missing_bars`` in ``gaps``.

    ``conflicting`` counts those ``duplicates`` that were not identical. A resumed source counts what it read itself.
    """

    rows: int = 0
    kept: int = 0
    duplicates: int = 0
    conflicting: int = 0
    out_of_order: int = 0
    overlapping: int = 0
    gaps: int = 0
    missing_bars: int = 0
    bad_price: int = 0
    inconsistent: int = 0
    no_volume: int = 0
    crossed: int = 0
    repaired: int = 0

    @property
    def defects(self) -> int:
        """How many rows or holes were not as they should be."""
        return (
            self.duplicates
            + self.out_of_order
            + self.overlapping
            + self.gaps
            + self.bad_price
            + self.inconsistent
            + self.no_volume
            + self.crossed
        )

    def count_gap(self, before: int, at: int, duration_ns: int) -> None:
        """Count the hole, if any, between two neighbouring bars; ``before`` -1 means that there is no earlier one."""
        if before >= 0 and at - before > duration_ns:
            self.gaps += 1
            self.missing_bars += (at - before) // duration_ns - 1


class BarChecker:
    """Checks the rows (open, high, low, close, volume) of one symbol; ``before`` is the last delivered start, or -1."""

    def __init__(self, duration_ns: int, policy: FeedPolicy, report: FeedReport) -> None:
        self.before = -1
        self.last: Sequence[Cell] = ()
        self._duration_ns = duration_ns
        self._policy = policy
        self._report = report

    def rows(self, ats: Sequence[int], columns: Sequence[Sequence[Cell]]) -> Iterator[Row]:
        """Yield the rows that may be delivered."""
        report, policy = self._report, self._policy
        for at, *row in zip(ats, *columns, strict=True):
            report.rows += 1
            if at == self.before:
                report.duplicates += 1
                report.conflicting += row != self.last
                continue
            if at < self.before:
                report.out_of_order += 1
                continue
            if self.before >= 0 and at - self.before < self._duration_ns:
                report.overlapping += 1
                continue
            prices = _prices(row[:4], report)
            volume = None if prices is None else _volume(row[4], policy, report)
            if prices is None or volume is None:
                continue
            prices = _consistent(prices, policy, report)
            if prices is None:
                continue
            report.count_gap(self.before, at, self._duration_ns)
            report.kept += 1
            self.before, self.last = at, row
            yield at, (*prices, volume)


class TickChecker:
    """Checks the rows (bid, ask) of one symbol; several of one instant are all kept, identical quotes once.

    With ``trades`` bid and ask are the same price, and equal trades of one instant are different trades.
    """

    def __init__(self, policy: FeedPolicy, report: FeedReport, *, trades: bool) -> None:
        self.before = -1
        self.seen: set[tuple[Decimal, ...]] = set()
        self._policy = policy
        self._report = report
        self._trades = trades

    def rows(self, ats: Sequence[int], columns: Sequence[Sequence[Cell]]) -> Iterator[Row]:
        """Yield the rows that may be delivered."""
        report = self._report
        for at, *row in zip(ats, *columns, strict=True):
            report.rows += 1
            if at < self.before:
                report.out_of_order += 1
                continue
            prices = _prices(row, report)
            if prices is None:
                continue
            if at > self.before:
                self.seen.clear()
            elif prices in self.seen and not self._trades:
                report.duplicates += 1
                continue
            self.before = at
            self.seen.add(prices)
            quote = _uncrossed(prices, self._policy, report)
            if quote is not None:
                report.kept += 1
                yield at, quote


def _prices(cells: Sequence[Cell], report: FeedReport) -> tuple[Decimal, ...] | None:
    prices = tuple(cell for cell in cells if cell is not None and cell > 0)
    if len(prices) < len(cells):
        report.bad_price += 1
        return None
    return prices


def _volume(cell: Cell, policy: FeedPolicy, report: FeedReport) -> Decimal | None:
    if cell is not None and cell >= 0:
        return cell
    report.no_volume += 1
    if policy.no_volume is Handling.SKIP:
        return None
    report.repaired += 1
    return _ZERO


def _consistent(prices: tuple[Decimal, ...], policy: FeedPolicy, report: FeedReport) -> tuple[Decimal, ...] | None:
    open_, high, low, close = prices
    if low <= open_ <= high and low <= close <= high:
        return prices
    report.inconsistent += 1
    if policy.inconsistent is Handling.SKIP:
        return None
    if policy.inconsistent is Handling.KEEP:
        return prices
    report.repaired += 1
    return open_, max(prices), min(prices), close


def _uncrossed(prices: tuple[Decimal, ...], policy: FeedPolicy, report: FeedReport) -> tuple[Decimal, ...] | None:
    bid, ask = prices
    if bid <= ask:
        return prices
    report.crossed += 1
    if policy.crossed is Handling.SKIP:
        return None
    if policy.crossed is Handling.KEEP:
        return prices
    report.repaired += 1
    mid = (bid + ask) / 2
    return mid, mid

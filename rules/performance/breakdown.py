"""Results by pair, timeframe, strategy, side, account or venue, with what is open and how many trades there were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from protocol.messages import Value
from rules.performance.closed import ClosedTrades
from rules.performance.keys import BreakdownKey
from rules.performance.realized import Realized
from rules.performance.trades import Tally, TradeStats

__all__ = ["BreakdownRow", "Open", "breakdown", "with_open"]


T = TypeVar("T")


class Open(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One open group; ``unrealized`` in USD is None while its price or rate is not known (EX-1002)."""

    symbol: str
    timeframe: str
    strategy: str
    side: str
    account: str
    venue: str
    unrealized: float | None


class BreakdownRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Results of one key in USD (EX-1704); ``unrealized`` is None while that of a group of it is not known."""

    key: str
    realized: float
    unrealized: float | None
    open: int
    stats: TradeStats


def breakdown(closed: ClosedTrades, realized: Realized, by: BreakdownKey) -> list[BreakdownRow]:
    """Return one row a key that something was realized or closed in, by key."""
    sums, tallies = realized.by[by], closed.by[by]
    nothing = Tally()
    return [
        BreakdownRow(
            key=str(key),
            realized=sums.get(key, 0.0),
            unrealized=0.0,
            open=0,
            stats=tallies.get(key, nothing).stats(),
        )
        for key in sorted(sums.keys() | tallies.keys())
    ]


def with_open(rows: Iterable[BreakdownRow], opened: Sequence[Open], by: BreakdownKey) -> list[BreakdownRow]:
    """Return the rows with what is open, and those of keys that nothing but something open belongs to."""
    live = _grouped(opened, by.value)
    known = {row.key: row for row in rows}
    nothing = Tally().stats()
    for key, some in live.items():
        row = known.get(key) or BreakdownRow(key=key, realized=0.0, unrealized=0.0, open=0, stats=nothing)
        known[key] = replace(row, unrealized=_unrealized(some), open=len(some))
    return [known[key] for key in sorted(known)]


def _unrealized(rows: Iterable[Open]) -> float | None:
    known = [each.unrealized for each in rows]
    return None if None in known else sum((each for each in known if each is not None), 0.0)


def _grouped(rows: Iterable[T], field: str) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for each in rows:
        found.setdefault(getattr(each, field), []).append(each)
    return found

"""What was tried and what was not: each fault, each rule, each message an actor can handle, with how often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from runtime.actor import Actor
from simulation.verdict import Coverage

__all__ = ["ActorRow", "CoverageTable", "Row", "coverage_table"]


class Row(NamedTuple):
    """Something that can happen, and how often it did."""

    name: str
    times: int


class ActorRow(NamedTuple):
    """One kind of actor: how often it handled each type of message, and which it never did."""

    kind: str
    handled: tuple[Row, ...]
    never: tuple[str, ...]

    @property
    def total(self) -> int:
        """Messages handled."""
        return sum(row.times for row in self.handled)


@dataclass(frozen=True, slots=True)
class CoverageTable:
    """What a campaign tried."""

    faults: tuple[Row, ...]
    invariants: tuple[Row, ...]
    actors: tuple[ActorRow, ...]

    @property
    def never_injected(self) -> tuple[str, ...]:
        """Faults that should have happened and did not."""
        return tuple(row.name for row in self.faults if not row.times)

    @property
    def never_checked(self) -> tuple[str, ...]:
        """Rules that were never looked at."""
        return tuple(row.name for row in self.invariants if not row.times)


def coverage_table(coverage: Coverage, *, faults: Iterable[str], invariants: Iterable[str]) -> CoverageTable:
    """Return the table of what was tried; ``faults`` and ``invariants`` name what should have been."""
    kinds = sorted({kind for kind, _ in coverage.handled})
    return CoverageTable(
        faults=_rows(faults, coverage.injected),
        invariants=_rows(invariants, coverage.checked),
        actors=tuple(_actor(kind, coverage) for kind in kinds),
    )


def _rows(expected: Iterable[str], counted: dict[str, int]) -> tuple[Row, ...]:
    names = dict.fromkeys([*expected, *sorted(counted)])
    return tuple(Row(name, counted.get(name, 0)) for name in names)


def _actor(kind: str, coverage: Coverage) -> ActorRow:
    counts = {message: count for (each, message), count in coverage.handled.items() if each == kind}
    handled = tuple(Row(name, counts[name]) for name in sorted(counts, key=lambda each: (-counts[each], each)))
    return ActorRow(kind, handled, tuple(sorted(_can_handle(kind) - counts.keys())))


def _can_handle(kind: str) -> set[str]:
    """Return the message types that actors of a class can handle, by name."""
    return {message.__name__ for of in _subclasses(Actor) if of.__name__ == kind for message in of.HANDLERS}


def _subclasses(of: type[Actor]) -> Iterable[type[Actor]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)

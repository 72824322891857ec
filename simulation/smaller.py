"""What can be made smaller in a scenario, one pass each; ``simulation.shrink`` says what may stay so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import msgspec

from runtime.clock import NANOS
from simulation.scenario import Act, Fault, Item, PathKind, Post, Rest, Scenario, Turn

__all__ = ["PASSES", "Trial", "kind_of", "until"]

_REST_S: Final = 1
"""Seconds that a run goes on after the violation it is cut to."""


_SHORTER: Final = (60.0, 10.0, 1.0, 0.0)
"""Seconds that a fault is tried to last, longest first."""


class Trial(Protocol):
    """Who tries: the smallest failing scenario so far, and whether a smaller one fails as well and is therefore kept."""

    @property
    def best(self) -> Scenario:
        """The smallest failing scenario so far."""
        ...

    @property
    def spent(self) -> bool:
        """Whether nothing more may be tried."""
        ...

    def keeps(self, candidate: Scenario) -> bool:
        """Try a smaller one."""
        ...


def kind_of(item: Item) -> str:
    """Return what items of one kind share: their type and what they do."""
    match item:
        case Fault():
            return item.kind.value
        case Act():
            return item.action.value
        case Turn():
            return item.kind.value
        case Post():
            return "post"
        case Rest():
            return "rest"


def until(scenario: Scenario, at: int) -> Scenario:
    """Return a scenario that ends just after an instant."""
    hours = max(0.0, (at - scenario.start_at) / NANOS + _REST_S) / 3_600
    if hours >= scenario.hours:
        return scenario
    items = tuple(item for item in scenario.items if item.at <= at + _REST_S * NANOS)
    return msgspec.structs.replace(scenario, hours=hours, items=items)


def _without(scenario: Scenario, left_out: Callable[[int, Item], bool]) -> Scenario:
    items = tuple(item for place, item in enumerate(scenario.items) if not left_out(place, item))
    return msgspec.structs.replace(scenario, items=items)


def _leave_out_kinds(trial: Trial) -> None:
    """Leave out all faults, all that operators do, and so on; then all items of one kind, the commonest first."""
    for name_of in (_type_of, kind_of):
        sizes = Counter(name_of(item) for item in trial.best.items)
        for name in sorted(sizes, key=lambda each: (-sizes[each], each)):
            trial.keeps(_without(trial.best, lambda _, item, of=name_of, name=name: of(item) == name))  # type: ignore[misc]


def _type_of(item: Item) -> str:
    return type(item).__name__


def _leave_out_items(trial: Trial) -> None:
    """Leave out ever smaller stretches of items, from the end, down to single ones."""
    size = max(1, len(trial.best.items) // 2)
    while not trial.spent:
        end = len(trial.best.items)
        while end > 0 and not trial.spent:
            begin = max(0, end - size)
            trial.keeps(_without(trial.best, lambda place, _, begin=begin, end=end: begin <= place < end))  # type: ignore[misc]
            end = begin
        if size == 1:
            return
        size //= 2


def _shorten(trial: Trial) -> None:
    """End the run earlier."""
    for share in (0.5, 0.75, 0.9):
        best = trial.best
        trial.keeps(until(best, best.start_at + round(best.hours * share * 3_600 * NANOS)))


def _leave_out_prices(trial: Trial) -> None:
    """Leave out symbols, one at a time; have the others go an even way."""
    for path in trial.best.paths:
        left = tuple(each for each in trial.best.paths if each.symbol != path.symbol)
        trial.keeps(msgspec.structs.replace(trial.best, paths=left))
    for place, path in enumerate(trial.best.paths):
        if path.kind is not PathKind.TREND:
            plain = msgspec.structs.replace(path, kind=PathKind.TREND, file="", skip=0)
            paths = trial.best.paths
            trial.keeps(msgspec.structs.replace(trial.best, paths=(*paths[:place], plain, *paths[place + 1 :])))


def _leave_out_settings(trial: Trial) -> None:
    """Leave settings at their defaults: all of them, then one at a time."""
    if trial.best.settings:
        trial.keeps(msgspec.structs.replace(trial.best, settings={}))
    for key in tuple(trial.best.settings):
        left = {name: value for name, value in trial.best.settings.items() if name != key}
        trial.keeps(msgspec.structs.replace(trial.best, settings=left))


def _make_numbers_small(trial: Trial) -> None:
    """Have faults happen once, for a short while, to anybody, by a round amount, at a whole second."""
    for place in range(len(trial.best.items)):
        for change in _changes(trial.best.items[place]):
            items = trial.best.items
            smaller = msgspec.structs.replace(items[place], **change)
            trial.keeps(msgspec.structs.replace(trial.best, items=(*items[:place], smaller, *items[place + 1 :])))


def _changes(item: Item) -> Iterator[dict[str, Any]]:
    """Yield what may be smaller about an item, one field at a time."""
    if item.at % NANOS:
        yield {"at": item.at // NANOS * NANOS}
    if isinstance(item, Fault):
        if item.count > 1:
            yield {"count": 1}
        yield from ({"seconds": size} for size in _SHORTER if size < item.seconds)
        if item.target:
            yield {"target": ""}
    if isinstance(item, Fault | Turn) and (rounded := round(item.amount, 1)) != item.amount:
        yield {"amount": rounded}


PASSES: Final[tuple[Callable[[Trial], None], ...]] = (
    _leave_out_kinds,
    _leave_out_items,
    _shorten,
    _leave_out_prices,
    _leave_out_settings,
    _make_numbers_small,
)
"""What is tried, in this order: what takes most away first."""

"""Read models: row by row what a rebuild makes of the journal, and what the journal's own events say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from protocol.groups import GroupOpened, GroupStateChanged
from protocol.orders import FillRecorded, OrderRefused, OrderSent, OrderStateChanged
from protocol.pool import SignalQueued
from protocol.signals import SignalReceived
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene
from store.projector import Projector
from store.queries import Views
from store.views.tables import names

__all__ = ["RebuildAgrees", "ViewsTellTheJournal"]

_GROWS: Final = frozenset({"mentions", "correlations", "event_tags", "events", "fills", "realizations"})
"""Tables whose rows are written once: each look compares the new ones, every few looks all of them."""
_ALL_EVERY: Final = 4
_OF_SEEDS: Final = 4
"""A second projection costs as much as all other rules together: it is made for one seed in so many."""


def _rows(views: Views, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in views._fetch(sql, [])]


class RebuildAgrees(Invariant):
    """Every table of the read models equals, row by row, that of a projector of its own over the same journal."""

    NAME = "read-models-equal-a-rebuild"

    def __init__(self) -> None:
        self._mine: Projector | None = None
        self._compared = 0
        self._looks = 0

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Project what is new and compare; only in some of the runs."""
        if scene.scenario.seed % _OF_SEEDS:
            return
        mine = self._mine = self._mine or Projector(":memory:")
        mine.catch_up(scene.journal)
        rebuilt, views = mine.views(), scene.views()
        whole = self._looks % _ALL_EVERY == 0
        self._looks += 1
        for table in names():
            where = f" WHERE position > {self._compared}" if table in _GROWS and not whole else ""
            ours, theirs = (_rows(each, f"SELECT * FROM {table}{where}") for each in (rebuilt, views))  # noqa: S608 - our own names
            if ours != theirs and (differing := _differing(ours, theirs)):
                yield f"table {table}: {differing}"
        self._compared = mine.position


def _differing(ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]]) -> str:
    """Say which rows differ, whatever order they come in; empty when none do."""
    missing = sorted(set(ours) - set(theirs), key=str)
    surplus = sorted(set(theirs) - set(ours), key=str)
    if not missing and not surplus:
        return ""
    first = f"{(missing or surplus)[0]}"[:300]
    return f"{len(missing)} rows missing, {len(surplus)} that a rebuild does not make, such as {first}"


class ViewsTellTheJournal(Invariant):
    """Counted by its own events: no order, fill, group, signal or queue entry is missing or stands otherwise."""

    NAME = "read-models-tell-the-journal"
    WANTS = (
        OrderSent,
        OrderRefused,
        OrderStateChanged,
        FillRecorded,
        GroupOpened,
        GroupStateChanged,
        SignalReceived,
        SignalQueued,
    )

    def __init__(self) -> None:
        self._orders: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._counts = dict.fromkeys(("fills", "signals", "queue_entries"), 0)

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - judged at rest
        """Count."""
        match entry.event:
            case OrderSent() as event:
                self._orders[event.request.client_order_id] = "sent"
            case OrderRefused() as event:
                self._orders[event.request.client_order_id] = "rejected"
            case OrderStateChanged() as event:
                self._orders[event.client_order_id] = event.state.value
            case GroupOpened() as event:
                self._groups.setdefault(event.group_id, "")
            case GroupStateChanged() as event:
                self._groups[event.group_id] = event.new.value
            case FillRecorded():
                self._counts["fills"] += 1
            case SignalReceived():
                self._counts["signals"] += 1
            case SignalQueued():
                self._counts["queue_entries"] += 1
        yield from ()

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Compare."""
        views = scene.views()
        for table, count in self._counts.items():
            found = _rows(views, f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - our own names
            if found != count:
                yield f"table {table} has {found} rows for {count} events"
        for table, key, known in (
            ("orders", "client_order_id", self._orders),
            ("groups", "group_id", self._groups),
        ):
            shown = dict(_rows(views, f"SELECT {key}, state FROM {table}"))  # noqa: S608 - our own names
            for name, state in known.items():
                if shown.get(name) != state:
                    yield f"{table} shows {name} as {shown.get(name)}, the journal has it {state}"

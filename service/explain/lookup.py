"""Find the records that name an id: through the read models, or by reading a journal from end to end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import groupby
from typing import Final, Protocol

from protocol.pool import QueuedReplaced, SignalQueued
from runtime.journal import Journal, Record
from store.queries import EventFilter, Views
from store.reading import JournalReader
from store.views.mentions import mentions

__all__ = ["MOST_RECORDS", "Lookup", "ScanLookup", "ViewsLookup"]

MOST_RECORDS: Final = 50_000
"""Records of one story; a journal has no larger one unless something is wrong with it."""


class Lookup(Protocol):
    """Finds records, in the order of the journal."""

    def about(self, ids: Collection[str]) -> list[Record]:
        """Return the records that name any of the ids."""
        ...

    def correlated(self, correlation_id: int) -> list[Record]:
        """Return the records of one causal chain."""
        ...

    def queued(self, queue_id: str) -> str:
        """Return the signal that waited, or waits, as an entry of the queue; the newest such, empty when none did."""
        ...


class ScanLookup:
    """Reads all records for each question: needs nothing but the journal."""

    def __init__(self, read_all: Callable[[], Iterable[Record]]) -> None:
        self._read_all = read_all

    def about(self, ids: Collection[str]) -> list[Record]:
        """Return the records that name any of the ids."""
        wanted = frozenset(ids)
        return [each for each in self._read_all() if any(ident in wanted for _, ident in mentions(each.event))]

    def correlated(self, correlation_id: int) -> list[Record]:
        """Return the records of one causal chain."""
        return [each for each in self._read_all() if each.correlation_id == correlation_id]

    def queued(self, queue_id: str) -> str:
        """Return the signal that waited, or waits, as an entry of the queue; the newest such, empty when none did."""
        waits = (SignalQueued, QueuedReplaced)
        found = [each.event for each in self._read_all() if isinstance(each.event, waits)]
        return next((str(event.signal_id) for event in reversed(found) if event.queue_id == queue_id), "")


class ViewsLookup:
    """Finds positions in the read models and reads only those records."""

    def __init__(self, views: Views, journal: Journal | JournalReader) -> None:
        self._views = views
        self._journal = journal

    def about(self, ids: Collection[str]) -> list[Record]:
        """Return the records that name any of the ids, and those of the same causal chains."""
        positions: set[int] = set()
        for ident in ids:
            positions.update(self._views.positions_about(ident))
        return self._read(positions)

    def correlated(self, correlation_id: int) -> list[Record]:
        """Return the records of one causal chain that have a line in the event log."""
        rows = self._views.events(EventFilter(correlation_id=correlation_id), limit=MOST_RECORDS)
        return self._read({row.position for row in rows})

    def queued(self, queue_id: str) -> str:
        """Return the signal that waited, or waits, as an entry of the queue; the newest such, empty when none did."""
        found = self._views.queue_entries(limit=MOST_RECORDS)
        return next((str(row.signal_id) for row in found if row.queue_id == queue_id), "")

    def _read(self, positions: Collection[int]) -> list[Record]:
        found: list[Record] = []
        ordered = sorted(positions)[:MOST_RECORDS]
        for _, run in groupby(enumerate(ordered), key=lambda item: item[1] - item[0]):
            together = [position for _, position in run]
            found.extend(self._journal.read_all(together[0] - 1, limit=len(together)))
        return found

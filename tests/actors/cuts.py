"""Journals cut after every event: what a process leaves that is killed between any two writes."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.journal import Entry
from runtime.memory_journal import MemoryJournal

__all__ = ["cut_after", "cuts"]


def cut_after(journal: MemoryJournal, kept: int) -> MemoryJournal:
    """Return a journal that holds only the first ``kept`` records."""
    cut = MemoryJournal()
    for record in list(journal.read_all())[:kept]:
        cut.append([Entry(*record[1:])])
    return cut


def cuts(journal: MemoryJournal) -> Iterator[MemoryJournal]:
    """Yield the journal cut after no record, after the first, and so on up to the whole."""
    for kept in range(journal.head() + 1):
        yield cut_after(journal, kept)

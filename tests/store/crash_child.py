"""A writer that appends numbered batches for ever and says on standard output what was acknowledged; to be killed."""

from __future__ import annotations

import os
import sys

from store.sqlite_journal import SqliteJournal, open_journal
from tests.store.events import entry

BATCH_OF = (1, 3, 10, 40)
"""Batch number n has this many records, by turns."""


def main(path: str) -> None:
    """Go on after the newest record, one stream, each record saying which batch it is of and how large that is."""
    journal = open_journal(path)
    number = 0
    for record in journal.read_all():
        number = int(record.event.text.split()[0])  # type: ignore[attr-defined]
    while True:
        number += 1
        _append(journal, number)
        os.write(1, b"%d\n" % journal.head())


def _append(journal: SqliteJournal, number: int) -> None:
    size, seq = BATCH_OF[number % len(BATCH_OF)], journal.head()
    journal.append([entry("a", seq + i, text=f"{number} {size} {seq + i}") for i in range(1, size + 1)])


if __name__ == "__main__":
    main(sys.argv[1])

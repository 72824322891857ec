"""The store's own errors, each below one of the journal's.

::

    JournalError
    ├─ JournalUnavailable
    │  └─ JournalLocked        another process has the journal open for writing; names its process id
    ├─ EntryRefused            an entry that can never be stored (too large, a number beyond 64 bits): our bug
    ├─ UndecodableRecord       an intact record does not fit its event type of today: an upcaster is missing
    ├─ MigrationFailed         the old schema is untouched (EX-1209)
    ├─ CutRefused              the cut was not confirmed, or is not where the damage begins
    └─ ViewsError              the read models do not belong to this journal, or are ahead of it
"""

from __future__ import annotations

import sqlite3
from typing import Final

from runtime.journal import JournalError, JournalUnavailable

__all__ = [
    "CutRefused",
    "EntryRefused",
    "JournalLocked",
    "MigrationFailed",
    "UndecodableRecord",
    "ViewsError",
    "is_damage",
    "unavailable",
]

_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class JournalLocked(JournalUnavailable):
    """Another process has the journal open for writing; ``pid`` is its process id, 0 when it cannot be told."""

    def __init__(self, message: str, *, pid: int) -> None:
        super().__init__(message)
        self.pid = pid


class EntryRefused(JournalError):
    """An entry cannot be stored by any journal; nothing of the batch was kept."""


class UndecodableRecord(JournalError):
    """A record is intact but its payload does not fit its event type, even after upcasting."""


class MigrationFailed(JournalError):
    """The schema could not be brought up to date; the old one is untouched (EX-1209)."""


class CutRefused(JournalError):
    """The tail was not cut; nothing was changed."""


class ViewsError(JournalError):
    """The read models cannot be used with this journal; a rebuild makes them anew."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file's structure is broken (and not merely busy, full or gone)."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def unavailable(doing: str, error: Exception) -> JournalUnavailable:
    """Return the one error for anything the disk or SQLite says, with SQLite's own name for it."""
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return JournalUnavailable(f"{doing}: {error} ({name})")

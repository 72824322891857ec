"""A journal by name: a path is a SQLite file, a place a schema on a PostgreSQL server."""

from __future__ import annotations

from pathlib import Path

from store import opening
from store.postgres.place import Place
from store.reading import JournalReader
from store.tables.opening import Where, where_of

__all__ = ["Where", "open_reader"]


def open_reader(where: Where, *, check: bool = True) -> JournalReader:
    """Open an existing journal for reading, also while another process writes it.

    Raises ``JournalUnavailable`` (missing, unreachable, not a journal), ``JournalTooNew`` and, unless ``check`` is off,
    ``JournalCorrupt``; ``FeatureUnavailable`` for a server without the library it takes.
    """
    found = where_of(where)
    if not isinstance(found, Place):
        return opening.open_reader(Path(found), check=check)
    from store.postgres.journal import open_reader as open_on_server

    return open_on_server(found, check=check)

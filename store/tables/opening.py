"""Open the read models by name: a path is a SQLite file, a place a schema on a PostgreSQL server."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from store.postgres.place import Place, is_postgres
from store.tables.database import Database
from store.tables.sqlite import open_file, read_file

__all__ = ["Where", "read_tables", "where_of", "write_tables"]

Where: TypeAlias = str | Path | Place
"""A file, ``":memory:"``, an address ``postgresql://...`` or a place."""


def where_of(where: Where) -> str | Path | Place:
    """Return a place for an address, and anything else as it is."""
    return Place(where) if isinstance(where, str) and is_postgres(where) else where


def write_tables(where: Where) -> Database:
    """Open the tables for writing, make them when there are none of today's schema.

    Raises ``JournalUnavailable``, and ``FeatureUnavailable`` for a server without the library it takes.
    """
    found = where_of(where)
    if not isinstance(found, Place):
        return open_file(found)
    from store.tables.postgres import open_server

    return open_server(found)


def read_tables(where: Where) -> Database:
    """Open the tables for reading, also while another process writes them.

    Raises ``JournalUnavailable`` when there are none, ``ViewsError`` when they have another schema.
    """
    found = where_of(where)
    if not isinstance(found, Place):
        return read_file(found)
    from store.tables.postgres import read_server

    return read_server(found)

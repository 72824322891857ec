"""Open the tables of people, or of requests, wherever they are kept."""

from __future__ import annotations

from pathlib import Path

from service.access.tables import Kind, SqliteTables, Tables, Where

__all__ = ["open_tables"]


def open_tables(where: Where, kind: Kind, former: Path | None = None) -> Tables:
    """Open them, made where there are none; raise ``AccessFileUnsafe``, or ``JournalUnavailable`` for a server.

    ``former`` is a file whose rows a server takes over when its tables are made: the people of an installation from before
    it kept them there.
    """
    if isinstance(where, Path):
        return SqliteTables(where, kind)
    from service.access.server_tables import open_server  # its library is an extra

    return open_server(where, kind, former)

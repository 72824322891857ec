"""Whether read models are what a rebuild from the journal would make, table by table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from store.projector import Projector, RecordSource
from store.tables.contents import Only, digests_here
from store.tables.database import Database
from store.views.tables import SERIES

__all__ = ["Checked", "check_views"]


class Checked(NamedTuple):
    """What a comparison found: up to which position, and the tables whose rows are not those of a rebuild."""

    position: int
    differing: tuple[str, ...]
    digests: dict[str, str]


def check_views(database: Database, journal: RecordSource, told: Callable[[int], None] = lambda _: None) -> Checked:
    """Compare read models with a rebuild up to their position, also while they go on; ``told`` hears how far it is.

    The rebuild is made in a file of its own: nothing here is changed.
    """
    with database.one_view():
        position = int(database.fetch("SELECT coalesce(max(position), 0) FROM progress")[0][0])
        only = _kept(database)
        found = digests_here(database, only=only)
    folder = TemporaryDirectory(prefix="bulkhead-verify-")
    with folder, closing(Projector(Path(folder.name) / "views.db")) as rebuilt:
        rebuilt.catch_up(journal, told, until=position)
        with rebuilt.database.one_view():
            wanted = digests_here(rebuilt.database, only=only)
    return Checked(position, tuple(name for name in wanted if wanted[name] != found.get(name)), found)


def _kept(database: Database) -> dict[str, Only]:
    """Return the conditions for rows that were not dropped with old months."""
    only: dict[str, Only] = {}
    for name, column in SERIES.items():
        if since := database.kept_since(name):
            only[name] = (f"{column} >= ?", since)
            if name == "events":
                only["event_tags"] = (f"position IN (SELECT position FROM events WHERE {column} >= ?)", since)  # noqa: S608
    return only

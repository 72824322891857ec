"""Open the live journal for writing: by the daemon, or by a command that has the installation to itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from service.config import Config
from service.journals import place_of
from service.leaving import refuse_moved
from store.sqlite_journal import SqliteJournal, open_journal

if TYPE_CHECKING:
    from store.postgres.journal import PostgresJournal

__all__ = ["LiveJournal", "open_live_journal"]

LiveJournal: TypeAlias = "SqliteJournal | PostgresJournal"
"""A journal that is open for writing."""


def open_live_journal(
    config: Config,
    *,
    opened_at: int,
    fences: Mapping[str, int] | None = None,
    lease_of: Callable[[str], str | None] = lambda _: None,
) -> LiveJournal:
    """Open the live journal for writing.

    ``fences`` are leases held (PostgreSQL only) and their tokens, ``lease_of`` says which of them a stream's writer needs.

    Raises JournalLocked, Fenced, JournalUnavailable, JournalTooNew, JournalCorrupt, MigrationFailed, FeatureUnavailable when
    the library for a server is not installed, and InstallationMoved or RestoreInterrupted for what is not whole here.
    """
    # Again, whoever asked before: a daemon that stood by may have waited while the installation went elsewhere.
    refuse_moved(config)
    place = place_of(config)
    if place is None:
        return open_journal(config.journal_path, durability=config.journal.durability, opened_at=opened_at)
    from store.postgres.journal import open_journal as open_on_server

    durability = config.journal.durability
    return open_on_server(place, durability=durability, opened_at=opened_at, fences=fences, lease_of=lease_of)

"""The live journal and read models of an installation: files in its data folder, or a schema on a PostgreSQL server.

Everything that opens the journal a configuration names opens it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, urlsplit, urlunsplit

from runtime.journal import JournalUnavailable
from service.config import Config
from store.journals import open_reader
from store.postgres.place import Place
from store.reading import JournalReader
from store.sqlite_journal import SqliteJournal, open_journal

if TYPE_CHECKING:
    from store.postgres.journal import PostgresJournal

__all__ = ["LiveJournal", "has_journal", "journal_of", "open_live_journal", "open_live_reader", "place_of", "views_of"]

LiveJournal: TypeAlias = "SqliteJournal | PostgresJournal"
"""A journal that is open for writing."""


def place_of(config: Config) -> Place | None:
    """Return the PostgreSQL schema that a configuration names, None when it is about files."""
    database = config.database
    if not database.url:
        return None
    return Place(
        _with_password(database.url, database.password.reveal() if database.password is not None else ""),
        database.schema,
        connect_timeout_s=database.connect_timeout_ms / 1000,
        command_timeout_s=database.statement_timeout_ms / 1000,
        commit_timeout_s=database.commit_timeout_ms / 1000,
    )


def journal_of(config: Config) -> Path | Place:
    """Return where the live journal is; as text it holds no password."""
    return place_of(config) or config.journal_path


def views_of(config: Config) -> Path | Place:
    """Return where the read models are."""
    return place_of(config) or config.app.data_dir / "views.db"


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
    from service.leaving import refuse_moved  # here: it asks this module where the journal is

    # Again, whoever asked before: a daemon that stood by may have waited while the installation went elsewhere.
    refuse_moved(config)
    place = place_of(config)
    if place is None:
        return open_journal(config.journal_path, durability=config.journal.durability, opened_at=opened_at)
    from store.postgres.journal import open_journal as open_on_server

    durability = config.journal.durability
    return open_on_server(place, durability=durability, opened_at=opened_at, fences=fences, lease_of=lease_of)


def open_live_reader(config: Config, *, check: bool = True) -> JournalReader:
    """Open the live journal for reading, also while a daemon writes it; raises as ``store.journals.open_reader`` does."""
    return open_reader(journal_of(config), check=check)


def has_journal(config: Config) -> bool:
    """Whether something began here before."""
    where = journal_of(config)
    if isinstance(where, Path):
        return where.exists()
    try:
        open_reader(where, check=False).close()
    except JournalUnavailable:
        return False
    return True


def _with_password(url: str, password: str) -> str:
    if not password:
        return url
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))

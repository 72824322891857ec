"""The live journal and read models of an installation: files in its data folder, or a schema on a PostgreSQL server.

Everything that reads the journal a configuration names opens it here; who writes it, with ``live_journal``.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from runtime.journal import JournalUnavailable
from service.config import Config
from store.journals import open_reader
from store.postgres.place import Place
from store.reading import JournalReader

__all__ = ["has_journal", "journal_of", "open_live_reader", "place_of", "views_of"]


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

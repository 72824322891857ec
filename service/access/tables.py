"""The small database that people, or requests, are kept in: a file that its owner alone reads, or a schema on a server.

The server is the one that has the journal. Every call is one transaction, on the disk when it returns. SQL is what both
databases share, with ``?`` for values.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from service.access.errors import AccessFileUnsafe
from store.postgres.place import Place

__all__ = [
    "Kind",
    "Row",
    "SqliteTables",
    "Statement",
    "Tables",
    "Where",
    "copied",
    "private_file",
    "set_aside",
]

Row: TypeAlias = tuple[Any, ...]
Where: TypeAlias = Path | Place
"""A file, or a schema's place on a server."""

_WAIT_S: Final = 5.0


class Statement(NamedTuple):
    """What is written, with its values."""

    sql: str
    values: Sequence[Any] = ()


class Kind(NamedTuple):
    """What is kept: its name, the version of its tables, each table with its columns; ``{bytes}`` stands for their type."""

    name: str
    version: int
    tables: dict[str, str]
    advice: str
    """What to do about a file that cannot be opened."""


class Tables(Protocol):
    """An open database; one thread at a time."""

    def fetch(self, sql: str, *values: Any) -> list[Row]:
        """Return the rows of a query."""
        ...

    def write(self, *statements: Statement) -> int:
        """Do all of these, or none, one writer after the other; return how many rows the last one was about."""
        ...

    def changed(self) -> bool:
        """Tell whether somebody else has written since the last time this was asked."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class SqliteTables:
    """A file of mode 0600. A daemon and a command line may have it open at the same time."""

    def __init__(self, path: Path, kind: Kind) -> None:
        private_file(path)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_WAIT_S)
        try:
            self._open(kind)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise AccessFileUnsafe(f"{path}: {error}: {kind.advice}") from error

    def _open(self, kind: Kind) -> None:
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        if self._pragma("user_version") > kind.version:
            raise sqlite3.DatabaseError("it was written by a newer bulkhead")
        for name, columns in kind.tables.items():
            self._db.execute(f"create table if not exists {name} ({columns.format(bytes='blob')}) without rowid")
        self._db.execute(f"pragma user_version = {kind.version}")
        self._seen = self._pragma("data_version")

    def fetch(self, sql: str, *values: Any) -> list[Row]:
        """Return the rows of a query."""
        return self._db.execute(sql, values).fetchall()

    def write(self, *statements: Statement) -> int:
        """Do all of these, or none."""
        rows = 0
        self._db.execute("begin immediate")
        try:
            for each in statements:
                rows = self._db.execute(*each).rowcount
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
        return rows

    def changed(self) -> bool:
        """Tell whether somebody else has written."""
        before, self._seen = self._seen, self._pragma("data_version")
        return before != self._seen

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _pragma(self, name: str) -> int:
        found: int = self._db.execute(f"pragma {name}").fetchone()[0]
        return found


def copied(source: Tables, kind: Kind) -> list[Statement]:
    """Return what makes other tables hold what these do, and nothing else."""
    rows = [(name, row) for name in kind.tables for row in source.fetch(f"select * from {name}")]  # noqa: S608 - ours
    return [
        *(Statement(f"delete from {name}") for name in kind.tables),  # noqa: S608
        *(Statement(f"insert into {name} values ({', '.join('?' * len(row))})", row) for name, row in rows),  # noqa: S608
    ]


def set_aside(file: Path) -> None:
    """Rename a file whose rows are elsewhere by now, so that nobody is let in by it again."""
    if file.is_file():
        file.rename(file.with_name(f"{file.name}.moved"))


def private_file(path: Path) -> None:
    """Make the file with its final mode, so that there is no moment at which others could read it; refuse an open one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise AccessFileUnsafe(
            f"others can read {path} (mode {mode:o}): run chmod 600 {path}, then change the passwords"
        )

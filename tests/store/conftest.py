"""The journals that the contract is tested with: one more backend is one more line in ``BACKENDS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from runtime.journal import Journal
from store.postgres.journal import open_journal as open_on_postgres
from store.postgres.place import Place
from store.sqlite_journal import MEMORY, SqliteJournal, open_journal
from tests.servers.postgres import shared_server

Opener = Callable[[Path], Journal]

BACKENDS: dict[str, Opener] = {
    "sqlite": lambda folder: open_journal(folder / "journal.db"),
    "sqlite-normal": lambda folder: open_journal(folder / "journal.db", durability="normal"),
    "sqlite-memory": lambda folder: open_journal(MEMORY),
    "postgresql": lambda folder: open_on_postgres(_place_of(folder)),
}


@cache
def _place_of(folder: Path) -> Place:
    """Return the one place of a test."""
    return Place(_database(), schema=f"t{next(_schemas)}")


@pytest.fixture(params=sorted(BACKENDS))
def contract_journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    opened = BACKENDS[request.param](tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=sorted(set(BACKENDS) - {"sqlite-memory"}))
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Journal]]:
    """Opens the same durable journal again and again, closing the one before."""
    opened: list[Journal] = []

    def again() -> Journal:
        for journal in opened:
            journal.close()
        opened.append(BACKENDS[request.param](tmp_path))
        return opened[-1]

    yield again
    for journal in opened:
        journal.close()


_schemas = count(1)


@cache
def _database() -> str:
    """Return the address of the one database of all of them; each test has a schema in it."""
    return shared_server().database()


@pytest.fixture(params=["sqlite", "postgresql"])
def tables_at(request: pytest.FixtureRequest) -> str | Place:
    """Where read models are made: the same tests run on both databases (EX-1201)."""
    return MEMORY if request.param == "sqlite" else Place(_database(), schema=f"t{next(_schemas)}")


@pytest.fixture
def server_tables() -> Place:
    """A fresh place for read models on PostgreSQL."""
    return Place(_database(), schema=f"t{next(_schemas)}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    opened = open_journal(path)
    yield opened
    opened.close()

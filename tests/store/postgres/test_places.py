"""Where a journal is: addresses without their passwords, schemas, and servers that cannot be had."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from protocol.errors import FeatureUnavailable
from runtime.journal import JournalUnavailable
from store.journals import open_reader
from store.postgres.journal import open_journal
from store.postgres.link import ConnectionLost, Link
from store.postgres.place import Place, is_postgres, masked
from tests.servers.cut_line import CutLine
from tests.servers.postgres import shared_server, until
from tests.store.postgres.test_failures import works


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:s3cret@db:5432/b", "postgresql://ann:***@db:5432/b"),
        ("postgresql://ann:s3%40cret@db1,db2/b?sslmode=require", "postgresql://ann:***@db1,db2/b?sslmode=require"),
        ("postgres://db/b?user=ann&password=s3cret", "postgres://db/b?user=ann&password=***"),
        ("postgresql://ann@/b?host=/run/pg", "postgresql://ann@/b?host=/run/pg"),
        ("postgresql://ann:s3cret@[db/b", "postgresql://***"),
    ],
)
def test_a_place_never_shows_its_password(url: str, shown: str) -> None:
    """Neither as text nor as a value does a place tell the password; everything else it does."""
    place = Place(url)
    assert masked(url) == shown
    assert str(place) == f"{shown} (schema bulkhead)"
    assert "s3" not in f"{place} {place!r}"


@pytest.mark.parametrize("schema", ["", "Big", "1st", "pg_own", "a b", 'a"b', "x" * 49, "tür"])
def test_a_schema_needs_no_quotes(schema: str) -> None:
    """A name that would need quotes is refused before it reaches a statement."""
    with pytest.raises(JournalUnavailable, match="schema"):
        Place("postgresql://db/b", schema)


def test_only_addresses_are_places() -> None:
    """A path is no address, whatever it is called, and a place is made of nothing else."""
    assert [
        is_postgres(text) for text in ("postgresql://db/b", "postgres://db", "journal.db", "postgres", "/x://y")
    ] == [
        True,
        True,
        False,
        False,
        False,
    ]
    with pytest.raises(JournalUnavailable, match="postgresql://"):
        Place("journal.db")


def test_two_schemas_are_two_journals(postgres_url: str) -> None:
    """Installations in one database know nothing of each other, their locks included."""
    first, second = (open_journal(Place(postgres_url, schema)) for schema in ("one", "two"))
    assert (first.head(), second.head(), second.start_number()) == (0, 0, 1)
    for journal in (first, second):
        journal.close()


def test_what_is_not_there_cannot_be_read(postgres_url: str) -> None:
    """A server that is away, a database or a journal that does not exist: JournalUnavailable, naming the place."""
    for where in (Place(postgres_url), Place(postgres_url.replace("?", "_none?")), "postgresql://127.0.0.1:1/b"):
        with pytest.raises(JournalUnavailable, match=r"bulkhead"):
            open_reader(where)


def test_a_server_that_is_away_is_not_asked_at_every_call() -> None:
    """For a moment after a failed attempt every call fails at once, with the same reason."""
    link = Link(replace(Place("postgresql://127.0.0.1:1/b"), connect_timeout_s=1.0), "test")
    reasons = set()
    for _ in range(3):
        with pytest.raises(JournalUnavailable) as caught:
            link.fetch("SELECT 1")
        reasons.add(str(caught.value))
    assert len(reasons) == 1
    link.close()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place without asyncpg is FeatureUnavailable, naming the extra."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(FeatureUnavailable, match=r"bulkhead\[postgres\]"):
        open_journal(Place("postgresql://127.0.0.1:1/b"))


def test_a_partition_does_not_hold_up_its_callers(postgres_url: str) -> None:
    """A server that swallows packets is waited for once; then attempts are made beside the callers until it answers."""
    line = CutLine(shared_server().socket)
    database = postgres_url.partition("@/")[2].partition("?")[0]
    url = f"postgresql://postgres@127.0.0.1:{line.port}/{database}?sslmode=disable"
    link = Link(replace(Place(url), connect_timeout_s=0.5, command_timeout_s=0.5), "test")
    assert link.fetch("SELECT 1")
    line.frozen.set()
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            link.fetch("SELECT 1")
    before = link.now()
    for _ in range(10):
        with pytest.raises(ConnectionLost):
            link.fetch("SELECT 1")
    assert link.now() - before < 2.0  # each attempt takes half a second
    line.frozen.clear()
    until(lambda: works(lambda: link.fetch("SELECT 1")))
    link.close()
    line.close()

"""Journals of other versions on PostgreSQL: older ones are brought up to date whole, newer ones are not touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from runtime.journal import Entry, JournalCorrupt, JournalTooNew, JournalUnavailable
from store.errors import MigrationFailed
from store.postgres.journal import open_journal, open_reader
from store.postgres.link import Link
from store.postgres.place import Place
from store.postgres.schema import MIGRATIONS, VERSION, journal_version, migrate_journal
from tests.servers.postgres import sql
from tests.store.events import entry, fill
from tests.store.test_journal_versions import recorded_event

NEXT = "ALTER TABLE {s}.openings ADD COLUMN note text"


@pytest.fixture
def place(postgres_url: str) -> Place:
    return Place(postgres_url)


@pytest.fixture
def link(place: Place) -> Iterator[Link]:
    opened = Link(place, "test")
    yield opened
    opened.close()


def test_a_migration_is_done_whole_and_once(link: Link, place: Place) -> None:
    """Each step is done in its turn; a second run changes nothing; the records stay as they are."""
    with closing(open_journal(place)) as journal:
        fill(journal, "a", 3)
        before = journal.digest()
    steps = (*MIGRATIONS, (NEXT, "UPDATE {s}.openings SET note = 'migrated'"))
    assert migrate_journal(link, steps=steps) == (VERSION, VERSION + 1)
    assert migrate_journal(link, steps=steps) == (VERSION + 1, VERSION + 1)
    assert sql(place.url, "SELECT note FROM bulkhead.openings")[0][0] == "migrated"
    assert sql(place.url, "SELECT encode(checksum, 'hex') FROM bulkhead.head")[0][0] == before


def test_a_migration_that_fails_changes_nothing(link: Link, place: Place) -> None:
    """An error in any step leaves the journal at its version, usable as before (EX-1209)."""
    with closing(open_journal(place)) as journal:
        fill(journal, "a", 3)
    with pytest.raises(MigrationFailed, match=f"stays at journal version {VERSION}"):
        migrate_journal(link, steps=(*MIGRATIONS, (NEXT, "SELECT nonsense")))
    assert journal_version(link) == VERSION
    with closing(open_journal(place)) as journal:
        assert journal.append([entry("a", 4)]) == 4


def test_a_newer_journal_is_not_touched(place: Place) -> None:
    """Tables that a newer bulkhead made are neither read nor written, and nothing of them changes."""
    with closing(open_journal(place)) as journal:
        fill(journal, "a", 3)
    sql(place.url, "INSERT INTO bulkhead.journal_versions VALUES ($1)", VERSION + 1)
    for call in (open_journal, open_reader):
        with pytest.raises(JournalTooNew, match=f"journal version {VERSION + 1}"):
            call(place)
    assert sql(place.url, "SELECT opening FROM bulkhead.head")[0][0] == 1


def test_events_of_a_newer_bulkhead_are_refused(place: Place) -> None:
    """A journal with an event type that this version does not know is refused before anything is written."""
    with closing(open_journal(place)) as journal:
        journal.append([Entry("a", 1, recorded_event("StoreUnknown", 1, {"text": "x"}), 5, 1, 1, 0)])
    for call in (open_journal, open_reader):
        with pytest.raises(JournalTooNew, match="StoreUnknown"):
            call(place)
    assert sql(place.url, "SELECT opening FROM bulkhead.head")[0][0] == 1


@pytest.mark.parametrize(
    ("change", "position", "tail"),
    [
        ("UPDATE bulkhead.events SET payload = payload || 'x' WHERE position = 7", 7, False),
        ("UPDATE bulkhead.events SET at = at + 1 WHERE position = 10", 10, True),
        ("DELETE FROM bulkhead.events WHERE position = 5", 5, False),
        ("DELETE FROM bulkhead.events WHERE position > 8", 9, True),
        ("UPDATE bulkhead.streams SET name = 'b'", 1, True),
        ("UPDATE bulkhead.head SET position = 12", 11, True),
    ],
)
def test_rows_that_were_changed_are_found(place: Place, change: str, position: int, tail: bool) -> None:
    """Whatever was changed behind the journal's back is found at the opening, as in a SQLite file."""
    with closing(open_journal(place)) as journal:
        fill(journal, "a", 10)
    sql(place.url, change)
    for call in (open_journal, open_reader):
        with pytest.raises(JournalCorrupt) as caught:
            call(place)
        assert (caught.value.position, caught.value.tail) == (position, tail)


def test_a_database_that_is_not_utf8_is_refused(place: Place) -> None:
    """Names of streams are UTF-8: a database of another encoding is refused before anything is made."""
    name = f"latin_{sql(place.url, 'SELECT pg_backend_pid()')[0][0]}"
    sql(place.url, f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    other = Place(place.url.replace(place.url.partition("@/")[2].partition("?")[0], name))
    with pytest.raises(JournalUnavailable, match="UTF8"):
        open_journal(other)
    assert sql(other.url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'bulkhead'")[0][0] == 0

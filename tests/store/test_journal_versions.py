"""Journals of other versions: older ones always open, newer ones are refused untouched."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.pool import SlotTaken
from protocol.risk import EngineStatus, EngineStatusChanged
from runtime.journal import Entry, JournalTooNew
from store import event_types, schema
from store.errors import MigrationFailed, UndecodableRecord
from store.sqlite_journal import open_journal, open_reader
from store.upcasters import Fields, Upcasters, upcast, upcaster
from tests.examples import example
from tests.store.events import StoreRevised, fill
from tests.store.test_journal_crash import REPOSITORY
from tests.store.test_journal_damage import tamper

STEPS: Upcasters = {}


@upcaster("StoreOld", 1, STEPS)
def _renamed(data: Fields) -> Fields:
    return {"type": "StoreRevised", "words": data["text"].split()}


@upcaster("StoreRevised", 1, STEPS)
def _words(data: Fields) -> Fields:
    return {"type": data["type"], "words": data["text"].split()}


@upcaster("StoreRevised", 2, STEPS)
def _count(data: Fields) -> Fields:
    return {**data, "count": len(data["words"])}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the journal know the upcasters above and no others."""
    for key, step in STEPS.items():
        monkeypatch.setitem(event_types.UPCASTERS, key, step)


def recorded(path: Path, name: str, version: int, payload: dict[str, object]) -> None:
    """Write a journal as a bulkhead did in which the event had that name, version and fields."""
    journal = open_journal(path)
    journal.append([Entry("a", 1, recorded_event(name, version, payload), 5, 1, 1, 0)])
    journal.close()


def recorded_event(name: str, version: int, payload: dict[str, object]) -> Any:
    """Return an event as a bulkhead made it in which it had that name, version and fields."""
    past = msgspec.defstruct(name, [(key, type(value)) for key, value in payload.items()], tag=name)
    past.VERSION = version  # type: ignore[attr-defined]
    return past(**payload)


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize(
    ("name", "version", "payload"),
    [
        ("StoreOld", 1, {"text": "two words"}),
        ("StoreRevised", 1, {"text": "two words"}),
        ("StoreRevised", 2, {"words": ["two", "words"]}),
        ("StoreRevised", 3, {"words": ["two", "words"], "count": 2}),
    ],
)
def test_old_events_are_brought_up_to_date(path: Path, name: str, version: int, payload: dict[str, object]) -> None:
    """A record of any old version, or of an old name, is read as today's event; the file keeps the old bytes."""
    recorded(path, name, version, payload)
    with closing(open_journal(path)) as journal:
        before = journal.digest()
        assert [r.event for r in journal.read("a")] == [StoreRevised(["two", "words"], 2)]
        assert [r.event for r in journal.read_all()] == [StoreRevised(["two", "words"], 2)]
        assert journal.digest() == before


@pytest.mark.usefixtures("steps")
def test_a_record_that_fits_no_version_is_named(path: Path) -> None:
    """An intact record whose fields do not fit is our bug: the error names position, type and version."""
    recorded(path, "StoreRevised", 2, {"wrong": 1})
    with closing(open_journal(path)) as journal, pytest.raises(UndecodableRecord, match=r"record 1 \(StoreRevised"):
        list(journal.read("a"))


def test_a_missing_step_is_named(path: Path) -> None:
    """An old version without an upcaster fails where it is read, saying from which version one is missing."""
    recorded(path, "StoreRevised", 2, {"words": ["x"]})
    with closing(open_journal(path)) as journal, pytest.raises(UndecodableRecord, match="from version 2"):
        list(journal.read_all())


def test_a_slot_of_before_there_was_a_queue_binds_nothing() -> None:
    """A ``SlotTaken`` of version 1 knew neither placed layers nor funds: it is read as one that binds none."""
    today = example(SlotTaken)
    fields = msgspec.to_builtins(today)
    past = {name: value for name, value in fields.items() if name not in ("dca_legs", "funds")}
    data, version = upcast(past, 1)
    assert version == SlotTaken.VERSION
    assert data == {**past, "dca_legs": 0, "funds": "0"}


def test_one_step_has_one_upcaster() -> None:
    """A second function for the same step is refused: released upcasters are never replaced."""
    with pytest.raises(ValueError, match="already"):
        upcaster("StoreOld", 1, STEPS)(_renamed)


@pytest.mark.parametrize(
    ("name", "version"), [("StoreRevised", 4), ("StoreNeverHeardOf", 1)], ids=["newer version", "unknown type"]
)
def test_a_journal_with_newer_events_is_refused_untouched(path: Path, name: str, version: int) -> None:
    """An event type of a newer version, or one that nobody here knows, is JournalTooNew before anything is written."""
    recorded(path, name, version, {"text": "x"})
    before = path.read_bytes()
    for opener in (open_journal, open_reader):
        with pytest.raises(JournalTooNew, match=f"{name} events of version {version}"):
            opener(path)
    assert path.read_bytes() == before


def test_a_journal_of_a_newer_schema_is_refused_untouched(path: Path) -> None:
    """A newer schema version is JournalTooNew before anything is written; the write-ahead file stays too."""
    open_journal(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as newer:
        newer.execute("PRAGMA user_version = 2")
        wal = path.with_name(path.name + "-wal")
        before = (path.read_bytes(), wal.read_bytes())
        for opener in (open_journal, open_reader):
            with pytest.raises(JournalTooNew, match="schema version 2"):
                opener(path)
        assert (path.read_bytes(), wal.read_bytes()) == before


def test_a_migration_is_one_transaction_after_a_backup(path: Path) -> None:
    """Steps run in order to the newest version; the file as it was before stands beside it (EX-1209)."""
    journal = open_journal(path)
    fill(journal, "a", 3)
    journal.close()
    steps = {1: ["CREATE TABLE extra (x)"], 2: ["INSERT INTO extra SELECT count(*) FROM events"]}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        backup = schema.migrate(connection, path, steps=steps, to_version=3)
        assert connection.execute("SELECT x FROM extra").fetchall() == [(3,)]
        assert schema.schema_version(connection) == 3
        assert schema.migrate(connection, path, steps=steps, to_version=3) is None
    assert backup is not None
    with closing(open_reader(backup)) as before:
        assert before.verify() == 3


@pytest.mark.parametrize("second", ["INSERT INTO nowhere VALUES (1)", None])
def test_a_failed_migration_leaves_the_old_schema(path: Path, second: str | None) -> None:
    """When a step fails or is missing, nothing of the steps before it stays (EX-1209)."""
    journal = open_journal(path)
    fill(journal, "a", 3)
    journal.close()
    steps = {1: ["CREATE TABLE extra (x)"], **({2: [second]} if second else {})}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, pytest.raises(MigrationFailed):
        schema.migrate(connection, path, steps=steps, to_version=3)
    with closing(open_journal(path)) as journal:
        assert journal.verify() == 3
        assert journal._rows.one("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'") == (0,)


def test_an_older_schema_is_migrated_at_the_opening(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening for writing brings the schema up to date; the daemon needs no separate step."""
    open_journal(path).close()
    tamper(path, "PRAGMA user_version = 1")
    monkeypatch.setattr(schema.migrate, "__kwdefaults__", {"steps": {1: ["CREATE TABLE extra (x)"]}, "to_version": 2})
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)
    with closing(open_journal(path)) as journal:
        assert journal._rows.one("SELECT count(*) FROM extra") == (0,)
    assert path.with_name("journal.db.schema-1").exists()


def test_a_reader_knows_every_event_of_the_protocol(path: Path) -> None:
    """A process that has imported no conversation can still read what the daemon wrote."""
    journal = open_journal(path)
    journal.append([Entry("a", 1, EngineStatusChanged(1, EngineStatus.PAUSED, "x", 5), 5, 1, 1, 0)])
    journal.close()
    code = "import sys; from store.sqlite_journal import open_reader; print(list(open_reader(sys.argv[1]).read_all()))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=REPOSITORY, capture_output=True, check=False)
    assert b"EngineStatusChanged" in done.stdout, done.stderr

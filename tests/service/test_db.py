"""`bulkhead db` on both databases: moves, backups and restores lose nothing, double nothing and leave nothing half done."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import service.restoring
from protocol.errors import BulkheadError
from runtime.journal import JournalUnavailable
from service.backup import make_backup, verified
from service.cli.commands import app
from service.config import Config
from service.journals import journal_of, open_live_reader, views_of
from service.leaving import InstallationMoved, RestoreInterrupted, refuse_moved
from service.live_journal import open_live_journal
from service.moving import MoveIncomplete, move_installation, place_named
from service.restoring import RestoreRefused, restore
from service.sealed import BackupKeyMissing, BackupKeyWrong
from service.storage import PruneRefused, prune_months
from service.table_export import ExportRefused, export_to
from store.errors import JournalLocked
from store.postgres.leases import LeaseStore
from store.postgres.place import Place
from store.projector import Projector
from store.tables.opening import read_tables
from store.transfer.checking import check_views
from tests.servers.postgres import shared_server
from tests.service.command_line import CliRunner
from tests.service.store_places import installation, journal_digest, traded, views_digests
from tests.store.events import entry

pytestmark = pytest.mark.slow(seconds=25)

NOW = 1_800_000_000_000_000_000
KEY = "correct horse battery"


def made(kind: str, folder: Path) -> Config:
    """Return an empty installation on one of the two databases."""
    return installation(folder, shared_server().database() if kind == "postgresql" else "")


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each of the two databases."""
    return str(request.param)


# --- moves ------------------------------------------------------------------------------------------------------------


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 30))
def test_there_and_back_is_the_same_installation(
    seed: int, steps: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Random histories go to PostgreSQL and back: equal digests of journal and read models at each end."""
    here = traded(installation(tmp_path_factory.mktemp("move")), seed, steps)
    before = journal_digest(here), views_digests(here)
    there = installation(here.app.data_dir.parent / "there", shared_server().database())
    report = move_installation(journal_of(here), journal_of(there))
    assert (report.digest, report.new_records) == (before[0], report.records)
    assert (journal_digest(there), views_digests(there)) == before
    back = move_installation(journal_of(there), journal_of(here))
    assert (back.digest, back.new_records) == (before[0], 0)
    assert (journal_digest(here), views_digests(here)) == before


def test_what_is_left_behind_never_starts(tmp_path: Path) -> None:
    """After a move no daemon starts on the old place, until the installation comes back, with what was new there."""
    here = traded(installation(tmp_path / "here"))
    there = installation(tmp_path / "there", shared_server().database())
    move_installation(journal_of(here), journal_of(there))
    with pytest.raises(InstallationMoved, match="postgresql"):
        refuse_moved(here)
    refuse_moved(there)
    with closing(open_live_journal(there, opened_at=2)) as journal:
        journal.append([entry("later", 1)])
    report = move_installation(journal_of(there), journal_of(here))
    assert report.new_records == 1
    refuse_moved(here)
    with pytest.raises(InstallationMoved, match=r"journal\.db"):
        refuse_moved(there)
    assert journal_digest(here) == journal_digest(there)


def test_a_move_that_cannot_be_proven_is_not_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the proof fails the target is marked as half filled and the source goes on; doing it again finishes it."""
    here = traded(installation(tmp_path / "here"))
    there = installation(tmp_path / "there", shared_server().database())
    with monkeypatch.context() as patch:
        patch.setattr("service.moving.same_journal", lambda one, other: ["records from 7 on"])
        with pytest.raises(MoveIncomplete, match="records from 7 on"):
            move_installation(journal_of(here), journal_of(there))
    refuse_moved(here)
    with pytest.raises(RestoreInterrupted):
        refuse_moved(there)
    assert move_installation(journal_of(here), journal_of(there)).new_records == 0
    refuse_moved(there)


def test_a_daemon_that_stood_by_does_not_begin_in_the_middle(tmp_path: Path) -> None:
    """While an installation moves nobody opens either end, whatever it asked before; a move that fails lets go of both."""
    here = traded(installation(tmp_path / "here"))
    there = installation(tmp_path / "there", shared_server().database())
    met = []

    def told(what: str, done: int, of: int) -> None:
        if what == "comparing the journals":
            for each in (here, there):
                with pytest.raises(RestoreInterrupted):
                    open_live_journal(each, opened_at=3)
                met.append(each)
            with leases_of(there) as leases:
                assert leases.acquire("house", "standby", 60.0)
            raise JournalUnavailable("the disk is full")

    with pytest.raises(JournalUnavailable, match="disk is full"):
        move_installation(journal_of(here), journal_of(there), told)
    assert met == [here, there]
    refuse_moved(here)
    with pytest.raises(JournalLocked, match="standby"):
        move_installation(journal_of(here), journal_of(there))
    refuse_moved(here)


def leases_of(config: Config) -> closing[LeaseStore]:
    """Return the leases of an installation on a server."""
    place = journal_of(config)
    assert isinstance(place, Place)
    return closing(LeaseStore(place))


def test_nothing_moves_while_a_daemon_runs(tmp_path: Path) -> None:
    """The journal's lock keeps a move out at both ends; nothing is marked."""
    here = traded(installation(tmp_path / "here"))
    there = installation(tmp_path / "there", shared_server().database())
    with closing(open_live_journal(here, opened_at=2)), pytest.raises(JournalLocked):
        move_installation(journal_of(here), journal_of(there))
    with closing(open_live_journal(there, opened_at=2)), pytest.raises(JournalLocked):
        move_installation(journal_of(here), journal_of(there))
    refuse_moved(here)
    refuse_moved(there)


def test_places_are_named_as_people_name_them(tmp_path: Path) -> None:
    """Words, paths and addresses; a folder means the journal in it."""
    here = installation(tmp_path / "here")
    assert place_named(here, "sqlite") == here.journal_path
    assert place_named(here, "sqlite:///a/b.db") == Path("/a/b.db")
    assert place_named(here, "sqlite:///a/b/") == Path("/a/b/journal.db")
    found = place_named(here, "postgresql://u@h/d")
    assert isinstance(found, Place)
    assert found.schema == "bulkhead"
    for wrong in ("postgresql", "mysql://x", "sqlite:relative.db"):
        with pytest.raises(BulkheadError, match=r"name|url|neither"):
            place_named(here, wrong)


# --- backups ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "into", "key"),
    [
        ("sqlite", "sqlite", KEY),
        ("sqlite", "postgresql", ""),
        ("postgresql", "sqlite", ""),
        ("postgresql",) * 2 + (KEY,),
    ],
)
def test_a_backup_of_either_restores_into_either(kind: str, into: str, key: str, tmp_path: Path) -> None:
    """Journal, read models and files come back, whatever database they were in and go to, encrypted or not."""
    old = traded(made(kind, tmp_path / "old"))
    manifest = make_backup(old, tmp_path / "old" / "config.toml", tmp_path / "b", now=NOW, key=key)
    assert {each.name for each in manifest.files} >= {"data/journal.db", "data/views.db", "data/deployment"}
    new = made(into, tmp_path / "new")
    assert restore(tmp_path / "b", new, tmp_path / "new" / "config.toml", now=NOW, key=key, replace=False) is None
    with closing(read_tables(views_of(new))) as tables, closing(open_live_reader(new)) as reader:
        checked = check_views(tables, reader)
    assert checked.differing == ()
    assert checked.position > 0, "read models came with the archive"
    assert (journal_digest(new), views_digests(new)) == (journal_digest(old), views_digests(old))
    assert (new.app.data_dir / "deployment").read_text() == "ab12\n"
    refuse_moved(new)


def test_a_backup_under_load_is_a_beginning_of_the_journal(kind: str, tmp_path: Path) -> None:
    """While somebody writes and projects, an archive holds everything up to some record, and nothing of what follows."""
    old = traded(made(kind, tmp_path / "old"), steps=30)
    stop, wrote = threading.Event(), threading.Event()

    def write() -> None:
        with closing(open_live_journal(old, opened_at=2)) as journal, closing(Projector(views_of(old))) as projector:
            number = 0
            while not stop.is_set():
                number += 1
                journal.append([entry("load", number)])
                if number % 10 == 0:
                    projector.catch_up(journal)
                    wrote.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert wrote.wait(30)
        for name in ("one", "two"):
            make_backup(old, None, tmp_path / name, now=NOW)
    finally:
        stop.set()
        writer.join(30)
    heads = []
    for name in ("one", "two"):
        new = installation(tmp_path / f"new-{name}")
        restore(tmp_path / name, new, None, now=NOW)
        with closing(open_live_reader(new)) as reader, closing(open_live_reader(old)) as original:
            heads.append(reader.verify())
            assert list(reader.read_all()) == list(original.read_all(limit=heads[-1]))
            with closing(read_tables(views_of(new))) as tables:
                checked = check_views(tables, reader)
            assert checked.differing == ()
            assert 0 < checked.position <= heads[-1]
    assert heads[0] < heads[1] < journal_head(old)


def journal_head(config: Config) -> int:
    """Return how many records there are."""
    with closing(open_live_reader(config)) as reader:
        return reader.head()


def test_a_key_opens_what_it_closed_and_nothing_else(tmp_path: Path) -> None:
    """Without a key, and with another one, an archive says so; nothing of the content stands in the file."""
    old = traded(installation(tmp_path / "old"))
    make_backup(old, tmp_path / "old" / "config.toml", tmp_path / "b", now=NOW, key=KEY)
    assert b"max_open_groups" not in (tmp_path / "b").read_bytes()
    assert verified(tmp_path / "b", KEY).deployment == "ab12"
    new = installation(tmp_path / "new")
    with pytest.raises(BackupKeyMissing):
        restore(tmp_path / "b", new, None, now=NOW)
    with pytest.raises(BackupKeyWrong):
        restore(tmp_path / "b", new, None, now=NOW, key=KEY + "!")
    assert not new.app.data_dir.exists()


def test_a_place_that_holds_something_is_refused(kind: str, tmp_path: Path) -> None:
    """Only an empty place is restored into, unless an installation in files is put aside on the operator's word."""
    old = traded(made(kind, tmp_path / "old"), seed=1)
    make_backup(old, None, tmp_path / "b", now=NOW)
    new = traded(made(kind, tmp_path / "new"), seed=2)
    before = journal_digest(new)
    with pytest.raises(RestoreRefused):
        restore(tmp_path / "b", new, None, now=NOW, replace=False)
    assert journal_digest(new) == before


def test_a_restore_onto_a_server_that_breaks_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the journal is whole there is none; after it the place is marked, and the same command finishes it."""
    old = traded(installation(tmp_path / "old"))
    make_backup(old, None, tmp_path / "b", now=NOW)
    new = installation(tmp_path / "new", shared_server().database())

    def broken(*_: object) -> None:
        raise JournalUnavailable("the server went away")

    with monkeypatch.context() as patch:
        patch.setattr(service.restoring, "copy_journal", broken)
        with pytest.raises(JournalUnavailable):
            restore(tmp_path / "b", new, None, now=NOW)
    assert journal_head(new) == 0
    refuse_moved(new)
    with monkeypatch.context() as patch:
        patch.setattr(service.restoring, "copy_rows", broken)
        with pytest.raises(JournalUnavailable):
            restore(tmp_path / "b", new, None, now=NOW)
    with pytest.raises(RestoreInterrupted):
        refuse_moved(new)
    restore(tmp_path / "b", new, None, now=NOW)
    refuse_moved(new)
    assert (journal_digest(new), views_digests(new)) == (journal_digest(old), views_digests(old))


# --- the command line -------------------------------------------------------------------------------------------------


def run(config: Config, *arguments: str) -> str:
    """Run a command on an installation; return what it printed."""
    environment = {"COLUMNS": "200"}
    if config.database.url:
        environment["BULKHEAD_DATABASE_URL"] = config.database.url
    file = config.app.data_dir.parent / "config.toml"
    result = CliRunner().invoke(app, ["db", *arguments, "--config", str(file)], env=environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_commands_on_either_database(kind: str, tmp_path: Path) -> None:
    """Status, verify, migrate, backup, restore and export say the same of both."""
    config = traded(made(kind, tmp_path / "old"))
    head = journal_head(config)
    said = json.loads(run(config, "status", "--json"))
    assert (said["backend"], said["journal"]["records"], said["read_models"]["behind"]) == (kind, head, 0)
    assert said["moved_to"] == ""
    assert str(head) in run(config, "status")
    proof = json.loads(run(config, "verify", "--json"))
    assert (proof["records"], proof["digest"], proof["differing"]) == (head, journal_digest(config), [])
    assert json.loads(run(config, "migrate", "--json"))["records"] == head
    assert json.loads(run(config, "backup", str(tmp_path / "b"), "--json"))["manifest"]["backend"] == kind
    new = made(kind, tmp_path / "new")
    run(new, "restore", str(tmp_path / "b"))
    assert journal_digest(new) == journal_digest(config)


def test_exports_hold_every_row(kind: str, tmp_path: Path) -> None:
    """CSV, JSON lines and Parquet of a table have the same rows, with exact decimals."""
    config = traded(made(kind, tmp_path / "old"))
    lines = [json.loads(line) for line in run(config, "export", "realizations", "--format", "jsonl").splitlines()]
    table = run(config, "export", "realizations").splitlines()
    run(config, "export", "realizations", "--format", "parquet", "-o", str(tmp_path / "r.parquet"))
    rows = pyarrow.parquet.read_table(tmp_path / "r.parquet").to_pylist()
    assert len(lines) == len(table) - 1 == len(rows) > 0
    at = table[0].split(",").index("net_quote")
    assert [line["net_quote"] for line in lines] == [row.split(",")[at] for row in table[1:]]
    assert [f"{row['net_quote']:f}".rstrip("0").rstrip(".") for row in rows] == [line["net_quote"] for line in lines]
    assert "fills" in run(config, "export").split()


def test_read_models_that_were_changed_are_named(kind: str, tmp_path: Path) -> None:
    """`bulkhead db verify` ends with ViewsDiffer and the table whose rows are not those of a rebuild."""
    config = traded(made(kind, tmp_path / "old"))
    with closing(Projector(views_of(config))) as projector, projector.database.transaction():
        projector.database.execute("UPDATE fills SET price = ? WHERE position > ?", ["1", 0])
    environment = {"BULKHEAD_DATABASE_URL": config.database.url} if config.database.url else {}
    file = config.app.data_dir.parent / "config.toml"
    result = CliRunner().invoke(app, ["db", "verify", "--config", str(file)], env=environment)
    assert result.exit_code == 1
    assert "fills" in result.stderr
    assert "ViewsDiffer" in result.stderr


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    """A form that there is not, Parquet onto a terminal, a table that there is not: nothing is written."""
    config = traded(installation(tmp_path / "old"), steps=2)
    with pytest.raises(ExportRefused, match="xml is none of csv, jsonl, parquet"):
        export_to(config, "fills", "xml", None, print)
    with pytest.raises(ExportRefused, match="--output"):
        export_to(config, "fills", "parquet", None, print)
    result = CliRunner().invoke(app, ["db", "export", "nothing", "--config", str(tmp_path / "old" / "config.toml")])
    assert result.exit_code == 2
    assert "there is no table nothing" in result.stderr


def test_old_months_are_dropped_on_demand(tmp_path: Path) -> None:
    """On PostgreSQL whole months go, a proof knows it, and files refuse; with --preview nothing is done."""
    config = traded(made("postgresql", tmp_path / "there"))
    assert "events_1970_01" in run(config, "prune", "--before", "1970-02-01", "--preview")
    assert json.loads(run(config, "status", "--json"))["read_models"]["partitions"]["events"][0] == "events_1970_01"
    assert "events_1970_01" in run(config, "prune", "--before", "1970-02-01")
    assert json.loads(run(config, "verify", "--json"))["differing"] == []
    assert "nothing ends" in run(config, "prune", "--before", "1970-02-01")
    for where, day in ((installation(tmp_path / "here"), "1970-02-01"), (config, "yesterday")):
        with pytest.raises(PruneRefused):
            prune_months(where, day, preview=True)

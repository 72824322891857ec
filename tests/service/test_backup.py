"""One archive of an installation: nothing plain that is secret, refused when damaged, put back only when nothing is open."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from protocol.configuration import ConfigSettled
from protocol.errors import BulkheadError
from runtime.journal import Entry
from service.access.people import add_person
from service.access.requests import RequestStore
from service.access.roles import Role
from service.access.store import AccessStore
from service.backup import BackupCorrupt, BackupTooNew, make_backup, verified
from service.config import Config, load, open_webhook_secrets
from service.config.kept import read_kept
from service.config.text import from_toml
from service.config.vault import vault_of
from service.leaving import RestoreInterrupted, refuse_half_restored
from service.restoring import EngineNotFlat, inspect, restore
from service.vault.errors import SecretsNotDecryptable
from service.vault.master_keys import decoded_key
from service.vault.names import SecretName
from service.vault.sealing import Kept
from store.errors import JournalLocked
from store.opening import open_reader
from store.sqlite_journal import open_journal
from tests.actors.groups import opening, signal
from tests.service.backup_rig import slot_taken

NOW = 1_800_000_000_000_000_000


class Installation:
    """A folder with config.toml and data."""

    def __init__(self, folder: Path, slots: int = 4) -> None:
        folder.mkdir()
        self.file = folder / "config.toml"
        self.file.write_text(f"# Mine.\n[execution_pool]\nmax_open_groups = {slots}\n")
        self.config: Config = load(self.file, {})
        self.data = self.config.app.data_dir
        self.data.mkdir()
        (self.data / "deployment").write_text("ab12\n")
        (self.data / "logs").mkdir()
        (self.data / "logs" / "000001.jsonl").write_text("{}\n")
        self.secrets = open_webhook_secrets(self.config)
        self.write(ConfigSettled(1, 1))

    def write(self, event: object) -> None:
        """Append one event to the stream of the pool."""
        with closing(open_journal(self.config.journal_path, opened_at=1)) as journal:
            stream = "/risk/pool-paper"
            seq = sum(1 for _ in journal.read(stream)) + 1
            journal.append([Entry(stream, seq, event, 1, 0, 0, 0)])  # type: ignore[arg-type]

    def records(self) -> int:
        """Return how many records the journal holds."""
        with closing(open_reader(self.config.journal_path)) as reader:
            return reader.head()


@pytest.fixture
def old(tmp_path: Path) -> Installation:
    """An installation to back up."""
    return Installation(tmp_path / "old")


@pytest.fixture
def archive(old: Installation, tmp_path: Path) -> Path:
    """Its archive."""
    target = tmp_path / "backup.zip"
    make_backup(old.config, old.file, target, now=NOW)
    return target


def test_an_archive_holds_everything_but_secrets(old: Installation, archive: Path) -> None:
    """Configuration, database and log with a manifest of checksums; no plain secret in any file of it (EX-1208)."""
    manifest = verified(archive)
    names = {each.name for each in manifest.files}
    assert names == {
        "config.toml",
        "configuration.json",
        "data/journal.db",
        "data/deployment",
        "data/logs/000001.jsonl",
        "data/vault/secrets.vault",
    }
    assert (manifest.made_at, manifest.deployment) == (NOW, "ab12")
    with zipfile.ZipFile(archive) as pack:
        assert json.loads(pack.read("configuration.json"))["execution_pool.max_open_groups"] == 4
        key = decoded_key((old.data / "secrets" / "master_key").read_text(), "test")
        for name in pack.namelist():
            for each in (*old.secrets.shown_nowhere, key, key.hex(), (old.data / "secrets" / "master_key").read_text()):
                assert (each if isinstance(each, bytes) else each.encode()) not in pack.read(name)


def test_a_backup_opens_nothing_elsewhere(old: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the vault of an archive stays shut, with the key of the place, and with the right one too (EX-1502)."""
    name = SecretName("paper", "api_secret")
    vault_of(old.config).change(lambda kept: kept.update({name: Kept("hunter22-hunter22", "trader", 1)}))
    make_backup(old.config, old.file, tmp_path / "with.zip", now=NOW)
    there = tmp_path / "there"
    there.mkdir()
    (there / "config.toml").write_text("")
    config = load(there / "config.toml", {})
    restore(tmp_path / "with.zip", config, there / "config.toml", now=NOW)
    with pytest.raises(SecretsNotDecryptable, match="no master key"):
        vault_of(config).read()
    assert read_kept(config).trouble.startswith("SecretsNotDecryptable")
    assert b"hunter22" not in b"".join(each.read_bytes() for each in there.rglob("*") if each.is_file())
    (there / "data" / "secrets").mkdir(exist_ok=True)
    shutil.copy(old.data / "secrets" / "master_key", there / "data" / "secrets" / "master_key")
    assert vault_of(config).read()[name].value == "hunter22-hunter22", "the same machine"
    monkeypatch.setattr("service.config.vault.machine_id", lambda: "another machine")
    with pytest.raises(SecretsNotDecryptable):
        vault_of(config).read()


def test_a_restore_shuts_nobody_out(archive: Path, tmp_path: Path) -> None:
    """Who may log in here still may, and requests that were done here are not done again; an archive holds neither."""
    new = Installation(tmp_path / "new")
    people, requests = AccessStore(new.config.access_path), RequestStore(new.config.requests_path, NOW)
    add_person(people, "ada", Role.ADMIN, "correct horse battery", now=NOW)
    requests.begin("session ada", "order-1", b"digest", NOW)
    people.close()
    requests.close()
    restore(archive, new.config, new.file, now=NOW, replace=True)
    people, requests = AccessStore(new.config.access_path), RequestStore(new.config.requests_path, NOW)
    assert [each.name for each in people.people()] == ["ada"]
    assert requests.begin("session ada", "order-1", b"digest", NOW) is not None
    people.close()
    requests.close()
    with zipfile.ZipFile(archive) as pack:
        assert not [name for name in pack.namelist() if "access.db" in name or "requests.db" in name]


def test_a_restore_keeps_the_backups(archive: Path, tmp_path: Path) -> None:
    """Regression: the daemon's archives went aside with the former data, and with that at the next clearing up."""
    new = Installation(tmp_path / "new")
    kept = new.data / "backups" / "monday.bulkhead"
    kept.parent.mkdir()
    shutil.copy(archive, kept)
    former = restore(kept, new.config, new.file, now=NOW)
    assert verified(kept).made_at == NOW
    assert former is not None
    assert not (former / "backups").exists()


def test_archive_and_restored_data_are_their_owners_alone(old: Installation, tmp_path: Path) -> None:
    """Regression: from a command line both were as open as the shell makes files, and hold every order (EX-1508)."""
    target, new = tmp_path / "backup.zip", Installation(tmp_path / "new")
    shutil.rmtree(new.data)
    before = os.umask(0o022)
    try:
        make_backup(old.config, old.file, target, now=NOW)
        restore(target, new.config, new.file, now=NOW)
        inspect(target, tmp_path / "look")
    finally:
        os.umask(before)
    files = [target, new.data, *(each for each in (tmp_path / "look").rglob("*") if each.is_file())]
    files += [each for each in new.data.rglob("*") if each.is_file()]
    assert [each for each in files if each.stat().st_mode & 0o077] == []


def test_a_restore_keeps_where_the_vault_is(archive: Path, tmp_path: Path) -> None:
    """What says how this installation's vault opens is not replaced by what the archive's said (EX-1208, EX-1502)."""
    new = Installation(tmp_path / "new")
    new.file.write_text('[security]\nbinding_id = "box-9"\nkey_vault_path = "kept/"\n')
    new.config = load(new.file, {})
    made = open_webhook_secrets(new.config)
    restore(archive, new.config, new.file, now=NOW)
    found = from_toml(new.file.read_text())
    assert (found["security.binding_id"], found["security.key_vault_path"]) == ("box-9", "kept/")
    assert open_webhook_secrets(load(new.file, {})) == made


def test_a_backup_is_made_while_the_journal_is_written(old: Installation, tmp_path: Path) -> None:
    """The journal in the archive is as of one instant, whoever writes it meanwhile (EX-1208)."""
    with closing(open_journal(old.config.journal_path, opened_at=1)) as journal:
        journal.append([Entry("x", 1, ConfigSettled(1, 1), 1, 0, 0, 0)])
        make_backup(old.config, old.file, tmp_path / "live.zip", now=NOW)
        journal.append([Entry("x", 2, ConfigSettled(1, 1), 1, 0, 0, 0)])
    inspect(tmp_path / "live.zip", tmp_path / "look")
    with closing(open_reader(tmp_path / "look" / "data" / "journal.db")) as reader:
        assert reader.head() == 2


def test_a_secret_in_the_file_is_never_packed(old: Installation, tmp_path: Path) -> None:
    """A config.toml with a secret in it is refused rather than packed (EX-1208)."""
    old.file.write_text('[exchange.binance]\napi_key = "abc"\n')
    with pytest.raises(BulkheadError, match="take it out first"):
        make_backup(old.config, old.file, tmp_path / "x.zip", now=NOW)
    assert not (tmp_path / "x.zip").exists()


def test_restore_puts_everything_back(archive: Path, tmp_path: Path) -> None:
    """Another installation has the archive's data and settings, keeps its secrets, and its former data aside (EX-1208)."""
    new = Installation(tmp_path / "new", slots=9)
    new.write(ConfigSettled(1, 1))
    former = restore(archive, new.config, new.file, now=NOW)
    assert former is not None
    assert new.records() == 1
    assert from_toml(new.file.read_text()) == {"execution_pool.max_open_groups": 4}
    assert new.file.read_text().startswith("# Mine.")
    assert open_webhook_secrets(new.config) == new.secrets
    with closing(open_reader(former / "journal.db")) as reader:
        assert reader.head() == 2


def truncated(archive: Path) -> None:
    """Cut the archive in half."""
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])


def flipped(archive: Path) -> None:
    """Damage the middle of the archive."""
    content = bytearray(archive.read_bytes())
    for place in range(len(content) // 3, len(content) // 3 + 40):
        content[place] ^= 0xFF
    archive.write_bytes(bytes(content))


def swapped(archive: Path) -> None:
    """Give one file another content, which the archive itself does not notice."""
    rewritten(archive, lambda name, content: b"zz99\n" if name == "data/deployment" else content)


def unlisted(archive: Path) -> None:
    """Add a file that the manifest does not name."""
    with zipfile.ZipFile(archive, "a") as pack:
        pack.writestr("data/more", "x")


def outside(archive: Path) -> None:
    """Have the manifest name a file outside the archive."""
    rewritten(archive, lambda _, content: content.replace(b"data/deployment", b"../../../escape"), names=True)


def no_archive(archive: Path) -> None:
    """Put something else in its place."""
    archive.write_text("hello")


def rewritten(archive: Path, change: Callable[[str, bytes], bytes], *, names: bool = False) -> None:
    """Write the archive anew with changed contents (and the names in it changed alike)."""
    with zipfile.ZipFile(archive) as pack:
        members = [(name, pack.read(name)) for name in pack.namelist()]
    with zipfile.ZipFile(archive, "w") as pack:
        for name, content in members:
            pack.writestr(change("", name.encode()).decode() if names else name, change(name, content))


@pytest.mark.parametrize("damage", [truncated, flipped, swapped, unlisted, outside, no_archive])
def test_a_damaged_archive_is_refused(archive: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """Whatever is damaged, BackupCorrupt says so and nothing is changed (EX-1208)."""
    new = Installation(tmp_path / "new", slots=9)
    damage(archive)
    with pytest.raises(BackupCorrupt):
        restore(archive, new.config, new.file, now=NOW)
    assert new.records() == 1
    assert from_toml(new.file.read_text()) == {"execution_pool.max_open_groups": 9}


def test_an_archive_of_a_newer_schema_is_refused(archive: Path, tmp_path: Path) -> None:
    """BackupTooNew for an archive whose journal this bulkhead does not know (EX-1208)."""
    new = Installation(tmp_path / "new")
    rewritten(
        archive,
        lambda name, content: content.replace(b'"schema": 1', b'"schema": 99') if "manifest" in name else content,
    )
    with pytest.raises(BackupTooNew, match="newer"):
        restore(archive, new.config, new.file, now=NOW)


def test_open_groups_forbid_a_restore_but_not_a_look(archive: Path, tmp_path: Path) -> None:
    """EngineNotFlat while a group is live; unpacking beside the installation is always possible (EX-1208)."""
    new = Installation(tmp_path / "new")
    new.write(slot_taken(opening(signal())))
    with pytest.raises(EngineNotFlat, match="close them first"):
        restore(archive, new.config, new.file, now=NOW)
    inspect(archive, tmp_path / "look")
    assert (tmp_path / "look" / "data" / "deployment").read_text() == "ab12\n"
    with pytest.raises(BulkheadError, match="not empty"):
        inspect(archive, tmp_path / "look")


def test_a_running_daemon_forbids_a_restore(archive: Path, tmp_path: Path) -> None:
    """The journal's lock keeps a restore from taking the data away under a daemon (EX-1208)."""
    new = Installation(tmp_path / "new")
    with closing(open_journal(new.config.journal_path, opened_at=1)), pytest.raises(JournalLocked):
        restore(archive, new.config, new.file, now=NOW)


def test_a_restore_that_was_cut_short_is_noticed_and_finished(archive: Path, tmp_path: Path) -> None:
    """Between the two renames no daemon starts on an empty folder; the same command again finishes it (EX-1208)."""
    new = Installation(tmp_path / "new", slots=9)
    new.data.rename(new.data.with_name("data.before-1"))
    (tmp_path / "new" / "data.restoring").mkdir()
    with pytest.raises(RestoreInterrupted):
        refuse_half_restored(new.data)
    restore(archive, new.config, new.file, now=NOW)
    refuse_half_restored(new.data)
    assert new.records() == 1
    assert open_webhook_secrets(new.config) == new.secrets


def test_a_journal_that_does_not_open_is_refused(old: Installation, tmp_path: Path) -> None:
    """Checksums that fit a damaged database do not make it a good one (EX-1208)."""
    with closing(sqlite3.connect(old.config.journal_path)) as connection:
        connection.execute("UPDATE head SET position = 77")
        connection.commit()
    make_backup(old.config, old.file, tmp_path / "bad.zip", now=NOW)
    new = Installation(tmp_path / "new")
    with pytest.raises(BackupCorrupt, match="cannot be opened"):
        restore(tmp_path / "bad.zip", new.config, new.file, now=NOW)
    assert new.records() == 1

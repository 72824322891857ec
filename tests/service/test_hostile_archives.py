"""Archives that somebody made who wants to come in by them, and files that others could read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.access.people import add_person
from service.access.roles import Role
from service.access.store import AccessStore
from service.backup import MANIFEST, BackupCorrupt, make_backup
from service.restoring import inspect, restore
from tests.service.test_backup import NOW, Installation


@pytest.fixture(autouse=True)
def _open_shell() -> Iterator[None]:
    """Have the shell let everybody read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A backup of an installation."""
    old, target = Installation(tmp_path / "old"), tmp_path / "backup.zip"
    make_backup(old.config, old.file, target, now=NOW)
    return target


def with_file(archive: Path, name: str, content: bytes, **claimed: int) -> None:
    """Put one more file into an archive, and into its manifest."""
    with zipfile.ZipFile(archive) as pack:
        members = {each: pack.read(each) for each in pack.namelist()}
    manifest = json.loads(members.pop(MANIFEST))
    said = {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **claimed}
    manifest["files"].append(said)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        for each, data in {MANIFEST: json.dumps(manifest).encode(), **members, name: content}.items():
            pack.writestr(each, data)


@pytest.mark.parametrize(
    "name",
    ["data/access.db", "data/access.db-wal", "data/requests.db", "data/journal.db-wal", "data/secrets/master_key", "x"],
)
def test_nobody_comes_in_by_a_restore(archive: Path, tmp_path: Path, name: str) -> None:
    """Who may log in is in no backup: an archive that brings people, secrets or newer pages of them is refused."""
    store = AccessStore(tmp_path / "access.db")
    add_person(store, "mallory", Role.ADMIN, "correct horse battery", now=NOW)
    store.close()
    with_file(archive, name, (tmp_path / "access.db").read_bytes())
    new = Installation(tmp_path / "new")
    shutil.rmtree(new.data)
    with pytest.raises(BackupCorrupt, match="in no backup"):
        restore(archive, new.config, new.file, now=NOW)
    assert not new.data.exists()


def test_an_archive_is_not_unpacked_beyond_what_it_says(archive: Path, tmp_path: Path) -> None:
    """A little that holds very much is refused before it is unpacked, by what it says or by the room there is."""
    with_file(archive, "data/logs/zeros", b"", size=1 << 60)
    with pytest.raises(BackupCorrupt, match="not as long"):
        inspect(archive, tmp_path / "look")


def test_a_full_disk_is_noticed_before_it_is_full(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive that has no room is refused, and nothing is unpacked."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(OSError, match="10 are free"):
        inspect(archive, tmp_path / "look")
    assert not (tmp_path / "look").exists()


def test_nobody_else_reads_a_backup_nor_what_is_restored(archive: Path, tmp_path: Path) -> None:
    """Whatever the shell allows, an archive and what comes out of it are for their owner alone (EX-1508)."""
    new = Installation(tmp_path / "new")
    shutil.rmtree(new.data)
    restore(archive, new.config, new.file, now=NOW)
    inspect(archive, tmp_path / "look")
    found = [archive, new.data, tmp_path / "look", *new.data.rglob("*"), *(tmp_path / "look").rglob("*")]
    assert [each for each in found if each.stat().st_mode & 0o077] == []


def test_a_link_beside_the_archive_is_not_followed(tmp_path: Path) -> None:
    """A backup into a folder where others write overwrites nothing of its owner's."""
    old, kept = Installation(tmp_path / "old"), tmp_path / "kept"
    kept.write_text("mine")
    (tmp_path / f".b.zip.{os.getpid()}").symlink_to(kept)
    make_backup(old.config, old.file, tmp_path / "b.zip", now=NOW)
    assert kept.read_text() == "mine"
    assert not (tmp_path / "b.zip").is_symlink()

"""Full backups over the API: made while it runs, read back, listed, handed out; refusals leave nothing behind (EX-1208)."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest

from service import backup_folder
from service.backup import BackupCorrupt, Told, make_backup, verified
from tests.service.api_rig import Rig, run
from tests.service.test_api import refusal


def test_a_backup_is_made_read_back_and_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is that of the manifest of the archive as it lies on the disk; a key of the environment encrypts it."""

    async def work(rig: Rig) -> None:
        made = await rig.post("/v1/backups", {"name": "monday"})
        archive = Path(made["path"])
        assert (made["name"], made["encrypted"]) == ("monday.bulkhead", False)
        assert made["files"] == len(verified(archive).files)
        sizes = (archive.stat().st_size, archive.parent.stat().st_mode & 0o077)  # noqa: ASYNC240 - nothing waits for it
        assert sizes == (made["size"], 0)
        monkeypatch.setenv("BULKHEAD_BACKUP_KEY", "a long passphrase")
        sealed = await rig.post("/v1/backups")
        assert sealed["encrypted"]
        found = await rig.get("/v1/backups")
        assert [each["name"] for each in found["backups"]] == [sealed["name"], "monday.bulkhead"]
        assert (found["doing"], found["done"]) == ("", 0)
        assert "monday" not in str(verified(Path(sealed["path"]), "a long passphrase").files)

    run(work)


def test_what_cannot_be_a_backup_is_refused() -> None:
    """A name that leads elsewhere, one that is taken, a folder that cannot be written: said, and nothing is left."""

    async def work(rig: Rig) -> None:
        for name in ("../up", "a/b", ".hidden", "x" * 101):
            assert (await refusal(rig.post("/v1/backups", {"name": name}))).code == "WrongType"
        await rig.post("/v1/backups", {"name": "monday"})
        assert (await refusal(rig.post("/v1/backups", {"name": "monday"}))).code == "BackupExists"
        assert (await refusal(rig.get("/v1/backups/tuesday.bulkhead"))).code == "NotFound"
        folder = rig.host.config.app.data_dir / "backups"
        (folder / "monday.bulkhead").unlink()
        folder.rmdir()
        folder.write_text("in the way")
        assert (await refusal(rig.post("/v1/backups", {"name": "monday"}))).code == "BackupUnwritable"

    run(work)


def test_one_backup_at_a_time_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one is refused while the first is made; meanwhile the list says what is being done, and of how much."""
    go_on = Event()

    def held(*given: Any, told: Told, **more: Any) -> Any:
        told("packing", 3, 12)
        assert go_on.wait(60)
        return make_backup(*given, told=told, **more)

    async def work(rig: Rig) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rig.post, "/v1/backups", {"name": "monday"})
            found = await rig.until("/v1/backups", lambda said: said["of"])
            assert (found["doing"], found["done"], found["of"], found["backups"]) == ("packing", 3, 12, [])
            assert (await refusal(rig.post("/v1/backups", {"name": "tuesday"}))).code == "BackupUnderWay"
            go_on.set()
        assert [each["name"] for each in (await rig.get("/v1/backups"))["backups"]] == ["monday.bulkhead"]

    monkeypatch.setattr("service.api.backups.make_backup", held)
    run(work)


# --- how long they are kept ---------------------------------------------------------------------------------------------

FEW: Any = {"BULKHEAD_BACKUPS__KEEP_NEWEST": "2"}


def age(folder: Path, *names: str) -> None:
    """Have archives be older than what comes, the first one the oldest."""
    for number, name in enumerate(names):
        os.utime(folder / f"{name}.bulkhead", ns=(number, number))


def test_a_new_backup_takes_the_place_of_the_oldest() -> None:
    """Once one was made and read back, those beyond `backups.keep_newest` go, marked ones never; the list says so before."""

    async def work(rig: Rig) -> None:
        folder = rig.host.config.app.data_dir / "backups"
        for name in ("a", "b"):
            assert (await rig.post("/v1/backups", {"name": name}))["removed"] == []
        age(folder, "a", "b")
        found = await rig.get("/v1/backups")
        assert (found["goes"], found["keep_newest"], found["free"] > 0) == (["a.bulkhead"], 2, True)
        assert (await rig.post("/v1/backups/keep", {"name": "a.bulkhead"}))["kept"]
        assert (await rig.get("/v1/backups"))["goes"] == []
        assert (await rig.post("/v1/backups", {"name": "c"}))["removed"] == []
        assert (await rig.post("/v1/backups", {"name": "d"}))["removed"] == ["b.bulkhead"]
        assert not (await rig.post("/v1/backups/keep", {"name": "a.bulkhead", "keep": False}))["kept"]
        for preview in (True, False):
            said = await rig.post("/v1/backups/prune", {"preview": preview})
            assert [each["name"] for each in said["removed"]] == ["a.bulkhead"]
        assert (await rig.post("/v1/backups/prune"))["removed"] == []
        assert sorted(each.name for each in folder.iterdir()) == ["c.bulkhead", "d.bulkhead"]
        assert (await refusal(rig.post("/v1/backups/keep", {"name": "a.bulkhead"}))).code == "NotFound"

    run(work, **FEW)


def test_nothing_goes_for_a_backup_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk and an archive that cannot be read back: older ones stay, no half one is left, what is free is said."""

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    def torn(*_: Any) -> Any:
        raise BackupCorrupt("it is not what was written")

    async def work(rig: Rig) -> None:
        folder = rig.host.config.app.data_dir / "backups"
        for name in ("a", "b"):
            await rig.post("/v1/backups", {"name": name})
        with monkeypatch.context() as patched:
            patched.setattr("service.api.backups.make_backup", full)
            said = await refusal(rig.post("/v1/backups", {"name": "c"}))
            assert (said.code, "bytes are free" in str(said)) == ("BackupUnwritable", True)
        with monkeypatch.context() as patched:
            patched.setattr("service.api.backups.verified", torn)
            assert (await refusal(rig.post("/v1/backups", {"name": "c"}))).code == "BackupCorrupt"
        assert sorted(each.name for each in folder.iterdir()) == ["a.bulkhead", "b.bulkhead"]

    run(work, **FEW)


def test_what_cannot_be_removed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that was made is made, whether or not older ones could go: they are still there, and the answer says why."""
    unlink = Path.unlink

    def stuck(path: Path, **given: bool) -> None:
        if path.name == "a.bulkhead":
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(path, **given)

    async def work(rig: Rig) -> None:
        await rig.post("/v1/backups", {"name": "a"})
        monkeypatch.setattr(Path, "unlink", stuck)
        said = await rig.post("/v1/backups", {"name": "b"})
        assert (said["removed"], said["trouble"]) == ([], "a.bulkhead cannot be removed: Permission denied")

    run(work, BULKHEAD_BACKUPS__KEEP_NEWEST="1")


def test_what_a_killed_backup_left_goes_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: copies of the journal that a kill had left stayed there for ever; a living process's are let be."""
    monkeypatch.setattr("service.backup_folder.os.kill", _only_17_lives)
    for name in (f".backup-{os.getpid()}-abc", ".backup-4-abc", ".backup-17-abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "journal.db").write_text("half")
    for name in (".x.bulkhead.4", ".x.bulkhead.17", "x.bulkhead", ".mine"):
        (tmp_path / name).touch()
    backup_folder.sweep(tmp_path)
    left = [".backup-17-abc", ".mine", ".x.bulkhead.17", "x.bulkhead"]
    assert sorted(each.name for each in tmp_path.iterdir()) == left


def _only_17_lives(process: int, signal: int) -> None:
    if process != 17 or signal:
        raise ProcessLookupError

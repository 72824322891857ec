"""Full backups over the API: made while it runs, read back, listed, handed out; refusals leave nothing behind (EX-1208)."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest

from service.backup import Told, make_backup, verified
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
        assert go_on.wait(10)
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

"""Incident files from a crash to the operator: written beside the loop, without secrets, listed, shown, marked as read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.incident_files import CaughtError, IncidentFile, IncidentKind
from protocol.risk import EngineTrouble
from runtime.durable import DurableActor
from runtime.journal import JournalUnavailable
from service.cli import app
from service.incidents import MORE_EVERY, IncidentKeeper, incidents_folder, newest_events, stamp, unread
from store.incident_folder import IncidentFolder
from tests.service.api_rig import Rig, run
from tests.service.command_line import CliRunner
from tests.service.test_api_signals import command

SECRET = "a-long-secret-word"


def incident(number: int, text: str = "broken") -> IncidentFile:
    """Return an incident."""
    return IncidentFile(
        id=f"i3-{number}", kind=IncidentKind.CRASH, at=1_700_000_000_000_000_000 + number, path="/a",
        error=CaughtError(type="ValueError", text=text),
    )  # fmt: skip


def keeper(folder: Path) -> IncidentKeeper:
    """Return a keeper that knows one secret."""
    return IncidentKeeper(folder, lambda: {"run": 3, "version": "9.9", "config_version": 4}, lambda: (SECRET,))


def test_an_instant_becomes_a_name_that_sorts() -> None:
    """Milliseconds are in it."""
    assert stamp(1_700_000_000_123_456_789) == "20231114T221320123Z"


def test_what_is_written_says_run_and_versions_and_no_secret(tmp_path: Path) -> None:
    """Known secrets and whatever stands behind a name that says secret are taken out."""
    writing = keeper(tmp_path)
    writing.take(incident(1, f"bad alert {SECRET} with password=hunter22 in it"))
    writing.close()
    found = IncidentFolder(tmp_path).get("i3-1")
    assert found is not None
    assert (found.run, found.version, found.config_version) == (3, "9.9", 4)
    assert SECRET not in found.error.text
    assert "hunter22" not in found.error.text
    assert unread(tmp_path.parent) == []
    assert incidents_folder(Path("data")) == Path("data/incidents")


def test_incidents_wait_for_a_disk_that_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk loses none of the newest ones: they are written with the next that can be."""
    takes = False
    write = IncidentFolder.write

    def sometimes(self: IncidentFolder, *arguments: Any) -> bool:
        return takes and write(self, *arguments)

    monkeypatch.setattr(IncidentFolder, "write", sometimes)
    writing = keeper(tmp_path)
    writing.take(incident(1))
    writing.take(incident(2))
    writing._pool.submit(lambda: None).result()
    assert IncidentFolder(tmp_path).lines() == []
    takes = True
    writing.take(incident(3))
    writing.close()
    assert [line.id for line in IncidentFolder(tmp_path).lines()] == ["i3-3", "i3-2", "i3-1"]


def test_a_stream_that_was_quiet_for_long_is_read_from_the_journal(tmp_path: Path) -> None:
    """What memory has forgotten is added from the journal; without a journal the incident is written all the same."""
    asked: list[tuple[str, int]] = []

    def history(stream: str, sequence: int) -> list[Any]:
        asked.append((stream, sequence))
        if stream == "broken":
            raise JournalUnavailable("the disk is gone")
        return [{"seq": sequence}]

    writing = IncidentKeeper(tmp_path, dict, tuple, history)
    facts = {"stream": "group:g1", "sequence": 40}
    writing.take(msgspec.structs.replace(incident(1), facts=facts))
    writing.take(msgspec.structs.replace(incident(2), facts=facts, events=tuple({"seq": each} for each in range(12))))
    writing.take(msgspec.structs.replace(incident(3), facts={"stream": "broken", "sequence": 1}))
    writing.close()
    found = [IncidentFolder(tmp_path).get(f"i3-{number}") for number in (1, 2, 3)]
    assert [len(each.events) for each in found if each is not None] == [1, 12, 0]
    assert asked == [("group:g1", 40), ("broken", 1)]


def test_the_newest_events_come_from_the_journal() -> None:
    """The last twelve up to the actor's own sequence, as an incident shows them."""

    async def work(rig: Rig) -> None:
        await rig.post("/v1/pause", {"reason": "a test"})
        host = rig.host
        coordinator = host.system.cell_of("/risk/coordinator")
        assert coordinator is not None
        assert isinstance(coordinator.actor, DurableActor)
        found = newest_events(host.config, coordinator.actor.stream, coordinator.actor.sequence)
        assert found[-1]["seq"] == coordinator.actor.sequence
        assert found[-1]["stream"] == coordinator.actor.stream

    run(work)


def test_a_storm_writes_its_number_now_and_then_and_at_the_end(tmp_path: Path) -> None:
    """Not every crash of a storm touches the disk; the last number is right all the same."""
    writing = keeper(tmp_path)
    written: list[int] = []
    count_more: Callable[[str, int], None] = writing.folder.count_more
    writing.folder.count_more = lambda ident, more: (written.append(more), count_more(ident, more))[1]  # type: ignore[method-assign]
    writing.take(incident(1))
    for number in range(1, 2 * MORE_EVERY):
        writing.count("i3-1", number)
    writing.close()
    assert written == [1, 1 + MORE_EVERY, 2 * MORE_EVERY - 1]
    assert IncidentFolder(tmp_path).lines()[0].more == 2 * MORE_EVERY - 1
    writing.take(incident(2))
    assert writing.dropped == 1, "after the end nothing is raised"


def test_a_crash_is_listed_shown_and_read() -> None:
    """From a handler that raises to the pages an operator sees; `status` counts what nobody has looked at."""

    async def work(rig: Rig) -> None:
        system = rig.host.system
        writing = keeper(incidents_folder(rig.host.config.app.data_dir))
        system.black_box.sink, system.black_box.prefix = writing.take, "i3-"
        rig.host.system.tell("/trading/fragile", EngineTrouble("x", f"rotten {SECRET}"))
        found = await rig.until("/v1/incidents", lambda said: len(said["files"]) == 2)
        assert {each["path"] for each in found["files"]} == {"/trading/fragile"}
        assert {each["kind"] for each in found["files"]} == {"crash"}
        assert (await rig.get("/v1/status"))["counts"]["unread_incidents"] == 2
        listed = (await command(rig, "incidents", "--path", "/trading")).stdout
        assert "i3-1" in listed
        assert "RuntimeError: cannot bear" in listed
        page = (await command(rig, "incidents", "show", "i3-1")).stdout
        for part in (
            "EngineTrouble",
            "restart 1",
            "in trouble",
            "handled once more in the next life",
            "version 9.9, run 3",
        ):
            assert part in page
        assert SECRET not in page
        second = (await command(rig, "incidents", "show", "i3-2", "--json")).stdout
        assert json.loads(second)["decision"]["action"] == "quarantine"
        assert (await rig.get("/v1/incidents"))["files"] == []
        assert (await rig.get("/v1/incidents", all="1", under="/venues"))["files"] == []
        assert (await command(rig, "incidents")).stderr.startswith("nothing needs a look; 2 crash files were read")
        assert (await command(rig, "incidents", "show", "i9-9")).exit_code == 4
        writing.close()

    run(work)


def test_files_are_read_without_a_daemon(tmp_path: Path) -> None:
    """After the system as a whole has failed, `bulkhead incidents` still tells why."""
    writing = keeper(tmp_path / "data" / "incidents")
    writing.take(incident(1, "the end"))
    writing.close()
    config = tmp_path / "config.toml"
    config.write_text(f'[app]\ndata_dir = "{tmp_path / "data"}"\n')

    def typed(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["incidents", *arguments, "--config", str(config)])

    listed = typed()
    assert "ValueError: the end" in listed.stdout
    assert "no daemon runs" in listed.stderr
    assert "the end" in typed("show", "i3-1").stdout
    assert json.loads(typed("--all", "--json").stdout)["files"][0]["unread"] is False
    assert typed("show", "i3-9").exit_code == 4
    assert json.loads(typed("seen", "--json").stdout) == {"unread": 0}


def test_what_a_process_holds_is_counted() -> None:
    """`/v1/figures` counts actors, tasks, timers, files of the running daemon: nothing of it may grow for ever."""

    async def work(rig: Rig) -> None:
        found = await rig.get("/v1/figures", collect="1")
        assert found["actors"] == len((await rig.get("/v1/ps"))["actors"])
        assert found["threads"] >= 2, "the journal's thread and the loop's"
        assert found["tasks"] > 0
        assert found["memory_bytes"] > found["blocks"] > 0

    run(work)

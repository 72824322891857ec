"""What a person meets when something goes wrong around the daemon: each ends with its code and what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from actors.group import group_stream
from protocol.groups.editing import EditGroup, GroupChanges
from rules.group.edit_preview import edit_answer
from runtime.journal import Entry
from service.advice import advice_of
from service.api.client import Client, DaemonRefused, DaemonTimeout
from service.cli import app, starting
from service.cli.codes import ExitCode
from service.cli.failures import CommandFailed, failure_of
from service.cli.stopping import stop_and_wait
from service.config import load
from service.deployment import DeploymentUnreadable, deployment_tag
from store.errors import EntryRefused
from store.sqlite_journal import MEMORY, open_journal
from tests.rules.group_bench import filled
from tests.service.api_rig import Rig, run
from tests.service.command_line import CliRunner
from tests.store.events import entry


def typed(*arguments: str) -> Any:
    """Type a command."""
    return CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})


def config_in(folder: Path) -> Any:
    """Return the configuration of a data folder of its own."""
    return load(None, {"BULKHEAD_APP__DATA_DIR": str(folder / "data")})


def test_a_command_that_is_called_wrongly_ends_with_usage() -> None:
    """The code is Usage, the exit code 2, and the advice is an example."""
    said = typed("replay", "--data", "btc.parquet")
    assert said.exit_code == ExitCode.USAGE
    assert "[Usage]" in said.stderr
    assert "for example: --data BTC/USDT=btc.parquet" in said.stderr


def test_a_late_answer_is_a_timeout() -> None:
    """Whether it was done is unknown, so the advice is to look first."""
    (found,) = failure_of(DaemonTimeout("no answer in time"))
    assert (found.code, found.exit) == ("Timeout", ExitCode.TIMEOUT)
    assert "look before you do it again" in found.advice


def test_a_daemon_that_dies_while_it_starts_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DaemonDied names the exit code and the log to read."""
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(CommandFailed) as caught:
        starting.in_background(config_in(tmp_path), None)
    failure = caught.value.failure
    assert (failure.code, failure.exit) == ("DaemonDied", ExitCode.FAILED)
    assert "exit code 1" in failure.message
    assert "bulkhead.log" in failure.advice


def test_a_daemon_that_never_gets_ready_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NotReady comes after the longest wait, and nothing is left running."""
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(sleeper))
    monkeypatch.setattr(starting, "READY_S", 0.05)
    with pytest.raises(CommandFailed) as caught:
        starting.in_background(config_in(tmp_path), None)
    assert (caught.value.failure.code, caught.value.failure.exit) == ("NotReady", ExitCode.TIMEOUT)


class Deaf(Client):
    """A client of a daemon that takes every word and goes on."""

    def _exchange(self, method: str, path: str, *_: Any) -> tuple[int, bytes]:
        return (200, b'{"pid": %d}' % os.getpid()) if path == "/v1/status" else (200, b"{}")


def test_a_daemon_that_does_not_stop_is_named(tmp_path: Path) -> None:
    """StillRunning gives the process to end by force."""
    with pytest.raises(CommandFailed) as caught:
        stop_and_wait(Deaf(tmp_path / "x.sock"), 0.05)
    assert caught.value.failure.code == "StillRunning"
    assert f"kill -9 {os.getpid()}" in caught.value.failure.advice


class Foreign(Client):
    """A client of something that speaks no JSON."""

    def _exchange(self, method: str, path: str, *_: Any) -> tuple[int, bytes]:
        return 200, b"<html>"


def test_an_answer_that_is_no_json_is_refused(tmp_path: Path) -> None:
    """NotJson: daemon and command line do not belong together."""
    with pytest.raises(DaemonRefused) as caught:
        Foreign(tmp_path / "x.sock").get("/v1/status")
    (found,) = failure_of(caught.value)
    assert (found.code, found.advice) == ("NotJson", advice_of("NotJson"))


def test_a_damaged_deployment_tag_stops_the_start(tmp_path: Path) -> None:
    """DeploymentUnreadable: a new tag would disown every open order (EX-1108), so none is made."""
    (tmp_path / "deployment").write_text("not four\n")
    with pytest.raises(DeploymentUnreadable, match="restore it") as caught:
        deployment_tag(tmp_path)
    assert failure_of(caught.value)[0].advice == advice_of("DeploymentUnreadable")
    assert (tmp_path / "deployment").read_text() == "not four\n"


def test_what_no_journal_could_keep_is_refused() -> None:
    """EntryRefused: nothing of the batch was kept."""
    journal = open_journal(MEMORY)
    with pytest.raises(EntryRefused):
        journal.append([entry("a", 1), entry("x" * 10_000, 1)])
    assert journal.head() == 0
    journal.close()


def test_an_export_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """ExportFailed names the file; no torn one stands in its place."""
    from service.cli import log

    with pytest.raises(CommandFailed) as caught:
        log._export(Deaf(tmp_path / "x.sock"), {}, tmp_path / "gone" / "log.csv", as_json=False)
    assert caught.value.failure.code == "ExportFailed"
    assert "log.csv" in caught.value.failure.message
    assert list(tmp_path.iterdir()) == []


def test_a_group_that_has_not_begun_cannot_be_edited() -> None:
    """NoSuchGroup is an answer, and nothing changes (EX-110)."""
    answer = edit_answer(None, EditGroup(group_id="g1", changes=GroupChanges()), 1, None)
    assert (answer.applied, [each.code for each in answer.problems]) == (False, ["NoSuchGroup"])


def test_a_damaged_tail_is_cut_only_on_the_printed_words(tmp_path: Path) -> None:
    """Unconfirmed prints what would be lost and the words that have it cut."""
    from tests.store.test_journal_damage import tamper

    path = tmp_path / "journal.db"
    journal = open_journal(path)
    journal.append([entry("a", 1), entry("a", 2)])
    journal.close()
    tamper(path, "UPDATE events SET at = 7 WHERE position = 2")
    said = typed("journal", "cut", "--journal", str(path))
    assert (said.exit_code, "[Unconfirmed]" in said.stderr) == (ExitCode.FAILED, True)
    assert "bulkhead journal cut --confirm" in said.stderr


def test_a_group_of_an_earlier_life_cannot_be_edited() -> None:
    """GroupGone: a closed group of an earlier run has no actor any more; what it did is still shown."""

    async def work(rig: Rig) -> None:
        entries = [
            Entry(group_stream("g1"), seq, event, seq, seq, 0, 0) for seq, event in enumerate(filled().journal, start=1)
        ]
        rig.host.system.durability.settle()  # a commit may be under way on the journal's own thread
        rig.host.system.journal.append(entries)
        with pytest.raises(DaemonRefused) as caught:
            await rig.post("/v1/group/g1/edit", {"changes": {"stop_price": "1"}})
        assert (caught.value.status, failure_of(caught.value)[0].code) == (409, "GroupGone")

    run(work)

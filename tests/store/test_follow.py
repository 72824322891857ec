"""The process that keeps the read models up follows the journal and ends with who started it."""

from __future__ import annotations

import json
import logging
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from protocol.webhook import RequestRefused
from runtime.journal import Entry
from store.follow import command_of, settings_line
from store.log.files import segments_in
from store.log.settings import LogSettings
from store.projector import Projector
from store.sqlite_journal import SqliteJournal

REPOSITORY = Path(__file__).parents[2]


def fill(journal: SqliteJournal, stream: str, count: int) -> None:
    """Append records that every process knows."""
    event = RequestRefused(user="ann", address="192.0.2.1", size=10, code="BadSecret", refused=1, at=1_000)
    journal.append([Entry(stream, seq, event, 1_000 + seq, seq, seq, 0) for seq in range(1, count + 1)])


@contextmanager
def following(journal: Path, views: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the process; its standard input ends with the block."""
    command = command_of(journal, views)
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process


def called(process: subprocess.Popen[bytes]) -> int:
    """Say that the journal has grown; return the position reached."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def reached(views: Path) -> int:
    """Return the position of the read models."""
    with closing(Projector(views)) as projector:
        return projector.position


def test_it_projects_what_is_new_at_each_call(journal: SqliteJournal, path: Path) -> None:
    """Each call is answered with the journal's newest position; what came after the last one is projected at the end."""
    views = path.with_name("views.db")
    fill(journal, "a", 3)
    with following(path, views) as process:
        assert called(process) == 3
        fill(journal, "b", 2)
        assert called(process) == 5
        fill(journal, "c", 1)
    assert process.returncode == 0
    assert reached(views) == 6


def test_signals_are_for_who_started_it(journal: SqliteJournal, path: Path) -> None:
    """Ctrl-C in a terminal and the end of a service reach the whole group: it stays until its input ends."""
    views = path.with_name("views.db")
    fill(journal, "a", 1)
    with following(path, views) as process:
        assert called(process) == 1
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        fill(journal, "b", 1)
        assert called(process) == 2
    assert process.returncode == 0


def test_it_writes_the_log_as_it_is_told(journal: SqliteJournal, path: Path) -> None:
    """EX-1407: with a folder it writes segments; settings hold from the call that brings them, also in pieces."""
    views, logs = path.with_name("views.db"), path.with_name("logs")
    fill(journal, "a", 2)
    command = command_of(path, views, logs)
    line = settings_line(LogSettings(least="error"))
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert called(process) == 2
        process.stdin.write(line[:10])
        process.stdin.flush()
        process.stdin.write(line[10:])
        process.stdin.flush()
        assert int(process.stdout.readline()) == 2
        fill(journal, "b", 2)
        assert called(process) == 4
    assert process.returncode == 0
    written = [json.loads(each)["position"] for each in segments_in(logs)[0].path.read_text().splitlines()]
    assert written == [1, 2]


def test_trouble_with_the_log_is_told_and_stops_nothing(journal: SqliteJournal, path: Path) -> None:
    """A log that cannot be written is named in the answer; the read models go on."""
    views, logs = path.with_name("views.db"), path.with_name("logs")
    logs.write_text("a file, not a folder")
    fill(journal, "a", 1)
    with subprocess.Popen(
        command_of(path, views, logs), cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        position, _, trouble = process.stdout.readline().decode().strip().partition(" ")
        assert position == "1"
        assert "exists" in trouble
        logs.unlink()
        assert called(process) == 1
    assert len(segments_in(logs)) == 1


def test_what_it_dies_of_is_said_with_the_chain_at_work(journal: SqliteJournal, path: Path) -> None:
    """A record that cannot be projected ends it with a line for the log of the house: exception and causal chain."""
    views = path.with_name("views.db")
    fill(journal, "a", 1)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command_of(path, views), cwd=REPOSITORY, **pipes) as process:  # type: ignore[call-overload]
        assert called(process) == 1
        with closing(sqlite3.connect(views)) as other:
            other.execute("DROP TABLE events")
        fill(journal, "b", 1)
        said = process.communicate(b"\n", timeout=20)[1]
    assert process.returncode == 1
    line = json.loads(said)
    assert line["correlation_id"] == 1
    assert line["level"] == logging.ERROR
    assert "no such table: events" in line["exception"]

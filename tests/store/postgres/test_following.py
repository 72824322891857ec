"""The process that keeps the read models up follows a journal on a server, and outlasts the server being away."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from protocol.webhook import RequestRefused
from runtime.journal import Entry, Journal
from store.follow import command_of, environment_of
from store.postgres.journal import open_journal
from store.postgres.place import Place
from store.projector import Projector
from tests.servers.cut_line import CutLine
from tests.servers.postgres import shared_server

REPOSITORY = Path(__file__).parents[3]


def fill(journal: Journal, stream: str, count: int) -> None:
    """Append records that every process knows."""
    event = RequestRefused(user="ann", address="192.0.2.1", size=10, code="BadSecret", refused=1, at=1_000)
    journal.append([Entry(stream, seq, event, 1_000 + seq, seq, seq, 0) for seq in range(1, count + 1)])


def called(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Say that the journal has grown; return the position reached, and the trouble."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    position, _, trouble = process.stdout.readline().decode().strip().partition(" ")
    return int(position), trouble


def test_it_follows_a_journal_on_a_server(postgres_url: str, tmp_path: Path) -> None:
    """The address comes by the environment, never by the command line; while the server is away it says so and stays."""
    line = CutLine(shared_server().socket)
    database = postgres_url.partition("@/")[2].partition("?")[0]
    url = f"postgresql://postgres:s3cret@127.0.0.1:{line.port}/{database}?sslmode=disable"
    place, views = replace(Place(url), connect_timeout_s=1.0), tmp_path / "views.db"
    command, environment = command_of(place, views), {**os.environ, **environment_of(place, views)}
    assert "s3cret" not in " ".join(command)
    with closing(open_journal(Place(postgres_url))) as journal:
        fill(journal, "a", 3)
        with subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert called(process) == (3, "")
            line.down = True
            line.cut()
            fill(journal, "b", 2)
            position, trouble = called(process)
            assert position == 3
            assert "cannot be asked" in trouble
            assert "s3cret" not in trouble
            line.down = False
            while (said := called(process))[1]:
                assert said[0] == 3
            assert said == (5, "")
        assert process.returncode == 0
    line.close()
    with closing(Projector(views)) as projector:
        assert projector.position == 5

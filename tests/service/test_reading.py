"""What is read after a command shows what it did, though the read models are made beside the daemon."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from service.api import reading
from service.api.reading import Reading
from store.tables.opening import write_tables

pytestmark = pytest.mark.anyio


def reach(folder: Path, position: int) -> None:
    """Project the journal up to a position."""
    with closing(sqlite3.connect(folder / "views.db", isolation_level=None)) as made:
        made.execute("INSERT OR REPLACE INTO progress VALUES (1, ?, '', 0, 0, 0, 0)", (position,))


async def test_an_answer_waits_for_what_a_command_did(tmp_path: Path) -> None:
    """The next answer shows the journal up to the command, as soon as the read models are there."""
    write_tables(tmp_path / "views.db").close()
    reach(tmp_path, 6)
    read = Reading(tmp_path / "journal.db", tmp_path / "views.db")
    read.follow(7)
    asked, found = anyio.Event(), []

    async def look() -> None:
        asked.set()
        found.append(await read.views(lambda views: views.position()))

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        await asked.wait()
        assert found == []
        await anyio.to_thread.run_sync(reach, tmp_path, 7)
    assert found == [7]
    read.close()


async def test_read_models_that_are_far_behind_hold_up_one_answer_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they are made anew, what they show is answered: late once, then at once."""
    monkeypatch.setattr(reading, "_CAUGHT_UP_TRIES", 3)
    write_tables(tmp_path / "views.db").close()
    reach(tmp_path, 1)
    read = Reading(tmp_path / "journal.db", tmp_path / "views.db")
    read.follow(1_000)
    looks: list[int] = []
    for _ in range(2):
        looks.append(await read.views(lambda views: views.position()))
        assert read._wanted == 0
    assert looks == [1, 1]
    read.close()

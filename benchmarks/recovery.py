"""Measure a restart with a thousand open groups: ``python -m benchmarks.recovery [--groups N] [--rounds N]``.

First a real daemon opens the groups by alerts over HTTP, each with a ladder whose first layer is filled and has its target
at the venue, while the others rest: so every group has five orders there. It is stopped by SIGKILL, and then started and
killed again for each round. Measured: from the start of the process until every group is up with its state, and the
account has been reconciled with the venue after it.

The floor is the start of the same daemon on an empty journal, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.alerts import identities, post_all
from benchmarks.house_process import configured, running_house, said_by
from benchmarks.measure import Row, row_of, table

__all__ = ["rows"]

ROUNDS: Final = 5
GROUPS: Final = 1_000
LAYERS: Final = 5
RATE: Final = 60.0
"""Alerts a second while the groups are opened; nothing is measured then."""


def rows(rounds: int = ROUNDS, groups: int = GROUPS) -> list[Row]:
    """Build the journal, then measure starts; return one row, and its floor."""
    with tempfile.TemporaryDirectory() as folder:
        full, empty = Path(folder) / "full", Path(folder) / "empty"
        _open_groups(full, groups)
        events = _events(full)
        took: list[float] = []
        floors: list[float] = []
        for _ in range(rounds):
            floors.append(_started(empty, 0))
            took.append(_started(full, groups))
    name = f"restart with {groups:,} groups ({events:,} events)"
    return [
        row_of(name, took, "s", against=("empty start", floors)),
        row_of("restart, empty journal", floors, "s"),
    ]


def _open_groups(folder: Path, groups: int) -> None:
    with running_house(folder, layers=LAYERS) as house:
        ready = said_by(house, "ready")
        answers = asyncio.run(post_all(ready["url"], ready["secret"], identities(groups), RATE))
        assert all(each.status == 200 for each in answers), "every alert was accepted"
        _wait_for_orders(folder, groups * LAYERS)
        house.kill()


def _wait_for_orders(folder: Path, count: int) -> None:
    """Wait until the venue has accepted what the ladders ask for."""
    path = configured(folder, LAYERS).journal_path
    sql = "SELECT count(*) FROM events JOIN types ON types.id = events.type WHERE types.name = 'PaperOrderAccepted'"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        while connection.execute(sql).fetchone()[0] < count:
            time.sleep(0.1)


def _events(folder: Path) -> int:
    path = configured(folder, LAYERS).journal_path
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


def _started(folder: Path, groups: int) -> float:
    began = time.perf_counter()
    with running_house(folder, layers=LAYERS, groups=groups) as house:
        said = said_by(house, "recovered" if groups else "ready")
        took = time.perf_counter() - began
        assert not groups or said["open_orders"] >= groups * LAYERS, f"every ladder is at the venue: {said}"
        assert not groups or said["differences"] == 0, f"desk and venue agree: {said}"
        house.kill()
    return took


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recovery", description="a restart with open groups")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--groups", type=int, default=GROUPS)
    options = parser.parse_args(arguments)
    print(table(rows(options.rounds, options.groups)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

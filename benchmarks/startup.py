"""Measure a daemon's start and what it holds when idle: ``python -m benchmarks.startup [--rounds N]``.

Each round runs the program as a user does, ``bulkhead up``, on an empty folder with synthetic prices and no signals:

- *start to ready*: from the start of the process until it says that it is ready: the whole tree is up, alerts are taken.
- *idle memory*: resident memory of the daemon after five seconds, and of the daemon with the process that keeps the read
  models up.

The floor is a Python that imports the program's two largest dependencies (aiohttp, msgspec) and ends.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from benchmarks.measure import Row, row_of, table

__all__ = ["rows"]

ROUNDS: Final = 5
IDLE_S: Final = 5.0
ROOT: Final = Path(__file__).resolve().parents[1]


class Start(NamedTuple):
    """One round: seconds, and megabytes of the daemon and of all its processes."""

    floor_s: float
    ready_s: float
    daemon_mb: float
    all_mb: float


def rows(rounds: int = ROUNDS, idle_s: float = IDLE_S) -> list[Row]:
    """Measure; return start-up and memory."""
    starts = [_one_round(idle_s) for _ in range(rounds)]
    floors = [each.floor_s for each in starts]
    return [
        row_of("start to ready", [each.ready_s for each in starts], "s", against=("imports alone", floors)),
        row_of("start, imports alone", floors, "s"),
        row_of("idle memory, daemon", [each.daemon_mb for each in starts], "MB"),
        row_of("idle memory, all processes", [each.all_mb for each in starts], "MB"),
    ]


def _one_round(idle_s: float) -> Start:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import aiohttp.web, msgspec"], check=True)
    floor_s = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(
            '[app]\ndata_dir = "data"\n[market]\nsource = "synthetic"\n[webhook]\nport = 0\n[demo]\nsignals = false\n'
        )
        command = [sys.executable, "-m", "service.cli", "up", "--no-view", "--json", "--config", str(config)]
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None, "opened with a pipe"
                if not process.stdout.readline():
                    raise RuntimeError(f"the daemon did not start: {process.communicate()[1].decode()}")
                ready_s = time.perf_counter() - began
                time.sleep(idle_s)
                daemon = psutil.Process(process.pid)
                family = [daemon, *daemon.children(recursive=True)]
                sizes = [each.memory_info().rss / 1e6 for each in family]
            finally:
                process.terminate()
    return Start(floor_s, ready_s, sizes[0], sum(sizes))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description="start-up and idle memory")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--idle", type=float, default=IDLE_S, help="seconds before memory is read")
    options = parser.parse_args(arguments)
    print(table(rows(options.rounds, options.idle)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

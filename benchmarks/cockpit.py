"""The cockpit under load: 200 groups and 500 updates a second, beside Textual's own table with the same rows.

Each runs in a process of its own on a pseudo-terminal that is read as fast as it writes. Measured are its share of a core
and the time from a key to what it draws; ``fast`` draws ten times a second instead of twice.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psutil

from benchmarks.measure import Row, percentile, row_of

__all__ = ["rows"]

LINES: Final = 60
COLUMNS: Final = 200
SETTLE_S: Final = 4.0
MEASURE_S: Final = 8.0
KEYS: Final = 15


class Screen:
    """A process on a terminal of its own."""

    def __init__(self, what: str, *, fast: bool) -> None:
        self.terminal, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        command = [sys.executable, "-m", "benchmarks.cockpit_process", what, *(["--fast"] if fast else [])]
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        # Textual draws on standard error.
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.seen = psutil.Process(self.process.pid)

    def read(self, seconds: float, until: bytes = b"") -> bool:
        """Read what it draws for so long, or until something is drawn; return whether it was."""
        end, tail = time.perf_counter() + seconds, b""
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.terminal], [], [], left)[0]:
                tail = tail[-4096:] + os.read(self.terminal, 65_536)
                if until and until in tail:
                    return True
        return not until

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.terminal, keys)

    def spent_s(self) -> float:
        """Return the processor time it has used."""
        times = self.seen.cpu_times()
        return float(times.user + times.system)


@contextmanager
def screen(what: str, *, fast: bool) -> Iterator[Screen]:
    """Have one run for a block."""
    one = Screen(what, fast=fast)
    try:
        yield one
    finally:
        os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait()
        os.close(one.terminal)


def measured(what: str, *, fast: bool, seconds: float, keys: int) -> tuple[float, list[float]]:
    """Return the percent of a core it takes, and the milliseconds from each key to its line."""
    with screen(what, fast=fast) as one:
        one.read(SETTLE_S)
        before, begin = one.spent_s(), time.perf_counter()
        one.read(seconds)
        share = 100 * (one.spent_s() - before) / (time.perf_counter() - begin)
        return share, [each for number in range(keys) if (each := _latency(one, number)) is not None]


def _latency(one: Screen, number: int) -> float | None:
    """Return the milliseconds from a key to the row it selects; only a row that is selected is drawn with its name."""
    sign = f"C{number + 1:03d}/USDT".encode()
    one.read(0.1)
    begin = time.perf_counter()
    one.press(b"\x1b[B")
    return 1_000 * (time.perf_counter() - begin) if one.read(2.0, sign) else None


def rows(seconds: float = MEASURE_S, keys: int = KEYS) -> list[Row]:
    """Return share of a core and latency for both, drawn twice and ten times a second."""
    found: list[Row] = []
    for name, fast in (("2 Hz", False), ("10 Hz", True)):
        own, own_keys = measured("cockpit", fast=fast, seconds=seconds, keys=keys)
        peer, peer_keys = measured("table", fast=fast, seconds=seconds, keys=keys)
        found.append(row_of(f"cockpit, 200 groups, 500 updates/s, {name}", [own], "% core", against=("table", [peer])))
        found.append(row_of(f"Textual DataTable, the same, {name}", [peer], "% core"))
        found.append(row_of(f"cockpit, key to drawn, {name}", own_keys, "ms"))
        found.append(Row(f"cockpit, key to drawn, {name}, p95", percentile(own_keys, 0.95), "ms"))
        found.append(row_of(f"Textual DataTable, key to drawn, {name}", peer_keys or [float("nan")], "ms"))
    return found

"""A replay that kills itself without warning at a moment it is told; started again and again by the kill test.

``python -m tests.system.kill_child`` reads lines ``KIND AMOUNT DIR`` and makes a new process for each: KIND is ``before`` or
``after`` the AMOUNT-th commit, ``time`` after AMOUNT milliseconds of running, or ``never``. It answers with the exit code: 0
when the recording has come to its end. The processes are forks of one that has only imported: half of a short life would
be spent on imports otherwise.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.journal import Entry
from service.replaying import run_replay
from store.sqlite_journal import SqliteJournal, open_journal
from tests.system.recorded import MINUTE, SECRETS, alerts_for, configured

EACH = 60
"""Alerts in the run."""


def die() -> None:
    """End as a power cut would end this process."""
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyJournal:
    """A journal whose process dies around a certain commit."""

    def __init__(self, journal: SqliteJournal, kind: str, amount: int) -> None:
        self._journal = journal
        self._kind = kind
        self._left = amount

    def append(self, entries: Sequence[Entry]) -> int:
        """Append, and die before or after it when the time has come."""
        self._left -= 1
        if self._kind == "before" and self._left == 0:
            die()
        position = self._journal.append(entries)
        if self._kind == "after" and self._left == 0:
            die()
        return position

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


def live(folder: Path, kind: str, amount: int) -> None:
    """Go on with the run in ``folder``."""
    config = configured(MINUTE, data_dir=folder)
    alerts = alerts_for(MINUTE, each=EACH)
    with_journal = open_journal(folder / "journal.db", durability="normal")
    if kind == "time":
        timer = threading.Timer(amount / 1000, die)
        timer.daemon = True
        timer.start()
    run_replay(config, alerts=alerts, secrets=SECRETS, journal=DeadlyJournal(with_journal, kind, amount), http=True)
    with_journal.close()


def in_a_process_of_its_own(folder: Path, kind: str, amount: int) -> int:
    """Run one life to its end or its death; return the exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        live(folder, kind, amount)
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it was, this process ends here and the other one tells of it
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    for line in sys.stdin:
        wanted, number, path = line.rstrip("\n").split(" ", 2)
        print(in_a_process_of_its_own(Path(path), wanted, int(number)), flush=True)  # noqa: T201 - the test reads it

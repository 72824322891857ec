"""A replay that kills itself without warning at a moment it is told; started again and again by the kill test.

``python -m tests.system.kill_child DIR KIND AMOUNT``: KIND ``before`` or ``after`` the AMOUNT-th commit, ``time`` after
AMOUNT milliseconds of running, ``never``. Prints ``done`` when the recording has come to its end.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
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


def main(folder: Path, kind: str, amount: int) -> None:
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
    print("done", flush=True)  # noqa: T201 - the parent waits for it


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

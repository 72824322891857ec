"""The lives of the daemon: each begins and, in order, ends with a record of its own, the first and the last of its run.

A run without its last record was killed or lost its power; the groups' recovery contracts are about that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from protocol.groups.recovery import DaemonStarted, DaemonStopped
from protocol.messages import Event
from runtime.clock import NANOS
from runtime.journal import Entry, Journal

__all__ = ["DAEMON_STREAM", "begin_run", "end_run"]

DAEMON_STREAM: Final = "daemon"
"""The journal stream of starts and ends."""


def begin_run(journal: Journal, at: int, first_tag: Callable[[], str] = lambda: "") -> DaemonStarted:
    """Journal the start of a run, before any actor lives; return it with how the run before it ended.

    The installation's tag lies in its journal, so that whoever takes it over, or moves it, still knows its orders;
    ``first_tag`` gives that of a journal without one. A journal older than these records counts as ended in order.
    """
    last: Event | None = None
    seq, tag = 0, ""
    for record in journal.read(DAEMON_STREAM):
        last, seq = record.event, record.seq
        tag = getattr(last, "tag", "") or tag
    run = last.run + 1 if isinstance(last, DaemonStarted | DaemonStopped) else 1
    newest = journal.last_instant()
    started = DaemonStarted(
        run=run,
        clean=not isinstance(last, DaemonStarted),
        down_s=max(0, at - newest) // NANOS if newest else 0,
        at=at,
        tag=tag or first_tag(),
    )
    _append(journal, seq + 1, started, at)
    return started


def end_run(journal: Journal, started: DaemonStarted, at: int) -> None:
    """Journal that a run ended in order, after its last actor."""
    seq = max((record.seq for record in journal.read(DAEMON_STREAM)), default=0)
    _append(journal, seq + 1, DaemonStopped(run=started.run, at=at), at)


def _append(journal: Journal, seq: int, event: Event, at: int) -> None:
    journal.append([Entry(DAEMON_STREAM, seq, event, at, 0, 0, 0)])

"""Keep the read models up from a process of its own: ``python -m store.follow JOURNAL VIEWS [LOGS]``.

Each time something comes on standard input it catches up with the journal and answers with a line: the position reached,
and after a blank why the log cannot be written, where it cannot. A line that is not empty is the log's settings from then
on (``LogSettings`` in JSON); with a folder LOGS it writes the log's segments. It ends when standard input does, that is with
the process that started it, however that one ends; signals are that one's business, so that Ctrl-C in a terminal ends both
in order.

A process, because projecting takes as long as deciding does: in a thread of the trading process it made every handler and
every commit wait for the interpreter.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from store.log.settings import LogSettings
from store.log.writer import LogWriter
from store.opening import open_reader
from store.projector import Projector
from store.reading import JournalReader

__all__ = ["NICENESS", "command_of", "main", "settings_line"]

NICENESS: Final = 10
"""How far it steps back behind whatever trades, when there are more of us than processors."""

_AT_ONCE: Final = 65_536
"""Bytes of calls that are answered with one catching up."""


def command_of(journal: Path, views: Path, logs: Path | None = None) -> list[str]:
    """Return the command that follows a journal, with a folder also into the log's segments."""
    return [sys.executable, "-m", "store.follow", str(journal), str(views), *([str(logs)] if logs is not None else [])]


def settings_line(settings: LogSettings) -> bytes:
    """Return the call that says how the log is written from now on."""
    return msgspec.json.encode(settings) + b"\n"


def main(arguments: Sequence[str]) -> int:
    """Follow until standard input ends, then catch up once more."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    journal, views, *rest = arguments
    log = LogWriter(Path(rest[0]), LogSettings()) if rest else None
    with closing(open_reader(journal, check=False)) as reader, closing(Projector(views)) as projector:
        for settings in _calls():
            if log is not None and settings is not None:
                log.settings = settings
            answer = _catch_up(projector, reader, log)
            try:
                os.write(1, answer)
            except BrokenPipeError:
                return 0  # whoever asked was killed
        _catch_up(projector, reader, log)
    return 0


def _calls() -> Iterator[LogSettings | None]:
    """Yield once for all calls that wait, with the newest settings among them; end with standard input."""
    rest = b""
    while data := os.read(0, _AT_ONCE):
        *lines, rest = (rest + data).split(b"\n")
        said = [line for line in lines if line]
        if lines:
            yield msgspec.json.decode(said[-1], type=LogSettings) if said else None


def _catch_up(projector: Projector, reader: JournalReader, log: LogWriter | None) -> bytes:
    """Project and write what is new; return the answer."""
    position = projector.catch_up(reader)
    trouble = ""
    if log is not None:
        log.catch_up(projector.views(), reader)
        trouble = " ".join(log.trouble.split())
    return f"{position} {trouble}".rstrip().encode() + b"\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Keep the read models up from a process of its own: ``python -m store.follow JOURNAL VIEWS``.

Each time something comes on standard input it catches up with the journal and answers with a line: the position reached.
It ends when standard input does, that is with the process that started it, however that one ends; signals are that one's
business, so that Ctrl-C in a terminal ends both in order.

A process, because projecting takes as long as deciding does: in a thread of the trading process it made every handler and
every commit wait for the interpreter.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from store.opening import open_reader
from store.projector import Projector

__all__ = ["NICENESS", "command_of", "main"]

NICENESS: Final = 10
"""How far it steps back behind whatever trades, when there are more of us than processors."""

_AT_ONCE: Final = 65_536
"""Bytes of calls that are answered with one catching up."""


def command_of(journal: Path, views: Path) -> list[str]:
    """Return the command that follows a journal."""
    return [sys.executable, "-m", "store.follow", str(journal), str(views)]


def main(arguments: Sequence[str]) -> int:
    """Follow until standard input ends, then catch up once more."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    journal, views = arguments
    with closing(open_reader(journal, check=False)) as reader, closing(Projector(views)) as projector:
        while os.read(0, _AT_ONCE):
            position = projector.catch_up(reader)
            try:
                os.write(1, b"%d\n" % position)
            except BrokenPipeError:
                return 0  # whoever asked was killed
        projector.catch_up(reader)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Keep the read models up from a process of its own: ``python -m store.follow JOURNAL VIEWS [LOGS]``.

Each time something comes on standard input it catches up with the journal and answers with a line: the position reached,
and after a blank why the log cannot be written, where it cannot. A line that is not empty is the log's settings from then
on (``LogSettings`` in JSON); with a folder LOGS it writes the log's segments. It ends when standard input does, that is with
the process that started it, however that one ends; signals are that one's business, so that Ctrl-C in a terminal ends both
in order. What it logs, and what it dies of, goes to standard error as ``runtime.child_log`` says it, with the causal chain
of the record at work.

A process, because projecting takes as long as deciding does: in a thread of the trading process it made every handler and
every commit wait for the interpreter.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from runtime.child_log import speak
from runtime.journal import JournalTooNew, JournalUnavailable
from store.journals import Where, open_reader
from store.log.settings import LogSettings
from store.log.writer import LogWriter
from store.postgres.place import Place
from store.projector import Projector
from store.reading import JournalReader

log = logging.getLogger("bulkhead.store")

__all__ = ["NICENESS", "command_of", "environment_of", "main", "settings_line"]

NICENESS: Final = 10
"""How far it steps back behind whatever trades, when there are more of us than processors."""

_AT_ONCE: Final = 65_536
"""Bytes of calls that are answered with one catching up."""


_VARIABLES: Final = ("BULKHEAD_FOLLOWED_JOURNAL", "BULKHEAD_FOLLOWED_VIEWS")
_FROM_ENVIRONMENT: Final = "env:"


def command_of(journal: Path | Place, views: Path | Place, logs: Path | None = None) -> list[str]:
    """Return the command that follows a journal, with a folder also into the log's segments."""
    named = [
        _FROM_ENVIRONMENT + _VARIABLES[n] if isinstance(w, Place) else str(w) for n, w in enumerate((journal, views))
    ]
    return [sys.executable, "-m", "store.follow", *named, *([str(logs)] if logs is not None else [])]


def environment_of(journal: Path | Place, views: Path | Place) -> dict[str, str]:
    """Return the variables that go with the command: an address holds a password, and a command line is public."""
    places = zip(_VARIABLES, (journal, views), strict=True)
    return {name: msgspec.json.encode(where).decode() for name, where in places if isinstance(where, Place)}


def settings_line(settings: LogSettings) -> bytes:
    """Return the call that says how the log is written from now on."""
    return msgspec.json.encode(settings) + b"\n"


def main(arguments: Sequence[str]) -> int:
    """Follow until standard input ends, then catch up once more."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    journal, views, *rest = arguments
    segments = LogWriter(Path(rest[0]), LogSettings()) if rest else None
    follower = _Follower(_where(journal), _where(views), segments)
    speak(follower.chain)
    try:
        for settings in _calls():
            if segments is not None and settings is not None:
                segments.settings = settings
            answer = follower.catch_up()
            try:
                os.write(1, answer)
            except BrokenPipeError:
                return 0  # whoever asked was killed
        follower.catch_up()
    except Exception:
        log.exception("the read models' process cannot go on")
        return 1
    finally:
        follower.close()
    return 0


def _where(argument: str) -> Where:
    if not argument.startswith(_FROM_ENVIRONMENT):
        return argument
    return msgspec.json.decode(os.environ[argument.removeprefix(_FROM_ENVIRONMENT)], type=Place)


def _calls() -> Iterator[LogSettings | None]:
    """Yield once for all calls that wait, with the newest settings among them; end with standard input."""
    rest = b""
    while data := os.read(0, _AT_ONCE):
        *lines, rest = (rest + data).split(b"\n")
        said = [line for line in lines if line]
        if lines:
            yield msgspec.json.decode(said[-1], type=LogSettings) if said else None


class _Follower:
    """Projects and writes what is new; opens both ends when first needed, anew after a server could not be asked."""

    def __init__(self, journal: Where, views: Where, log: LogWriter | None) -> None:
        self._journal, self._views, self._log = journal, views, log
        self._open: tuple[JournalReader, Projector] | None = None
        self._held = ExitStack()
        self._position = 0

    def catch_up(self) -> bytes:
        """Return the answer. While a server is away this is why, and the next call tries again."""
        trouble = ""
        try:
            self._follow_over_restarts()
        except (JournalUnavailable, JournalTooNew) as error:  # too new: of two daemons the other one is
            if not self._on_server:
                raise
            trouble = f"the database cannot be asked: {error}"
            self.close()
        else:
            trouble = self._log.trouble if self._log is not None else ""
        return f"{self._position} {' '.join(trouble.split())}".rstrip().encode() + b"\n"

    def chain(self) -> int:
        """Return the correlation id of the record at work, 0 for none."""
        record = self._open[1].at_work if self._open is not None else None
        return record.correlation_id if record is not None else 0

    def close(self) -> None:
        """Let go of both ends."""
        self._open = None
        self._held.close()

    @property
    def _on_server(self) -> bool:
        return isinstance(self._journal, Place) or isinstance(self._views, Place)

    def _follow_over_restarts(self) -> None:
        """Once more when a connection turns out to be lost: a server that was restarted is back."""
        try:
            self._follow()
        except JournalUnavailable:
            if not self._on_server or self._open is None:
                raise
            self.close()
            self._follow()

    def _follow(self) -> None:
        if self._open is None:
            reader = open_reader(self._journal, check=False)
            self._held.callback(reader.close)
            projector = Projector(self._views)
            self._held.callback(projector.close)
            self._open = reader, projector
        reader, projector = self._open
        self._position = projector.catch_up(reader)
        if self._log is not None:
            self._log.catch_up(projector.views(), reader)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

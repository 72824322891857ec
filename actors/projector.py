"""The projector: follows the journal and keeps the read models up, beside whatever trades.

It reads the journal through its own read-only connection and writes a file that can be thrown away; nothing that trades
waits for it. Being told of many commits while it works, it catches up once. A daemon has it in a process of its own
(``ReadModelProcess``); where nobody trades against the clock a thread of this process does (``ReadModelKeeper``).
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from protocol.configuration import ApplySettings, SettingsTaken
from protocol.event_log import EVENT_LOG, LogEvent
from protocol.messages import Message
from runtime.actor import Actor, handles
from runtime.child_log import child_environment, hear
from runtime.journal import Journal
from store.follow import settings_line
from store.log.settings import LogSettings
from store.projector import Projector
from store.reading import JournalReader

__all__ = ["PAUSE_S", "RETRY_S", "Committed", "ReadModelKeeper", "ReadModelProcess"]


class Committed(Message, frozen=True, tag=True):
    """The journal has grown."""

    CONFLATE_BY: ClassVar[str] = "what"

    what: str = "journal"


class ReadModelKeeper(Actor):
    """Projects what is new whenever it hears of a commit. ``reader`` and ``projector`` open their files in its thread."""

    def __init__(
        self,
        *,
        reader: Callable[[], JournalReader | Journal],
        projector: Callable[[], Projector],
        owns_reader: bool = True,
    ) -> None:
        self._open_reader = reader
        self._open_projector = projector
        self._owns_reader = owns_reader
        self._reader: JournalReader | Journal | None = None
        self._projector: Projector | None = None
        self._position = 0

    def started(self) -> None:
        """Catch up with what an earlier life or an earlier daemon left."""
        self.ref.tell(Committed())

    def let_go(self) -> None:
        """Release the files."""
        if self._projector is not None:
            self._projector.close()
        if self._reader is not None and self._owns_reader:
            self._reader.close()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"at {self._position}"

    @handles
    def committed(self, msg: Committed) -> None:  # noqa: ARG002 - the type is the message
        """Catch up with the journal."""
        if self._reader is None or self._projector is None:
            self._reader, self._projector = self._open_reader(), self._open_projector()
        self._position = self._projector.catch_up(self._reader)


PAUSE_S: Final = 0.05
"""Least time between two catchings up: under load a few large ones cost half of what many small ones do."""


RETRY_S: Final = 1.0
"""Time between two tries while something keeps the process from it: a server that is away, a disk that is full."""


class _Reached(Message, frozen=True, tag=True):
    process: int
    position: int
    trouble: str


class _Rested(Message, frozen=True, tag=True):
    process: int


class ReadModelProcess(Actor):
    """Has another process project (``store.follow``): starts it, says when the journal has grown, ends with it.

    ``settings`` are those of the log, when the process writes one; ``ApplySettings`` brings others. ``environment`` is what
    must not stand in a command line. What the process logs is logged here, in this actor's name (``runtime.child_log``).
    """

    def __init__(
        self,
        command: Sequence[str],
        settings: LogSettings | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = tuple(command)
        self._environment = dict(environment or {})
        self._call = b"\n" if settings is None else settings_line(settings)
        self._trouble = ""
        self._process: Process | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._busy = False
        self._grown = False
        self._position = 0

    async def started(self) -> None:
        """Start the process and have it catch up with what an earlier life or an earlier daemon left."""
        # Those of a PostgreSQL client too: a password may be there, or in the file that one of them names.
        environment = child_environment(self._environment, families=("PG",))
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        assert process.stderr is not None, "opened with a pipe"
        # No task of this life: what a process says while it ends is heard as well (``let_go``).
        self._hearing = self.context.system.run_task(hear(process.stderr, self.context.path), self.context.path)
        self.ref.tell(Committed())

    async def let_go(self) -> None:
        """End the process: it ends when nobody speaks to it any more; one that cannot is killed."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None, "opened with a pipe"
        process.stdin.close()
        try:
            await process.wait()
            await self._heard()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()  # at once; the event loop must not end before it has let go of the pipes
            raise

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"at {self._position}, process {self._process.pid}" if self._process is not None else "starting"

    @handles
    def committed(self, msg: Committed) -> None:  # noqa: ARG002 - the type is the message
        """Have it catch up, once it is done with what it was told before."""
        process = self._process
        assert process is not None, "started before the first message"
        if self._busy:
            self._grown = True
            return
        assert process.stdin is not None, "opened with a pipe"
        self._busy, self._grown = True, False
        call, self._call = self._call, b"\n"
        process.stdin.write(call)
        self.context.pipe(self._answer(process), lambda said: _Reached(process.pid, *said))

    async def _heard(self) -> None:
        """Wait until all that the process has said is in the log."""
        if self._hearing is not None:
            await asyncio.wait({self._hearing})

    async def _answer(self, process: Process) -> tuple[int, str]:
        assert process.stdout is not None, "opened with a pipe"
        line = await process.stdout.readline()
        if not line:
            await self._heard()
            raise ChildProcessError(
                f"the read models' process has ended (exit code {await process.wait()}); see its log"
            )
        position, _, trouble = line.decode("utf-8", "replace").strip().partition(" ")
        return int(position), trouble

    @handles
    def settings(self, msg: ApplySettings) -> SettingsTaken:
        """Go on with other settings of the log."""
        self._call = settings_line(msg.settings)
        self.ref.tell(Committed())
        return SettingsTaken(msg.version)

    @handles
    def reached(self, msg: _Reached) -> None:
        """Note how far it is, say when the log's trouble begins and ends, and leave it in peace for a moment."""
        if not self._is_ours(msg.process):
            return
        self._position = msg.position
        if msg.trouble != self._trouble:
            self._trouble = msg.trouble
            self.context.system.tell(EVENT_LOG, _log_trouble(msg.trouble))
        self._grown = self._grown or bool(msg.trouble)  # tried again by itself: no commit may come for long
        self.timers.after(RETRY_S if msg.trouble else PAUSE_S, _Rested(msg.process))

    @handles
    def rested(self, msg: _Rested) -> None:
        """Go on when the journal has grown meanwhile."""
        if not self._is_ours(msg.process):
            return
        self._busy = False
        if self._grown:
            self.ref.tell(Committed())

    def _is_ours(self, process: int) -> bool:
        """Whether a word is about this life's process: that of an earlier life may have waited in the mailbox."""
        return self._process is not None and process == self._process.pid


def _log_trouble(trouble: str) -> LogEvent:
    if not trouble:
        return LogEvent(code="LogWritten", text="the log's segments are written again, nothing of them is missing")
    text = f"the log's segments cannot be written: {trouble}; trading goes on, they are written when there is room"
    return LogEvent(severity="warning", code="LogNotWritten", text=text, pinned=True)

"""Takes the record of inputs from memory to its files, beside whatever trades.

It looks a few times a second and encodes in small slices with a breath between them, so that a message that moves money
never waits for more than one slice. On a virtual clock, where nothing waits for real time, it takes all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from protocol.event_log import EVENT_LOG, LogEvent
from protocol.messages import Message
from runtime.actor import Actor, handles
from runtime.clock import VirtualClock
from runtime.recording import Recorder
from store.inputs.writing import InputWriter

__all__ = ["BREATH_S", "LOOK_S", "InputKeeper", "InputsTrouble"]

LOOK_S: Final = 0.25
"""Seconds between two looks at what was recorded."""

BREATH_S: Final = 0.002
"""Seconds between two slices of encoding."""

_VIRTUAL_LOOK_S: Final = 60.0


class _Look(Message, frozen=True, tag=True):
    pass


class _Step(Message, frozen=True, tag=True):
    pass


class InputsTrouble(Message, frozen=True, tag=True):
    """The record cannot be written; written again when ``text`` is empty."""

    text: str


class InputKeeper(Actor):
    """Keeps one system's record. ``writer`` is called for each life with whom to call when the disk fails."""

    def __init__(self, recorder: Recorder, writer: Callable[[Callable[[OSError | None], None]], InputWriter]) -> None:
        self._recorder = recorder
        self._make = writer
        self._writer: InputWriter | None = None
        self._virtual = False
        self._busy = False

    def started(self) -> None:
        """Begin to look."""
        self._writer = self._make(partial(self._trouble, self.ref.tell))
        self._virtual = isinstance(self.context.system.clock, VirtualClock)
        self.timers.every(_VIRTUAL_LOOK_S if self._virtual else LOOK_S, _Look())
        self.ref.tell(_Look())

    def stopping(self) -> None:
        """Write the rest and say that it is all."""
        if self._writer is not None:
            self._writer.collect(self.now())
            self._writer.close()
            self._writer = None

    def let_go(self) -> None:
        """Let go of the file after a crash; what the writer had taken is gone."""
        if self._writer is not None:
            self._recorder.lose("who writes it crashed")
            self._writer.let_go()
            self._writer = None

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{self._writer.day}, {self._writer.bytes_written // 1024} KiB" if self._writer is not None else ""

    @staticmethod
    def _trouble(tell: Callable[[Message], None], error: OSError | None) -> None:
        tell(InputsTrouble("" if error is None else str(error)))

    @handles
    def look(self, msg: _Look) -> None:  # noqa: ARG002 - the type is the message
        """Take what was recorded since the last look."""
        writer = self._writer
        if writer is None:
            return
        writer.collect(self.now())
        if self._virtual:
            writer.finish()
        elif not self._busy:
            self._busy = True
            self.ref.tell(_Step())

    @handles
    def step(self, msg: _Step) -> None:
        """Encode one slice."""
        assert self._writer is not None, "started before the first message"
        self._busy = self._writer.step()
        if self._busy:
            self.timers.after(BREATH_S, msg)

    @handles
    def trouble(self, msg: InputsTrouble) -> None:
        """Have the log say that the record has a gap, and that it is written again."""
        if msg.text:
            text = (
                f"the record of inputs cannot be written: {msg.text}; trading goes on, the self-check will say the gap"
            )
            event = LogEvent(severity="warning", code="InputsNotWritten", text=text, pinned=True)
        else:
            event = LogEvent(code="InputsWritten", text="the record of inputs is written again")
        self.context.system.tell(EVENT_LOG, event)

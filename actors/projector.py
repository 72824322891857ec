"""The projector: follows the journal and keeps the read models up, in a thread of its own.

It reads the journal through its own read-only connection and writes a file that can be thrown away; nothing that trades
waits for it. Being told of many commits while it works, it catches up once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from protocol.messages import Message
from runtime.actor import Actor, handles
from runtime.journal import Journal
from store.projector import Projector
from store.reading import JournalReader

__all__ = ["Committed", "ReadModelKeeper"]


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

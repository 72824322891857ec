"""The reader beside a writer: what the writer knows to be new is not asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runtime.journal import Record, Snapshot
from store.reading import JournalReader
from store.rows import Rows

__all__ = ["ReaderBeside"]


class ReaderBeside(JournalReader):
    """Reads on a connection of its own. ``is_new`` says of a stream that it has no record, as far as that is sure.

    An actor that is made for the first time so begins without a question to the server, which may be away just then.
    """

    def __init__(self, rows: Rows, path: str, is_new: Callable[[str], bool]) -> None:
        super().__init__(rows, path)
        self._is_new = is_new

    def read(self, stream: str, after_seq: int = 0) -> Iterator[Record]:
        """Yield a stream's records in order, upcast to today's event versions."""
        if not self._is_new(stream):
            yield from super().read(stream, after_seq)

    def load_snapshot(self, stream: str) -> Snapshot | None:
        """Return the newest snapshot of a stream, if any."""
        return None if self._is_new(stream) else super().load_snapshot(stream)

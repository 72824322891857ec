"""Takes a tape to its files: encodes it in slices on the event loop, writes on a thread of its own.

Encoding holds the interpreter wherever it runs; in slices of a fraction of a millisecond it stands in nobody's way.
Compressing and writing do not hold it, and a disk that hangs must hang nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from runtime.recording import Recorder
from runtime.tape import Mark, TapeItem
from store.inputs.codec import InputCodec, joined
from store.inputs.files import DayFile, day_of, prune

__all__ = ["MOST_UNWRITTEN", "SLICE", "InputWriter"]

SLICE: Final = 64
"""Items that are encoded at a time."""

MOST_UNWRITTEN: Final = 64
"""Segments that may wait for the disk; beyond it what comes is dropped, and a gap is said."""

_SEGMENT_BYTES: Final = 256 * 1024


class InputWriter:
    """Writes what a recorder records. ``trouble`` is called on the writing thread: what failed, None when it works again.

    ``hidden`` gives the secrets that no file may hold; ``keep_days`` how long records stay.
    """

    def __init__(
        self,
        recorder: Recorder,
        folder: Path,
        *,
        hidden: Callable[[], Iterable[str]],
        keep_days: Callable[[], int],
        trouble: Callable[[OSError | None], None],
    ) -> None:
        self.recorder = recorder
        self.day = ""
        self.bytes_written = 0
        self._folder = folder
        self._codec = InputCodec(hidden)
        self._keep_days = keep_days
        self._trouble = trouble
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inputs")
        self._items: deque[TapeItem] = deque()
        self._encoded: list[bytes] = []
        self._size = 0
        self._waiting = 0
        self._file: DayFile | None = None
        self._failing = False
        self._lost = False
        self._dropped = 0
        """Segments that were not even handed to the thread."""
        self._missing = 0
        """Segments that the thread could not write."""

    # --- on the loop ---------------------------------------------------------------------------------------------------

    def collect(self, now: int) -> None:
        """Take what was recorded; at the first look of a day end the file of the day before."""
        day = day_of(now)
        if self.day and day != self.day:
            self.recorder.mark(Mark.TURNED, day)
            self.finish()
            self.recorder.anew()
        if not self.day or day != self.day:
            self._thread.submit(prune, self._folder, day, self._keep_days())
        self.day = day
        if self._lost:
            self._lost = False
            self.recorder.lose("segments could not be written")
        self._items.extend(self.recorder.take())

    def step(self) -> bool:
        """Encode one slice; return whether there is more. What is encoded is handed to the thread by the segment."""
        items = self._items
        if items:
            taken = [items.popleft() for _ in range(min(SLICE, len(items)))]
            data = self._codec.encode(taken)
            self._encoded.append(data)
            self._size += len(data)
        if self._encoded and (not items or self._size >= _SEGMENT_BYTES):
            self._hand_over()
        return bool(items)

    def finish(self) -> None:
        """Take, encode and hand over everything there is."""
        self._items.extend(self.recorder.take())
        while self.step():
            continue

    def wait(self) -> None:
        """Wait until what was handed over is written, or is known not to be."""
        self._thread.submit(int).result()

    def close(self) -> None:
        """Say that the record ends here in order, write it all and let go."""
        self.recorder.mark(Mark.CLOSED)
        self.finish()
        self.let_go()

    def let_go(self) -> None:
        """Let go of thread and file; what was not handed over stays with the recorder."""
        self._thread.submit(self._shut)
        self._thread.shutdown(wait=True)

    def _hand_over(self) -> None:
        encoded, self._encoded, self._size = self._encoded, [], 0
        if self._waiting >= MOST_UNWRITTEN:
            self._lost = True
            self._dropped += 1
            return
        self._waiting += 1
        dropped, self._dropped = self._dropped, 0
        self._thread.submit(self._write, self.day, encoded, dropped)

    # --- on the thread -------------------------------------------------------------------------------------------------

    def _write(self, day: str, encoded: list[bytes], dropped: int) -> None:
        self._missing += dropped
        try:
            file = self._file
            if file is None or file.day != day:
                self._shut()
                file = self._file = DayFile(self._folder, day)
            self.bytes_written += file.append(joined(encoded), lost=self._missing)
            self._missing = 0
        except OSError as error:
            self._missing += 1
            self._shut()
            self._lost = True
            if not self._failing:
                self._failing = True
                self._trouble(error)
        else:
            if self._failing:
                self._failing = False
                self._trouble(None)
        finally:
            self._waiting -= 1

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

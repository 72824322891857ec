"""Rotated files of lines: the newest is open and plain, closed ones are compressed, old ones are removed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

from store.log.files import SegmentFile, pack, prune, segments_in
from store.log.settings import LogSettings

__all__ = ["LogFiles"]


class LogFiles:
    """The one writer of a folder; ``settings`` may be replaced while it works. ``trouble`` is why it cannot write."""

    def __init__(self, folder: Path, settings: LogSettings) -> None:
        self.folder = folder
        self.settings = settings
        self.trouble = ""
        self._file: BinaryIO | None = None
        self._open: SegmentFile | None = None

    def write(self, lines: Sequence[tuple[float, bytes]]) -> int:
        """Append lines, each with the second since 1970 it is of; return how many could not be written."""
        for number, (at, line) in enumerate(lines):
            try:
                self._append(datetime.fromtimestamp(at, UTC).date(), line)
            except OSError as error:
                self.trouble = str(error)
                self._take_back()
                return len(lines) - number
        self.trouble = ""
        return 0

    def close(self) -> None:
        """Release the file; the next writer goes on with it."""
        self._let_go()

    def _append(self, day: date, line: bytes) -> None:
        if self._open is not None and self._due(self._open, day):
            self._rotate(day)
        file = self._file or self._begin(day)
        file.write(line)
        file.flush()
        assert self._open is not None
        self._open = self._open._replace(size=self._open.size + len(line))

    def _due(self, segment: SegmentFile, day: date) -> bool:
        too_old = self.settings.rotate_daily and day > segment.day
        return segment.size > 0 and (too_old or segment.size >= self.settings.max_file_bytes)

    def _begin(self, day: date) -> BinaryIO:
        """Go on with the newest file if it is open and not over, else begin one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        prune(self.folder, self.settings.retention, day)
        files = segments_in(self.folder)
        for each in files[:-1]:
            if each.open:  # a process that was killed had begun the next one
                pack(each)
        newest = files[-1] if files else None
        if newest is not None and newest.open and self._due(newest, day):
            pack(newest)
        elif newest is not None and newest.open:
            self._open = newest
            self._file = newest.path.open("ab")
            return self._file
        number = newest.number + 1 if newest is not None else 1
        path = self.folder / f"{number:06}_{day}.jsonl"
        self._file = path.open("xb")
        self._open = SegmentFile(number, day, path, 0, False, True)
        return self._file

    def _rotate(self, today: date) -> None:
        segment = self._open
        assert segment is not None, "asked before"
        self._let_go()
        pack(segment)
        prune(self.folder, self.settings.retention, today)

    def _take_back(self) -> None:
        """Let go of the file, without what there was room for of a line: the next one is not to be its end."""
        segment = self._open
        self._let_go()
        if segment is not None:
            with suppress(OSError):
                os.truncate(segment.path, segment.size)

    def _let_go(self) -> None:
        file, self._file, self._open = self._file, None, None
        if file is not None:
            with suppress(OSError):  # a full disk refuses what is still held; the file is closed all the same
                file.close()

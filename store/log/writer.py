"""Appends what is new in the read models to the log's segments: each line once, whatever ends the process.

A line is in its segment before the next one is begun, and carries its position in the journal: after a crash the writer cuts
an unfinished line and goes on behind the newest whole one. Nothing waits for the disk here: what a power cut takes is made
anew from the journal.
"""

from __future__ import annotations

import contextlib
import gzip
import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import msgspec

from protocol.messages import Event
from runtime.journal import Journal
from store.event_search import EventFilter
from store.log.files import SegmentFile, pack, prune, segments_in
from store.log.lines import ExportForm, exported, json_line
from store.log.settings import AutoExport, LogSettings
from store.queries import Views
from store.reading import JournalReader
from store.views.rows import EventRow

__all__ = ["BATCH", "LogWriter"]

BATCH: Final = 500
"""Lines that are written at once."""

_REMEMBER: Final = 5_000
"""Positions passed over without a line before that is noted on the disk."""

_DAY: Final = 86_400_000_000_000
_TAIL: Final = 1 << 20


class _Head(msgspec.Struct):
    """What the writer reads of a line it finds: where to go on."""

    position: int


_head: Final = msgspec.json.Decoder(_Head)


class LogWriter:
    """The one writer of a folder of segments. ``trouble`` is why lines cannot be written at present, empty when they can.

    Lines that could not be written are written by a later ``catch_up``.
    """

    def __init__(self, folder: Path, settings: LogSettings) -> None:
        self.folder = folder
        self.settings = settings
        self.trouble = ""
        self.position = 0
        self._open: SegmentFile | None = None
        self._newest_day: date | None = None
        self._exported: date | None = None
        self._noted = 0
        self._number = 0
        self._ready = False

    def catch_up(self, views: Views, journal: Journal | JournalReader) -> None:
        """Write everything that is new; a full disk is noted in ``trouble`` and changes nothing else."""
        try:
            if not self._ready:
                self._begin(views)
            while rows := views.events_after(self.position, limit=BATCH):
                self._write(rows, views, _events_of(rows, journal))
            self._note_position()
            self._end_day(views)
        except OSError as error:
            self.trouble = f"{error.strerror or error} ({error.filename or self.folder})"
            self._ready = False
        else:
            self.trouble = ""

    # --- beginning -----------------------------------------------------------------------------------------------------

    def _begin(self, views: Views) -> None:
        """Find where an earlier life ended: cut what is unfinished, pack what was left unpacked, remove what is old."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for torn in self.folder.glob("*.tmp"):
            torn.unlink(missing_ok=True)
        files = segments_in(self.folder)
        for each in files:
            if not each.open:  # its plain file stayed when it was packed
                for plain in self.folder.glob(f"{each.number:06}_*.jsonl"):
                    plain.unlink(missing_ok=True)
            elif each is not files[-1]:
                pack(each)
        files = segments_in(self.folder)
        self._open = files[-1] if files and files[-1].open else None
        found = (_last_position(each.path) for each in reversed(files))
        self.position = max(next((each for each in found if each), 0), self._read_noted())
        self._open = self._open and self._open._replace(size=self._open.path.stat().st_size)
        self._noted = self.position
        self._newest_day = files[-1].day if files else None
        self._number = max(self._number, files[-1].number if files else 0)
        prune(self.folder, self.settings.retention)
        if len(files) > 1 and files[-2].day < files[-1].day:
            self._export(files[-2].day, views)
        self._ready = True

    # --- writing -------------------------------------------------------------------------------------------------------

    def _write(self, rows: list[EventRow], views: Views, events: dict[int, Event]) -> None:
        waiting: list[bytes] = []
        reached, size = self.position, 0
        for row in rows:
            day = _day_of(row.at)
            if self._due(day, size):
                self._append(waiting, reached)
                waiting, size = [], 0
                self._rotate(day)
            if self._newest_day is None or day > self._newest_day:
                self._export(self._newest_day, views)
                self._newest_day = day
            if self.settings.wants(row.severity):
                waiting.append(json_line(row, events.get(row.position)))
                size += len(waiting[-1])
            reached = row.position
        self._append(waiting, reached)

    def _due(self, day: date, waiting: int) -> bool:
        """Tell whether the open segment ends before a line of this day."""
        size = waiting + (self._open.size if self._open is not None else 0)
        if size == 0:
            return False
        new_day = self._newest_day is not None and day > self._newest_day
        return (self.settings.rotate_daily and new_day) or size >= self.settings.max_file_bytes

    def _append(self, lines: list[bytes], reached: int) -> None:
        """Add whole lines to the open segment, all or none of them."""
        if lines:
            segment = self._open or self._create()
            there = segment.path.exists()
            segment = segment if there else segment._replace(size=0)
            data = b"".join(lines)
            with segment.path.open("r+b" if there else "xb") as file:
                file.seek(segment.size)
                try:
                    file.write(data)
                    file.flush()
                except OSError:
                    with contextlib.suppress(OSError):
                        file.truncate(segment.size)
                    raise
            self._open = segment._replace(size=segment.size + len(data))
        self.position = reached

    def _create(self) -> SegmentFile:
        assert self._newest_day is not None, "noted with the first line"
        self._number += 1  # never that of one that was removed
        path = self.folder / f"{self._number:06}_{self._newest_day}.jsonl"
        return SegmentFile(self._number, self._newest_day, path, 0, False, True)

    def _rotate(self, today: date) -> None:
        """Close the open segment, pack it, remove what is old."""
        segment, ended = self._open, self._newest_day
        assert segment is not None, "asked before"
        assert ended is not None, "noted with its first line"
        pack(segment._replace(day=ended))
        self._open = None
        prune(self.folder, self.settings.retention, max(today, ended))

    # --- where it is ---------------------------------------------------------------------------------------------------

    @property
    def _note(self) -> Path:
        return self.folder / "position"

    def _read_noted(self) -> int:
        try:
            return int(self._note.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def _note_position(self) -> None:
        """Note how far it is when many events had no line, so that a start need not look at them again."""
        if self.position - self._noted < _REMEMBER:
            return
        if self._open is not None:
            with self._open.path.open("rb") as file:
                os.fsync(file.fileno())  # never ahead of the lines themselves
        _replace(self._note, [str(self.position)])
        self._noted = self.position

    # --- export --------------------------------------------------------------------------------------------------------

    def _end_day(self, views: Views) -> None:
        """Export the newest day that has lines also when the day after it has none yet: the journal is in that day."""
        if self.settings.auto_export is AutoExport.OFF or self._newest_day is None:
            return
        newest = views.database.fetch("SELECT at FROM progress", [])
        if newest and _day_of(newest[0][0]) > self._newest_day:
            self._export(self._newest_day, views)

    def _export(self, day: date | None, views: Views) -> None:
        """Write a finished day's lines to a file of their own, once (EX-1409)."""
        if self.settings.auto_export is AutoExport.OFF or day is None or day == self._exported:
            return
        self._exported = day
        form = ExportForm(self.settings.auto_export.value.removeprefix("daily_"))
        path = self.folder.with_name("exports") / f"events_{day}.{form.value}"
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000_000
        wanted = EventFilter(since=start, until=start + _DAY)
        _replace(path, exported(views.all_events(wanted), form))


def _events_of(rows: list[EventRow], journal: Journal | JournalReader) -> dict[int, Event]:
    """Return the events behind some lines."""
    wanted = {row.position for row in rows}
    first, count = rows[0].position - 1, rows[-1].position - rows[0].position + 1
    return {each.position: each.event for each in journal.read_all(first, limit=count) if each.position in wanted}


def _day_of(at: int) -> date:
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).date()


def _last_position(path: Path) -> int:
    """Return the position of the newest whole line of a segment, cutting what is unfinished; 0 when there is none."""
    if path.suffix == ".gz":
        last = b""
        with gzip.open(path, "rb") as file:
            for line in file:
                last = line
        return _head.decode(last).position if last else 0
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        for start in (max(0, end - _TAIL), 0):
            file.seek(start)
            position, whole = _newest(file.read(end - start))
            if position or start == 0:
                file.truncate(start + whole)
                return position
    raise AssertionError("the second try begins at 0")


def _newest(data: bytes) -> tuple[int, int]:
    """Return the position of the newest whole line in some bytes, and where it ends; (0, 0) without one."""
    end = len(data)
    while end:
        start = data.rfind(b"\n", 0, end - 1) + 1
        line = data[start:end]
        # A power cut may have left anything behind the newest whole line.
        with contextlib.suppress(msgspec.DecodeError):
            if line.endswith(b"\n"):
                return _head.decode(line).position, end
        end = start
    return 0, 0


def _replace(path: Path, pieces: Iterable[str]) -> None:
    """Write a file whole or not at all."""
    torn = path.with_name(path.name + ".tmp")
    with torn.open("w", encoding="utf-8", newline="") as file:
        for piece in pieces:
            file.write(piece)
    torn.replace(path)

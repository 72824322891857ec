"""Files of one day: ``2026-11-21.bhi``, a line that says what it is, then segments.

A segment is its mark, the length of its payload, a checksum, its number, and the payload (zlib). Numbers count from 1 in
each file without gaps, so a segment that is missing is seen. What a crash left half written at the end is cut off when the
file is opened again. Files are for the owner's eyes only (mode 0600).
"""

from __future__ import annotations

import datetime as dt
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from protocol.errors import BulkheadError

__all__ = ["SUFFIX", "DayFile", "NoRecord", "Segment", "day_of", "days", "path_of", "prune", "segments"]

SUFFIX: Final = ".bhi"
_TITLE: Final = b"bulkhead inputs 1\n"
_MARK: Final = b"BHIS"
_HEAD: Final = struct.Struct(">4sIIQ")
_MOST: Final = 256 * 1024 * 1024
"""Bytes of a payload beyond which a length is taken for damage."""

_DAY_NS: Final = 86_400 * 1_000_000_000


class NoRecord(BulkheadError):
    """There is no record of inputs of this day."""


class Segment(NamedTuple):
    """A payload, or why something is missing in its place."""

    payload: bytes | None
    gap: str = ""


def day_of(instant: int) -> str:
    """Return the day of an instant (UTC, ISO 8601)."""
    return (dt.date(1970, 1, 1) + dt.timedelta(days=instant // _DAY_NS)).isoformat()


def path_of(folder: Path, day: str) -> Path:
    """Return the file of a day."""
    return folder / f"{day}{SUFFIX}"


def days(folder: Path) -> list[str]:
    """Return the days that have a record, oldest first."""
    return sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def prune(folder: Path, today: str, keep_days: int) -> list[str]:
    """Remove records older than ``keep_days`` days before today; return which days those were."""
    oldest = (dt.date.fromisoformat(today) - dt.timedelta(days=keep_days)).isoformat()
    gone = [day for day in days(folder) if day < oldest]
    for day in gone:
        for path in folder.glob(f"{day}.*"):
            path.unlink(missing_ok=True)
    return gone


class DayFile:
    """One day's file, open for appending. Raises OSError; then nothing of that segment counts, its number included."""

    def __init__(self, folder: Path, day: str) -> None:
        self.day = day
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = path_of(folder, day)
        end, self._number = _whole(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            self._file.truncate(end)
            self._file.seek(end)
            if end == 0:
                self._file.write(_TITLE)
        except OSError:
            self._file.close()
            raise

    def append(self, data: bytes, *, lost: int = 0) -> int:
        """Append a segment of this content; return its bytes on disk. It is the system's to bring it to the disk.

        ``lost`` is how many segments before it never came here: their numbers stay free.
        """
        payload = zlib.compress(data, 1)
        self._number += 1 + lost
        written = _HEAD.pack(_MARK, len(payload), _checksum(self._number, payload), self._number) + payload
        at = self._file.tell()
        try:
            done = self._file.write(written)
            if done != len(written):
                raise OSError(f"only {done} of {len(written)} bytes of a segment could be written")
        except OSError:
            self._number -= 1 + lost
            self._file.truncate(at)
            self._file.seek(at)
            raise
        return len(written)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def segments(folder: Path, day: str) -> Iterator[Segment]:
    """Yield the segments of a day in order, and each gap where it is; raise NoRecord when there is no such file."""
    path = path_of(folder, day)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NoRecord(f"there is no record of inputs of {day} in {folder}") from error
    if not data.startswith(_TITLE):
        yield Segment(None, f"{path.name} is no record of inputs")
        return
    at, expected = len(_TITLE), 1
    while at < len(data):
        found = _read(data, at)
        if found is None:
            following = data.find(_MARK, at + 1)
            yield Segment(None, f"segment {expected} is damaged")
            if following < 0:
                return
            at, expected = following, 0
            continue
        number, payload, at = found
        if expected and number != expected:
            yield Segment(None, f"segments {expected} to {number - 1} are missing")
        expected = number + 1
        yield Segment(payload)


def _read(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    """Return number, content and end of the segment at a place; None when there is no whole one."""
    if len(data) - at < _HEAD.size:
        return None
    mark, length, checksum, number = _HEAD.unpack_from(data, at)
    payload = data[at + _HEAD.size : at + _HEAD.size + length]
    if mark != _MARK or length > _MOST or len(payload) != length or _checksum(number, payload) != checksum:
        return None
    return number, zlib.decompress(payload), at + _HEAD.size + length


def _whole(path: Path) -> tuple[int, int]:
    """Return where the last whole segment of a file ends, and its number; (0, 0) for a file that is not there or is none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return 0, 0
    if not data.startswith(_TITLE):
        return 0, 0
    at, last = len(_TITLE), 0
    while (found := _read(data, at)) is not None:
        last, at = found[0], found[2]
    return at, last


def _checksum(number: int, payload: bytes) -> int:
    return zlib.crc32(payload, number & 0xFFFFFFFF)

"""The folder of segments: their names, which are marked, what is removed.

``000007_2026-02-10.jsonl`` is the seventh segment and open since that day; closed it is ``000007_<day of its newest
line>.jsonl.gz``. ``000007.keep`` beside it marks it: it is never removed.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from rules.event_log.segments import Retention, Segment, prune_segments

__all__ = ["SegmentFile", "UnknownSegment", "keep", "pack", "prunable", "prune", "segments_in"]

_PIECE: Final = 1 << 20
_NAME: Final = re.compile(r"(\d{6})_(\d{4}-\d{2}-\d{2})\.jsonl(\.gz)?")


class UnknownSegment(LookupError):
    """There is no segment of that name."""


class SegmentFile(NamedTuple):
    """One segment; ``size`` in bytes as it lies on the disk. ``open``: lines are still added to it."""

    number: int
    day: date
    path: Path
    size: int
    kept: bool
    open: bool

    @property
    def mark(self) -> Path:
        """The file whose presence marks it."""
        return self.path.with_name(f"{self.number:06}.keep")


def segments_in(folder: Path) -> list[SegmentFile]:
    """Return the segments of a folder, oldest first; of one that was being compressed the compressed file counts."""
    found: dict[int, SegmentFile] = {}
    for path in sorted(folder.glob("*.jsonl*")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        number, day, packed = int(match[1]), date.fromisoformat(match[2]), match[3] is not None
        if number in found and not packed:
            continue
        try:
            size = path.stat().st_size
        except FileNotFoundError:  # removed meanwhile
            continue
        kept = path.with_name(f"{number:06}.keep").exists()
        found[number] = SegmentFile(number, day, path, size, kept, not packed)
    return [found[number] for number in sorted(found)]


def prunable(folder: Path, retention: Retention, today: date | None = None) -> list[SegmentFile]:
    """Return what ``prune`` would remove, oldest first (EX-1408); today is the newest segment's day if none is given."""
    files = segments_in(folder)
    if not files:
        return []
    today = today or max(each.day for each in files)
    rows = [Segment(id=each.path.name, day=each.day, size=each.size, keep=each.kept or each.open) for each in files]
    names = set(prune_segments(rows, retention, today))
    return [each for each in files if each.path.name in names]


def prune(folder: Path, retention: Retention, today: date | None = None) -> list[SegmentFile]:
    """Remove what is to go; return it, oldest first."""
    gone = prunable(folder, retention, today)
    for each in gone:
        each.path.unlink(missing_ok=True)
    return gone


def keep(folder: Path, name: str, *, kept: bool = True) -> SegmentFile:
    """Mark a segment, or take its mark away; return it as it is then. Raises UnknownSegment."""
    for each in segments_in(folder):
        if name in (each.path.name, str(each.number), f"{each.number:06}"):
            if kept:
                each.mark.touch()
            else:
                each.mark.unlink(missing_ok=True)
            return each._replace(kept=kept)
    raise UnknownSegment(name)


def pack(segment: SegmentFile) -> None:
    """Compress a closed segment; whenever this is broken off either the plain or the packed file is whole."""
    packed = segment.path.with_name(f"{segment.number:06}_{segment.day}.jsonl.gz")
    torn = packed.with_suffix(".tmp")
    with segment.path.open("rb") as plain, gzip.open(torn, "wb", compresslevel=6) as out:
        shutil.copyfileobj(plain, out, _PIECE)
    with torn.open("rb") as file:
        os.fsync(file.fileno())
    torn.replace(packed)
    segment.path.unlink(missing_ok=True)

"""The folder of full backups that the daemon makes: which there are, which are marked, which go (EX-1208).

``monday.bulkhead.keep`` beside ``monday.bulkhead`` marks it: it is never removed.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from rules.backup_retention import Archive, backups_to_go
from service.config import Config

__all__ = [
    "BACKUPS",
    "SUFFIX",
    "Removed",
    "UnknownBackup",
    "archives_in",
    "backup_folder",
    "forget_mark",
    "mark",
    "remove_old",
    "sweep",
]

BACKUPS: Final = "backups"
"""The folder below ``app.data_dir``; no backup holds it."""

SUFFIX: Final = ".bulkhead"

_MARK: Final = ".keep"
_HALF: Final = re.compile(r"\.(?:backup-(?P<scratch>\d+)-\w+|.+\.bulkhead\.(?P<draft>\d+))")
"""What a backup is made of: a folder of copies, a draft of the archive, each with the process that makes it."""


class UnknownBackup(LookupError):
    """There is no archive of that name."""


class Removed(NamedTuple):
    """What was removed, oldest first, and why the rest could not be; empty when all of it went."""

    archives: tuple[Archive, ...]
    trouble: str = ""


def backup_folder(config: Config) -> Path:
    """Return where the daemon's archives lie."""
    return config.app.data_dir / BACKUPS


def archives_in(folder: Path) -> list[Archive]:
    """Return the archives of a folder, newest first."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):  # removed meanwhile
            about = path.stat()
            if path.is_file() and not path.name.startswith("."):
                kept = _mark_of(path).exists()
                found.append(Archive(name=path.name, size=about.st_size, written_at=about.st_mtime_ns, kept=kept))
    return sorted(found, key=lambda each: (each.written_at, each.name), reverse=True)


def mark(folder: Path, name: str, *, kept: bool) -> Archive:
    """Mark an archive, or take its mark away; return it as it is then. Raises UnknownBackup, and what the disk does."""
    if not any(each.name == name for each in archives_in(folder)):
        raise UnknownBackup(name)
    if kept:
        _mark_of(folder / name).touch(mode=0o600)
    else:
        forget_mark(folder / name)
    return next(each for each in archives_in(folder) if each.name == name)


def forget_mark(archive: Path) -> None:
    """Take the mark of an archive away, also of one that is gone: another of its name is not marked by it."""
    _mark_of(archive).unlink(missing_ok=True)


def remove_old(folder: Path, keep_newest: int, made: str = "") -> Removed:
    """Remove what is to go; what the disk does not let go of stays, and is said."""
    gone, trouble = [], ""
    for each in backups_to_go(archives_in(folder), keep_newest, made):
        try:
            (folder / each.name).unlink(missing_ok=True)
        except OSError as error:
            trouble = f"{each.name} cannot be removed: {error.strerror or error}"
        else:
            gone.append(each)
    return Removed(tuple(gone), trouble)


def sweep(folder: Path) -> None:
    """Remove what processes left here that were killed while they made a backup; it can be as large as the journal."""
    for path in folder.glob(".*"):
        match = _HALF.fullmatch(path.name)
        if match is None or _lives_beside(int(match["scratch"] or match["draft"])):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _mark_of(archive: Path) -> Path:
    return archive.with_name(f"{archive.name}{_MARK}")


def _lives_beside(process: int) -> bool:
    """Whether another process of that number lives; this one has nothing here before it begins."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True

"""Files that only their owner reads: written whole or not at all, and overwritten before they go."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

__all__ = [
    "locked",
    "open_private",
    "open_to_others",
    "private_folder",
    "promote",
    "shred",
    "sync_folder",
    "write_private",
]


def private_folder(folder: Path) -> None:
    """Have a folder that only its owner enters."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Put bytes into a file; whoever reads it, also after a kill or a power cut, finds all of the old or all of the new.

    One process at a time (``locked``): the draft has one name, so that a kill leaves no more than one behind. Raises OSError
    when the disk does not take it; the file is then whole all the same, the old one or the new one.
    """
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.draft")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(draft, path)
    except OSError:
        with suppress(OSError):
            os.unlink(draft)
        raise
    sync_folder(path.parent)


def open_private(path: Path) -> BinaryIO:
    """Open a file anew for writing that only its owner reads, from its first byte on."""
    path.unlink(missing_ok=True)
    return open(path, "wb", opener=partial(os.open, mode=0o600))


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def promote(source: Path, target: Path) -> None:
    """Put one file in the place of another, at once, and overwrite what stood there; done again, it ends what was begun."""
    former = target.with_name(f".{target.name}.former")
    _end_of_former(former, target)
    if not source.exists():
        return
    with suppress(FileNotFoundError):
        os.link(target, former)
    os.replace(source, target)
    sync_folder(target.parent)
    shred(former)


def _end_of_former(former: Path, target: Path) -> None:
    """Take away what a kill left: a second name of the file itself, which must not be overwritten, or the former file."""
    if not former.exists():
        return
    if target.exists() and former.samefile(target):
        os.unlink(former)
    else:
        shred(former)


def shred(path: Path) -> None:
    """Overwrite a file and remove it; harmless when there is none. Disks that write elsewhere keep what they keep."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        _write_all(descriptor, bytes(os.fstat(descriptor).st_size))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.unlink(path)
    sync_folder(path.parent)


def open_to_others(path: Path) -> int:
    """Return the mode of a file that others than its owner may read or write, 0 when none may."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return mode if mode & 0o077 else 0


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only process that changes what this file stands for; it waits for the others."""
    private_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

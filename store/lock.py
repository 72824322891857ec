"""The lock that lets one process at a time write a journal.

It is an operating-system lock on a file beside the journal, so it dies with its process, however that ends. The file
stays behind and means nothing by itself; its content is the process id of the newest holder. POSIX only.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from store.errors import JournalLocked, unavailable

__all__ = ["WriterLock"]


class WriterLock:
    """The right to write one journal, held from construction to ``release``.

    Raises ``JournalLocked`` naming the holder's process id, ``JournalUnavailable`` when the file cannot be made.
    """

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(journal.name + ".lock")
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unavailable(f"cannot make the lock {self.path}", error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, str(os.getpid()).encode(), 0)
        except BlockingIOError:
            raise self._refusal(journal) from None
        except OSError as error:
            os.close(self._file)
            raise unavailable(f"cannot take the lock {self.path}", error) from error

    def _refusal(self, journal: Path) -> JournalLocked:
        text = os.pread(self._file, 32, 0).decode("ascii", "replace")
        os.close(self._file)
        pid = int(text) if text.isdigit() else 0
        who = f"process {pid}" if pid else "another process"
        return JournalLocked(f"{journal} is open for writing in {who} (lock {self.path})", pid=pid)

    def release(self) -> None:
        """Let others write; a second call changes nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

"""Opens a journal, says so on standard output, and holds it until standard input ends."""

from __future__ import annotations

import sys

from runtime.journal import JournalUnavailable
from store.errors import JournalLocked
from store.sqlite_journal import open_journal


def main(path: str) -> None:
    """Print ``open``, or ``locked`` and the process id that the refusal names."""
    try:
        journal = open_journal(path)
    except JournalLocked as refusal:
        sys.stdout.write(f"locked {refusal.pid}\n")
        return
    except JournalUnavailable as error:
        sys.stdout.write(f"unavailable {error}\n")
        return
    sys.stdout.write("open\n")
    sys.stdout.flush()
    sys.stdin.read()
    journal.close()


if __name__ == "__main__":
    main(sys.argv[1])

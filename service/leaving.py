"""Refuse to start where an installation is not whole: moved elsewhere, or half restored.

What a move leaves behind must not trade beside what went on elsewhere; what is half there must not trade at all.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from protocol.errors import BulkheadError
from service.config import Config
from service.journals import has_journal, journal_of
from store.transfer.ends import mark_of, open_end

__all__ = [
    "LEAVING",
    "UNFINISHED",
    "InstallationMoved",
    "RestoreInterrupted",
    "coming_of",
    "refuse_half_restored",
    "refuse_moved",
]

UNFINISHED: Final = "nowhere: a restore or move into it was cut short"
"""The mark of a place that is being filled."""

LEAVING: Final = "elsewhere: a move out of it was cut short"
"""The mark of a place that is being left."""


class InstallationMoved(BulkheadError):
    """The installation is elsewhere; what is here was left behind."""


class RestoreInterrupted(BulkheadError):
    """A restore or a move was cut short; running it again finishes it."""


def coming_of(data: Path) -> Path:
    """Return the folder that a restore fills before it takes the place of the data folder."""
    return data.with_name(f"{data.name}.restoring")


def refuse_half_restored(data: Path) -> None:
    """Raise ``RestoreInterrupted`` when a restore was cut short between its two renames."""
    if not data.exists() and coming_of(data).exists():
        raise RestoreInterrupted(f"a restore into {data} was cut short: run `bulkhead restore` again")


def refuse_moved(config: Config) -> None:
    """Raise ``InstallationMoved`` for a journal that was moved, ``RestoreInterrupted`` for one that is half there."""
    where = journal_of(config)
    if isinstance(where, Path):
        gone = mark_of(where)
    elif has_journal(config):
        with closing(open_end(where, writes=False, held=False)) as end:
            gone = end.moved_to()
    else:
        return
    if gone == LEAVING:
        raise RestoreInterrupted(f"{where}: a move out of it was cut short: run the same command again")
    if gone == UNFINISHED:
        raise RestoreInterrupted(f"{where}: a restore or a move into it was cut short: run the same command again")
    if gone:
        raise InstallationMoved(f"{where} was left behind: this installation was moved to {gone}")

"""Where people and requests of an installation are kept: beside its journal, in files or on the same server."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from service.access.opening import open_tables
from service.access.requests import REQUESTS, REQUESTS_FILE, RequestStore
from service.access.store import ACCESS_FILE, PEOPLE, AccessStore
from service.access.tables import Where, copied, set_aside
from service.config import Config
from service.journals import place_of

__all__ = ["carry_people", "leave_people", "open_people", "open_requests"]

_KEPT: Final = ((PEOPLE, ACCESS_FILE), (REQUESTS, REQUESTS_FILE))


def open_people(config: Config) -> AccessStore:
    """Open who may log in. Raises ``AccessFileUnsafe``, and ``JournalUnavailable`` for a server."""
    return AccessStore(place_of(config) or config.access_path, former=config.access_path)


def open_requests(config: Config, now: int) -> RequestStore:
    """Open which requests were done; raises as ``open_people`` does."""
    return RequestStore(place_of(config) or config.requests_path, now, former=config.requests_path)


def carry_people(journal: Where, to: Where) -> None:
    """Have people and requests that are kept beside one journal kept beside another, in place of what is there."""
    for kind, name in _KEPT:
        source = _beside(journal, name)
        if isinstance(source, Path) and not source.is_file():
            continue
        with closing(open_tables(source, kind)) as one, closing(open_tables(_beside(to, name), kind)) as other:
            other.write(*copied(one, kind))


def leave_people(journal: Where) -> None:
    """Set the files beside a journal aside that was moved."""
    for _, name in _KEPT:
        if isinstance(found := _beside(journal, name), Path):
            set_aside(found)


def _beside(journal: Where, name: str) -> Where:
    return journal.with_name(name) if isinstance(journal, Path) else journal

"""Move a whole installation between SQLite and PostgreSQL, prove that nothing is missing, and say where it is now.

The journal goes bit for bit (snapshots and versions of the configuration are in it), people and requests come along, the
read models are made anew at the other end. Until all of it is proven both ends are marked, so that no daemon starts on
either; then what is left behind is marked as moved, so that never two of them trade. Doing it again finishes what was cut
short, and a move back takes only what is new.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from protocol.errors import BulkheadError
from protocol.messages import Value
from service.backup import Told, silent
from service.config import Config
from service.journals import place_of
from service.leaving import LEAVING, UNFINISHED
from service.people import carry_people, leave_people
from store.journals import open_reader
from store.postgres.place import Place, is_postgres
from store.projector import Projector
from store.transfer.checking import check_views
from store.transfer.ends import End, open_end
from store.transfer.moving import Moved, copy_journal, same_journal

__all__ = ["MoveIncomplete", "MoveReport", "move_installation", "place_named", "views_beside"]

_FILE: Final = "sqlite"


class MoveIncomplete(BulkheadError):
    """The proof after a move failed: the target stays marked as half filled, the source goes on."""


class MoveReport(Value, frozen=True, gc=False, kw_only=True):
    """What a move came to; ``new_records`` were not there before."""

    source: str
    target: str
    records: int
    new_records: int
    snapshots: int
    digest: str
    read_models_at: int
    settings: dict[str, str]


def place_named(config: Config, name: str) -> Path | Place:
    """Return what an operator means: ``sqlite`` or ``postgresql`` as configured, a path, or an address of either.

    ``sqlite:///path`` names the journal's file, or the folder of it. Raises ``BulkheadError``.
    """
    if name == _FILE:
        return config.journal_path
    if name == "postgresql":
        if (place := place_of(config)) is None:
            raise BulkheadError("database.url is empty: set it, or name an address postgresql://...")
        return place
    if is_postgres(name):
        return Place(name, config.database.schema)
    if name.startswith(f"{_FILE}:"):
        path = Path(unquote(urlsplit(name).path))
        if not path.is_absolute():
            raise BulkheadError(f"{name} names no file: write sqlite:///folder/journal.db")
        return path / "journal.db" if path.is_dir() or name.endswith("/") else path
    raise BulkheadError(f"{name} is neither sqlite, postgresql, sqlite:///... nor postgresql://...")


def views_beside(journal: Path | Place) -> Path | Place:
    """Return where the read models of a journal are kept."""
    return journal if isinstance(journal, Place) else journal.with_name("views.db")


def move_installation(source: Path | Place, target: Path | Place, told: Told = silent) -> MoveReport:
    """Copy, rebuild, prove, and mark what is left behind; nothing may run on either end.

    Raises ``JournalLocked``, ``MoveRefused`` (the target holds something else), ``JournalCorrupt`` (the source is damaged),
    ``JournalUnavailable`` and ``MoveIncomplete``.
    """
    if source == target:
        raise BulkheadError(f"{source} is where the installation is already")
    with closing(open_end(source, writes=False)) as one, closing(open_end(target, writes=True)) as other:
        moved, digest, at = _moved(source, target, one, other, told)
        return MoveReport(
            source=one.name,
            target=other.name,
            records=moved.head.position,
            new_records=moved.records,
            snapshots=moved.snapshots,
            digest=digest,
            read_models_at=at,
            settings=_settings_for(other, target),
        )


def _moved(source: Path | Place, target: Path | Place, one: End, other: End, told: Told) -> tuple[Moved, str, int]:
    """Copy and prove while both ends are marked, so that no daemon that waited for its turn begins on either."""
    before = other.moved_to()
    other.mark(UNFINISHED)
    one.mark(LEAVING)
    try:
        one.must_be_free()
        other.must_be_free()
        try:
            moved = copy_journal(one, other, lambda done, of: told("copying the journal", done, of))
        except BaseException:
            # The transaction is undone: what was there before is as it was.
            other.mark(before)
            raise
        told("comparing the journals", 0, 0)
        if differing := same_journal(one, other):
            raise MoveIncomplete(f"the copy differs from {one.name} in: {', '.join(differing)}")
        digest, at = _make_views(source, target, moved.head.position, told)
        carry_people(source, target)
    except BaseException:
        one.mark("")
        raise
    one.mark(other.name)
    other.mark("")
    leave_people(source)
    return moved, digest, at


def _make_views(source: Path | Place, target: Path | Place, head: int, told: Told) -> tuple[str, int]:
    """Make the read models from the copied journal and compare them with a rebuild from the original one."""
    with closing(open_reader(target, check=False)) as reader, closing(open_reader(source, check=False)) as original:
        with closing(Projector(views_beside(target))) as projector:
            projector.rebuild(reader, lambda done: told("making the read models", done, head))
            checked = check_views(projector.database, original, lambda done: told("comparing read models", done, head))
        if checked.differing or checked.position != head:
            raise MoveIncomplete(f"read models differ from a rebuild in: {', '.join(checked.differing) or 'position'}")
        told("checking every record", 0, 0)
        return reader.digest(), checked.position


def _settings_for(end: End, target: Path | Place) -> dict[str, str]:
    """Return the keys that make the configuration name the new place; a password is none of them."""
    if isinstance(target, Place):
        return {
            "database.url": end.name.partition(" (schema")[0].replace(":***@", "@"),
            "database.schema": target.schema,
        }
    return {"database.url": "", "app.data_dir": str(target.parent)}

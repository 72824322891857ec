"""Put an archive back: into an empty place, or in place of an installation where no group is open (EX-1208).

Into files it is an exchange of folders, onto a server one transaction for the journal; whatever breaks off leaves the former
state, or a half-done one that is marked, that no daemon starts on, and that the same command finishes.

::

    BulkheadError
    ├─ EngineNotFlat        groups are open: putting another journal in place would abandon their positions
    └─ RestoreRefused       there is an installation already
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from protocol.errors import BulkheadError
from protocol.pool import SlotFreed, SlotTaken
from runtime.journal import JournalError, JournalTooNew
from service.access.requests import REQUESTS_FILE
from service.access.store import ACCESS_FILE
from service.backup import CONFIG, JOURNAL, VIEWS, BackupCorrupt, BackupTooNew, Manifest, Told, checked, opened, silent
from service.backup_folder import BACKUPS
from service.config import Config
from service.config.text import from_toml, normal
from service.config.toml_file import edited, replace_file
from service.config.vault import PLAIN_FOLDER
from service.journals import place_of
from service.leaving import UNFINISHED, coming_of
from service.vault.files import open_private
from store.lock import WriterLock
from store.opening import open_reader
from store.postgres.place import Place
from store.tables.contents import copy_rows
from store.tables.opening import write_tables
from store.tables.sqlite import open_file
from store.transfer.ends import End, open_end
from store.transfer.moving import copy_journal

__all__ = [
    "EngineNotFlat",
    "RestoreRefused",
    "inspect",
    "restore",
]

_PIECE: Final = 1 << 20


class EngineNotFlat(BulkheadError):
    """Groups are open; nothing was changed."""


class RestoreRefused(BulkheadError):
    """There is an installation already; nothing was changed."""


def inspect(archive: Path, folder: Path, key: str = "") -> Manifest:
    """Unpack an archive into an empty folder, for reading only; the installation is not touched (EX-1208)."""
    with _ours_alone(), opened(archive, key) as pack:
        manifest = checked(pack, archive)
        if folder.exists() and any(folder.iterdir()):
            raise BulkheadError(f"{folder} is not empty: name a new folder")
        _unpack(pack, manifest, folder)
    return manifest


def restore(
    archive: Path,
    config: Config,
    file: Path | None,
    *,
    now: int,
    key: str = "",
    replace: bool = True,
    told: Told = silent,
) -> Path | None:
    """Put an archive where the configuration says; return where the former data went, None when there was none.

    Without ``replace``, and always on a server, only into an empty place (``RestoreRefused``). Present secrets are kept,
    they are in no archive. Raises ``BackupCorrupt``, ``BackupTooNew``, ``BackupKeyMissing``, ``BackupKeyWrong``,
    ``EngineNotFlat``, and ``JournalLocked`` while a daemon runs.
    """
    data, place = config.app.data_dir, place_of(config)
    former = data.with_name(f"{data.name}.before-{now // 1_000_000_000}")
    with _ours_alone(), opened(archive, key) as pack:
        told("checking the archive", 0, 0)
        manifest = checked(pack, archive)
        if place is not None:
            _onto_server(pack, manifest, config, place, told)
        elif data.exists() and any(data.iterdir()):
            if not replace and config.journal_path.exists():
                raise RestoreRefused(f"{data} holds an installation already")
            _in_place_of(pack, manifest, config, former)
        else:
            with suppress(FileNotFoundError):
                data.rmdir()
            _exchange(pack, manifest, config, former)
        if file is not None:
            _restore_file(pack, file, data, now)
    return former if former.exists() else None


@contextmanager
def _ours_alone() -> Iterator[None]:
    """Have nobody but the owner read what is written in the block, whatever the shell allows."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


# --- files ------------------------------------------------------------------------------------------------------------


def _in_place_of(pack: zipfile.ZipFile, manifest: Manifest, config: Config, former: Path) -> None:
    lock = WriterLock(config.journal_path)
    try:
        _refuse_open_groups(config)
        _exchange(pack, manifest, config, former)
    finally:
        lock.release()


def _exchange(pack: zipfile.ZipFile, manifest: Manifest, config: Config, former: Path) -> None:
    """Unpack beside the data, check that its journal opens, then exchange the two folders."""
    data = config.app.data_dir
    coming = coming_of(data)
    shutil.rmtree(coming, ignore_errors=True)
    data.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{data.name}-", dir=data.parent) as scratch:
        _unpack(pack, manifest, Path(scratch))
        unpacked = Path(scratch) / "data"
        unpacked.mkdir(mode=0o700, exist_ok=True)
        _check_journal(unpacked / "journal.db")
        _keep_secrets(data, unpacked, config.vault_path)
        unpacked.rename(coming)
    if data.exists():
        data.rename(former)
    coming.rename(data)
    if (former / BACKUPS).is_dir():
        # No archive holds it, and whoever clears what was before away means none of them.
        (former / BACKUPS).rename(data / BACKUPS)


def _keep_secrets(data: Path, unpacked: Path, vault: Path) -> None:
    """Keep the credentials that are here, and their key: those of the archive may be older, and open only where it was made.

    An archive's vault comes along where there is none yet.
    """
    names = [PLAIN_FOLDER, *([str(vault.relative_to(data))] if vault.is_relative_to(data) else [])]
    kept = next((each for each in (data, *_formers(data)) if any((each / name).is_dir() for name in names)), None)
    for name in names:
        if kept is not None and (kept / name).is_dir():
            shutil.rmtree(unpacked / name, ignore_errors=True)
            shutil.copytree(kept / name, unpacked / name)
    _keep_people(data, unpacked)


def _keep_people(data: Path, unpacked: Path) -> None:
    """Keep who may log in, and which requests were done here: no archive holds either, and a restore shuts nobody out."""
    homes = (data, *_formers(data))
    for name in (ACCESS_FILE, REQUESTS_FILE):
        home = next((each for each in homes if (each / name).is_file()), None)
        for file in home.glob(f"{name}*") if home is not None else ():  # what SQLite has not yet put into it beside it
            shutil.copy2(file, unpacked / file.name)


def _unpack(pack: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    free = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free
    if manifest.size > free:
        raise OSError(errno.ENOSPC, f"the archive needs {manifest.size} bytes and {free} are free", str(folder))
    for each in manifest.files:
        target = folder / each.name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with pack.open(each.name) as member, open_private(target) as file:
            shutil.copyfileobj(member, file, _PIECE)
            file.flush()
            os.fsync(file.fileno())


def _formers(data: Path) -> list[Path]:
    return sorted(data.parent.glob(f"{data.name}.before-*"), reverse=True)


def _check_journal(journal: Path) -> None:
    if not journal.exists():
        return
    try:
        open_reader(journal).close()
    except JournalTooNew as error:
        raise BackupTooNew(str(error)) from error
    except JournalError as error:
        raise BackupCorrupt(f"the journal in the archive cannot be opened: {error}") from error


def _refuse_open_groups(config: Config) -> None:
    if not config.journal_path.exists():
        return
    open_groups: dict[str, str] = {}
    with closing(open_reader(config.journal_path, check=False)) as reader:
        for record in (each for pool in reader.streams("/risk/pool-") for each in reader.read(pool)):
            if isinstance(record.event, SlotTaken):
                open_groups[record.event.group_id] = record.event.group_key
            elif isinstance(record.event, SlotFreed):
                open_groups.pop(record.event.group_id, None)
    if open_groups:
        named = ", ".join(sorted(open_groups.values())[:5])
        text = (
            f"{len(open_groups)} groups are open ({named}): close them first, or look into the archive with "
            "--read-only-inspect FOLDER"
        )
        raise EngineNotFlat(text)


def _restore_file(pack: zipfile.ZipFile, file: Path, data: Path, now: int) -> None:
    """Put the archive's config.toml in place, pointing to the data folder and the database of this installation."""
    text = pack.read(CONFIG).decode()
    if not text:
        return
    here = {"app.data_dir": os.path.relpath(data, file.absolute().parent)}
    if file.exists():
        shutil.copyfile(file, file.with_name(f"{file.name}.before-{now // 1_000_000_000}"))
        ours = from_toml(file.read_text(encoding="utf-8"))
        here |= {name: value for name, value in ours.items() if _is_of_place(name)}
        theirs = {name: value for name, value in from_toml(text).items() if not _is_of_place(name)}
    else:
        theirs = {name: value for name, value in from_toml(text).items() if not name.startswith("database.")}
    replace_file(file, edited(text, normal({**theirs, **here})))


def _is_of_place(name: str) -> bool:
    """Whether a key says how this installation keeps its data: with those of another one its vault would not open."""
    return name.startswith("database.") or name in _OF_VAULT


# --- a server ---------------------------------------------------------------------------------------------------------


def _onto_server(pack: zipfile.ZipFile, manifest: Manifest, config: Config, place: Place, told: Told) -> None:
    data = config.app.data_dir
    data.parent.mkdir(parents=True, exist_ok=True)
    with closing(open_end(place, writes=True)) as target:
        if target.rows.last_position() and target.moved_to() != UNFINISHED:
            raise RestoreRefused(f"{place} holds an installation already")
        with tempfile.TemporaryDirectory(prefix=f".{data.name}-", dir=data.parent) as scratch:
            _unpack(pack, manifest, Path(scratch))
            _check_journal(Path(scratch) / JOURNAL)
            target.mark(UNFINISHED)
            try:
                _fill(Path(scratch), target, place, told)
            except BaseException:
                if target.rows.last_position() == 0:
                    with suppress(JournalError):
                        target.mark("")
                raise
            _place_files(Path(scratch) / "data", data)
        target.mark("")


def _fill(scratch: Path, target: End, place: Place, told: Told) -> None:
    if (scratch / JOURNAL).exists():
        with closing(open_end(scratch / JOURNAL, writes=False)) as source:
            copy_journal(source, target, lambda done, of: told("writing the journal", done, of))
    with closing(write_tables(place)) as tables:
        tables.make_tables()
        if (scratch / VIEWS).exists():
            # Tables of an older bulkhead are emptied by opening them: the daemon makes them anew.
            with closing(open_file(scratch / VIEWS)) as kept:
                copy_rows(kept, tables, lambda rows: told("writing the read models", rows, 0))


def _place_files(unpacked: Path, data: Path) -> None:
    """Put what is no table into the data folder; what is there already stays, so that doing it again does no harm."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source in sorted(unpacked.rglob("*")):
        name = source.relative_to(unpacked)
        target = data / name
        if source.is_file() and len(name.parts) >= 1 and name.parts[0] not in _TABLE_FILES and not target.exists():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy(source, target)


_OF_VAULT: Final = frozenset(
    f"security.{name}" for name in ("key_vault_path", "binding_id", "master_key_from", "master_key_file")
)

_TABLE_FILES: Final = frozenset(
    f"{name}{suffix}" for name in ("journal.db", "views.db") for suffix in ("", "-wal", "-shm", ".lock", ".moved")
)

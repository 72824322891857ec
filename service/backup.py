"""Back up an installation into one archive (EX-1208); ``service.restoring`` puts it back.

The archive holds configuration, journal, read models, log and deployment tag as files, whatever database they were in,
with a manifest of checksums. Plain secrets and the key of the vault are never in it; the vault is, because its content is
encrypted and opens here alone. With a key the whole archive is (``service.sealed``). It is made while the daemon runs: read
models first, then the journal, each as of one moment, so that the read models are never ahead.

::

    BulkheadError
    ├─ BackupCorrupt        the archive is damaged, or no archive of ours
    └─ BackupTooNew         a newer bulkhead wrote it
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from protocol.errors import BulkheadError
from protocol.messages import Value
from service.config import Config
from service.config.text import HIDDEN, document_of, encoded, from_toml
from service.config.vault import PLAIN_FOLDER
from service.journals import has_journal, place_of, views_of
from service.sealed import BackupCorrupt, BackupKeyMissing, SealedReader, SealedWriter, is_sealed
from service.vault.files import sync_folder
from store.errors import ViewsError
from store.opening import connect
from store.postgres.place import Place
from store.schema import SCHEMA_VERSION
from store.tables.contents import copy_rows
from store.tables.opening import read_tables
from store.tables.sqlite import open_file
from store.transfer.ends import open_end
from store.transfer.moving import copy_journal

__all__ = [
    "CONFIG",
    "FORMAT",
    "JOURNAL",
    "MANIFEST",
    "VIEWS",
    "BackupCorrupt",
    "BackupTooNew",
    "FileSum",
    "Manifest",
    "Told",
    "checked",
    "make_backup",
    "opened",
    "silent",
    "verified",
]

FORMAT: Final = 2
CONFIG: Final = "config.toml"
JOURNAL: Final = "data/journal.db"
VIEWS: Final = "data/views.db"
MANIFEST: Final = "manifest.json"

Told = Callable[[str, int, int], None]
"""Hears what is being done, how far it is and of how much."""

_PIECE: Final = 1 << 20
_DOCUMENT: Final = "configuration.json"
_PLAIN_FILES: Final = ("deployment", "markets.json")
_FOLDERS: Final = ("logs",)
_ALONE: Final = frozenset({CONFIG, _DOCUMENT, JOURNAL, VIEWS, *(f"data/{name}" for name in _PLAIN_FILES)})
"""What an archive holds besides folders. Not who may log in, nor what SQLite would take for newer pages of that."""

_IN_FOLDER: Final = 3
"""Parts of the name of a file in a folder: ``data/logs/000001.jsonl``."""

_MANIFEST_MOST: Final = 1 << 26
_DAMAGE: Final = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, KeyError, ValueError, TypeError, OSError, EOFError),
    NotImplementedError,
)
_LEVEL: Final = 1
"""A journal packs to a third at the least effort; more effort takes five times as long for a tenth."""


class BackupTooNew(BulkheadError):
    """A newer bulkhead wrote the archive; nothing was changed."""


class FileSum(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One file of the archive."""

    name: str
    size: int
    sha256: str


class Manifest(Value, frozen=True, gc=False, kw_only=True):
    """What an archive says of itself; ``schema`` is that of the journal, ``made_at`` nanoseconds UTC."""

    product: str
    format: int
    schema: int
    made_at: int
    deployment: str
    files: tuple[FileSum, ...]
    backend: str = "sqlite"

    @property
    def size(self) -> int:
        """How many bytes the files have before packing."""
        return sum(each.size for each in self.files)


class _Member(NamedTuple):
    name: str
    source: Path


def silent(what: str, done: int, of: int) -> None:
    """Tell nobody."""


def make_backup(
    config: Config, file: Path | None, target: Path, *, now: int, key: str = "", told: Told = silent
) -> Manifest:
    """Write the archive, also while the daemon runs; with a key encrypted.

    ``file`` is the config.toml in use. Raises ``BulkheadError`` when a secret stands in it, ``BackupKeyRefused``,
    ``JournalUnavailable``, and what the disk raises; an archive that was there before is then as it was.
    """
    text = file.read_text(encoding="utf-8") if file is not None and file.exists() else ""
    if HIDDEN in from_toml(text).values():
        raise BulkheadError(f"{file} holds a secret: take it out first, a backup never holds plain secrets")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(prefix=f".backup-{os.getpid()}-", dir=target.parent) as scratch:
            members = list(_gathered(config, text, Path(scratch), told))
            manifest = Manifest(
                product="bulkhead",
                format=FORMAT,
                schema=SCHEMA_VERSION,
                made_at=now,
                deployment=_text_of(config.app.data_dir / "deployment"),
                files=tuple(_summed(each) for each in members),
                backend="sqlite" if place_of(config) is None else "postgresql",
            )
            _pack(draft, manifest, members, key, told)
            draft.replace(target)
            sync_folder(target.parent)  # older archives may be removed for it
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def _pack(draft: Path, manifest: Manifest, members: list[_Member], key: str, told: Told) -> None:
    done = 0
    draft.unlink(missing_ok=True)  # whoever may write there could have left a link to elsewhere
    with open(draft, "xb", opener=partial(os.open, mode=0o600)) as file:
        out = SealedWriter(file, key) if key else None
        with zipfile.ZipFile(out or file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
            archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
            for each in members:
                with each.source.open("rb") as source, archive.open(each.name, "w", force_zip64=True) as member:
                    while piece := source.read(_PIECE):
                        member.write(piece)
                        done += len(piece)
                        told("packing", done, manifest.size)
        if out is not None:
            out.finish()
        file.flush()
        os.fsync(file.fileno())


def _gathered(config: Config, text: str, scratch: Path, told: Told) -> Iterator[_Member]:
    data = config.app.data_dir
    yield _written(scratch, CONFIG, text)
    yield _written(scratch, _DOCUMENT, json.dumps(json.loads(encoded(document_of(config))), indent=2) + "\n")
    if has_journal(config):
        yield from _tables(config, scratch, told)
    for name in _PLAIN_FILES:
        if (data / name).is_file():
            yield _Member(f"data/{name}", data / name)
    folders = [data / name for name in _FOLDERS]
    if config.vault_path.is_relative_to(data):
        folders.append(config.vault_path)
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and not path.name.startswith("."):  # no locks, no drafts
                # A segment that is still written may grow while we read: the archive holds one state of it.
                copy = scratch / hashlib.sha256(str(path).encode()).hexdigest()
                shutil.copyfile(path, copy)
                yield _Member(f"data/{path.relative_to(data).as_posix()}", copy)


def _tables(config: Config, scratch: Path, told: Told) -> Iterator[_Member]:
    """Copy the read models, then the journal: so the read models are never ahead of it."""
    views, journal = scratch / "views.db", scratch / "journal.db"
    place = place_of(config)
    copied = _copy_views(views_of(config), views, told)
    if place is None:
        told("copying the journal", 0, 0)
        _copy_file(config.journal_path, journal)
    else:
        source, target = open_end(place, writes=False, held=False), open_end(journal, writes=True)
        with closing(source), closing(target):
            copy_journal(source, target, lambda done, of: told("copying the journal", done, of))
    yield _Member(JOURNAL, journal)
    if copied:
        yield _Member(VIEWS, views)


def _copy_views(where: Path | Place, copy: Path, told: Told) -> bool:
    """Copy the read models as of one moment into a file; there may be none yet, or of another version of bulkhead."""
    if isinstance(where, Path) and not where.is_file():
        return False
    told("copying the read models", 0, 0)
    try:
        with closing(read_tables(where)) as source:
            if isinstance(where, Path):
                _copy_file(where, copy)
            else:
                with closing(open_file(copy)) as target:
                    copy_rows(source, target, lambda rows: told("copying the read models", rows, 0))
    except ViewsError:
        return False
    return True


def _copy_file(source: Path, copy: Path) -> None:
    """Copy a SQLite file as of one moment, whoever writes it."""
    with closing(connect(str(source), read_only=True)) as reading, closing(sqlite3.connect(copy)) as to:
        reading.backup(to)


def _written(scratch: Path, name: str, text: str) -> _Member:
    (scratch / name).write_text(text, encoding="utf-8")
    return _Member(name, scratch / name)


def _summed(member: _Member) -> FileSum:
    with member.source.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return FileSum(member.name, member.source.stat().st_size, found)


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


# --- reading an archive -----------------------------------------------------------------------------------------------


def verified(archive: Path, key: str = "") -> Manifest:
    """Return an archive's manifest after checking every file of it.

    Raises ``BackupCorrupt``, ``BackupTooNew``, ``BackupKeyMissing`` or ``BackupKeyWrong``.
    """
    with opened(archive, key) as pack:
        return checked(pack, archive)


def opened(archive: Path, key: str = "") -> zipfile.ZipFile:
    """Open an archive, encrypted or not; raise as ``verified`` does."""
    try:
        if not is_sealed(archive):
            return zipfile.ZipFile(archive)
        if not key:
            raise BackupKeyMissing(f"{archive} is encrypted: give its key")
        return zipfile.ZipFile(SealedReader(archive, key))
    except zipfile.BadZipFile as error:
        raise BackupCorrupt(f"{archive} is no archive, or its end is missing: take another copy of it") from error


def checked(pack: zipfile.ZipFile, archive: Path) -> Manifest:
    """Return the manifest of an open archive after checking every file of it; raise BackupCorrupt or BackupTooNew."""
    try:
        if pack.getinfo(MANIFEST).file_size > _MANIFEST_MOST:
            raise BackupCorrupt(f"{archive} has a manifest of absurd size")
        raw: dict[str, Any] = json.loads(pack.read(MANIFEST))
        if raw.get("product") == "bulkhead" and (raw["format"] > FORMAT or raw["schema"] > SCHEMA_VERSION):
            raise BackupTooNew(f"{archive} was written by a newer bulkhead: restore it with that one")
        manifest = msgspec.convert(raw, Manifest)
        names = {MANIFEST, *(each.name for each in manifest.files)}
        if manifest.product != "bulkhead" or set(pack.namelist()) != names or len(pack.namelist()) != len(names):
            raise BackupCorrupt(f"{archive} does not hold the files that its manifest names")
        for each in manifest.files:
            _check(pack, each, archive)
    except _DAMAGE as error:
        raise BackupCorrupt(f"{archive} is damaged ({error}): take another copy of it") from error
    return manifest


def _check(pack: zipfile.ZipFile, wanted: FileSum, archive: Path) -> None:
    parts = Path(wanted.name).parts
    if Path(wanted.name).is_absolute() or ".." in parts or "\\" in wanted.name:
        raise BackupCorrupt(f"{archive} names a file outside the archive: {wanted.name!r}")
    if wanted.name not in _ALONE and (len(parts) < _IN_FOLDER or parts[0] != "data" or parts[1] == PLAIN_FOLDER):
        raise BackupCorrupt(f"{archive} holds a file that is in no backup: {wanted.name!r}")
    if pack.getinfo(wanted.name).file_size != wanted.size:  # before it is unpacked: a little can hold very much
        raise BackupCorrupt(f"{archive}: {wanted.name} is not as long as the manifest says")
    total, digest = 0, hashlib.sha256()
    with pack.open(wanted.name) as member:
        while piece := member.read(_PIECE):
            total += len(piece)
            digest.update(piece)
    if (total, digest.hexdigest()) != (wanted.size, wanted.sha256):
        raise BackupCorrupt(f"{archive}: {wanted.name} is not what the manifest says: take another copy of it")

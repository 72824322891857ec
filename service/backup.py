"""Back up an installation into one archive and put it back (EX-1208).

The archive holds configuration, journal, log and deployment tag, with a manifest of checksums. Plain secrets are never in
it; a vault is, because its content is encrypted. Read models are not: they are made from the journal again.

::

    BulkheadError
    ├─ BackupCorrupt        the archive is damaged, or no archive of ours
    ├─ BackupTooNew         a newer bulkhead wrote it
    └─ EngineNotFlat        groups are open: putting another journal in place would abandon their positions
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from protocol.errors import BulkheadError
from protocol.messages import Value
from protocol.pool import SlotFreed, SlotTaken
from runtime.journal import JournalError, JournalTooNew
from service.config import Config
from service.config.text import HIDDEN, document_of, encoded, from_toml, normal
from service.config.toml_file import edited, replace_file
from store.lock import WriterLock
from store.opening import connect, open_reader
from store.schema import SCHEMA_VERSION

__all__ = [
    "FORMAT",
    "BackupCorrupt",
    "BackupTooNew",
    "EngineNotFlat",
    "FileSum",
    "Manifest",
    "RestoreInterrupted",
    "inspect",
    "make_backup",
    "refuse_half_restored",
    "restore",
    "verified",
]

FORMAT: Final = 1
_PIECE: Final = 1 << 20
_MANIFEST: Final = "manifest.json"
_CONFIG: Final = "config.toml"
_DOCUMENT: Final = "configuration.json"
_JOURNAL: Final = "data/journal.db"
_PLAIN_FILES: Final = ("deployment", "markets.json")
_FOLDERS: Final = ("logs",)


class BackupCorrupt(BulkheadError):
    """The archive is damaged or no archive of ours; nothing was changed."""


class BackupTooNew(BulkheadError):
    """A newer bulkhead wrote the archive; nothing was changed."""


class EngineNotFlat(BulkheadError):
    """Groups are open; nothing was changed."""


class RestoreInterrupted(BulkheadError):
    """A restore was cut short; running it again finishes it."""


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


class _Member(NamedTuple):
    name: str
    source: Path


def make_backup(config: Config, file: Path | None, target: Path, *, now: int) -> Manifest:
    """Write the archive, also while the daemon runs; the journal in it is as of one instant.

    ``file`` is the config.toml in use. Raises ``BulkheadError`` when a secret stands in it, and what the disk raises.
    """
    text = file.read_text(encoding="utf-8") if file is not None and file.exists() else ""
    if HIDDEN in from_toml(text).values():
        raise BulkheadError(f"{file} holds a secret: take it out first, a backup never holds plain secrets")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as scratch:
            members = list(_gathered(config, text, Path(scratch)))
            manifest = Manifest(
                product="bulkhead",
                format=FORMAT,
                schema=SCHEMA_VERSION,
                made_at=now,
                deployment=_text_of(config.app.data_dir / "deployment"),
                files=tuple(_summed(each) for each in members),
            )
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
                for each in members:
                    archive.write(each.source, each.name)
            _sync(draft)
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def _gathered(config: Config, text: str, scratch: Path) -> Iterator[_Member]:
    data = config.app.data_dir
    yield _written(scratch, _CONFIG, text)
    yield _written(scratch, _DOCUMENT, json.dumps(json.loads(encoded(document_of(config))), indent=2) + "\n")
    if config.journal_path.exists():
        copy = scratch / "journal.db"
        with closing(connect(str(config.journal_path), read_only=True)) as source, closing(sqlite3.connect(copy)) as to:
            source.backup(to)
        yield _Member(_JOURNAL, copy)
    for name in _PLAIN_FILES:
        if (data / name).is_file():
            yield _Member(f"data/{name}", data / name)
    folders = [data / name for name in _FOLDERS]
    if config.vault_path.is_relative_to(data):
        folders.append(config.vault_path)
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file():
                # A segment that is still written may grow while we read: the archive holds one state of it.
                copy = scratch / hashlib.sha256(str(path).encode()).hexdigest()
                shutil.copyfile(path, copy)
                yield _Member(f"data/{path.relative_to(data).as_posix()}", copy)


def _written(scratch: Path, name: str, text: str) -> _Member:
    (scratch / name).write_text(text, encoding="utf-8")
    return _Member(name, scratch / name)


def _summed(member: _Member) -> FileSum:
    with member.source.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return FileSum(member.name, member.source.stat().st_size, found)


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


# --- putting it back --------------------------------------------------------------------------------------------------


def verified(archive: Path) -> Manifest:
    """Return an archive's manifest after checking every file of it; raises ``BackupCorrupt`` or ``BackupTooNew``."""
    with _opened(archive) as pack:
        return _verified(pack, archive)


def inspect(archive: Path, folder: Path) -> Manifest:
    """Unpack an archive into an empty folder, for reading only; the installation is not touched (EX-1208)."""
    with _opened(archive) as pack:
        manifest = _verified(pack, archive)
        if folder.exists() and any(folder.iterdir()):
            raise BulkheadError(f"{folder} is not empty: name a new folder")
        _unpack(pack, manifest, folder)
    return manifest


def restore(archive: Path, config: Config, file: Path | None, *, now: int) -> Path:
    """Put an archive in place of the installation; return where the former data went.

    Present secrets are kept, they are in no archive. Raises ``BackupCorrupt``, ``BackupTooNew``, ``EngineNotFlat``,
    ``JournalLocked`` while a daemon runs. A crash leaves the former data, or the archive's, or a half-done exchange that
    ``refuse_half_restored`` finds and a further call finishes.
    """
    data = config.app.data_dir
    coming, former = _coming(data), data.with_name(f"{data.name}.before-{now // 1_000_000_000}")
    with _opened(archive) as pack:
        manifest = _verified(pack, archive)
        if data.exists():
            lock = WriterLock(config.journal_path)
            try:
                _refuse_open_groups(config)
                _exchange(pack, manifest, data, coming, former)
            finally:
                lock.release()
        else:
            _exchange(pack, manifest, data, coming, former)
        if file is not None:
            _restore_file(pack, file, data, now)
    return former


def refuse_half_restored(data: Path) -> None:
    """Raise ``RestoreInterrupted`` when a restore was cut short between its two renames."""
    if not data.exists() and _coming(data).exists():
        raise RestoreInterrupted(f"a restore into {data} was cut short: run `bulkhead restore` again")


def _coming(data: Path) -> Path:
    return data.with_name(f"{data.name}.restoring")


def _opened(archive: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except zipfile.BadZipFile as error:
        raise BackupCorrupt(f"{archive} is no archive, or its end is missing: take another copy of it") from error


def _verified(pack: zipfile.ZipFile, archive: Path) -> Manifest:
    try:
        raw: dict[str, Any] = json.loads(pack.read(_MANIFEST))
        if raw.get("product") == "bulkhead" and (raw["format"] > FORMAT or raw["schema"] > SCHEMA_VERSION):
            raise BackupTooNew(f"{archive} was written by a newer bulkhead: restore it with that one")
        manifest = msgspec.convert(raw, Manifest)
        names = {_MANIFEST, *(each.name for each in manifest.files)}
        if manifest.product != "bulkhead" or set(pack.namelist()) != names or len(pack.namelist()) != len(names):
            raise BackupCorrupt(f"{archive} does not hold the files that its manifest names")
        for each in manifest.files:
            _check(pack, each, archive)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, KeyError, ValueError, TypeError, OSError, EOFError) as error:
        raise BackupCorrupt(f"{archive} is damaged ({error}): take another copy of it") from error
    return manifest


def _check(pack: zipfile.ZipFile, wanted: FileSum, archive: Path) -> None:
    parts = Path(wanted.name).parts
    if Path(wanted.name).is_absolute() or ".." in parts or "\\" in wanted.name:
        raise BackupCorrupt(f"{archive} names a file outside the archive: {wanted.name!r}")
    total, digest = 0, hashlib.sha256()
    with pack.open(wanted.name) as member:
        while piece := member.read(_PIECE):
            total += len(piece)
            digest.update(piece)
    if (total, digest.hexdigest()) != (wanted.size, wanted.sha256):
        raise BackupCorrupt(f"{archive}: {wanted.name} is not what the manifest says: take another copy of it")


def _unpack(pack: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    for each in manifest.files:
        target = folder / each.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with pack.open(each.name) as member, target.open("wb") as file:
            shutil.copyfileobj(member, file, _PIECE)
            file.flush()
            os.fsync(file.fileno())


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


def _exchange(pack: zipfile.ZipFile, manifest: Manifest, data: Path, coming: Path, former: Path) -> None:
    """Unpack beside the data, check that its journal opens, then exchange the two folders."""
    shutil.rmtree(coming, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{data.name}-", dir=data.parent) as scratch:
        _unpack(pack, manifest, Path(scratch))
        unpacked = Path(scratch) / "data"
        unpacked.mkdir(exist_ok=True)
        _check_journal(unpacked / "journal.db")
        kept = next((each for each in (data, *_formers(data)) if (each / "secrets").is_dir()), None)
        if kept is not None:
            shutil.copytree(kept / "secrets", unpacked / "secrets")
        unpacked.rename(coming)
    if data.exists():
        data.rename(former)
    coming.rename(data)


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


def _restore_file(pack: zipfile.ZipFile, file: Path, data: Path, now: int) -> None:
    """Put the archive's config.toml in place, pointing to the data folder of this installation."""
    text = pack.read(_CONFIG).decode()
    if not text:
        return
    if file.exists():
        shutil.copyfile(file, file.with_name(f"{file.name}.before-{now // 1_000_000_000}"))
    here = os.path.relpath(data, file.absolute().parent)
    replace_file(file, edited(text, normal({**from_toml(text), "app.data_dir": here})))

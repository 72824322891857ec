"""Full backups over the API, for admins: made by the daemon that runs, kept in its data folder, read back (EX-1208)."""

from __future__ import annotations

import errno
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from protocol.codec import decode_json
from protocol.errors import BulkheadError
from protocol.messages import Value
from rules.backup_retention import Archive, backups_to_go
from runtime.clock import NANOS, WallClock
from service.api.answers import Refused, answer, not_found
from service.api.shared import Shared
from service.backup import Manifest, make_backup, verified
from service.backup_folder import (
    SUFFIX,
    Removed,
    UnknownBackup,
    archives_in,
    backup_folder,
    forget_mark,
    mark,
    remove_old,
    sweep,
)
from service.backup_key import key_of
from service.taking_secrets import beside

__all__ = [
    "BackupMade",
    "BackupMark",
    "BackupWanted",
    "BackupsPruned",
    "BackupsShown",
    "PruneBackups",
    "register",
]

_NEXT: Final = Archive(name="", size=0, written_at=0)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")


class BackupWanted(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What the archive is to be called; without a name, by the time."""

    name: str = ""


class BackupMade(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """An archive that was written and read back: every file is what the manifest says. Sizes in bytes.

    ``removed`` are older ones that it took the place of; ``trouble`` says why others that were to go are still there.
    """

    name: str
    path: str
    size: int
    files: int
    unpacked: int
    made_at: int
    encrypted: bool
    removed: tuple[str, ...] = ()
    trouble: str = ""


class BackupsShown(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The archives, newest first, and the bytes that are free where they are.

    ``keep_newest`` stay (0: all), and ``goes`` are those that go once another one is made. ``doing`` is what is being done
    for the next: ``done`` of ``of`` (0: nobody knows).
    """

    folder: str
    backups: tuple[Archive, ...]
    goes: tuple[str, ...]
    keep_newest: int
    free: int
    doing: str = ""
    done: int = 0
    of: int = 0


class PruneBackups(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whether only to say what would go."""

    preview: bool = False


class BackupsPruned(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """The archives that went, or would go, oldest first; ``trouble`` says why others could not be removed."""

    preview: bool
    removed: tuple[Archive, ...]
    trouble: str = ""


class BackupMark(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """An archive, and whether it is never to be removed."""

    name: str
    keep: bool = True


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _Backups(shared)
    app.router.add_get("/v1/backups", one.shown)
    app.router.add_post("/v1/backups", one.make)
    app.router.add_post("/v1/backups/prune", one.prune)
    app.router.add_post("/v1/backups/keep", one.keep)
    app.router.add_get("/v1/backups/{name}", one.file)


class _Backups:
    def __init__(self, shared: Shared) -> None:
        self._host = shared.host
        self._progress: tuple[str, int, int] | None = None

    @property
    def _folder(self) -> Path:
        return backup_folder(self._host.config)

    @property
    def _keep_newest(self) -> int:
        return self._host.config.backups.keep_newest

    async def shown(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        """List the archives, and say how far the one is that is being made."""
        return answer(await beside(self._host.system, self._listed))

    def _listed(self) -> BackupsShown:
        found, newest = archives_in(self._folder), self._keep_newest
        doing, done, of = self._progress or ("", 0, 0)
        return BackupsShown(
            folder=str(self._folder),
            backups=tuple(found),
            goes=tuple(each.name for each in backups_to_go([*found, _NEXT], newest, made=_NEXT.name)),
            keep_newest=newest,
            free=_free(self._folder),
            doing=doing,
            done=done,
            of=of,
        )

    async def make(self, request: web.Request) -> web.Response:
        """Write an archive and read it back; one at a time."""
        wanted = decode_json(await request.read() or b"{}", BackupWanted)
        at = datetime.fromtimestamp(WallClock().now() / NANOS, UTC)
        name = wanted.name or f"bulkhead-{at:%Y%m%dT%H%M%SZ}"
        target = self._folder / f"{_checked(name).removesuffix(SUFFIX)}{SUFFIX}"
        if self._progress is not None:
            raise Refused(409, "BackupUnderWay", "a backup is being made: wait until it is done", value=name)
        self._progress = ("beginning", 0, 0)
        try:
            return answer(await beside(self._host.system, lambda: self._made(target)))
        except OSError as error:
            raise _unwritable(error, self._folder, str(target)) from error
        finally:
            self._progress = None

    def _made(self, target: Path) -> BackupMade:
        if target.exists():
            raise Refused(409, "BackupExists", f"{target.name} is there already", path="name", value=target.name)
        key, host = key_of(), self._host
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(target.parent)
        forget_mark(target)
        make_backup(host.config, host.sources.file, target, now=WallClock().now(), key=key, told=self._told)
        self._told("reading it back", 0, 0)
        manifest = _read_back(target, key)
        # Only now, and never this one: what went before it was the newest that anybody had.
        removed = remove_old(target.parent, self._keep_newest, made=target.name)
        return BackupMade(
            name=target.name,
            path=str(target),
            size=target.stat().st_size,
            files=len(manifest.files),
            unpacked=manifest.size,
            made_at=manifest.made_at,
            encrypted=bool(key),
            removed=tuple(each.name for each in removed.archives),
            trouble=removed.trouble,
        )

    def _told(self, doing: str, done: int, of: int) -> None:
        self._progress = (doing, done, of)

    async def prune(self, request: web.Request) -> web.Response:
        """Remove what is no longer kept, or say what that would be."""
        wanted = decode_json(await request.read() or b"{}", PruneBackups)
        found = await beside(self._host.system, lambda: self._pruned(preview=wanted.preview))
        return answer(BackupsPruned(wanted.preview, found.archives, found.trouble))

    def _pruned(self, *, preview: bool) -> Removed:
        if preview:
            return Removed(tuple(backups_to_go(archives_in(self._folder), self._keep_newest)))
        return remove_old(self._folder, self._keep_newest)

    async def keep(self, request: web.Request) -> web.Response:
        """Mark an archive, or take its mark away."""
        wanted = decode_json(await request.read(), BackupMark)
        try:
            found = await beside(self._host.system, lambda: mark(self._folder, wanted.name, kept=wanted.keep))
        except UnknownBackup as error:
            raise not_found(f"there is no backup {wanted.name}; see: bulkhead backups", value=wanted.name) from error
        except OSError as error:
            raise _unwritable(error, self._folder, wanted.name) from error
        return answer(found)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Hand an archive out."""
        name = _checked(request.match_info["name"])
        path = self._folder / name
        if not name.endswith(SUFFIX) or not await beside(self._host.system, path.is_file):
            raise not_found(f"there is no backup {name}; see: bulkhead backups", value=name)
        headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.FileResponse(path, headers={**headers, "Content-Type": "application/octet-stream"})


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        text = "a name has 1 to 100 letters, digits, dots, - or _, and begins with a letter or digit"
        raise Refused(422, "WrongType", text, path="name", value=name)
    return name


def _read_back(target: Path, key: str) -> Manifest:
    """Return what an archive says of itself; one that cannot be read back is none, and counts among no newest ones."""
    try:
        return verified(target, key)
    except BulkheadError:
        target.unlink(missing_ok=True)
        raise


def _unwritable(error: OSError, folder: Path, value: str) -> Refused:
    """Return the refusal; on a full disk with how much is free: older archives are not removed for one that may fail."""
    text = f"the backup cannot be written: {error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        sizes = sum(each.size for each in archives_in(folder) if not each.kept)
        text += f"; {_free(folder)} bytes are free, the backups here that are not marked take {sizes}"
    return Refused(503, "BackupUnwritable", text, value=value)


def _free(folder: Path) -> int:
    """Return the bytes that are free where a folder is, or will be."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    return shutil.disk_usage(there).free

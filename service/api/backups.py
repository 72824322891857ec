"""Full backups over the API, for admins: made by the daemon that runs, kept in its data folder, read back (EX-1208)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from protocol.codec import decode_json
from protocol.messages import Value
from runtime.clock import NANOS, WallClock
from service.api.answers import Refused, answer, not_found
from service.backup import make_backup, verified
from service.backup_key import key_of
from service.taking_secrets import beside

if TYPE_CHECKING:
    from service.api.server import ApiServer

__all__ = ["BACKUPS", "BackupMade", "BackupShown", "BackupWanted", "BackupsShown", "register"]

BACKUPS: Final = "backups"
"""The folder below ``app.data_dir``; no backup holds it."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")
_SUFFIX: Final = ".bulkhead"


class BackupWanted(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What the archive is to be called; without a name, by the time."""

    name: str = ""


class BackupMade(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """An archive that was written and read back: every file is what the manifest says. Sizes in bytes."""

    name: str
    path: str
    size: int
    files: int
    unpacked: int
    made_at: int
    encrypted: bool


class BackupShown(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """An archive that is there; ``size`` in bytes, ``written_at`` nanoseconds UTC."""

    name: str
    size: int
    written_at: int


class BackupsShown(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The archives, newest first, and what is being done for the next: ``done`` of ``of`` (0: nobody knows)."""

    folder: str
    backups: tuple[BackupShown, ...]
    doing: str = ""
    done: int = 0
    of: int = 0


def register(app: web.Application, server: ApiServer) -> None:
    """Register the addresses."""
    one = _Backups(server)
    app.router.add_get("/v1/backups", one.shown)
    app.router.add_post("/v1/backups", one.make)
    app.router.add_get("/v1/backups/{name}", one.file)


class _Backups:
    def __init__(self, server: ApiServer) -> None:
        self._host = server.host
        self._progress: tuple[str, int, int] | None = None

    @property
    def _folder(self) -> Path:
        return self._host.config.app.data_dir / BACKUPS

    async def shown(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        """List the archives, and say how far the one is that is being made."""
        found = await beside(self._host.system, self._listed)
        doing, done, of = self._progress or ("", 0, 0)
        return answer(BackupsShown(folder=str(self._folder), backups=found, doing=doing, done=done, of=of))

    def _listed(self) -> tuple[BackupShown, ...]:
        files = [path for path in self._folder.glob(f"*{_SUFFIX}") if path.is_file() and not path.name.startswith(".")]
        rows = [BackupShown(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
        return tuple(sorted(rows, key=lambda each: each.written_at, reverse=True))

    async def make(self, request: web.Request) -> web.Response:
        """Write an archive and read it back; one at a time."""
        wanted = decode_json(await request.read() or b"{}", BackupWanted)
        at = datetime.fromtimestamp(WallClock().now() / NANOS, UTC)
        name = wanted.name or f"bulkhead-{at:%Y%m%dT%H%M%SZ}"
        target = self._folder / f"{_checked(name).removesuffix(_SUFFIX)}{_SUFFIX}"
        if self._progress is not None:
            raise Refused(409, "BackupUnderWay", "a backup is being made: wait until it is done", value=name)
        self._progress = ("beginning", 0, 0)
        try:
            return answer(await beside(self._host.system, lambda: self._made(target)))
        except OSError as error:
            text = f"the backup cannot be written: {error}"
            raise Refused(503, "BackupUnwritable", text, value=str(target)) from error
        finally:
            self._progress = None

    def _made(self, target: Path) -> BackupMade:
        if target.exists():
            raise Refused(409, "BackupExists", f"{target.name} is there already", path="name", value=target.name)
        key, host = key_of(), self._host
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_backup(host.config, host.sources.file, target, now=WallClock().now(), key=key, told=self._told)
        self._told("reading it back", 0, 0)
        manifest = verified(target, key)
        return BackupMade(
            name=target.name,
            path=str(target),
            size=target.stat().st_size,
            files=len(manifest.files),
            unpacked=manifest.size,
            made_at=manifest.made_at,
            encrypted=bool(key),
        )

    def _told(self, doing: str, done: int, of: int) -> None:
        self._progress = (doing, done, of)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Hand an archive out."""
        name = _checked(request.match_info["name"])
        path = self._folder / name
        if not name.endswith(_SUFFIX) or not await beside(self._host.system, path.is_file):
            raise not_found(f"there is no backup {name}", value=name)
        headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.FileResponse(path, headers={**headers, "Content-Type": "application/octet-stream"})


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        text = "a name has 1 to 100 letters, digits, dots, - or _, and begins with a letter or digit"
        raise Refused(422, "WrongType", text, path="name", value=name)
    return name

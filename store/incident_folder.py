"""The folder of incident files: one JSON document an incident, written whole or not at all, bounded in number and size.

Nothing here needs the daemon: after the system as a whole has failed the files are read from the folder alone. Nothing
here makes a bad moment worse: a disk that is nearly full is not written to, and what fails is said, never raised.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from protocol.codec import encode_json
from protocol.incident_files import IncidentFile, IncidentKind
from protocol.messages import Value

__all__ = [
    "FILES_MOST",
    "FILE_BYTES_MOST",
    "FOLDER_BYTES_MOST",
    "LEAST_FREE_BYTES",
    "Hide",
    "IncidentFolder",
    "IncidentLine",
]

FILES_MOST: Final = 200
"""Incident files that are kept; the oldest go first."""

FILE_BYTES_MOST: Final = 262_144
"""Size of one file; a larger incident loses its least needed parts."""

FOLDER_BYTES_MOST: Final = 20 * 1_048_576
"""Size of all files together."""

LEAST_FREE_BYTES: Final = 64 * 1_048_576
"""Free space below which no incident is written: the journal needs what is left."""

Hide = Callable[[str], str]

_SEEN: Final = "seen"
_NAME = re.compile(r"^\d{8}T\d{9}Z-(?P<id>i[\w-]{1,60})\.json$")
_LEFT_OUT: Final = "(left out: the incident was too large)"


class _Short(Value, frozen=True, gc=False, forbid_unknown_fields=False):
    """Of an error or a decision, what one line shows."""

    type: str = ""
    text: str = ""
    action: str = ""
    said: str = ""


class IncidentLine(Value, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=False):
    """One incident in a list; ``unread`` while nobody has looked at it."""

    id: str
    kind: IncidentKind
    at: int
    path: str
    actor: str = ""
    error: _Short = _Short()
    decision: _Short | None = None
    more: int = 0
    run: int = 0
    unread: bool = False


class IncidentFolder:
    """Reads and writes one folder. Writing belongs to one thread of one process; anybody may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- writing -------------------------------------------------------------------------------------------------------

    def write(self, incident: IncidentFile, stamp: str, hide: Hide = str) -> bool:
        """Keep an incident; ``stamp`` is its instant as ``20261121T175344123Z``, ``hide`` takes secrets out of its text.

        Returns False when the disk has no room for it or refuses it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if shutil.disk_usage(self.folder).free < LEAST_FREE_BYTES:
                return False
            self._replace(self.folder / f"{stamp}-{incident.id}.json", _encoded(incident, hide))
            self._prune()
        except OSError:
            return False
        return True

    def _replace(self, path: Path, text: str) -> None:
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            with draft.open("w", encoding="utf-8") as file:
                os.chmod(draft, 0o600)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise

    def count_more(self, ident: str, more: int) -> None:
        """Note in a file how many incidents like it followed that were not written."""
        path = self._path_of(ident)
        incident = self._read(path) if path is not None else None
        if path is None or incident is None or incident.more == more:
            return
        with suppress(OSError):
            self._replace(path, _encoded(msgspec.structs.replace(incident, more=more)))

    def _prune(self) -> None:
        kept = self._paths()
        sizes = {path: _size(path) for path in kept}
        while kept and (len(kept) > FILES_MOST or sum(sizes[each] for each in kept) > FOLDER_BYTES_MOST):
            oldest = kept.pop(0)
            with suppress(OSError):
                oldest.unlink()

    # --- reading -------------------------------------------------------------------------------------------------------

    def _paths(self) -> list[Path]:
        """Return the files, oldest first: their names begin with their instants."""
        try:
            return sorted(path for path in self.folder.iterdir() if _NAME.match(path.name))
        except OSError:
            return []

    def _path_of(self, ident: str) -> Path | None:
        return next((path for path in reversed(self._paths()) if _id_of(path) == ident), None)

    def lines(self) -> list[IncidentLine]:
        """Return a line of every incident that can be read, newest first."""
        seen = self.seen()
        found: list[IncidentLine] = []
        for path in reversed(self._paths()):
            with suppress(OSError, msgspec.MsgspecError):
                line = msgspec.json.decode(path.read_bytes(), type=IncidentLine)
                found.append(msgspec.structs.replace(line, unread=line.id not in seen))
        return found

    def get(self, ident: str) -> IncidentFile | None:
        """Return one incident, None when there is no such file."""
        path = self._path_of(ident)
        return self._read(path) if path is not None else None

    def _read(self, path: Path) -> IncidentFile | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=IncidentFile)
        except (OSError, msgspec.MsgspecError):
            return None

    # --- what was looked at --------------------------------------------------------------------------------------------

    def seen(self) -> set[str]:
        """Return the ids that an operator has looked at."""
        try:
            return set((self.folder / _SEEN).read_text(encoding="utf-8").split())
        except (OSError, UnicodeError):
            return set()

    def unread(self) -> list[str]:
        """Return the ids that nobody has looked at, newest first."""
        seen = self.seen()
        return [ident for ident in map(_id_of, reversed(self._paths())) if ident not in seen]

    def mark_seen(self, idents: list[str]) -> None:
        """Note that these were looked at; ids of files that are gone are forgotten."""
        here = {_id_of(path) for path in self._paths()}
        with suppress(OSError):
            self._replace(self.folder / _SEEN, "\n".join(sorted((self.seen() | set(idents)) & here)))


def _id_of(path: Path) -> str:
    found = _NAME.match(path.name)
    return found["id"] if found is not None else ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _hidden(value: Any, hide: Hide) -> Any:
    """Return a document with ``hide`` applied to every text in it: the form stays, whatever is taken out."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {key: _hidden(each, hide) for key, each in value.items()}
    return [_hidden(each, hide) for each in value] if isinstance(value, list) else value


def _encoded(incident: IncidentFile, hide: Hide = str) -> str:
    """Return the document, without its largest parts when it is too large."""
    for part in ("", "state", "events", "chain", "calls", "stacks"):
        if part:
            empty: Any = () if part in ("events", "chain", "calls") else _LEFT_OUT
            incident = msgspec.structs.replace(incident, **{part: empty})
        document = _hidden(msgspec.json.decode(encode_json(incident)), hide)
        text = msgspec.json.format(msgspec.json.encode(document), indent=1)
        if len(text) <= FILE_BYTES_MOST:
            break
    return text.decode("utf-8")

"""What the cockpit remembers for one operator: theme, density, columns and order of each panel (EX-1604).

One small JSON file in the operator's state folder. A broken one is a ``PreferencesBroken``: the cockpit says so, begins with
defaults and keeps the broken file beside, so that nothing an operator wrote is lost.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from protocol.errors import BulkheadError

__all__ = ["LARGEST", "Preferences", "PreferencesBroken", "default_file"]

LARGEST: Final = 65_536
"""Bytes a file may have; what is larger was not written by us."""


class PreferencesBroken(BulkheadError):
    """The file of preferences cannot be read or written; ``code`` is one of the product's."""

    code = "PreferencesBroken"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the cockpit's preferences in {path} {why}")
        self.path = path


def default_file(environment: Mapping[str, str]) -> Path:
    """Return where an operator's preferences are."""
    home = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".local/state")
    return Path(home) / "bulkhead" / "cockpit.json"


class Preferences:
    """Values by name; saved as soon as one changes."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._values: dict[str, Any] = {}

    def load(self) -> None:
        """Read the file; there being none is no mistake. Raise ``PreferencesBroken`` and go on with defaults."""
        if self.path is None:
            return
        try:
            data = self.path.read_bytes()
            found = json.loads(data) if len(data) <= LARGEST else None
        except FileNotFoundError:
            return
        except OSError as error:
            raise PreferencesBroken(self.path, f"cannot be read: {error.strerror}") from error
        except ValueError as error:
            self._set_aside()
            raise PreferencesBroken(self.path, f"are no JSON document: {error}; set aside as .broken") from error
        if not isinstance(found, dict):
            self._set_aside()
            raise PreferencesBroken(self.path, "are no JSON object of values; set aside as .broken")
        self._values = found

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value; one of another kind than the default counts as not set."""
        value = self._values.get(name, default)
        return value if default is None or isinstance(value, type(default)) else default

    def names(self, name: str) -> list[str]:
        """Return a value that is a list of texts, empty when it is none."""
        value = self._values.get(name)
        return [str(each) for each in value] if isinstance(value, list) else []

    def set(self, name: str, value: Any) -> None:
        """Remember a value; raise ``PreferencesBroken`` when it cannot be written."""
        if self._values.get(name) == value:
            return
        self._values[name] = value
        if self.path is None:
            return
        beside = self.path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside.write_text(json.dumps(self._values, indent=1, sort_keys=True))
            beside.replace(self.path)
        except OSError as error:
            raise PreferencesBroken(self.path, f"cannot be written: {error.strerror}") from error

    def _set_aside(self) -> None:
        assert self.path is not None, "only a file can be set aside"
        try:
            self.path.replace(self.path.with_suffix(".broken"))
        except OSError:
            return  # it stays where it is; the next change replaces it

"""The key that backups are encrypted with: of a file, else of the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["KEY_VARIABLE", "key_of"]

KEY_VARIABLE: Final = "BULKHEAD_BACKUP_KEY"
"""The passphrase of backups; a key file goes before it."""


def key_of(key_file: Path | None = None) -> str:
    """Return the key, empty when there is none; raises what the disk raises for a file that is not there."""
    if key_file is not None:
        return key_file.read_text(encoding="utf-8").strip()
    return os.environ.get(KEY_VARIABLE, "")

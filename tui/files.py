"""Files for the operator: whole or not at all, and for nobody else to read."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, in place of one of the same name; raise ``OSError`` and leave nothing of it behind."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.touch(mode=0o600)
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)

"""Write a file whole or not at all: what fails leaves nothing behind (EX-1718)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from service.cli.codes import ExitCode
from service.cli.failures import CommandFailed, Failure

__all__ = ["export_failed", "whole_file"]


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Return a file to write to, which takes its name when all of it is on the disk; raise ``ExportFailed``."""
    torn = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            torn.unlink(missing_ok=True)  # whoever may write here could have left a link to elsewhere
            with torn.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            torn.replace(path)
        except OSError as error:
            raise export_failed(path, error) from error
    finally:
        with suppress(OSError):
            torn.unlink(missing_ok=True)


def export_failed(path: Path, error: OSError) -> CommandFailed:
    """Return the refusal of a file that could not be written."""
    advice = "choose a folder that exists and has room"
    return CommandFailed(Failure(ExitCode.FAILED, "ExportFailed", f"{path}: {error.strerror or error}", advice))

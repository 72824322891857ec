"""Work on files: replay recorded data, check a configuration, check and repair a journal, back up. None needs a daemon."""

from __future__ import annotations

import typer

from service.cli import backups, checking, journals, replaying

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for family in (replaying, checking, journals, backups):
        family.register(app)

"""Work on the store: replay recorded data, check a configuration, repair a journal, move, back up. None needs a daemon."""

from __future__ import annotations

import typer

from service.cli import backups, checking, db, journals, replaying

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for family in (replaying, checking, journals, db, backups):
        family.register(app)

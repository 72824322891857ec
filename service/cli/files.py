"""Work on files: replay recorded data, check a configuration, check and repair a journal. None needs a daemon."""

from __future__ import annotations

import typer

from service.cli import checking, journals, replaying

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for family in (replaying, checking, journals):
        family.register(app)

"""Ask an operator before something is done that cannot be taken back."""

from __future__ import annotations

import typer

from service.cli.codes import ExitCode
from service.cli.failures import CommandFailed, Failure
from service.cli.output import note

__all__ = ["confirmed"]


def confirmed(question: str) -> None:
    """Go on only when the question is answered with yes; raise ``CommandFailed`` when nobody can answer.

    A no ends the command in order: nothing was done, and nothing went wrong.
    """
    try:
        agreed = typer.confirm(question)
    except typer.Abort as nobody:
        message, advice = "nobody answered, so nothing was done", "add --yes to say so beforehand"
        raise CommandFailed(Failure(ExitCode.FAILED, "Unconfirmed", message, advice)) from nobody
    if not agreed:
        note("nothing was done")
        raise typer.Exit

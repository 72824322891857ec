"""Whether there is a terminal that can show a screen."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from service.cli.parts import usage

if TYPE_CHECKING:
    from service.cli.failures import CommandFailed

__all__ = ["at_terminal", "no_screen", "no_terminal"]


def at_terminal() -> bool:
    """Tell whether somebody sits at a terminal, whatever it can show."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def no_screen() -> str:
    """Return why no screen can be shown here, nothing when one can."""
    if not at_terminal():
        return "there is no terminal to show the cockpit in"
    if (kind := os.environ.get("TERM", "")) in ("", "dumb"):
        return f"this terminal (TERM={kind}) cannot show the cockpit"
    return ""


def no_terminal(why: str) -> CommandFailed:
    """Return the error of a command that needs a screen."""
    from service.advice import advice_of

    return usage(why, advice_of("NoTerminal"), code="NoTerminal")

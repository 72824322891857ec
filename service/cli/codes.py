"""The exit codes: one meaning each, in every command."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["EXIT_CODES", "ExitCode", "epilog"]


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    NOT_FOUND = 4
    TIMEOUT = 5


EXIT_CODES: Final = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "refused or failed; the reason is on standard error",
    ExitCode.USAGE: "the command line or the configuration is wrong",
    ExitCode.NOT_RUNNING: "no daemon answers on the socket",
    ExitCode.NOT_FOUND: "nothing has that id, path or name",
    ExitCode.TIMEOUT: "no answer came in time; whether it was done is unknown",
}
"""What each code means; the help and the documentation are made from this."""


def epilog(*examples: str) -> str:
    """Return what stands below every help page: examples, and what the exit codes mean."""
    codes = "Exit codes: " + ", ".join(f"{code.value} {meaning}" for code, meaning in EXIT_CODES.items()) + "."
    if not examples:
        return codes
    title = "Example:" if len(examples) == 1 else "Examples:"
    return "\n".join([title, *(f"  {line}" for line in examples), "", codes])

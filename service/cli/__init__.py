"""The command line: one module a family of commands, all light to import; the work is imported when a command runs.

``commands`` puts the commands together, ``bare`` starts a daemon without them, ``codes`` are the exit codes, ``failures``
turns every error into one line of what is wrong and one of what to do, ``output`` prints text for people or JSON for
programs, ``parts`` holds the shared options.

What must not live here: anything another client of the API would need too; that belongs to ``service.api``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.cli.commands import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line, or the daemon alone: that holds nothing of the command line then."""
    from service.cli.bare import bare_start, run

    start = bare_start(sys.argv[1:])
    if start is not None:
        sys.exit(run(start))
    from service.cli.commands import app

    app()


def __getattr__(name: str) -> object:
    if name != "app":
        raise AttributeError(name)
    from service.cli.commands import app

    return app

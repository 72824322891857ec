"""The command line: one module a family of commands, all light to import; the work is imported when a command runs.

``app`` puts the commands together, ``codes`` are the exit codes, ``failures`` turns every error into one line of what is
wrong and one of what to do, ``output`` prints text for people or JSON for programs, ``parts`` holds the shared options.

What must not live here: anything another client of the API would need too; that belongs to ``service.api``.
"""

from service.cli.app import app, main

__all__ = ["app", "main"]

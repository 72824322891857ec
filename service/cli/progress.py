"""How far long work is: a bar on a terminal, nothing in a pipe. It goes to standard error, so that it disturbs no result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["progress"]


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Return whom to tell what is being done, how far it is and of how much (0 when nobody knows)."""
    if not sys.stderr.isatty():
        yield _nobody
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from service.cli.output import console

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=console(stderr=True), transient=True) as shown:

        def told(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=of or None)
            shown.update(tasks[what], completed=done, total=of or None)

        yield told


def _nobody(what: str, done: int, of: int) -> None:
    """Show nothing."""

"""Progress of long commands, on a terminal only; what the commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from service.cli.parts import usage

__all__ = ["Say", "cores", "known_name", "shown"]

Say: TypeAlias = Callable[[int, str], None]
"""Called with how much is done and what to show beside it."""


@contextmanager
def shown(title: str, total: int | None) -> Iterator[Say]:
    """Show a bar on standard error while the block runs; ``total`` None: nobody knows how long it takes."""
    if not sys.stderr.isatty():
        yield lambda _done, _text: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, text="")
        yield lambda done, text: bar.update(task, completed=done, text=text)


def cores(workers: int) -> int:
    """Return how many processes to use when ``workers`` (0: as many as there are cores) were asked for."""
    return workers or os.cpu_count() or 1


def known_name(name: str, known: list[str], what: str) -> str:
    """Return the name when it is known; refuse the command with the nearest ones when it is not."""
    if name in known:
        return name
    near = get_close_matches(name, known, n=3)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise usage(f"there is no {what} {name!r}{hint}", f"there are: {', '.join(sorted(known))}", value=name)

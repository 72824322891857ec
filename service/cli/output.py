"""Print for people (Rich, on a terminal in colour) or for programs (JSON, nothing else, on standard output)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = ["console", "note", "print_json", "print_line", "print_text", "show", "table"]

_WIDE: Final = 250


def console(*, stderr: bool = False) -> Console:
    """Return a console on standard output, or on standard error."""
    from service.cli.careful import CarefulConsole

    # A file or pipe has no width: lines stay whole, so that ids can be cut out of them.
    width = None if (sys.stderr if stderr else sys.stdout).isatty() else _WIDE
    return CarefulConsole(stderr=stderr, width=width)


def show(what: RenderableType) -> None:
    """Print something for people; into a file or pipe without the blanks that fill a screen."""
    out = console()
    if sys.stdout.isatty():
        out.print(what)
        return
    with out.capture() as captured:
        out.print(what)
    _print("\n".join(line.rstrip() for line in captured.get().rstrip().split("\n")))


def print_text(text: Text) -> None:
    """Print one coloured line; into a file or pipe it stays one line, however long."""
    console().print(text, soft_wrap=not sys.stdout.isatty())


def print_line(text: str) -> None:
    """Print one line as it is, but for what a terminal would obey."""
    _print(_legible(text))


def note(text: str) -> None:
    """Say something that is not the result: on standard error, so that it disturbs no pipe."""
    print(_legible(text), file=sys.stderr, flush=True)  # noqa: T201 - a CLI prints


def print_json(value: Any, *, one_line: bool = False) -> None:
    """Print one JSON document; what a terminal would obey is written as JSON writes any character, and means the same."""
    from rules.notation import legible_json

    _print(legible_json(json.dumps(value, indent=None if one_line else 2, ensure_ascii=False)))


def _legible(text: str) -> str:
    if text.isprintable():
        return text
    from protocol.legible import legible

    return legible(text, lines=True)


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a CLI prints


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> RenderableType:
    """Return a plain table; ``right`` names the columns whose values are aligned to the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(_legible(str(cell))) for cell in row))
    return made

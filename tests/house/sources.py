"""Find and parse the project's own source files."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["ROOMS", "ROOT", "Source", "existing_rooms", "room_sources", "sources_of_tests"]

ROOT: Final = Path(__file__).parents[2]

ROOMS: Final = (
    "protocol",
    "runtime",
    "supervision",
    "rules",
    "indicators",
    "store",
    "venues",
    "market",
    "models",
    "strategies",
    "actors",
    "research",
    "service",
    "simulation",
    "tui",
)
"""The product's rooms from the ground up; a new one needs a decision page."""


class Source(NamedTuple):
    """One Python file: its path from the root, its lines, its syntax tree."""

    path: str
    lines: tuple[str, ...]
    tree: ast.Module

    @property
    def room(self) -> str:
        """Return the top-level folder."""
        return self.path.partition("/")[0]


def existing_rooms() -> list[str]:
    """Return the rooms that stand, from the ground up."""
    return [room for room in ROOMS if (ROOT / room / "__init__.py").exists()]


def room_sources() -> Iterator[Source]:
    """Yield every source file of every room."""
    for room in existing_rooms():
        yield from _sources(room)


def sources_of_tests() -> Iterator[Source]:
    """Yield every file of the tests."""
    yield from _sources("tests")


@cache
def _sources(folder: str) -> tuple[Source, ...]:
    # Syntax trees are millions of objects that stay: looking through them for rubbish again and again is three quarters of
    # the time that parsing takes, and would go on in every test after it.
    gc.disable()
    try:
        return tuple(_parse(path) for path in sorted((ROOT / folder).rglob("*.py")))
    finally:
        gc.freeze()
        gc.enable()


def _parse(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path.relative_to(ROOT).as_posix(), tuple(text.splitlines()), ast.parse(text, str(path)))

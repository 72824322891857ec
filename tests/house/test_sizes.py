"""Files and functions stay small enough to read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.house.sources import Source, room_sources, sources_of_tests

MOST_FILE_LINES: Final = 400
MOST_FUNCTION_LINES: Final = 60


class Exemption(NamedTuple):
    """A place that is larger for now: how large, since when, and why."""

    lines: int
    since: str
    reason: str


EXEMPTIONS: Final[dict[str, Exemption]] = {}
"""``path`` or ``path::function`` to its size. The list may only shrink: an entry larger than its place fails."""


def sizes(source: Source) -> Iterator[tuple[str, int, int]]:
    """Yield (place, lines, ceiling) of the file and each of its functions."""
    yield source.path, len(source.lines), MOST_FILE_LINES
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield f"{source.path}::{node.name}", lines, MOST_FUNCTION_LINES


def all_sizes() -> list[tuple[str, int, int]]:
    """Return the sizes of the whole code base, tests included."""
    return [size for source in (*room_sources(), *sources_of_tests()) for size in sizes(source)]


def test_files_and_functions_stay_below_the_ceilings() -> None:
    """A file has at most 400 lines, a function at most 60, unless it is exempted by name."""
    too_large = [
        f"{place}: {lines} lines, at most {ceiling}"
        for place, lines, ceiling in all_sizes()
        if lines > ceiling and place not in EXEMPTIONS
    ]
    assert too_large == []


def test_exemptions_only_shrink() -> None:
    """An exemption names a place that exists, is above its ceiling, and has exactly the size that is noted."""
    measured = {place: (lines, ceiling) for place, lines, ceiling in all_sizes()}
    for place, exemption in EXEMPTIONS.items():
        lines, ceiling = measured[place]
        assert ceiling < lines == exemption.lines, f"{place} has {lines} lines now: correct or remove its exemption"
        assert exemption.reason
        assert exemption.since
